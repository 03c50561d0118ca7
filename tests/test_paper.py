"""The page of ``make paper``: what its numbers are turned into, and what is said where data is
missing.
"""

from __future__ import annotations

import numpy as np
import pytest
from tools import needs

needs("matplotlib")

import paper_linear
import paper_page
import paper_pictures

from craig_cli.dataset import Dataset


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write the page into an empty folder."""
    monkeypatch.setattr(paper_page, "PAGE", tmp_path / "PAPER.md")
    monkeypatch.setattr(paper_pictures, "FOLDER", tmp_path / "paper")
    return tmp_path


def small() -> Dataset:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3))
    labels = (rows @ np.array([1.0, -2.0, 0.5]) + 0.5 * rng.normal(size=400) > 0).astype(np.int64)
    return Dataset(rows, labels, file_starts=np.array([0, 400]))


def test_times_lie_between_epochs():
    curve = [[0.0, 1.0], [1.0, 0.5], [2.0, 0.1], [3.0, 0.2]]
    assert paper_linear.reached(curve, 0.5) == 1.0
    assert paper_linear.reached(curve, 0.3) == pytest.approx(1.5)
    assert paper_linear.reached(curve, 0.05) is None


def test_the_bounds_of_the_theorems_hold():
    found = paper_linear.theorems(small())
    for run in found["runs"].values():
        assert (run["holds"], run["stays_in_ball"]) == (True, True)
        assert len(run["distances"]) == len(run["convex"]) == len(run["smooth"]) == 101
        assert run["distances"][-1] < run["distances"][0]


def test_the_page_says_what_was_measured_and_what_was_not(page):
    parts = {
        "fig2": {"seconds": 1.0, "numbers": paper_linear.figure_2(small())},
        "theorems": {"seconds": 1.0, "numbers": paper_linear.theorems(small())},
        "fig6": {"seconds": 0.0, "numbers": {"missing": "no Fashion-MNIST"}},
    }
    paper_page.write_page(parts)
    text = (page / "PAPER.md").read_text()
    assert "under the bound" in text
    assert "- fig6: no Fashion-MNIST\n" in text and "- fig1: not run\n" in text
    assert {path.name for path in (page / "paper").iterdir()} == {"fig2.png", "theorems.png"}
    share = parts["fig2"]["numbers"]["shares"]["0.1"]
    assert all(error <= bound for error, bound in zip(share["craig"], share["bound"], strict=True))
