"""``make paper``: the experiments of the paper's section 5, by this program, written to PAPER.md
with pictures in docs/paper.

``python benchmarks/paper.py`` runs all parts and writes the page; ``--only fig1-ijcnn1,fig4-1``
only these; ``--go-on`` only those whose numbers are not kept in ``build/paper`` yet, each as soon
as it has run. ``--only pages`` writes the page and the pictures from the numbers that are there.
Parts that lack their data are said to be missing: ``DATA.md`` says where it is to be had. Figures 5
and 6, on CIFAR-10, are measured by ``paper_cifar.py`` and kept in docs/paper.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import paper_linear as linear
import paper_network as network
from datasets import at_hand
from paper_page import write_page

TRIALS = [range(first, first + 2) for first in range(0, 10, 2)]
"""Of figure 4, in parts of two minutes or less."""

PARTS: dict[str, tuple[Callable[[], Any], str]] = {
    **{f"fig1-{name}": (partial(linear.figure_1, name), name) for name in linear.SPLITS},
    **{f"fig2-{name}": (partial(linear.figure_2, name), name) for name in linear.SPLITS},
    "fig3": (linear.figure_3, "ijcnn1"),
    **{f"theorems-{name}": (partial(linear.theorems, name), name) for name in linear.SPLITS},
    **{
        f"fig4-{number}": (partial(network.figure_4, trials), "mnist")
        for number, trials in enumerate(TRIALS, 1)
    },
}
"""What makes the numbers of each, and the data set that it needs."""
PAGES = "pages"


def run(name: str, folder: Path) -> bool:
    """Run a part and keep its numbers, or what it lacks; returns whether it has run."""
    make, data = PARTS[name]
    is_there, begun = bool(at_hand([data])), time.perf_counter()
    numbers = make() if is_there else {"missing": f"no {data} at hand (benchmarks/DATA.md)"}
    seconds = time.perf_counter() - begun
    path = folder / f"{name}.json"
    path.with_suffix(".part").write_text(json.dumps({"seconds": seconds, "numbers": numbers}))
    path.with_suffix(".part").replace(path)  # what is kept is whole
    if is_there:
        print(f"{seconds:6.1f} s  {name}", file=sys.stderr, flush=True)
    return is_there


def kept(folder: Path) -> dict[str, Any]:
    """Return the numbers of all parts that are kept, those that lacked their data included."""
    paths = {name: folder / f"{name}.json" for name in PARTS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def main() -> int:
    """Run the parts that are asked for; then write the page. Returns 1 if there was nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", default=",".join([*PARTS, PAGES]), help=f"some of {', '.join([*PARTS, PAGES])}"
    )
    parser.add_argument("--go-on", action="store_true", help="only parts that are not kept")
    given = parser.parse_args()
    chosen = given.only.split(",")
    unknown = [name for name in chosen if name not in (*PARTS, PAGES)]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}")
    folder = linear.build_folder()
    there = {name for name, part in kept(folder).items() if "missing" not in part["numbers"]}
    skipped = there if given.go_on else set()
    ran = [name for name in PARTS if name in chosen and name not in skipped and run(name, folder)]
    if PAGES in chosen:
        write_page(kept(folder), tuple(PARTS))
    return 0 if ran or PAGES in chosen else 1


if __name__ == "__main__":
    sys.exit(main())
