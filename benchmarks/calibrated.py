"""Section of EVIDENCE.md: one coreset for the whole path of regularisers, and the choices behind
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from bench import table

Record: TypeAlias = dict[str, Any]
AIMS = {
    ("ijcnn1", 0.1): 1000,
    ("ijcnn1", 0.01): 50,
    ("flights", 0.01): 1000,
    ("flights", 0.001): 50,
    ("adult", 0.1): 20,
    ("adult", 0.01): 5,
}
"""So many times nearer to the optimum than random rows the calibrated picks were to be, at each
strength.
"""
HINGE_AIMS = {("ijcnn1", 0.1): 50}
NAMES = {
    "random": "random rows",
    "stratified": "stratified rows",
    "cells": "the paper's medoids",
    "cells+random": "clusters, random row",
    "cells+varied": "clusters, varied row",
    "cells/10+varied": "the same, greedy on a tenth",
    "cells+nearest": "clusters, row nearest to the mean gradient",
    "gradients:cells+random": "clusters of gradients, random row",
    "gradients:cells+nearest": "clusters of gradients, row nearest to the mean",
}
DEFAULT = "cells+varied"


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the records of a part; trials of few rows are of no use here."""
    import calibration_study
    import path_speed

    if part in ("path", "grid"):
        return [path_speed.measure(part)]
    if part == "costs":
        return [path_speed.cost_of(*size) for size in AIMS]
    return [calibration_study.measured_once(case) for case in calibration_study.cases(part)]


class Results:
    """The cases that were measured.

    Parameters
    ----------
    kept : mapping of str to list of dict
        The records of each part.
    """

    def __init__(self, kept: Mapping[str, list[Record]]) -> None:
        records = [record for part in kept.values() for record in part]
        self._cases: dict[str, tuple[list[Any], Record]] = {}
        for record in records:
            if "case" in record:
                self._cases[record["case"]] = (json.loads(record["case"]), record)

    def those(
        self,
        data: str,
        fraction: float,
        picks: str,
        is_calibrated: Callable[[Any], bool],
        boosted: bool = False,
    ) -> list[Record]:
        """Return the records, a seed each, of one set, size and way of picking, with such settings
        of calibration.
        """
        return [
            record
            for (d, f, p, _, calibration, b), record in self._cases.values()
            if (d, f, p, b) == (data, fraction, picks, boosted) and is_calibrated(calibration)
        ]

    def residuals(
        self, data: str, fraction: float, picks: str, is_calibrated: Callable[[Any], bool]
    ) -> dict[str, float]:
        """Return the mean residuals over the seeds, by loss and strength; empty for none."""
        return mean_residuals(self.those(data, fraction, picks, is_calibrated))


def mean_residuals(records: Sequence[Record]) -> dict[str, float]:
    """Return the mean residuals of some records."""
    return (
        {
            name: float(np.mean([r["residuals"][name] for r in records]))
            for name in records[0]["residuals"]
        }
        if records
        else {}
    )


def plain(calibration: Any) -> bool:
    """Return whether nothing was calibrated."""
    return calibration is None


def usual(calibration: Any) -> bool:
    """Return whether the weights were calibrated with the defaults."""
    return bool(calibration == usual_choices())


def usual_choices() -> dict[str, Any]:
    """Return the defaults of calibration, as cases state them."""
    from calibration_study import Case

    chosen: dict[str, Any] = json.loads(Case("", 0.1, "").key)[4]
    return chosen


def share(value: float, of: float) -> str:
    """Return a residual and, in brackets, what share of another it is."""
    if not value > 0:
        return "0"
    ratio = of / value
    return (
        f"{value:.1e} (1/{ratio:,.0f})"
        if ratio >= 10
        else f"{value:.1e} (1/{ratio:.1f})"
        if ratio >= 1
        else f"{value:.1e} ({1 / ratio:.1f})"
    )


def columns_of(residuals: Mapping[str, float]) -> list[str]:
    """Return the heads of the columns, the smallest strength first, the loss that nothing was
    calibrated for last.
    """
    names = list(residuals)
    others = [name for name in names if name.split()[0] != names[0].split()[0]]
    return [*reversed([name for name in names if name not in others]), *others]


def text(kept: Mapping[str, list[Record]]) -> str:
    """Return the section as Markdown."""
    results = Results(kept)
    parts = [
        INTRODUCTION,
        aims(results),
        costs(kept.get("costs", ())),
        *(picks_table(results, data, fraction) for data, fraction in AIMS),
        settings_table(results),
        representatives_table(results),
        boosting_table(results),
        sizes_table(results),
        others_table(results),
        speed(kept),
    ]
    return "\n\n".join(part.strip() for part in parts if part)


INTRODUCTION = """Residual: f - f* on all rows, at the optimum on the weighted rows; both optima by Newton's method, or L-BFGS where there are many
columns. Means over seeds, and in brackets the share of the residual of as many random rows with equal weights. Logistic loss (squared for abalone,
softmax for more classes), an intercept; *squared hinge*, l2 1e-3, is a loss that nothing was calibrated for, and at the strengths 1e-6, 1e-4 and
1e-2 there was no pilot. *Calibrated*: the defaults of `craig select`; its picks are `cells` with varied rows."""


def aims(results: Results) -> str:
    """Return the aims of the whole, and what came out."""
    rows = []
    for (data, fraction), aim in AIMS.items():
        random, found = (
            results.residuals(data, fraction, "random", plain),
            results.residuals(data, fraction, DEFAULT, usual),
        )
        if not found:
            continue
        for name in columns_of(found):
            wanted = aim if name.startswith("logistic") else HINGE_AIMS.get((data, fraction), 1)
            ratio = random[name] / found[name]
            rows.append(
                [
                    f"{data} {100 * fraction:g} %",
                    name,
                    f"1/{wanted:,}",
                    share(found[name], random[name]),
                    "yes" if ratio >= wanted else "no",
                ]
            )
    return "### Aims, as shares of the residual of random rows\n\n" + table(
        "set, rows | loss, l2 | aim | measured | met", rows
    )


def costs(records: Sequence[Record]) -> str:
    """Return what calibration took beside the selection and a pass."""
    rows = []
    for r in records:
        allowed = max(r["select"] / 10, 3 * r["pass"])
        seconds = [
            f"{r['select']:.2f}",
            f"{allowed:.3f}",
            f"{r['calibrate']:.3f}",
            f"{r['pass']:.4f}",
        ]
        rows.append(
            [
                f"{r['data']} {100 * r['fraction']:g} %",
                *seconds,
                "yes" if r["calibrate"] <= allowed else "no",
            ]
        )
    return (
        "### What calibration costs\n\nSeconds, each the quickest of three. Allowed: a tenth of "
        "the selection or three passes, whichever is more.\n\n"
        + table("set, rows | selection | allowed | calibration | one pass of gradients | met", rows)
    )


def picks_table(results: Results, data: str, fraction: float) -> str:
    """Return the residuals of each way of picking at one size of a set, calibrated or not."""
    random = results.residuals(data, fraction, "random", plain)
    if not random:
        return ""
    names, rows = columns_of(random), []
    for picks, said in NAMES.items():
        for kind, chosen in (("", plain), (", calibrated", usual)):
            found = results.residuals(data, fraction, picks, chosen)
            if found:
                rows.append(
                    [
                        said + kind,
                        *(
                            f"{found[n]:.1e}" if found is random else share(found[n], random[n])
                            for n in names
                        ),
                    ]
                )
    return f"### {data}, {100 * fraction:g} % of the rows\n\n" + table(
        " | ".join(["rows", *names]), rows
    )


def ratio_to(found: Mapping[str, float], usual_ones: Mapping[str, float]) -> str:
    """Return the geometric mean of residuals over others, and the largest ratio."""
    ratios = [found[name] / usual_ones[name] for name in found]
    return f"{math.exp(float(np.mean(np.log(ratios)))):.2f} (at most {max(ratios):.1f})"


def settings_table(results: Results) -> str:
    """Return what other settings of calibration come to beside the defaults."""
    from calibration_study import VARIANTS

    rows = []
    for name, changed in VARIANTS.items():
        wanted = json.loads(json.dumps({**usual_choices(), **changed}))
        row = [name]
        for data, fraction in AIMS:
            records = results.those(data, fraction, DEFAULT, lambda c, wanted=wanted: c == wanted)  # type: ignore[misc]
            beside = results.those(data, fraction, DEFAULT, usual)[: len(records)]
            row.append(
                ratio_to(mean_residuals(records), mean_residuals(beside))
                if records and beside
                else "-"
            )
        rows.append(row)
    heads = [
        "instead of the defaults",
        *(f"{data} {100 * fraction:g} %" for data, fraction in AIMS),
    ]
    return (
        "### Settings of calibration\n\nResiduals over those of the defaults, the geometric mean "
        "over the columns above, and the largest ratio; "
        "two seeds.\n\n" + table(" | ".join(heads), rows)
    )


def representatives_table(results: Results) -> str:
    """Return what rows that stand for clusters in other ways come to."""
    rows, names = [], []
    for data, fraction in (("ijcnn1", 0.01), ("flights", 0.01)):
        for picks in (
            "cells",
            "cells+nearest",
            "cells+random",
            "gradients:cells+random",
            "gradients:cells+nearest",
        ):
            for kind, chosen in (("", plain), (", calibrated", usual)):
                records = results.those(data, fraction, picks, chosen)[:1]
                if records:
                    found = mean_residuals(records)
                    names = columns_of(found)
                    rows.append(
                        [f"{data} 1 %", NAMES[picks] + kind, *(f"{found[n]:.1e}" for n in names)]
                    )
    if not rows:
        return ""
    return (
        "### What stands for a cluster\n\nOne seed. Gradients are those at the optimum of all rows "
        "at l2 1e-3, which one does not know.\n\n"
        + table(" | ".join(["set, rows", "picks", *names]), rows)
    )


def boosting_table(results: Results) -> str:
    """Return the losses of gradient-boosted models."""
    rows = []
    for data, fraction in (("ijcnn1", 0.1), ("ijcnn1", 0.01), ("flights", 0.01)):
        row = [f"{data} {100 * fraction:g} %"]
        for picks, chosen in (
            ("random", plain),
            ("cells", plain),
            ("cells+random", plain),
            (DEFAULT, usual),
        ):
            records = results.those(data, fraction, picks, chosen, True)
            row.append(f"{np.mean([r['boosted'] for r in records]):.4f}" if records else "-")
        rows.append(row)
    if all(cell == "-" for row in rows for cell in row[1:]):
        return ""
    return (
        "### A model that is not linear\n\nLog-loss of gradient-boosted trees (scikit-learn's "
        "HistGradientBoostingClassifier, 100 trees) on the rows "
        "that were not picked; two seeds.\n\n"
        + table(
            "set, rows | random rows | the paper's medoids | clusters, random row | clusters, "
            "varied row, calibrated",
            rows,
        )
    )


def sizes_table(results: Results) -> str:
    """Return residuals from 0.1 % to 50 % of the rows, the largest share of random rows' over all
    columns.
    """
    rows = []
    for data in ("ijcnn1", "flights", "adult"):
        for fraction in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5):
            random, found = (
                results.residuals(data, fraction, "random", plain),
                results.residuals(data, fraction, DEFAULT, usual),
            )
            paper = results.residuals(data, fraction, "cells", plain)
            if random and found and paper:
                k = results.those(data, fraction, DEFAULT, usual)[0]["k"]
                rows.append(
                    [
                        f"{data} {100 * fraction:g} %",
                        f"{k:,}",
                        *spread(found, random),
                        *spread(paper, random),
                    ]
                )
    if not rows:
        return ""
    return (
        "### From 0.1 % to 50 % of the rows\n\nShares of the residual of random rows, the "
        "smallest and the largest over all columns.\n\n"
    ) + table("set, rows | picks | calibrated, best | worst | the paper's, best | worst", rows)


def spread(found: Mapping[str, float], random: Mapping[str, float]) -> list[str]:
    """Return the smallest and the largest share of the residual of random rows."""
    shares = [found[name] / random[name] for name in found]
    return [
        f"1/{1 / s:,.0f}" if s < 0.1 else f"1/{1 / s:.1f}" if s < 1 else f"{s:.1f}"
        for s in (max(min(shares), 1e-12), max(shares))
    ]


def others_table(results: Results) -> str:
    """Return the sets of another kind."""
    parts = []
    for data, fraction in (
        ("abalone", 0.1),
        ("abalone", 0.01),
        ("reuters", 0.1),
        ("fashion-mnist", 0.1),
    ):
        parts.append(picks_table(results, data, fraction))
    return "\n\n".join(part.strip() for part in parts if part)


def speed(kept: Mapping[str, list[Record]]) -> str:
    """Return what a path and a grid took."""
    said = []
    for part, record in ((part, kept[part][0]) for part in ("path", "grid") if kept.get(part)):
        making = record["making"]
        drawn, selected = (making[way] + making["calibrate"] for way in ("draw", "select"))
        if part == "path":
            whole, part_of = (
                sum(point["seconds"] for point in record[name]) for name in ("all rows", "coreset")
            )
            passes, other = (
                sum(point["passes"] for point in record[name]) for name in ("all rows", "coreset")
            )
            worst = max(
                point["residual"] for name in ("all rows", "coreset") for point in record[name]
            )
            said.append(
                f"Seven strengths from 1 to 1e-6 by SAGA, each from the model of the last, to a "
                f"residual of 1e-6 on all rows (the largest seen "
                f"{worst:.1e}): {whole:.2f} s and {passes:.1f} passes on all rows; {part_of:.2f} s "
                f"and {other:.1f} passes on "
                f"{100 * record['fraction']:g} % random rows, calibrated in "
                f"{making['calibrate']:.2f} s. Drawing them takes {making['draw']:.3f} s: "
                f"{whole / (part_of + drawn):.1f} times faster in all (aim: 2). `craig select "
                f"--method random` also measures clusters and epsilon, "
                f"{making['select']:.2f} s: {whole / (part_of + selected):.1f} times."
            )
        else:
            (whole, best), (part_of, found) = record["all rows"], record["coreset"]
            worse = ", ".join(f"{found[l2]:.1e} against {best[l2]:.1e} at {l2}" for l2 in best)
            said.append(
                f"A grid of 140 runs of SGD (7 strengths, 20 first steps; 10 epochs on all rows, "
                f"40 on the coreset): {whole:.1f} s on all rows, "
                f"{part_of:.1f} s on {100 * record['fraction']:g} % random rows, calibrated in "
                f"{making['calibrate']:.2f} s: {whole / (part_of + drawn):.0f} "
                f"times faster with the draw alone (aim: 20), {whole / (part_of + selected):.0f} "
                f"with `craig select --method random`. The best "
                f"residuals on all rows: {worse}."
            )
    return "### What it saves on flights\n\n" + "\n\n".join(said) if said else ""
