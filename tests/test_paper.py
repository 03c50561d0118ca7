"""The page of ``make paper``: what its numbers are turned into, and what is said where data is
missing.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from tools import needs

needs("matplotlib")

import paper
import paper_claims
import paper_linear
import paper_page
import paper_pictures
import paper_speedups

from craig_cli.dataset import Dataset

FULL = [[0.0, 1.0, 0.5], [1.0, 0.5, 0.3], [2.0, 0.1, 0.2], [3.0, 0.0, 0.1]]
QUICK = [[0.0, 1.0, 0.5], [0.1, 0.6, 0.3], [0.2, 0.4, 0.104]]
"""Seconds, residual, test error."""


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write the page into an empty folder."""
    monkeypatch.setattr(paper_page, "PAGE", tmp_path / "PAPER.md")
    monkeypatch.setattr(paper_pictures, "FOLDER", tmp_path / "paper")
    return tmp_path


@pytest.fixture
def small_sets(monkeypatch):
    """Take few made rows in place of both sets, few epochs and shares, and one solver."""

    def small(seed):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(800, 3))
        noise = 0.5 * rng.normal(size=800)
        labels = (rows @ np.array([1.0, -2.0, 0.5]) + noise > 0).astype(np.int64)
        return tuple(
            Dataset(rows[part], labels[part], file_starts=np.array([0, 400]))
            for part in (slice(400), slice(400, None))
        )

    monkeypatch.setattr(paper_linear, "SPLITS", dict.fromkeys(paper_linear.SPLITS, small))
    monkeypatch.setattr(paper_linear, "EPOCHS", 3)
    monkeypatch.setattr(paper_linear, "SOLVERS", ("sgd",))
    monkeypatch.setattr(paper_linear, "FRACTIONS", (0.1, 0.5))


def made_trial(selection=1.0):
    """A trial of figure 1 of hand-made curves: seconds to 0.42 are 1.2 of all rows, 0.19 of
    subsets.
    """
    runs = {
        kind: {"curve": curve, "tuning_seconds": seconds, "tried": 6}
        for kind, curve, seconds in (
            ("all rows", FULL, 10.0),
            ("CRAIG", QUICK, 1.0),
            ("default", QUICK, 1.0),
            ("random", [[t, r + 0.01, e] for t, r, e in QUICK], 1.0),
        )
    }
    return {
        "picks": 40,
        "method": "exact",
        "is_calibrated": True,
        "optimum": 2.0,
        "optimum_error": 0.1,
        "selection_seconds": {"CRAIG": selection, "default": 2 * selection, "random": 0.0},
        "subset_optima": {"CRAIG": 0.3, "default": 0.1, "random": 0.4},
        "runs": dict.fromkeys(("sgd", "svrg", "saga"), runs),
    }


def made_figure_1(*trials):
    return {"rows": 400, "test_rows": 400, "columns": 3, "trials": trials or [made_trial()]}


def made_figure_4(trials=2):
    """All rows gain 10 points an epoch; CRAIG's half ends at 70 %, the random half at 60 %."""
    curves = {
        "all rows": [[e, 2.0 * e, 0.0, 1 / (e + 1), 0.5 + 0.1 * e] for e in range(5)],
        "CRAIG": [[0.5 * e, e, 0.25 * e, 1 / (e + 1), 0.5 + 0.05 * e] for e in range(5)],
        "random": [[0.5 * e, e, 0.0, 1 / (e + 1), 0.5 + 0.025 * e] for e in range(5)],
    }
    runs = {kind: [curve] * trials for kind, curve in curves.items()}
    return {"rows": 100, "test_rows": 50, "share": 0.5, "epochs": 4, "runs": runs}


def test_times_lie_between_epochs():
    curve = [[0.0, 1.0], [1.0, 0.5], [2.0, 0.1], [3.0, 0.2]]
    assert paper_speedups.reached(curve, 0.5) == 1.0
    assert paper_speedups.reached(curve, 0.3) == pytest.approx(1.5)
    assert paper_speedups.reached(curve, 0.05) is None
    assert paper_speedups.reached(curve, 2.0) == 0.0
    assert paper_speedups.near(curve) == pytest.approx(0.105)


def test_speedups_with_and_without_selection_and_tuning():
    found = paper_speedups.ratios([made_trial()], "sgd", "CRAIG")
    assert found == pytest.approx([1.2 / 0.19, 1.2 / 1.19, 11.2 / 1.19, 11.2 / 2.19])
    three = [made_trial(0.0), made_trial(1.0), made_trial(9.0)]
    assert paper_speedups.ratios(three, "sgd", "CRAIG") == pytest.approx(found)  # medians
    slow = made_trial()
    slow["runs"]["sgd"]["all rows"]["curve"] = FULL[:2]
    assert paper_speedups.ratios([slow], "sgd", "CRAIG")[0] == np.inf


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([9, 3, 0, 0], "yes"),
        ([9, 1, 9, 3], "only if tuning counts"),
        ([3, 1, 9, 1], "only without the selection"),
        ([1, 1, 9, 1], "no"),
        ([np.inf, np.inf, np.inf, np.inf], "no"),
    ],
)
def test_a_speedup_holds(found, words):
    assert paper_claims.verdict(found, 3.0) == words


def test_the_numbers_of_figure_4():
    half = paper_speedups.halves(made_figure_4()["runs"])
    assert half.accuracy == pytest.approx({"all rows": 90, "CRAIG": 70, "random": 60})
    assert (half.wins, half.full_seconds, half.full_passes) == (2, 4.0, 2.0)
    assert half.full_accuracy_then == pytest.approx(70)
    assert [half.ratio(False), half.ratio(True)] == pytest.approx([4 / 4, 4 / 5])


def test_the_claims_are_said_to_hold_or_not():
    fig1 = {name: made_figure_1() for name in ("covtype16", "ijcnn1")}
    found = {"fig1": fig1, "fig4": paper_speedups.halves(made_figure_4()["runs"])}
    rows = {claim.words: claim for claim in paper_claims.claims(found)}
    same = next(c for words, c in rows.items() if "same solution (covtype16" in words)
    assert (same.holds, same.measured[:49]) == (
        "yes",
        "at worst +0.40 points, loss 20 % over the least; ",
    )
    sgd = rows["figure 1: 2.75 times, SGD on covtype"]
    assert (sgd.measured, sgd.holds) == (
        "6.3 / 1 / 5.1; default 6.3 / 0.55 / 3.5",
        "only if tuning counts",
    )
    assert not any("figure 1" in words and "ijcnn1" in words for words in rows)
    nearer = rows["figure 1: CRAIG's rows end at a lower loss than random ones"]
    assert (nearer.measured, nearer.holds) == ("in 6 of 6 runs; default in 6", "yes")
    assert rows["figure 4: CRAIG's half ends above a random half"].holds == "yes"
    deep = next(c for words, c in rows.items() if "deep networks" in words)
    assert (deep.measured, deep.holds) == ("1 / 0.8; backward passes 1", "no")


@pytest.mark.usefixtures("small_sets")
def test_the_bounds_of_the_theorems_hold():
    found = paper_linear.theorems("ijcnn1")
    for run in found["runs"].values():
        assert run["stays_in_ball"]
        assert len(run["distances"]) == len(run["convex"]) == len(run["smooth"]) == 101
        assert run["distances"][-1] < run["distances"][0]
    claims = [claim.holds for claim in paper_claims.of_theorems({"ijcnn1": found})]
    assert claims == ["yes", "yes"]


@pytest.mark.usefixtures("small_sets")
def test_the_page_says_what_was_measured_and_what_was_not(page):
    numbers = {
        "fig2-ijcnn1": paper_linear.figure_2("ijcnn1"),
        "theorems-ijcnn1": paper_linear.theorems("ijcnn1"),
        "fig4-1": {"missing": "no mnist"},
        "fig6": {"rows": 3},  # of an older program
    }
    parts = {name: {"seconds": 60.0, "numbers": found} for name, found in numbers.items()}
    paper_page.write_page(parts, ("fig1-ijcnn1", "fig2-ijcnn1", "theorems-ijcnn1", "fig4-1"))
    text = (page / "PAPER.md").read_text()
    assert "| figure 2: the gradient error is below the bound (ijcnn1) | at 22 of 22 points" in text
    assert text.endswith("\n## Not measured\n\n- fig1-ijcnn1: not run\n- fig4-1: no mnist\n")
    assert "3 minutes" in text
    assert {path.name for path in (page / "paper").iterdir()} == {"fig2.png", "theorems.png"}
    share = numbers["fig2-ijcnn1"]["shares"]["0.1"]
    assert all(error <= bound for error, bound in zip(share["craig"], share["bound"], strict=True))


@pytest.mark.usefixtures("small_sets")
@pytest.mark.slow
def test_a_page_of_all_figures_begins_with_the_claims(page, monkeypatch):
    made = {
        "fig1": made_figure_1(),
        "fig2": paper_linear.figure_2("ijcnn1"),
        "fig3": paper_linear.figure_3(),
        "theorems": paper_linear.theorems("ijcnn1"),
        "fig4": made_figure_4(),
    }
    numbers = {name: made[name.partition("-")[0]] for name in paper.PARTS}
    numbers["fig1-ijcnn1"] = paper_linear.figure_1("ijcnn1", trials=1)
    parts = {name: {"seconds": 1.0, "numbers": found} for name, found in numbers.items()}
    (page / "paper").mkdir()
    (page / "paper" / paper_page.CIFAR).write_text("{}")
    network = SimpleNamespace(
        text=lambda: "## Figures 5 and 6: CIFAR-10\n",
        claims=lambda: [("figure 5: more", "1", "yes")],
    )
    monkeypatch.setitem(sys.modules, "paper_cifar", network)
    paper_page.write_page(parts, tuple(paper.PARTS))
    lines = (page / "PAPER.md").read_text().splitlines()
    titles = [line for line in lines if line.startswith("#")]
    assert [title.partition(":")[0] for title in titles] == [
        "# The paper's experiments, measured again",
        "## Figure 1",
        "## Figure 1",
        "## Figure 2",
        "## Figure 3",
        "## Theorems 1 and 2",
        "## Figure 4",
        "## Figures 5 and 6",
    ]
    assert "| figure 5: more | 1 | yes |" in lines[: lines.index(titles[1])]
    assert lines.index(titles[1]) < 60 and len(lines) < 250
    assert "10 trials (seeds)" in "\n".join(lines)
    names = "fig1-covtype16", "fig1-ijcnn1", "fig2", "fig3", "theorems", "fig4"
    pictures = {path.name for path in (page / "paper").glob("*.png")}
    assert pictures == {f"{name}.png" for name in names}


def test_figures_5_and_6_are_put_in_place_of_what_was_said_of_them(page):
    (page / "PAPER.md").write_text(
        "# Title\n\nText.\n\n| a | b | c |\n| --- | --- | --- |\n| figure 4: one | 1 | yes |\n\n"
        "After.\n\n## Figure 4\n\n| x |\n\n## Not measured\n\n- fig2: not run\n"
    )
    for number in (2, 3):
        rows = [("figure 5: more", str(number), "no")]
        paper_page.write_network(f"\n## Figures 5 and 6: new\n\nBy {number}.\n", rows)
    assert (page / "PAPER.md").read_text() == (
        "# Title\n\nText.\n\n| a | b | c |\n| --- | --- | --- |\n| figure 4: one | 1 | yes |\n"
        "| figure 5: more | 3 | no |\n\nAfter.\n\n## Figure 4\n\n| x |\n\n"
        "## Figures 5 and 6: new\n\nBy 3.\n\n## Not measured\n\n- fig2: not run\n"
    )


def test_kept_parts_are_not_run_again(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(paper.linear, "build_folder", lambda: tmp_path)
    monkeypatch.setattr(paper, "at_hand", list)
    parts = {name: (lambda name=name: ran.append(name) or {"of": name}, "-") for name in "abc"}
    monkeypatch.setattr(paper, "PARTS", parts)
    for name, numbers in (("a", {}), ("b", {"missing": "no data"})):
        kept = json.dumps({"seconds": 1.0, "numbers": numbers})
        (tmp_path / f"{name}.json").write_text(kept)
    monkeypatch.setattr(sys, "argv", ["paper.py", "--only", "a,b,c", "--go-on"])
    assert paper.main() == 0
    assert ran == ["b", "c"] and paper.kept(tmp_path)["b"]["numbers"] == {"of": "b"}
    assert paper.main() == 1  # nothing was left to do
    monkeypatch.setattr(sys, "argv", ["paper.py", "--only", "a"])
    assert paper.main() == 0 and ran == ["b", "c", "a"]
