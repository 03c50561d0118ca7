"""The first section of EVIDENCE.md: which aims and claims hold and which do not, in sentences made
of what the other sections measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import one_coreset
import one_coreset_page
import other_models
import searching
import speed
from bench import number
from evidence import Kept

NEAR_POINTS = 0.1
"""Percent points of accuracy within which a choice is as good."""


def aim_claims(kept: Kept) -> str:
    """Return which aims of the residuals are met, by kind of coreset."""
    measured = one_coreset_page.all_measured(kept)
    kinds = [kind for kind in one_coreset.KINDS if kind != one_coreset_page.RANDOM]
    aims = [aim for aim in one_coreset_page.aims_of(measured, kinds) if aim.words]
    lines = []
    for kind in kinds:
        missed = [
            f"{aim.title} ({aim.found[kind][0]}, aim {aim.words})"
            for aim in aims
            if not aim.found[kind][1]
        ]
        end = f"; not {', '.join(missed)}" if missed else ""
        lines.append(f"    - {kind}: {len(aims) - len(missed)} of {len(aims)}{end}.")
    return (
        "- **Linear models: the aims met, by the worst seed at the worst strength against random "
        "rows.**\n" + "\n".join(lines)
    )


def harm_claims(kept: Kept) -> str:
    """Return where a coreset is worse than random rows though it has picks enough."""
    measured, lines = one_coreset_page.all_measured(kept), []
    for kind in ("any", "linear"):
        found = one_coreset_page.above_random(measured, kind)
        lines.append(f"{kind}: {', '.join(found) or 'nowhere'}")
    return (
        "- **Above random rows**, with two picks a column or more and l2 at least 1e-5: "
        f"{'. '.join(lines)}."
    )


def told_claims(kept: Kept) -> str:
    """Return how near the summary's own figures are to what was measured."""
    measured = one_coreset_page.all_measured(kept)
    random = [ratio for one in measured for ratio in one_coreset_page.foretold(one)]
    own = [ratio for one in measured for ratio in one_coreset_page.told(one)]
    return (
        "- **The tool says how good it is.** At the pilots the summary foretells "
        f"{one_coreset_page.spread(random, '{:.2g}')} times what random rows left on average, and "
        f"tells {one_coreset_page.spread(own, '{:.2g}')} times what the coreset itself left."
    )


def model_claims(kept: Kept) -> str:
    """Return in how many of the cases (set and size) a coreset of each kind is at or below random
    rows, by model, and what it saves there.
    """
    by_model: dict[str, list[other_models.Line]] = {}
    for line in other_models.lines_of(kept):
        by_model.setdefault(line.part.split("-")[0], []).append(line)
    said = []
    for name, lines in by_model.items():
        kinds = [kind for kind in other_models.kinds_of(name) if kind != one_coreset_page.RANDOM]
        won = {
            kind: sum(line.mean(kind) <= line.mean("random") for line in lines) for kind in kinds
        }
        told = ", ".join(f"{kind} {count}" for kind, count in won.items())
        said.append(f"    - {other_models.MODELS[name].words}, {len(lines)} cases: {told}.")
    return "\n".join(
        [
            "- **Other models: in how many cases (set and size) the test error or log-loss is at or "
            "below that of random rows.**",
            *said,
            *speed_aims(kept),
        ]
    )


def speed_aims(kept: Kept) -> list[str]:
    """Return whether the speed-ups aimed at are reached, by each kind of subset."""
    lines = []
    for part, aim in other_models.SPEED_AIMS.items():
        own = [line for line in other_models.lines_of(kept) if line.part == part]
        for kind in ("any", "local") if own else ():
            near = next((line for line in own if line.is_near(kind)), None)
            said = (
                f"not by {own[-1].fraction:.0%}"
                if near is None
                else f"on {near.fraction:.0%}, {number(near.speedup(kind))}x with the selection"
            )
            lines.append(
                f"    - {part.replace('-', ', ')}: {kind} within {other_models.NEAR - 1:.0%} of all "
                f"rows {said} (aim: {aim:g}x)."
            )
    return lines


def grid_claims(kept: Kept) -> str:
    """Return what the grids say of the paper's speed-ups."""
    lines = []
    for part, (full, *sides) in kept.items():
        data, solver = part.split("-")
        claim = speed.CLAIMS[data, solver]
        grids = {
            (s["subset"], s["fraction"]): speed.grid_of(full, s)
            for s in sides
            if s["subset"] != speed.RANDOM
        }
        quality = {
            key: -1.0 if math.isnan(grid.at_equal_quality) else grid.at_equal_quality
            for key, grid in grids.items()
        }
        name, fraction = max(quality, key=lambda key: quality[key])
        papers, best = grids[speed.PAPERS], grids[name, fraction]
        verdict = "reached" if best.at_equal_quality >= claim else "not reached"
        lines.append(
            f"    - {data}, {solver} (the paper: {claim:g}): {speed.PAPERS[0]} "
            f"{speed.PAPERS[1]:.0%} {number(papers.at_equal_epochs)}x at equal epochs, "
            f"{speed.times_in_words(papers.at_equal_quality)} at equal quality; the best, {name} "
            f"{fraction:.0%}, {number(best.at_equal_epochs)}x and "
            f"{speed.times_in_words(best.at_equal_quality)}: {verdict}."
        )
    return (
        "- **The paper's speed-ups, as those of a tuning grid with the selection included:**\n"
        + "\n".join(lines)
    )


def run_claims(kept: Kept) -> str:
    """Return what the single runs say."""
    won, counted, paying = 0, 0, []
    for full, *sides in kept.values():
        for side in sides:
            for level in speed.LEVELS:
                theirs, ours = (
                    speed.first_below(full["curve"], level),
                    speed.first_below(side["curve"], level),
                )
                if theirs is None or ours is None:
                    continue
                counted += 1
                won += theirs["run"] > ours["run"] + side["selection"]
                if theirs["run"] > ours["run"]:
                    paying.append(math.ceil(side["selection"] / (theirs["run"] - ours["run"])))
    if not paying:
        return "- No subset was quicker than all rows in one run."
    return (
        "- **One run of a linear model**: selection and one tuned run were quicker than one tuned "
        f"run on all rows in {won} of {counted} cases (data, solver, subset, residual). Where the "
        f"run itself is quicker, the selection has paid after {min(paying):,} to "
        f"{max(paying):,} runs, {sorted(paying)[len(paying) // 2]:,} in the median."
    )


def search_claims(kept: Kept) -> str:
    """Return how often each search chose as well as that over all rows, and how quick it was."""
    lines = []
    for method in searching.METHODS[1:]:
        near, speeds = 0, []
        for records in kept.values():
            whole = next(r for r in records if r["method"] == searching.ALL)
            own = [r for r in records if r["method"] == method]
            near += 100 * sum(searching.regret(r, whole) for r in own) / len(own) <= NEAR_POINTS
            speeds.append(whole["seconds"] * len(own) / sum(r["seconds"] for r in own))
        lines.append(
            f"{searching.WAYS[method].words} {near} of {len(kept)}, {number(min(speeds))} to "
            f"{number(max(speeds))} times as quick"
        )
    return (
        f"- **Searches that chose within {NEAR_POINTS} percent points of the best on all rows**: "
        f"{'; '.join(lines)}."
    )


MAKERS: dict[str, tuple[Callable[[Kept], str], ...]] = {
    "one_coreset": (aim_claims, harm_claims, told_claims),
    "models": (model_claims,),
    "searching": (search_claims,),
    "speed": (grid_claims, run_claims),
}
"""What is said of each section that was measured."""


def text(kept: Mapping[str, Kept]) -> str:
    """Return the section."""
    return "\n".join(
        make(kept[name]) for name, some in MAKERS.items() if kept[name] for make in some
    )
