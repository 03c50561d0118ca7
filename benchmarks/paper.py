"""``make paper``: the experiments of the paper's section 5, by this program, written to PAPER.md
with pictures in docs/paper.

``python benchmarks/paper.py`` runs all; ``--only fig1,fig4-1`` only these parts, whose numbers are
kept in ``build/paper``; ``--only pages`` writes the page and the pictures from the numbers that are
there. Parts that lack their data are said to be missing: ``DATA.md`` says where it is to be had.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paper_linear as linear
import paper_network as network
from datasets import at_hand
from paper_page import write_page

TRIALS = (range(5), range(5, 10))


PARTS: dict[str, tuple[Callable[[], Any], str]] = {
    "fig1": (
        lambda: {name: linear.figure_1(data) for name, data in linear.sets().items()},
        "flights",
    ),
    "fig2": (lambda: linear.figure_2(linear.ijcnn1()), "ijcnn1"),
    "fig3": (lambda: linear.figure_3(linear.ijcnn1()), "ijcnn1"),
    "theorems": (lambda: linear.theorems(linear.ijcnn1()), "ijcnn1"),
    **{
        f"fig4-{number}": (lambda trials=trials: network.figure_4(trials), "fashion-mnist")
        for number, trials in enumerate(TRIALS, 1)
    },
    **{
        f"fig5-{every}": (lambda every=every: network.figure_5(every), "fashion-mnist")
        for every in (1, 5)
    },
    "fig6": (network.figure_6, "fashion-mnist"),
}
"""What makes the numbers of each, and the data set that it needs."""


def run(name: str, folder: Path) -> bool:
    """Run a part and keep its numbers, or what it lacks; returns whether it has run."""
    make, data = PARTS[name]
    is_there, begun = bool(at_hand([data])), time.perf_counter()
    numbers = make() if is_there else {"missing": f"no {data} at hand (benchmarks/DATA.md)"}
    seconds = time.perf_counter() - begun
    (folder / f"{name}.json").write_text(json.dumps({"seconds": seconds, "numbers": numbers}))
    if is_there:
        print(f"{seconds:6.1f} s  {name}", file=sys.stderr, flush=True)
    return is_there


def main() -> int:
    """Run the parts that are asked for; then write the page. Returns 1 if there was nothing to do."""
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
    ran = [name for name in PARTS if name in chosen and run(name, folder)]
    if "pages" in chosen:
        write_page(
            {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
        )
    return 0 if ran or "pages" in chosen else 1


if __name__ == "__main__":
    sys.exit(main())
