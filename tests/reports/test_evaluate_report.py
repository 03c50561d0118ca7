"""What the report of an evaluation says, word for word."""

from __future__ import annotations

import dataclasses
import math

import pytest

from craig_cli.evaluation import Comparison, Result, Run
from craig_cli.evaluation.comparison import Reached
from craig_cli.evaluation.measures import GradientError
from craig_cli.reports.comparison import pay_in_words
from craig_cli.reports.evaluate import EvaluateReport, SelectionCost
from craig_cli.reports.verdict import fewer, pays_in_brief
from craig_cli.settings.evaluation import parse_threshold


def result(name, residual, seconds=1.0):
    way = None if seconds is None else Reached(3, 3, seconds)
    selection = {"all rows": 0.0, "coreset": 6.5, "random": 0.25}.get(name)
    return Result(
        name,
        (Run(10, 0, residual, None, GradientError(0, 0, 0, 0.25), (), selection),),
        way,
        0.0 if seconds is None else 2.0 / seconds,
    )


def comparison(coreset, random=0.055, stratified=0.04, importance=0.03, loss="logistic", **others):
    results = (
        result("all rows", 0.0, 2.0),
        result("coreset", coreset),
        result("random", random),
        result("stratified", stratified),
    )
    facts = {
        "optimum": 0.2,
        "is_optimal": True,
        "w_norm": 1.0,
        "residual_at_zero": 0.5,
        "target": 0.1,
        "bound": None,
        "pays_after": 7,
    }
    return Comparison(
        loss=loss, l2=1e-5, results=(*results, result("importance", importance)), **(facts | others)
    )


def report(*comparisons, thresholds=()):
    return EvaluateReport(
        source="cs.parquet",
        rows=100,
        columns=4,
        skipped_rows=0,
        picks=10,
        is_regression=False,
        epsilon_mean=0.75,
        selection=SelectionCost(6.5, "measured", 0.5),
        solver="saga",
        comparisons=comparisons,
        thresholds=tuple(parse_threshold(text) for text in thresholds),
        seconds={"read": 0.5},
        peak_memory_bytes=1_000_000,
    )


def test_one_answer_a_question_and_that_of_the_worst():
    made = report(
        comparison(1e-4, random=0.02, pays_after=3),
        comparison(0.02, random=0.021, stratified=0.5, loss="squared", pays_after=12),
    )
    assert made.headline() == (
        "90% fewer rows, loss 0.2200 against 0.2000, pays after 12 runs (the worst of 2 "
        "comparisons)"
    )
    assert list(map(str, made.verdicts())) == [
        "Is the coreset as good as all rows? No: at worst (squared, l2 1e-05) loss 0.2200 against "
        "0.2000 of all rows, short by 0.02, 4% of what training gains.",
        "Is it better than random rows? Not always: at worst (squared, l2 1e-05) residual 0.02 "
        "against 0.021, level within 5%. Of other rows it beats both; nearest to it are "
        "importance-sampled rows (0.03).",
        "Does it pay? Only after 12 runs: at worst (squared, l2 1e-05) to a residual of 0.1 one "
        "run takes 2 s on all rows, 1 s on the coreset, selecting 6.5 s.",
    ]
    facts = made.facts()
    assert facts["headline"] == made.headline()
    assert facts["verdict"] == list(map(str, made.verdicts()))


def test_from_three_on_what_is_typical_is_told():
    made = report(
        comparison(1e-4, random=0.05, pays_after=2),
        comparison(3e-3, random=0.06, pays_after=9),
        comparison(2e-5, random=0.04, pays_after=1),
    )
    good, better, pays = made.verdicts()
    assert (good.answer, better.answer, pays.answer) == ("Nearly", "Yes", "Only after 9 runs")
    assert (good.mood, better.mood, pays.mood) == ("mixed", "good", "mixed")
    assert good.reason.endswith("; typically short by 0.0001, 0.02% of what training gains")
    assert "20 times less; typically 500 times less. Of other rows" in better.reason
    assert pays.reason.endswith("; typically pays after 2 runs")


@pytest.mark.parametrize(
    ("residual", "answer", "mood"),
    [
        (0.0, "Yes", "good"),
        (5e-4, "Yes", "good"),
        (5e-3, "Nearly", "mixed"),
        (6e-3, "No", "bad"),
        (0.5, "No, worse than no training", "bad"),
    ],
)
def test_as_good_as_all_rows(residual, answer, mood):
    good = report(comparison(residual)).verdicts()[0]
    assert (good.answer, good.mood) == (answer, mood)


def test_what_it_loses_to_is_said_first():
    better = report(comparison(0.035, stratified=0.034)).verdicts()[1]
    assert str(better) == (
        "Is it better than random rows? Yes: residual 0.035 against 0.055, 1.6 times less. Of "
        "other rows it loses to importance-sampled rows; is level with stratified rows."
    )
    lost = report(comparison(0.11, stratified=0.2)).verdicts()[1]
    assert (lost.answer, lost.mood) == ("No", "bad")
    assert lost.reason == (
        "residual 0.11 against 0.055, 2.0 times more. Of other rows it loses to "
        "importance-sampled rows; beats stratified rows"
    )


def test_test_errors_stand_beside_the_loss():
    c = comparison(0.0)
    errors = {"all rows": 0.1, "coreset": 0.1234}
    results = tuple(
        dataclasses.replace(r, runs=(dataclasses.replace(r.runs[0], test_error=errors[r.name]),))
        if r.name in errors
        else r
        for r in c.results
    )
    good = report(dataclasses.replace(c, results=results)).verdicts()[0]
    assert good.reason.endswith("; test error 12.34% against 10.00%")


@pytest.mark.parametrize(
    ("picks", "words"),
    [
        (3, "97% fewer rows"),
        (0.4, "99.6% fewer rows"),
        (0.0004, "99.9996% fewer rows"),
        (45, "55% fewer rows"),
        (100, "no fewer rows"),
    ],
)
def test_fewer_rows_are_never_rounded_up_to_all(picks, words):
    assert fewer(picks, 100) == words


def test_only_what_was_compared_is_told():
    c = comparison(0.01)
    few = dataclasses.replace(c, results=(*c.results[:2], result("lewis", 0.02)))
    made = report(few, thresholds=("residual_ratio > 0",))
    assert str(made.verdicts()[1]) == "Is it better than other rows? Yes: beats rows by Lewis " + (
        "weights."
    )
    assert made.failures() == []
    facts = made.facts()["comparisons"][0]
    assert (facts["standing"], facts["residual_ratio"]) == ({"lewis": "beats"}, {"lewis": 0.5})
    alone = dataclasses.replace(c, results=c.results[:2])
    assert [verdict.question for verdict in report(alone).verdicts()] == [
        "Is the coreset as good as all rows?",
        "Does it pay?",
    ]


def test_others_count_where_they_were_compared():
    few = comparison(0.01, loss="squared")
    few = dataclasses.replace(few, results=few.results[:3])
    better = report(few, comparison(0.02, stratified=0.018)).verdicts()[1]
    assert (better.answer, better.reason.partition(". ")[2]) == (
        "Yes",
        "Of other rows it loses to stratified rows; beats importance-sampled rows",
    )


def newton(steps, residual, passes):
    """Return what two runs of so many Newton steps gave."""
    runs = tuple(Run(10, 0, residual, None, None, (), 0.25, number) for number in passes)
    return Result(f"newton-{steps}", runs)


def test_newton_steps_say_what_they_took():
    c = comparison(0.01)
    steps = (newton(1, 0.02, (2.1, 3.1)), newton(2, 0.01, (4, 4)), newton(3, 0.0, (5, 5)))
    made = report(dataclasses.replace(c, results=(*c.results, *steps)))
    assert made.verdicts()[1].reason == (
        "residual 0.01 against 0.055, 5.5 times less. Of other rows it loses to random rows + 3 "
        "Newton steps; is level with random rows + 2 Newton steps; beats stratified rows, "
        "importance-sampled rows and random rows + 1 Newton step"
    )
    text = made.text()
    line = next(line for line in text.splitlines() if line.startswith("random rows + 1 Newton"))
    assert line.split() == [
        *("random", "rows", "+", "1", "Newton", "step", "10", "0.02", "0.02", "to", "0.02"),
        *("-", "-", "-", "-", "-", "-", "0.25"),
    ]
    assert (
        "\nNewton's steps are no subset: each has the gradient of all rows, and serves this loss "
        "and l2 alone. They took 2.6, 4 and 5 passes over all rows, the fit on the random rows "
        "included.\n"
    ) in text
    facts = made.facts()["comparisons"][0]["results"]
    assert [r["passes"] for r in facts] == [None] * 5 + [2.6, 4, 5]
    assert facts[-1]["gradient_error"] is None
    assert facts[-1]["runs"][0]["gradient_error"] is None


def test_rounding_is_level():
    better = report(comparison(1e-15, random=3e-16)).verdicts()[1]
    assert (better.answer, better.mood) == ("No, level", "bad")
    assert better.reason.startswith("residual 1e-15 against 3e-16, level within 5%.")
    assert (
        report(comparison(0.0))
        .verdicts()[1]
        .reason.startswith("residual 0 against 0.055, its own nothing but rounding.")
    )
    assert (
        report(comparison(0.1, random=0.0))
        .verdicts()[1]
        .reason.startswith("residual 0.1 against 0, theirs nothing but rounding.")
    )


def test_text():
    assert report(
        comparison(0.01), thresholds=("residual > 1e-3", "residual_ratio > 1", "speedup < 3")
    ).text().splitlines() == [
        "FAILED   residual > 0.001: 0.01 at logistic, l2 1e-05",
        "FAILED   speedup < 3: 2 at logistic, l2 1e-05",
        "verdict  90% fewer rows, loss 0.2100 against 0.2000, pays after 7 runs.",
        "         Is the coreset as good as all rows? No: loss 0.2100 against 0.2000 of all rows, "
        "short by 0.01, 2% of what training gains.",
        "         Is it better than random rows? Yes: residual 0.01 against 0.055, 5.5 times less. "
        "Of other rows it beats both; nearest to it are importance-sampled rows (0.03).",
        "         Does it pay? Only after 7 runs: to a residual of 0.1 one run takes 2 s on all "
        "rows, 1 s on the coreset, selecting 6.5 s.",
        "cost     The selection took 6.5 s (the recorded request, run again), an epoch of SGD over "
        "all rows 0.5 s: it costs 13 epochs.",
        "rows     100 read, 4 columns",
        "coreset  10 rows of cs.parquet, coverage cost 0.75 a row",
        "",
        "logistic, l2 1e-05: f* = 0.2",
        "subset      rows  residual  lowest to highest  test error  gradient error  epochs  passes "
        " seconds  speed-up  selection s",
        "all rows      10         0                              -            0.25       3       3 "
        "       2         1            0",
        "coreset       10      0.01                              -            0.25       3       3 "
        "       1         2          6.5",
        "random        10     0.055                              -            0.25       3       3 "
        "       1         2         0.25",
        "stratified    10      0.04                              -            0.25       3       3 "
        "       1         2            -",
        "importance    10      0.03                              -            0.25       3       3 "
        "       1         2            -",
        "Epochs, passes over all rows, and seconds are those to a residual of 0.1 (- where a run "
        "does not come there).",
        "At logistic, l2 1e-05, to a residual of 0.1, training takes 2 s on all rows and 1 s on "
        "the coreset, 7.5 s with the selection: for one run the selection does not pay, it has "
        "paid after 7 runs.",
        "There is no bound on the gradient error: a class has no pick.",
        "",
        "time    read 0.50 s",
        "memory  1 MB at the peak",
    ]


@pytest.mark.parametrize(
    ("thresholds", "code"),
    [((), 0), (("residual > 1",), 0), (("residual > 1", "epsilon_mean >= 0.75"), 5)],
)
def test_exit_code(thresholds, code):
    assert report(comparison(0.01), thresholds=thresholds).exit_code == code


START = "At logistic, l2 1e-05, to a residual of 0.1,"


@pytest.mark.parametrize(
    ("full", "part", "pays_after", "selection", "words", "brief"),
    [
        (
            2.0,
            1.0,
            1,
            0.5,
            " training takes 2 s on all rows and 1 s on the coreset, 1.5 s with the selection: the "
            "selection has paid after the first run.",
            "pays in the first run",
        ),
        (
            2.0,
            2.5,
            None,
            0.5,
            " training takes 2 s on all rows and 2.5 s on the coreset: the selection never pays.",
            "does not pay: one run takes 2 s on all rows, 2.5 s on the coreset, selecting 0.5 s",
        ),
        (
            2.0,
            0.5,
            None,
            None,
            " training takes 2 s on all rows and 0.5 s on the coreset, 4 times less.",
            "trains 4 times faster, selection not counted",
        ),
        (
            2.0,
            None,
            None,
            0.5,
            " training on the coreset does not come there in the epochs "
            "allowed: the selection never pays.",
            "does not pay: one run takes 2 s on all rows, on the coreset none comes near enough, "
            "selecting 0.5 s",
        ),
        (
            None,
            None,
            None,
            0.5,
            " neither training on all rows nor on the coreset comes there in the epochs allowed.",
            "no word on whether it pays: no run comes near enough to the optimum",
        ),
        (
            None,
            1.0,
            1,
            0.5,
            " training on the coreset takes 1 s; on all rows it does not come "
            "there in the epochs allowed.",
            "pays in the first run",
        ),
    ],
)
def test_what_pays(full, part, pays_after, selection, words, brief):
    c = comparison(0.01, pays_after=pays_after)
    results = (result("all rows", 0.0, full), result("coreset", 0.01, part), *c.results[2:])
    c = dataclasses.replace(c, results=results)
    assert pay_in_words(c, selection) == START + words
    assert pays_in_brief(c, selection) == brief


def test_nothing_to_learn_has_no_cost_in_epochs():
    assert SelectionCost(2.0, "given", 0.0).text() == "The selection took 2 s (as given)."
    assert SelectionCost(2.0, "given", 0.001).text().endswith("it costs 2,000 epochs.")


def test_infinite_ratio():
    assert comparison(0.1, random=0.0).ratio_to("random") == math.inf
