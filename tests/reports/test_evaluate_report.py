"""What the report of an evaluation says, word for word."""

from __future__ import annotations

import dataclasses
import math

import pytest

from craig_cli.evaluation import Comparison, Result, Run
from craig_cli.evaluation.comparison import Reached
from craig_cli.evaluation.measures import GradientError
from craig_cli.reports.evaluate import EvaluateReport, SelectionCost, pay_in_words
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
    cost = SelectionCost(6.5, "measured", 0.5)
    limits = tuple(parse_threshold(text) for text in thresholds)
    return EvaluateReport(
        "cs.parquet",
        100,
        4,
        0,
        10,
        False,
        0.75,
        cost,
        "saga",
        comparisons,
        limits,
        {"read": 0.5},
        1_000_000,
        (),
    )


def test_losses_come_first():
    assert report(
        comparison(0.173, random=0.18, stratified=0.5), comparison(0.6, loss="squared")
    ).verdict() == [
        "The coreset is worse than no training: residual 0.6 against 0.5 of w = 0 at squared, l2 "
        "1e-05.",
        "The coreset loses to random rows: residual 0.6 against 0.055 at squared, l2 1e-05.",
        "The coreset loses to stratified rows: residual 0.6 against 0.04 at squared, l2 1e-05.",
        "The coreset loses to importance-sampled rows: residual 0.173 against 0.03 at logistic, l2 "
        "1e-05.",
        "The coreset loses to importance-sampled rows: residual 0.6 against 0.03 at squared, l2 "
        "1e-05.",
        "The coreset is level with random rows: residual 0.173 against 0.18 at logistic, l2 1e-05.",
        "The coreset beats stratified rows: residual 0.173 against 0.5 at logistic, l2 1e-05.",
    ]


def test_rounding_is_level():
    assert report(comparison(1e-15, random=3e-16)).verdict()[0] == (
        "The coreset is level with random rows: residual 1e-15 against 3e-16 at logistic, l2 1e-05."
    )


def test_text():
    assert report(
        comparison(0.01), thresholds=("residual > 1e-3", "residual_ratio > 1", "speedup < 3")
    ).text().splitlines() == [
        "FAILED   residual > 0.001: 0.01 at logistic, l2 1e-05",
        "FAILED   speedup < 3: 2 at logistic, l2 1e-05",
        "verdict  The coreset beats random rows: residual 0.01 against 0.055 at logistic, l2 "
        "1e-05.",
        "         The coreset beats stratified rows: residual 0.01 against 0.04 at logistic, l2 "
        "1e-05.",
        "         The coreset beats importance-sampled rows: residual 0.01 against 0.03 at "
        "logistic, l2 1e-05.",
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
