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


def test_losses_come_first():
    assert report(
        comparison(0.173, random=0.18, stratified=0.5), comparison(0.6, loss="squared")
    ).verdict() == [
        "The coreset is worse than no training: residual 0.6 against 0.5 of w = 0 at squared, l2 "
        "1e-05.",
        "The coreset (residual 0.173) loses to importance-sampled rows (0.03) at logistic, l2 "
        "1e-05.",
        "The coreset (residual 0.6) loses to random rows (0.055), stratified rows (0.04) and "
        "importance-sampled rows (0.03) at squared, l2 1e-05.",
        "The coreset (residual 0.173) is level with random rows (0.18) at logistic, l2 1e-05.",
        "The coreset (residual 0.173) beats stratified rows (0.5) at logistic, l2 1e-05.",
    ]


def test_only_what_was_compared_is_told():
    c = comparison(0.01)
    few = dataclasses.replace(c, results=(*c.results[:2], result("lewis", 0.02)))
    made = report(few, thresholds=("residual_ratio > 0",))
    assert made.verdict() == [
        "The coreset (residual 0.01) beats rows by Lewis weights (0.02) at logistic, l2 1e-05."
    ]
    assert made.failures() == []
    facts = made.facts()["comparisons"][0]
    assert (facts["standing"], facts["residual_ratio"]) == ({"lewis": "beats"}, {"lewis": 0.5})
    alone = dataclasses.replace(c, results=c.results[:2])
    assert report(alone).verdict() == []


def newton(steps, residual, passes):
    """Return what two runs of so many Newton steps gave."""
    runs = tuple(Run(10, 0, residual, None, None, (), 0.25, number) for number in passes)
    return Result(f"newton-{steps}", runs)


def test_newton_steps_say_what_they_took():
    c = comparison(0.01)
    steps = (newton(1, 0.02, (2.1, 3.1)), newton(2, 0.01, (4, 4)), newton(3, 0.0, (5, 5)))
    made = report(dataclasses.replace(c, results=(*c.results, *steps)))
    assert made.verdict() == [
        "The coreset (residual 0.01) loses to random rows + 3 Newton steps (0) at logistic, l2 "
        "1e-05.",
        "The coreset (residual 0.01) is level with random rows + 2 Newton steps (0.01) at "
        "logistic, l2 1e-05.",
        "The coreset (residual 0.01) beats random rows (0.055), stratified rows (0.04), "
        "importance-sampled rows (0.03) and random rows + 1 Newton step (0.02) at logistic, l2 "
        "1e-05.",
    ]
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
    assert report(comparison(1e-15, random=3e-16)).verdict()[0] == (
        "The coreset (residual 1e-15) is level with random rows (3e-16) at logistic, l2 1e-05."
    )


def test_text():
    assert report(
        comparison(0.01), thresholds=("residual > 1e-3", "residual_ratio > 1", "speedup < 3")
    ).text().splitlines() == [
        "FAILED   residual > 0.001: 0.01 at logistic, l2 1e-05",
        "FAILED   speedup < 3: 2 at logistic, l2 1e-05",
        "verdict  The coreset (residual 0.01) beats random rows (0.055), stratified rows (0.04) "
        "and importance-sampled rows (0.03) at logistic, l2 1e-05.",
        "cost     The selection took 6.5 s (the recorded request, run again), an epoch of SGD over "
        "all rows 0.5 s: it costs 13 epochs.",
        "         At logistic, l2 1e-05, to a residual of 0.1, training takes 2 s on all rows and "
        "1 s on the coreset, 7.5 s with the selection: "
        "for one run the selection does not pay, it has paid after 7 runs.",
        "rows     100 read, 4 columns",
        "coreset  10 rows of cs.parquet, epsilon 0.75 a row",
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
    ("full", "part", "pays_after", "selection", "words"),
    [
        (
            2.0,
            1.0,
            1,
            0.5,
            " training takes 2 s on all rows and 1 s on the coreset, 1.5 s with the selection: the "
            "selection has paid after the first run.",
        ),
        (
            2.0,
            2.5,
            None,
            0.5,
            " training takes 2 s on all rows and 2.5 s on the coreset: the selection never pays.",
        ),
        (
            2.0,
            0.5,
            None,
            None,
            " training takes 2 s on all rows and 0.5 s on the coreset, 4 times less.",
        ),
        (
            2.0,
            None,
            None,
            0.5,
            " training on the coreset does not come there in the epochs "
            "allowed: the selection never pays.",
        ),
        (
            None,
            None,
            None,
            0.5,
            " neither training on all rows nor on the coreset comes there in the epochs allowed.",
        ),
        (
            None,
            1.0,
            1,
            0.5,
            " training on the coreset takes 1 s; on all rows it does not come "
            "there in the epochs allowed.",
        ),
    ],
)
def test_what_pays(full, part, pays_after, selection, words):
    c = comparison(0.01, pays_after=pays_after)
    results = (result("all rows", 0.0, full), result("coreset", 0.01, part), *c.results[2:])
    assert pay_in_words(dataclasses.replace(c, results=results), selection) == START + words


def test_infinite_ratio():
    assert comparison(0.1, random=0.0).ratio_to("random") == math.inf
