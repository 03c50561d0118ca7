"""``make paper-large``: figures 5 and 6 of the paper on its own data, ResNet-20 on CIFAR-10.

``python benchmarks/paper_cifar.py --minutes 480`` plans which runs fit into the budget and takes
them in turn. Each finished run is kept at once in ``docs/paper/cifar.json``, so that a call that was
stopped is made again and goes on: with the run that was broken off, from where it last was a minute
before. The first call sets how long a run is; later ones keep to that, whatever their budget.
Torch is imported only by a run, so that the page can be written without it.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from datasets import at_hand
from paper_cifar_plan import (
    KEPT,
    POOL,
    TIMED,
    Plan,
    epochs_as_long,
    keep,
    left_to_do,
    planned,
    read_kept,
    said,
    that_fit,
)

if TYPE_CHECKING:
    from paper_claims import Claim


def text(path: Path = KEPT) -> str:
    """Return the section of PAPER.md, from the kept runs alone; empty where there are none. Draws its
    pictures.
    """
    from paper_cifar_page import section

    kept = read_kept(path)
    return section(kept, left_to_do(kept)) if kept["runs"] else ""


def claims(path: Path = KEPT) -> list[Claim]:
    """Return what the paper claims of figures 5 and 6, by the kept runs."""
    from paper_cifar_page import claims_of

    return claims_of(read_kept(path))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=480, help="the budget of this call")
    parser.add_argument(
        "--longest", type=float, help="minutes of the longest run; default: as the budget allows"
    )
    parser.add_argument("--pool", type=int, help=f"rows to choose among (default: {POOL})")
    parser.add_argument("--into", type=Path, default=KEPT, help="where runs are kept")
    parser.add_argument("--dry-run", action="store_true", help="only say what fits")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Take the runs that fit; returns 1 if there is no data, 2 if the kept plan is another."""
    options = parse(arguments)
    if not at_hand(["cifar10"]):
        return 1
    import paper_cifar_training as training

    kept = read_kept(options.into)
    if kept["plan"] is None:
        rates = training.measured_rates()
        plan = planned(options.minutes, *rates, options.pool or POOL)
        kept["plan"] = asdict(plan) | ({"longest": options.longest} if options.longest else {})
    plan = Plan(**kept["plan"])
    asked = (options.longest or plan.longest, options.pool or plan.pool)
    if asked != (plan.longest, plan.pool):
        print(
            f"{options.into} was begun with --longest {plan.longest:g} --pool {plan.pool}: go on "
            "with these, or put it away to begin anew.",
            file=sys.stderr,
        )
        return 2
    cells, begun = that_fit(left_to_do(kept), plan, options.minutes), time.perf_counter()
    print(said(plan, cells, options.minutes), file=sys.stderr, flush=True)
    if options.dry_run:
        return 0
    keep(options.into, kept)
    data = training.cifar10_data()
    training.warm_up()
    for cell in cells:
        left = 60 * options.minutes - (time.perf_counter() - begun)
        if plan.seconds_of(cell) > left:
            continue
        epochs = plan.epochs_of(cell.share)
        if cell.way == TIMED:
            epochs = epochs_as_long(cell, plan, kept["runs"])
        recipe = training.Recipe(cell, epochs, plan.pool_of(cell.share))
        run = training.run(data, recipe, checkpoint=training.checkpoint_of(recipe))
        kept["runs"].append(run)
        keep(options.into, kept)
        print(training.in_words(run), file=sys.stderr, flush=True)
    if options.into == KEPT and kept["runs"]:
        from paper_page import write_network  # imports this file

        write_network(text(), claims())
    return 0


if __name__ == "__main__":
    sys.exit(main())
