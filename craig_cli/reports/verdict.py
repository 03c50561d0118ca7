"""The verdict of ``craig evaluate``: one answer a question, over all losses and strengths of l2.

The answer is that of the worst of them. From three on it is told what is typical: the median.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import methodcaller

from craig_cli.evaluation import Comparison
from craig_cli.reports.comparison import IN_WORDS, listing, rivals, title

AS_GOOD, NEARLY = 1e-3, 1e-2
"""Shares of what training gains: a model that lacks no more is as good, or nearly."""
STANDINGS = {"loses": "loses to", "level": "is level with", "beats": "beats"}
"""How the coreset does, in words; what is bad is said first."""
FEW = 3
"""Comparisons below which none is typical."""


@dataclass(frozen=True)
class Verdict:
    """A question, its answer in a word or two, and why."""

    question: str
    answer: str
    reason: str

    @property
    def mood(self) -> str:
        """Whether the answer speaks for the coreset: good, bad, or mixed."""
        first = self.answer.partition(",")[0]
        return {"Yes": "good", "No": "bad"}.get(first, "mixed")

    def __str__(self) -> str:
        return f"{self.question} {self.answer}: {self.reason}."


def headline(
    comparisons: Sequence[Comparison], picks: int, rows: int, selection_seconds: float | None
) -> str:
    """Return what the coreset spares, what it costs in loss, and when it pays, in one line."""
    far = worst(comparisons, gap)
    pay = worst(comparisons, runs_to_pay)
    of = "" if len(comparisons) == 1 else f" (the worst of {len(comparisons)} comparisons)"
    return f"{fewer(picks, rows)}, loss {losses(far)}, {pays_in_brief(pay, selection_seconds)}{of}"


def verdicts(
    comparisons: Sequence[Comparison], selection_seconds: float | None, is_regression: bool
) -> list[Verdict]:
    """Return the answers: on all rows, on random ones where there are others, and on time."""
    found = [as_good_as_all(comparisons, is_regression)]
    if any(map(rivals, comparisons)):
        found.append(better_than_others(comparisons))
    return [*found, pays(comparisons, selection_seconds)]


def fewer(picks: int, rows: int) -> str:
    """Return how many rows are spared, never rounded up to all."""
    share = picks / rows
    if share >= 1:
        return "no fewer rows"
    digits = max(0, math.floor(-math.log10(share)) - 1)
    percent = math.floor(100 * (1 - share) * 10**digits + 1e-6) / 10**digits
    return f"{percent:.{digits}f}% fewer rows"


def losses(comparison: Comparison) -> str:
    """Return the loss of all rows at the coreset's optimum, against the least there is."""
    least = comparison.optimum
    return f"{least + comparison.coreset.residual:#.4g} against {least:#.4g}"


def gap(comparison: Comparison) -> float:
    """Return what the coreset's model lacks, as a share of what training gains."""
    lacking, gained = comparison.coreset.residual, comparison.residual_at_zero
    return lacking / gained if gained > 0 else (math.inf if lacking > 0 else 0.0)


def worst(comparisons: Sequence[Comparison], badness: Callable[[Comparison], float]) -> Comparison:
    """Return the comparison that is worst by a measure, the first of equal ones."""
    return max(comparisons, key=badness)


def over_all(
    comparisons: Sequence[Comparison],
    badness: Callable[[Comparison], float],
    words: Callable[[Comparison], str],
    worst_in_words: str,
) -> str:
    """Return what holds of the worst comparison, which it is, and what holds of the median one."""
    if len(comparisons) == 1:
        return worst_in_words
    told = f"at worst ({title(worst(comparisons, badness))}) {worst_in_words}"
    if len(comparisons) < FEW:
        return told
    return f"{told}; typically {words(sorted(comparisons, key=badness)[len(comparisons) // 2])}"


def as_good_as_all(comparisons: Sequence[Comparison], is_regression: bool) -> Verdict:
    """Return whether the coreset's model is as good as that of all rows."""
    far = worst(comparisons, gap)
    share = gap(far)
    if share >= 1:
        answer = "No, worse than no training"
    else:
        answer = "Yes" if share <= AS_GOOD else "Nearly" if share <= NEARLY else "No"
    reason = f"loss {losses(far)} of all rows, {lacking(far)}"
    own, full = far.coreset.test_error, far.results[0].test_error
    if own is not None and full is not None:
        form = ".4g" if is_regression else ".2%"
        reason += f"; test error {own:{form}} against {full:{form}}"
    reason = over_all(comparisons, gap, lacking, reason)
    return Verdict("Is the coreset as good as all rows?", answer, reason)


def lacking(comparison: Comparison) -> str:
    """Return how far the coreset's model is from the best, in words."""
    share = gap(comparison)
    part = "under 0.01%" if share < 1e-4 else f"{100 * share:.2g}%" if share < 1 else "all"
    return f"short by {comparison.coreset.residual:.3g}, {part} of what training gains"


def better_than_others(comparisons: Sequence[Comparison]) -> Verdict:
    """Return whether the coreset beats random rows, and what else it loses to or beats.

    Where random rows are not among the baselines, the question is of all others.
    """
    names = [name for name in IN_WORDS if any(c.has(name) for c in comparisons)]
    if "random" not in names:
        return Verdict(
            "Is it better than other rows?", word(comparisons, names), others(comparisons, names)
        )

    def ratio(comparison: Comparison) -> float:
        return comparison.ratio_to("random")

    def nearer(comparison: Comparison) -> str:
        return times_in_words(ratio(comparison), comparison.standing("random"))

    one = worst(comparisons, ratio)
    own, theirs = one.coreset.residual, one.result("random").residual
    reason = f"residual {own:.3g} against {theirs:.3g}, {nearer(one)}"
    reason = over_all(comparisons, ratio, nearer, reason)
    rest = [name for name in names if name != "random"]
    if rest:
        reason += f". Of other rows it {others(comparisons, rest)}"
    return Verdict("Is it better than random rows?", word(comparisons, ["random"]), reason)


def word(comparisons: Sequence[Comparison], names: Sequence[str]) -> str:
    """Return the answer to whether the coreset beats all of these everywhere."""
    standings = [c.standing(name) for c in comparisons for name in names if c.has(name)]
    if set(standings) == {"beats"}:
        return "Yes"
    if "beats" in standings:
        return "Not always"
    return "No" if "loses" in standings else "No, level"


def times_in_words(ratio: float, standing: str) -> str:
    """Return how many times less or more the coreset's residual is."""
    if standing == "level":
        return "level within 5%"
    if ratio == 0 or math.isinf(ratio):
        return f"{'its own' if ratio == 0 else 'theirs'} nothing but rounding"
    factor, more = (1 / ratio, "less") if ratio < 1 else (ratio, "more")
    return f"{float(f'{factor:.2g}'):,.{1 if factor < 10 else 0}f} times {more}"


def others(comparisons: Sequence[Comparison], names: Sequence[str]) -> str:
    """Return what the coreset loses to, is level with and beats, each by its worst comparison."""
    ones = {
        name: max((c for c in comparisons if c.has(name)), key=methodcaller("ratio_to", name))
        for name in names
    }
    found = {name: one.standing(name) for name, one in ones.items()}
    groups = {
        verb: [IN_WORDS[name] for name in names if found[name] == standing]
        for standing, verb in STANDINGS.items()
    }
    if set(found.values()) == {"beats"} and len(names) > 1:
        last = max(names, key=lambda name: ones[name].ratio_to(name))
        return (
            f"beats {'both' if len(names) == 2 else f'all {len(names)}'}; nearest to it are "
            f"{IN_WORDS[last]} ({ones[last].result(last).residual:.3g})"
        )
    return "; ".join(f"{verb} {listing(group)}" for verb, group in groups.items() if group)


def runs_to_pay(comparison: Comparison) -> float:
    """Return the training runs after which the selection has paid: infinite for never, 0 where that
    cannot be told.
    """
    full, part = comparison.results[0].reached, comparison.coreset.reached
    if full is not None and (part is None or full.seconds <= part.seconds):
        return math.inf
    return 1.0 if full is None and part is not None else float(comparison.pays_after or 0)


def pays_in_brief(comparison: Comparison, selection_seconds: float | None) -> str:
    """Return when the selection pays, in a few words."""
    runs = runs_to_pay(comparison)
    if runs == 1:
        return "pays in the first run"
    if 1 < runs < math.inf:
        return f"pays after {runs:,.0f} runs"
    if runs > 0:
        return f"does not pay: {run_times(comparison, selection_seconds)}"
    if comparison.coreset.reached is None:
        return "no word on whether it pays: no run comes near enough to the optimum"
    return f"trains {comparison.coreset.speedup:.3g} times faster, selection not counted"


def run_times(comparison: Comparison, selection_seconds: float | None) -> str:
    """Return what a run takes on all rows and on the coreset, and the selection."""
    full, part = comparison.results[0].reached, comparison.coreset.reached
    if full is not None and part is not None:
        runs = (
            f"one run takes {full.seconds:.3g} s on all rows, {part.seconds:.3g} s on the coreset"
        )
    elif full is not None:
        runs = (
            f"one run takes {full.seconds:.3g} s on all rows, on the coreset none comes near enough"
        )
    elif part is not None:
        runs = (
            f"one run takes {part.seconds:.3g} s on the coreset, on all rows none comes near enough"
        )
    else:
        runs = "no run comes near enough, on all rows or on the coreset"
    return runs if selection_seconds is None else f"{runs}, selecting {selection_seconds:.3g} s"


def pays(comparisons: Sequence[Comparison], selection_seconds: float | None) -> Verdict:
    """Return whether the selection pays, and after how many training runs."""
    one = worst(comparisons, runs_to_pay)
    runs = runs_to_pay(one)
    if runs == 0:
        answer = "Not known"
    elif runs == 1:
        answer = "Yes, in the first run"
    else:
        answer = "No" if math.isinf(runs) else f"Only after {runs:,.0f} runs"
    reason = over_all(
        comparisons,
        runs_to_pay,
        lambda c: pays_in_brief(c, selection_seconds),
        f"to a residual of {one.target:.3g} {run_times(one, selection_seconds)}",
    )
    return Verdict("Does it pay?", answer, reason)
