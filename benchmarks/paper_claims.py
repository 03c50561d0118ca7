"""The table at the head of PAPER.md: each claim of the paper, what is measured, and whether it
holds; all of it from the numbers of `paper.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from paper_speedups import ALL, Halves, ratios, share_ratio
from speed import CLAIMS

SAME_POINTS = 0.5
"""Solutions are practically the same if their test errors differ by so many points at most."""
CONVEX, DEEP = 6.0, 3.0
"""The abstract's speed-ups."""
ROUNDING = 1 + 1e-12


class Claim(NamedTuple):
    """A row of the table."""

    words: str
    measured: str
    holds: str


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in few digits; a dash where there is none, or no end of it."""
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def three(found: Sequence[float]) -> str:
    """Return speed-ups without the selection, with it, and with the tuning too."""
    aside, counted, _, both = found
    return " / ".join(number(value, 2) for value in (aside, counted, both))


def finite(found: Any) -> NDArray[np.float64]:
    """Return speed-ups, 0 where all rows, or the subset, never came there."""
    return np.nan_to_num(np.array(found, np.float64), nan=0, posinf=0)


def verdict(found: Sequence[float], claim: float) -> str:
    """Return whether speed-ups, one for each of `COUNTED`, come to what is claimed."""
    aside, counted, _, both = finite(found)
    if counted >= claim:
        return "yes"
    if both >= claim:
        return "only if tuning counts"
    return "only without the selection" if aside >= claim else "no"


def share(n: int, of: int) -> str:
    """Return whether something holds that was seen so many times."""
    return "yes" if n == of else "no" if n == 0 else f"in {n} of {of}"


def end_of(numbers: dict[str, Any], solver: str, subset: str, what: int) -> float:
    """Return the median, over the trials of figure 1, of a column of the last point."""
    ends = [trial["runs"][solver][subset]["curve"][-1][what] for trial in numbers["trials"]]
    return float(np.median(ends))


def same_solution(name: str, numbers: dict[str, Any]) -> Claim:
    """Return whether CRAIG's tenth gives practically the solution of all rows, on one set."""
    solvers = list(numbers["trials"][0]["runs"])
    optimum = np.median([trial["optimum"] for trial in numbers["trials"]])

    def worst(subset: str) -> tuple[float, float]:
        points = [
            100 * (end_of(numbers, s, subset, 2) - end_of(numbers, s, ALL, 2)) for s in solvers
        ]
        return max(points), 100 * max(end_of(numbers, s, subset, 1) for s in solvers) / optimum

    words = {
        subset: "{:+.2f} points, loss {:.2g} % over the least".format(*worst(subset))
        for subset in ("CRAIG", "default")
    }
    return Claim(
        f"abstract: practically the same solution ({name}: test error within {SAME_POINTS:g} "
        "points of all rows)",
        f"at worst {words['CRAIG']}; default {words['default']}",
        "yes" if worst("CRAIG")[0] <= SAME_POINTS else "no",
    )


def of_speed(fig1: dict[str, Any]) -> Iterator[Claim]:
    """Yield the claims on the speed of logistic regression that figure 1 is about."""
    found = {
        (name, solver, subset): ratios(numbers["trials"], solver, subset)
        for name, numbers in fig1.items()
        for solver in numbers["trials"][0]["runs"]
        for subset in ("CRAIG", "default")
    }
    best = {
        kind: finite([r for (*_, k), r in found.items() if k == kind]).max(axis=0)
        for kind in ("CRAIG", "default")
    }
    yield Claim(
        f"abstract: logistic regression up to {CONVEX:g} times faster",
        f"at most {three(best['CRAIG'])}; default {three(best['default'])}",
        verdict(list(best["CRAIG"]), CONVEX),
    )
    yield in_proportion(fig1, [r[0] for (*_, kind), r in found.items() if kind == "CRAIG"])
    for (name, solver, kind), own in found.items():
        # Of ijcnn1 the paper's figure 1 claims nothing; figure 3 does.
        if kind == "CRAIG" and name == "covtype16":
            claim = CLAIMS[name, solver]
            yield Claim(
                f"figure 1: {claim:g} times, {solver.upper()} on covtype",
                f"{three(own)}; default {three(found[name, solver, 'default'])}",
                verdict(own, claim),
            )


def in_proportion(fig1: dict[str, Any], found: list[float]) -> Claim:
    """Return whether speed-ups are as a tenth of the rows promises."""
    trials = [(numbers["rows"], t) for numbers in fig1.values() for t in numbers["trials"]]
    promised = min(rows / trial["picks"] for rows, trial in trials)
    epochs = [
        run[ALL]["curve"][-1][0] / run["CRAIG"]["curve"][-1][0]
        for _, trial in trials
        for run in trial["runs"].values()
    ]
    if min(found) >= promised:
        holds = "yes"
    else:
        holds = "only an epoch" if np.median(epochs) >= promised else "no"
    return Claim(
        f"abstract: speed-up inverse to the size of the subset ({promised:.3g} for a tenth)",
        f"an epoch {number(float(np.median(epochs)), 2)} (median); to CRAIG's residual, selection "
        f"aside, {number(min(found), 2)} to {number(max(found), 2)}",
        holds,
    )


def nearer_than_random(fig1: dict[str, Any]) -> Claim:
    """Return whether CRAIG's rows come nearer to the optimum than random ones."""
    ends = [
        [run[kind]["curve"][-1][1] for kind in ("CRAIG", "default", "random")]
        for numbers in fig1.values()
        for trial in numbers["trials"]
        for run in trial["runs"].values()
    ]
    craig, default, random = np.array(ends).T
    n = int(np.count_nonzero(craig < random))
    return Claim(
        "figure 1: CRAIG's rows end at a lower loss than random ones",
        f"in {n} of {len(ends)} runs; default in {np.count_nonzero(default < random)}",
        share(n, len(ends)),
    )


def of_gradients(fig2: dict[str, Any]) -> Iterator[Claim]:
    """Yield the claims of figure 2."""
    for name, numbers in fig2.items():
        found = list(numbers["shares"].values())
        craig, random, bound = (
            np.concatenate([one[key] for one in found]) for key in ("craig", "random", "bound")
        )
        for words, other, of in (
            ("smaller than that of random rows", random, "random over CRAIG's"),
            ("below the bound", bound, "bound over error"),
        ):
            n, ratio = int(np.count_nonzero(craig <= other)), float(np.median(other / craig))
            yield Claim(
                f"figure 2: the gradient error is {words} ({name})",
                f"at {n} of {len(craig)} points; {of}: {number(ratio, 2)} (median)",
                share(n, len(craig)),
            )


def of_shares(fig3: dict[str, Any]) -> Iterator[Claim]:
    """Yield the claims of figure 3."""
    rows, claim = fig3["shares"], CLAIMS["ijcnn1", "sgd"]
    n = sum(row["CRAIG"]["residual"] < row["random"]["residual"] for row in rows)
    yield Claim(
        "figure 3: CRAIG's shares end at a lower loss than random ones",
        f"at {n} of {len(rows)} shares",
        share(n, len(rows)),
    )
    counted = np.array([[share_ratio(row, "CRAIG", c) for c in (False, True)] for row in rows])
    best = finite(counted).max(axis=0)
    yield Claim(
        f"figure 3: {claim:g} times, SGD on shares of ijcnn1",
        f"at most {number(best[0], 2)} / {number(best[1], 2)}",
        verdict([best[0], best[1], 0.0, 0.0], claim),
    )


def of_theorems(found: dict[str, Any]) -> Iterator[Claim]:
    """Yield the claims of theorems 1 and 2."""
    runs = [run for numbers in found.values() for run in numbers["runs"].values()]
    for title, key in (("1, convex", "convex"), ("2, smooth", "smooth")):
        under = [
            run["stays_in_ball"]
            and all(d <= b * ROUNDING for d, b in zip(run["distances"], run[key], strict=True))
            for run in runs
        ]
        ends = [run[key][-1] / run["distances"][-1] for run in runs]
        yield Claim(
            f"theorem {title}: the distance to w* stays under the bound",
            f"in {sum(under)} of {len(runs)} runs; at the end the bound is "
            f"{number(min(ends), 2)} to {number(max(ends), 2)} times the distance",
            share(sum(under), len(runs)),
        )


def of_halves(half: Halves) -> Iterator[Claim]:
    """Yield the claims on a network that figure 4 is about."""
    aside, counted = half.ratio(False), half.ratio(True)
    yield Claim(
        f"abstract: deep networks up to {DEEP:g} times faster (MNIST, to the accuracy at which "
        "CRAIG ends)",
        f"{number(aside, 2)} / {number(counted, 2)}; backward passes {half.ratio_of_passes:.2g}",
        verdict([aside, counted, 0.0, 0.0], DEEP),
    )
    craig, then = half.accuracy["CRAIG"], half.full_accuracy_then
    yield Claim(
        "figure 4: for as many backward passes CRAIG's half is above all rows",
        f"accuracy {craig:.2f} % against {then:.2f} %",
        "yes" if craig > then else "no",
    )
    yield Claim(
        "figure 4: CRAIG's half generalises as well as all rows (within "
        f"{SAME_POINTS:g} points at the end)",
        f"accuracy {craig:.2f} % against {half.accuracy[ALL]:.2f} %",
        "yes" if craig >= half.accuracy[ALL] - SAME_POINTS else "no",
    )
    yield Claim(
        "figure 4: CRAIG's half ends above a random half",
        f"in {half.wins} of {half.n_trials} trials; {craig:.2f} % against "
        f"{half.accuracy['random']:.2f} %",
        share(half.wins, half.n_trials),
    )


def claims(found: dict[str, Any]) -> list[Claim]:
    """Return the claims that the figures at hand are about, in the paper's order: those of its
    abstract first.
    """
    rows: list[Claim] = []
    if fig1 := found.get("fig1"):
        rows += [same_solution(name, numbers) for name, numbers in fig1.items()]
        rows += [*of_speed(fig1), nearer_than_random(fig1)]
    for name, make in (("fig2", of_gradients), ("fig3", of_shares), ("theorems", of_theorems)):
        if found.get(name):
            rows += make(found[name])
    if found.get("fig4"):
        rows += of_halves(found["fig4"])
    return sorted(rows, key=lambda claim: not claim.words.startswith("abstract"))
