"""What the scripts of EVIDENCE.md make of measured figures, by hand; the figures themselves are not
tested.
"""

from __future__ import annotations

import math

import evidence
import pytest
import residuals
import speed
from subsets import data_set, make_subset


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


def test_one_run():
    side = PART | {"curve": curve((1.0, 0.5, 0.005))}
    assert speed.run_cells(FULL, side) == [
        "4 (1.33)",
        "-",
        "-",
        "-",
        "1",
    ]  # to 0.01: 2 s against 0.5, and 1.5 with the selection
    assert speed.run_cells(FULL, side | {"selection": 100.0})[-1] == "67"


def test_means_and_bold_cells():
    records = [
        {"rows": 9},
        *({"name": "random", "fraction": 0.1, "residual": value} for value in (0.1, 0.3)),
    ]
    assert residuals.mean(records, "random", 0.1) == pytest.approx(0.2)
    assert residuals.fractions_of(records) == [0.1]
    assert residuals.cell([0.1, 0.3], True) == "**2.0e-01** (1e-01 to 3e-01)"
    assert list(residuals.by_data({"a-0.1": records, "a-0.3": [{}], "b-0.1": []})) == ["a", "b"]


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("name", ["paper", "sampled clusters", "random, calibrated"])
def test_subsets_by_name(name):
    dataset = data_set("ijcnn1", 3000)
    subset = make_subset(dataset, "classification", name, 0.2)
    assert len(subset.index) == len(set(subset.index.tolist())) == 600
    assert subset.weight.sum() == pytest.approx(3000) and subset.seconds > 0
    assert subset.is_calibrated == name.endswith("calibrated")
