"""``make paper``: the experiments of the paper's section 5, by this program, written to PAPER.md
with pictures in docs/paper.

``python benchmarks/paper.py`` runs all; ``--only fig1,fig4-1`` only these parts, whose numbers are
kept in ``build/paper``; ``--only pages`` writes the page and the pictures from the numbers that are
there. Parts that lack their data are said to be missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import paper_linear as linear
import paper_network as network
from datasets import FASHION_MNIST, SHARED
from paper_page import write_page

TRIALS = (range(5), range(5, 10))


def needs_shared() -> str | None:
    """Return what is missing for ijcnn1."""
    return None if (SHARED / "ijcnn1.trn.bz2").exists() else f"no ijcnn1.trn.bz2 in {SHARED.name}"


def needs_images() -> str | None:
    """Return what is missing for Fashion-MNIST."""
    return None if FASHION_MNIST.is_dir() else "no Fashion-MNIST (Debian: dataset-fashion-mnist)"


PARTS: dict[str, tuple[Callable[[], Any], Callable[[], str | None]]] = {
    "fig1": (
        lambda: {name: linear.figure_1(data) for name, data in linear.sets().items()},
        lambda: None,
    ),
    "fig2": (lambda: linear.figure_2(linear.ijcnn1()), needs_shared),
    "fig3": (lambda: linear.figure_3(linear.ijcnn1()), needs_shared),
    "theorems": (lambda: linear.theorems(linear.ijcnn1()), needs_shared),
    **{
        f"fig4-{number}": (lambda trials=trials: network.figure_4(trials), needs_images)
        for number, trials in enumerate(TRIALS, 1)
    },
    **{
        f"fig5-{every}": (lambda every=every: network.figure_5(every), needs_images)
        for every in (1, 5)
    },
    "fig6": (network.figure_6, needs_images),
}


def main() -> None:
    """Run the parts that are asked for; then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        default=",".join([*PARTS, "pages"]),
        help=f"some of {', '.join([*PARTS, 'pages'])}",
    )
    chosen = parser.parse_args().only.split(",")
    unknown = [name for name in chosen if name not in (*PARTS, "pages")]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}")
    folder = linear.build_folder()
    for name in (name for name in PARTS if name in chosen):
        run, needs = PARTS[name]
        missing = needs()
        begun = time.perf_counter()
        numbers = {"missing": missing} if missing else run()
        seconds = time.perf_counter() - begun
        (folder / f"{name}.json").write_text(json.dumps({"seconds": seconds, "numbers": numbers}))
        print(
            f"{seconds:6.1f} s  {name}{': ' + missing if missing else ''}",
            file=sys.stderr,
            flush=True,
        )
    if "pages" in chosen:
        write_page(
            {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
        )


if __name__ == "__main__":
    main()
