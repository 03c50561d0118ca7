"""What the scripts of EVIDENCE.md make of measured figures, by hand; the figures themselves are not
tested.
"""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import claims
import evidence
import labelling
import numpy as np
import one_coreset
import one_coreset_page
import optima
import other_models
import pytest
import rivals
import searching
import speed
from problems import made_problem
from subsets import data_set, make_subset

LISTED = ("claims", "rivals", "labelling")
"""Sections of which nothing is claimed at the top."""
MOST_LINES = 250
"""Of EVIDENCE.md."""


def curve(*points):
    return [dict(zip(("grid", "run", "residual"), point, strict=True)) for point in points]


FULL = {"curve": curve((10.0, 1.0, 0.1), (20.0, 2.0, 0.01), (30.0, 3.0, 0.0))}
PART = {"selection": 1.0, "curve": curve((1.0, 0.1, 0.2), (2.0, 0.2, 0.019), (3.0, 1.0, 0.1))}


def test_a_section_is_replaced_and_the_others_stay():
    document = "# Evidence\n\nHead.\n\n## One\n\nold\n\n### Within\n\nold too\n\n## Two\n\nkept\n"
    assert evidence.replaced(document, ["## One\n\nnew\n"]) == (
        "# Evidence\n\nHead.\n\n## One\n\nnew\n\n## Two\n\nkept\n"
    )
    assert evidence.replaced("# Evidence\n\nHead.\n", ["## One\n\nnew\n"]) == (
        "# Evidence\n\nHead.\n\n## One\n\nnew\n"
    )


@pytest.fixture
def kept_in(tmp_path, monkeypatch):
    """Keep what is measured in a folder of the test."""
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    return tmp_path / "benchmarks" / "kept"


def test_a_part_goes_on_where_it_was_stopped(kept_in, monkeypatch):
    begun, records = ("searching", "svm-adult", 0), [{"method": "all rows", "seed": 0}]
    assert evidence.begun_records(*begun) == []
    evidence.leave_begun(*begun, records)
    assert evidence.begun_records(*begun) == records
    monkeypatch.setattr(evidence, "commit", lambda: "another")
    assert evidence.begun_records(*begun) == []
    monkeypatch.setattr(searching, "measure", lambda part, max_rows: records)
    evidence.measure_part(*begun)
    assert not evidence.begun_file(*begun).exists()
    assert evidence.kept_of("searching", 0) == {"svm-adult": records}


def keep(place, part, records):
    """Write what is kept of a measured part."""
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{part}.json").write_text(json.dumps({"commit": "abc1234", "records": records}))


def test_going_on_measures_what_is_not_kept_and_tells_what_failed(kept_in, monkeypatch):
    first, second, *others = evidence.RIVAL_PARTS
    keep(kept_in / "rivals", first, [])
    measured = []

    def run(command, check):
        assert not check
        measured.append(command[command.index("--part") + 1])
        return SimpleNamespace(returncode=int(measured[-1] == second))

    monkeypatch.setattr(evidence.subprocess, "run", run)
    monkeypatch.setattr(evidence, "at_hand", list)
    assert evidence.measure_all("rivals", 0, go_on=True) == [f"rivals, {second}"]
    assert measured == [second, *others]


def test_grids_at_equal_epochs_and_at_equal_quality():
    grid = speed.grid_of(FULL, PART)
    assert grid.at_equal_epochs == 30 / 4
    assert (grid.full_residual, grid.residual) == (0.0, 0.1)
    assert (
        grid.equal_seconds == 20 and grid.own_seconds == 3
    )  # to 1.1 times 0.019: the second epoch of both
    assert grid.at_equal_quality == pytest.approx(20 / 3)
    assert grid.without_selection == 10


def test_a_level_that_all_rows_do_not_reach():
    stuck = {"curve": [FULL["curve"][0]] * 3}
    assert math.isnan(speed.grid_of(stuck, PART).at_equal_quality)
    assert speed.times_in_words(math.nan) == "-"


def test_residuals_of_all_rows_are_rounding_and_those_of_some_are_not():
    problem = made_problem("logistic", 2)
    every = np.arange(problem.n_rows)
    judge = optima.reference(problem, (1e-2, 1.0))
    left = judge.residuals_of(every, np.full(len(every), 2.0))
    assert np.allclose(left, 0, atol=1e-14)
    assert [max(a, optima.ROUNDING * f) for a, f in zip(left, judge.least, strict=True)] == left
    assert min(judge.residuals_of(every[::3], np.ones(len(every[::3])))) > 1e-6


def measured(part, left):
    """Return records of a part: random rows leave 0.1 and 0.3 at the first strength, 0.01 at the
    others; each kind `left` times that, the second seed half.
    """
    data = part.rpartition("-")[0]
    effort = one_coreset.EFFORTS.get(data, one_coreset.Effort())
    names = [f"logistic {l2:g}" for l2 in effort.strengths]
    names += ["squared hinge 0.001"] * effort.with_hinge
    facts = {"rows": 9, "columns": 2, "outputs": 1, "loss": "logistic"}
    told = {"pilot_l2": [1e-5], "residual_random": [0.02], "residual_after": [0.01 * left]}
    records = [{**facts, "optima": dict.fromkeys(names, 0.5)}]
    for kind in one_coreset.KINDS:
        for seed in range(2):
            if kind == "random":
                residuals = [(0.1, 0.3)[seed], *[0.01] * (len(names) - 1)]
            else:
                residuals = [own * left / (1 + seed) for own in [0.2, *[0.01] * (len(names) - 1)]]
            weights = {"picks": 7, "effective": 6.0, "zeros": 0, "told": {**told, "exchanged": 3}}
            known = {"kind": kind, "seed": seed, "residuals": residuals, **weights}
            records.append({**known, "seconds": {"select": 1.0, "calibrate": 0.5}})
    return records


def test_the_worst_seed_against_the_mean_of_random_rows():
    part = "ijcnn1-0.1"
    (one,) = one_coreset_page.all_measured({part: measured(part, 1e-5)})
    assert one.worst("random")["logistic 1e-06"] == pytest.approx(0.2)
    assert one.shares("any") == pytest.approx(dict.fromkeys(one.optima, 1e-5))
    linear, hinge = one_coreset_page.aims_of([one], one_coreset.KINDS)
    assert (linear.words, hinge.words) == ("1/50,000", "1/90")
    assert linear.found["any"][1] and hinge.found["any"] == ("1/100,000", True)
    assert one_coreset_page.foretold(one) == pytest.approx([2.0])
    assert one_coreset_page.told(one) == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize(
    ("share", "said"),
    [(2.5, "2.5 times"), (0.4, "1/2.5"), (0.01, "1/100"), (2e-6, "1/500,000"), (5e-13, "1/2e12")],
)
def test_shares_in_words(share, said):
    assert one_coreset_page.share_in_words(share) == said


@pytest.mark.parametrize(
    ("part", "left", "is_met"),
    [("ijcnn1-0.1", 3e-5, False), ("abalone-0.03", 4e-9, True), ("abalone-0.03", 6e-9, False)],
)
def test_an_aim_is_met_by_the_worst_seed(part, left, is_met):
    aims = one_coreset_page.aims_of(
        one_coreset_page.all_measured({part: measured(part, left)}), one_coreset.KINDS
    )
    assert aims[0].found["any"][1] == is_met


def test_where_a_coreset_is_above_random_rows():
    part = "adult-0.1"
    (one,) = one_coreset_page.all_measured({part: measured(part, 2.0)})
    found = one_coreset_page.above_random([one], "any")
    assert found[0] == "adult, 10 % (l2 1e-5, 2.0 times)" and len(found) == 8
    one.facts["columns"] = 4  # more than half of the picks
    assert one_coreset_page.above_random([one], "any") == []


def trained_models(part):
    """Return records of a part: all rows 1, each kind as far behind as its name is long."""
    records = []
    for fraction in (1.0, *other_models.FRACTIONS):
        for kind in ("all rows",) if fraction == 1 else other_models.kinds_of(part.split("-")[0]):
            loss = 1.0 if fraction == 1 else 1 + len(kind) / 100
            known = {"subset": kind, "fraction": fraction, "picks": 5, "selection": 1.0}
            records += [{**known, "seed": seed, "seconds": 2.0, "loss": loss} for seed in (0, 1)]
    return records


def test_models_beside_all_rows():
    line = next(other_models.lines_of({"svm-ijcnn1": trained_models("svm-ijcnn1")}))
    assert line.cell("any") == "103" and line.cell("random") == "106 (106 to 106)"
    assert line.speedup("any") == 2 / 3
    assert not line.is_near("any") and line.is_near("all rows")


def test_how_many_random_rows_buy_what_medoids_give():
    def records(losses, kind):
        known = {"subset": kind, "picks": 1, "selection": 0.0, "seconds": 1.0, "seed": 0}
        pairs = zip(other_models.FRACTIONS, losses, strict=True)
        return [{**known, "fraction": share, "loss": loss} for share, loss in pairs]

    whole = {**records([1.0] * 6, other_models.ALL)[0], "fraction": 1.0, "loss": 0.1}
    random = records([0.8, 0.7, 0.5, 0.55, 0.3, 0.2], "random")
    medoids = records([0.7, 0.9, 0.4, 0.3, 0.05, 0.2], "local")
    lines = list(other_models.lines_of({"svm-ijcnn1": [whole, *random, *medoids]}))
    # 0.4 is halfway from 10 % (where the curve is at 0.5 still) to 20 %.
    assert [other_models.bought(lines, line) for line in lines] == [
        *("2x", "< 0.5x", "2.8x", "2x", "> 5x", "1x")
    ]


def rival_records():
    """Return records of one part, of all kinds alike."""
    return [
        {"name": name, "seed": seed, "residuals": [0.1, 0.2], "passes": [3.0, 5.0]}
        for name in rivals.ROWS
        for seed in (0, 1)
    ]


def test_rivals_as_shares_of_random_rows():
    records = rival_records()
    records[-1]["residuals"] = [0.0, 0.18]
    assert rivals.cell(records, "random") == "2.0e-01 to 1.0e-01"
    assert rivals.cell(records, rivals.OURS[-1]) == "1/1.1 to 1/2.0"
    assert rivals.cell(records, rivals.STEPS[0]).endswith("; 4.0 passes")


def search_records():
    """Return records of one part: what is chosen is the better the slower the search is."""
    params = ["a", "b", "c"]
    return [
        {
            "method": method,
            "seed": 0,
            "rows": 100,
            "seconds": 8.0 / 2**place,
            "chosen": params[0 if place < 3 else 1],
            "test": 0.9,
            "params": params if method != "nested" else [*params, "a"],
            "scores": [0.9, 0.8, 0.7] if method != "nested" else [0.9, 0.8, 0.7, 0.9],
        }
        for place, method in enumerate(searching.METHODS)
    ]


def test_searches_beside_all_rows():
    whole, halving, _, _, plain, nested, *_ = search_records()
    assert searching.regret(plain, whole) == pytest.approx(0.1)
    assert searching.cell([halving], whole) == "2x, 0.00, 1.00"
    assert searching.cell([nested], whole) == "32x, 10.00"
    said = claims.search_claims({"svm-ijcnn1": search_records()})
    assert "random, 10% 1 of 1, 4 to 4 times" in said and "no weights 0 of 1" in said


def label_records(part):
    """Return records of one part, of all kinds alike."""
    known = {"seed": 0, "seconds": 1.0, "rows": 900, "classes": 9, "logistic": 0.5, "neighbour": 0}
    return [
        {**known, "kind": kind, "size": size}
        for kind in labelling.KINDS
        for size in labelling.SIZES
    ]


def test_the_whole_page_is_short(kept_in):
    side = {**PART, "fraction": 0.1}
    makers = {
        "one_coreset": lambda part: measured(part, 1e-3),
        "models": trained_models,
        "searching": lambda part: search_records(),
        "labelling": label_records,
        "rivals": lambda part: rival_records(),
        "speed": lambda part: [
            FULL,
            *({**side, "subset": n, "fraction": f} for n, f in speed.SIDES),
        ],
    }
    for name, make in makers.items():
        for part in evidence.SECTIONS[name].parts:
            keep(kept_in / name, part, make(part))
    sections = [evidence.written(name, 0) for name in evidence.SECTIONS]
    assert all(section.startswith("## ") for section in sections)
    page = evidence.replaced(evidence.header(), sections)
    assert len(page.splitlines()) <= MOST_LINES
    assert "Not measured" not in page and "nan" not in page
    assert all(name in claims.MAKERS or name in LISTED for name in evidence.SECTIONS)


def test_what_is_not_measured_is_not_written(kept_in):
    keep(kept_in / "rivals", evidence.RIVAL_PARTS[0], rival_records())
    assert evidence.written("speed", 0) == evidence.written("claims", 0) == ""
    left = "; ".join(evidence.RIVAL_PARTS[1:])
    assert evidence.written("rivals", 0).endswith(f"Not measured: {left}.\n")


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("name", ["local", "any", "linear", "random, calibrated"])
def test_subsets_by_name(name):
    subset = make_subset(data_set("ijcnn1", 3000), "ijcnn1", name, 0.2)
    assert len(subset.index) == len(set(subset.index.tolist())) == 600
    assert subset.weight.sum() == pytest.approx(3000) and subset.seconds > 0
    assert subset.is_calibrated == (name != "local")
