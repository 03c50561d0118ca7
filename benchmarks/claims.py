"""The first section of EVIDENCE.md: where the paper's claims hold and where not, in sentences made
of what the other sections measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby

import other_models
import residuals
import speed
from bench import number
from evidence import Kept

OURS = "clusters, calibrated"


def residual_claims(kept: Kept) -> str:
    """Return what the residuals say of the paper's picks, and of calibrated ones."""
    better, worse, lines = [], [], []
    for part, records in residuals.by_data(kept).items():
        sizes = residuals.fractions_of(records)
        ratios = {
            f: residuals.mean(records, "paper", f) / residuals.mean(records, "random", f)
            for f in sizes
        }
        better += [f"{part} {f:.1%}" for f, ratio in ratios.items() if ratio < 1]
        worse += [f"{part} {f:.1%}" for f, ratio in ratios.items() if ratio >= 1]
        shares = {
            f: residuals.mean(records, OURS, f) / residuals.mean(records, "random", f)
            for f in sizes
        }
        best = min(shares, key=lambda f: shares[f])
        lost = [f"{f:.1%}" for f, share in shares.items() if share >= 1]
        lines.append(
            f"  - {part}: at 10 % {factor(ratios[0.1])} (the paper's) and {factor(shares[0.1])} "
            f"(calibrated) times the residual of random rows; the "
            f"least share of calibrated ones is {factor(shares[best])}, at "
            f"{best:.1%}{'; no better than random at ' * bool(lost)}{', '.join(lost)}."
        )
    return (
        f"- **The optimum of a linear model: the paper's choice is nearer to it than random rows "
        f"in {len(better)} of {len(better) + len(worse)} "
        f"cases.** Its medoids with cluster weights have a smaller residual than as many random "
        f"rows at {', '.join(better) or 'none'}, and not at "
        f"{', '.join(worse) or 'any other'}.\n"
        "- **A random row of each of the same clusters, with calibrated weights, beside that:**\n"
        + "\n".join(lines)
    )


def factor(value: float) -> str:
    """Return a ratio; one below 1/2 as a fraction."""
    return number(value) if value > 0.5 else f"1/{number(1 / value)}" if value > 0 else "0"


def grid_claims(kept: Kept) -> str:
    """Return what the grids say of the paper's speed-ups."""
    lines = []
    for part, (full, *sides) in kept.items():
        data, solver = part.split("-")
        claim = speed.CLAIMS[data, solver]
        grids = {
            (s["subset"], s["fraction"]): speed.grid_of(full, s)
            for s in sides
            if s["subset"] != "random"
        }
        papers = grids["paper", 0.1]
        name, fraction = max(
            grids,
            key=lambda key: (
                -1.0 if math.isnan(grids[key].at_equal_quality) else grids[key].at_equal_quality
            ),
        )
        best = grids[name, fraction]
        lines.append(
            f"  - {data}, {solver} (the paper: {claim:g}): the paper's 10 % "
            f"{number(papers.at_equal_epochs)}x at equal epochs, with a residual of "
            f"{papers.residual:.1e} against {papers.full_residual:.1e} of all rows, and "
            f"{number(papers.at_equal_quality)}x at equal quality; the "
            f"best, {name} {fraction:.0%}, {number(best.at_equal_epochs)}x with "
            f"{best.residual:.1e}, {number(best.at_equal_quality)}x at equal "
            f"quality ({number(best.without_selection)}x without the selection): "
            f"{'reached' if best.at_equal_quality >= claim else 'not reached'}."
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
    if not counted:
        return "- No subset reached a level that all rows reach in one run."
    verdict = (
        "does not pay"
        if won * 10 < counted
        else "seldom pays"
        if won * 2 < counted
        else "often pays"
    )
    return (
        f"- **One run of a linear model: the selection {verdict}.** Selection and one tuned run "
        f"were quicker than one tuned run on all rows in {won} "
        f"of {counted} cases (data, solver, subset, residual). Where the run itself is quicker, "
        f"the selection has paid after {min(paying):,} to "
        f"{max(paying):,} runs, {sorted(paying)[len(paying) // 2]:,} in the median."
    )


def model_claims(kept: Kept) -> str:
    """Return what the costlier models say."""
    lines = []
    for part, records in kept.items():
        if "skipped" in records[0]:
            continue
        kind, data = part.split("-")
        found, quickest = [], 0.0
        for name, group in groupby(records[1:], key=lambda r: str(r["subset"])):
            last = list(group)[-1]
            if last["enough"]:
                quickest = max(quickest, other_models.speedup(records[0], last))
                found.append(
                    f"{name} {last['fraction']:.0%} "
                    f"({number(other_models.speedup(records[0], last))}x)"
                )
            else:
                found.append(f"{name}: not by {last['fraction']:.0%}")
        aim = other_models.AIMS.get(part)
        end = (
            ""
            if aim is None
            else (f" The aim of {aim:g}x is {'reached' if quickest >= aim else 'not reached'}.")
        )
        lines.append(f"  - {other_models.MODELS[kind].words}, {data}: {'; '.join(found)}.{end}")
    return (
        f"- **Costlier models: the size that is as good as all rows (within "
        f"{other_models.NEAR - 1:.0%} of their test loss or error), and the "
        "speed-up with the selection:**\n" + "\n".join(lines)
    )


def text(kept: Mapping[str, Kept]) -> str:
    """Return the section."""
    makers = {
        "residuals": (residual_claims,),
        "speed": (grid_claims, run_claims),
        "models": (model_claims,),
    }
    return "\n".join(
        make(kept[name]) for name, some in makers.items() if kept.get(name) for make in some
    )
