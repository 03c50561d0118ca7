"""``craig evaluate``."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import listing, write_csv
from tools import needs, path_of

from craig_cli import __version__
from craig_cli.calibration import make_coreset
from craig_cli.files.manifest import read_manifest
from craig_cli.files.request import restore_calibration, restore_settings
from craig_cli.readers import read_dataset
from craig_cli.reports.comparison import HEAD
from craig_cli.reports.evaluation_page import SUBSETS, TERMS
from craig_cli.reports.evaluation_plot import COLOURS
from craig_cli.reports.panel import GREY, PALETTE
from craig_cli.settings.catalog import LOSSES, names

QUICK = ("--seeds", "2", "--epochs", "5")
DRAWN = ("random", "stratified", "importance", "lewis", "leverage", "local-case-control")
NEWTON = ("newton-1", "newton-2", "newton-3")


@pytest.fixture
def coreset(craig, own_folder):
    """Write ``d.csv``, 120 rows of two classes, and ``cs.parquet``, 24 picks."""
    rows = np.random.default_rng(0).normal(size=(120, 3))
    write_csv(
        own_folder / "d.csv", (rows @ [1, 1, 0] + rows[::-1, 2] > 0).astype(int).tolist(), rows
    )
    assert craig("select", "d.csv", "--size", "24", "--for", "local", "-o", "cs.parquet").code == 0
    return own_folder / "cs.parquet"


def write_weights(path, index, weight):
    pq.write_table(
        pa.table({"index": pa.array(index, pa.int64()), "weight": pa.array(weight, pa.float64())}),
        path,
    )


def test_report_in_words(craig, coreset):
    result = craig(
        "evaluate", "d.csv", "--coreset", "cs.parquet", "--test", "d.csv", "--l2", "1e-2", *QUICK
    )
    assert (result.code, result.err) == (0, "")
    number = r"[0-9.e+-]+"
    verdict = (
        rf"verdict  80% fewer rows, loss {number} against {number}, .*[^.]\.\n"
        rf" {{9}}Is the coreset as good as all rows\? (Yes|Nearly|No).*: loss {number} against "
        rf"{number} of all rows, short by {number}, .*; test error {number}% against {number}%\.\n"
        rf" {{9}}Is it better than random rows\? (Yes|No).*: residual {number} "
        rf"against {number}, .*\n"
        r" {9}Does it pay\? .*\.\n"
        rf"cost     The selection took {number} s \(the recorded request, run again\), an epoch "
        rf"of SGD over all rows {number} s: it costs [0-9,.]+ epochs\.\n"
        r"rows     120 read"
    )
    assert re.match(verdict, result.out)
    assert (
        "\nrows     120 read, 3 columns\ncoreset  24 rows of cs.parquet, coverage cost "
        in result.out
    )
    table = result.out[result.out.index("subset") :].splitlines()
    assert table[0].split("  ")[0] == "subset"
    assert [line.split("  ")[0] for line in table[1:12]] == [
        "all rows",
        "coreset",
        *DRAWN,
        "random rows + 1 Newton step",
        "random rows + 2 Newton steps",
        "random rows + 3 Newton steps",
    ]
    assert table[13].startswith("At logistic, l2 0.01, to a residual of ")
    assert re.search(rf" They took {number}, {number} and {number} passes over all rows", table[14])
    assert "The coreset's gradient error is at most " in table[15]


def test_json_has_everything(craig, coreset):
    arguments = (
        "evaluate",
        "d.csv",
        "--coreset",
        "cs.parquet",
        "--loss",
        "logistic,squared-hinge",
        "--l2",
        "1e-3,1e-1",
        "--w-norm",
        "2",
        *QUICK,
    )
    result = craig(*arguments, "--selection-seconds", "5", "--json")
    assert result.code == 0
    report = json.loads(result.out)
    assert report["selection"]["source"] == "given" and report["selection"]["seconds"] == 5
    assert report["selection"]["epochs"] == pytest.approx(
        5 / report["selection"]["sgd_epoch_seconds"]
    )
    assert (report["rows"], report["picks"], report["failed"], report["solver"]) == (
        120,
        24,
        [],
        "saga",
    )
    assert [sentence.partition("?")[0] for sentence in report["verdict"]] == [
        "Is the coreset as good as all rows", "Is it better than random rows", "Does it pay"
    ]  # fmt: skip
    assert report["headline"].endswith(" (the worst of 4 comparisons)")
    assert len(report["costs"]) == 5
    assert [(c["loss"], c["l2"]) for c in report["comparisons"]] == [
        ("logistic", 1e-3), ("logistic", 0.1), ("squared-hinge", 1e-3), ("squared-hinge", 0.1)
    ]  # fmt: skip
    for comparison in report["comparisons"]:
        assert comparison["w_norm"] == 2
        drawn = [name for name in DRAWN if is_shown(name, comparison["loss"])]
        assert set(comparison["standing"]) == {*drawn, *NEWTON}
        assert set(comparison["residual_ratio"]) == {*drawn, *NEWTON}
        by_name = {r["name"]: r for r in comparison["results"]}
        assert list(by_name) == ["all rows", "coreset", *drawn, *NEWTON]
        assert [len(r["runs"]) for r in by_name.values()] == [1, 1] + [2] * (len(drawn) + 3)
        for r in by_name.values():
            assert r["residual"]["lowest"] <= r["residual"]["mean"] <= r["residual"]["highest"]
            assert set(r["runs"][0]["curve"][0]) == {"epoch", "passes", "seconds", "residual"}
            assert r["test_error"] is None
        assert by_name["coreset"]["gradient_error"] <= comparison["bound"]["mean"]
        assert by_name["random"]["runs"][0]["rows"] == 24
        assert [by_name[name]["selection_seconds"] for name in ("all rows", "coreset")] == [0, 5]
        assert all(0 < by_name[name]["selection_seconds"] < 5 for name in (*drawn, *NEWTON))
        assert [by_name[name]["passes"] is None for name in by_name] == [True] * (
            len(drawn) + 2
        ) + [False] * 3


def is_shown(name, loss):
    """Return whether rows of a baseline are shown where nothing is asked for."""
    return name != "local-case-control" or loss in ("logistic", "softmax")


@pytest.mark.parametrize(
    ("asked", "loss", "shown", "note"),
    [
        ("lewis", "logistic", ["lewis"], ""),
        ("newton, stratified", "squared", ["stratified", *NEWTON], ""),
        (
            "local-case-control,random",
            "squared-hinge",
            ["random"],
            "Baseline local-case-control is not shown for squared-hinge: it needs a loss with "
            "probabilities.",
        ),
    ],
)
def test_baselines_by_name(craig, coreset, asked, loss, shown, note):
    arguments = ("evaluate", "d.csv", "--coreset", "cs.parquet", "--loss", loss, *QUICK)
    report = json.loads(craig(*arguments, "--baselines", asked, "--json").out)
    results = report["comparisons"][0]["results"]
    assert [r["name"] for r in results] == ["all rows", "coreset", *shown]
    assert ([*report["notes"], ""])[0] == note


def test_too_many_columns_for_some_baselines(craig, own_folder):
    rng = np.random.default_rng(0)
    labels = [number % 2 for number in range(30)]
    (own_folder / "wide.libsvm").write_text(
        "".join(
            f"{label} {rng.integers(1, 900)}:1 {900 + label}:1 2100:{rng.random():.3f}\n"
            for label in labels
        )
    )
    assert (
        craig("select", "wide.libsvm", "--size", "8", "--for", "local", "-o", "w.parquet").code == 0
    )
    arguments = (
        "evaluate",
        "wide.libsvm",
        "--coreset",
        "w.parquet",
        "--seeds",
        "1",
        "--epochs",
        "2",
    )
    report = json.loads(craig(*arguments, "--json").out)
    shown = [r["name"] for r in report["comparisons"][0]["results"][2:]]
    assert shown == ["random", "stratified", "importance", "local-case-control"]
    assert [note for note in report["notes"] if note.startswith("Baseline")] == [
        f"Baseline {name} is not shown for logistic: {reason}."
        for name, reason in (
            ("lewis", "2,100 columns are more than the 2,000 it can do with"),
            ("leverage", "2,100 columns are more than the 2,000 it can do with"),
            ("newton", "its equations would be too large"),
        )
    ]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("residual > 1e-9", 5),
        ("residual > 1e9", 0),
        ("epsilon_mean>=0", 5),
        ("residual_ratio < 0", 0),
    ],
)
def test_fail_if(craig, coreset, condition, code):
    result = craig(
        "evaluate",
        "d.csv",
        "--coreset",
        "cs.parquet",
        *QUICK,
        "--fail-if",
        "speedup < -1",
        "--fail-if",
        condition,
    )
    assert result.code == code
    assert ("FAILED" in result.out) == (code == 5)
    if code == 5:
        assert re.match(
            r"FAILED   (residual > 1e-09|epsilon_mean >= 0): [0-9.e-]+ at logistic, l2 "
            r"1e-05\n",
            result.out,
        )
        assert "\nverdict  80% fewer rows, " in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--fail-if", "loss > 1"),
            "--fail-if: 'loss' is not one of residual, residual_ratio, "
            "test_error, gradient_error, epsilon_mean, speedup.",
        ),
        (
            ("--fail-if", "residual = 1"),
            "--fail-if: 'residual = 1' is not NAME > NUMBER (or >=, <, "
            "<=), such as 'residual > 1e-3'.",
        ),
        (("--fail-if", "residual > x"), "--fail-if: 'x' is not a number."),
        (("--fail-if", "residual > inf"), "--fail-if: inf is not finite."),
        (
            ("--fail-if", "test_error > 0"),
            "--fail-if: test_error needs rows to test on: name them with --test.",
        ),
        (
            ("--loss", "logistic,log"),
            f"--loss: 'log' is not one of {', '.join(names(LOSSES))}.",
        ),
        (("--loss", "squared,squared"), "--loss: 'squared,squared' names a loss twice."),
        (
            ("--baselines", "lewis,lasso"),
            "--baselines: 'lasso' is not one of random, stratified, importance, lewis, leverage, "
            "local-case-control, newton.",
        ),
        (("--baselines", "lewis,lewis"), "--baselines: 'lewis,lewis' names one twice."),
        (
            ("--baselines", "lewis", "--fail-if", "residual_ratio > 1"),
            "--fail-if: residual_ratio is over that of random rows: name random among --baselines.",
        ),
        (("--l2", "1,-1"), "--l2: -1.0 is not a finite number of at least 0."),
        (("--seeds", "0"), "--seeds: 0 is not between 1 and 1000."),
        (("--w-norm", "0"), "--w-norm: 0.0 is not a finite number above 0."),
        (("--residual", "nan"), "--residual: nan is not a finite number above 0."),
        (
            ("--selection-seconds", "-1"),
            "--selection-seconds: -1.0 is not a finite number of at least 0.",
        ),
        (
            ("--weights-file", "w.parquet"),
            "Give what to evaluate: either --coreset or --weights-file.",
        ),
        (("--report", "-"), "--report: name a file; stdout is for the report in words or JSON."),
        (("--report", "d.csv"), "--report: 'd.csv' is one of the inputs."),
        (("--report", "a.png", "--plot", "a.png"), "--report and --plot name the same file."),
        (
            ("--test", "-", "--coreset", "-"),
            "--coreset and --test cannot both be read from stdin: name a file for one.",
        ),
    ],
)
def test_wrong_options(craig, coreset, arguments, message):
    result = craig("evaluate", "d.csv", "--coreset", "cs.parquet", *arguments)
    assert (result.code, result.out, result.err) == (2, "", f"craig: error: {message}\n")


def test_nothing_to_evaluate(craig, coreset):
    result = craig("evaluate", "d.csv")
    assert (result.code, result.err) == (
        2,
        "craig: error: Give what to evaluate: either --coreset or --weights-file.\n",
    )


def test_other_data(craig, coreset, own_folder):
    text = (own_folder / "d.csv").read_text().splitlines()
    (own_folder / "other.csv").write_text("\n".join([text[0], *text[:0:-1]]) + "\n")
    result = craig("evaluate", "other.csv", "--coreset", "cs.parquet")
    assert result.code == 3
    assert re.fullmatch(
        r"craig: error: cs.parquet: it was selected from other data \(craig1:\w+, and this is "
        r"craig1:\w+\). Give the data and the reading "
        r"options it was made with, or --force-mismatch to use its row numbers all the same.\n",
        result.err,
    )
    assert (
        craig("evaluate", "other.csv", "--coreset", "cs.parquet", "--force-mismatch", *QUICK).code
        == 0
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--representative", "random", "--weights", "calibrated", "--pilot-l2", "1e-2"),
        ("--method", "importance", "--seed", "3"),
        ("--method", "stratified"),
    ],
)
def test_what_is_timed_is_the_whole_selection(craig, coreset, options):
    assert craig("select", "d.csv", "--size", "24", "-o", "other.parquet", *options).code == 0
    manifest = read_manifest("other.parquet")
    inputs, selection = restore_settings("other.parquet", manifest.request, ("d.csv",), {}, 1)
    again = make_coreset(
        read_dataset(inputs), selection, restore_calibration("other.parquet", manifest.request, 1)
    )
    np.testing.assert_array_equal(again.index, manifest.coreset.index)
    np.testing.assert_array_equal(again.weight, manifest.coreset.weight)
    assert again.weights == manifest.coreset.weights


def test_hand_made_weights(craig, coreset, own_folder):
    write_weights(own_folder / "w.parquet", [3, 5, 3, 50, 70, 90], [1, 2, 1, 2, 2, 2])
    result = craig("evaluate", "d.csv", "--weights-file", "w.parquet", *QUICK)
    assert result.code == 0
    assert (
        "What the selection took is not known (--selection-seconds would tell); an epoch of "
        "SGD "
        "over all rows"
    ) in result.out
    assert "\ncoreset  5 rows of w.parquet\n" in result.out


def test_a_class_without_picks(craig, coreset, own_folder):
    labels = [
        int(line.split(",")[0]) for line in (own_folder / "d.csv").read_text().splitlines()[1:]
    ]
    write_weights(own_folder / "w.parquet", np.flatnonzero(labels)[:9], [1.0] * 9)
    result = craig("evaluate", "d.csv", "--weights-file", "w.parquet", "--l2", "1e-2", *QUICK)
    assert result.code == 0
    assert "There is no bound on the gradient error: a class has no pick.\n" in result.out
    assert result.out.endswith(
        "note    A class has no row in the coreset: its model cannot tell that class.\n"
    )


@pytest.mark.parametrize(
    ("task", "loss"), [("regression", "squared"), ("classification", "softmax")]
)
def test_numbers_and_many_classes(craig, own_folder, task, loss):
    rows = np.random.default_rng(0).normal(size=(90, 2))
    write_csv(own_folder / "d.csv", [i % 3 for i in range(90)], rows)
    assert (
        craig(
            "select",
            "d.csv",
            "--size",
            "12",
            "--for",
            "local",
            "--task",
            task,
            "--scale",
            "standard",
            "-o",
            "cs.parquet",
        ).code
        == 0
    )
    result = craig(
        "evaluate", "d.csv", "--coreset", "cs.parquet", "--test", "d.csv", "--l2", "1e-2", *QUICK
    )
    assert result.code == 0
    assert f"\nAt {loss}, l2 0.01, to a residual of" in result.out
    assert result.out.endswith(
        "note    Epsilon is in units of the scaled rows; the bound is "
        "computed from the rows as they are.\n"
    )


class Reader(HTMLParser):
    """What a page holds, in order: tags and texts; raises where tags do not match."""

    EMPTY = ("meta", "path", "circle")

    def __init__(self, page):
        super().__init__()
        self.open, self.found, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())

    def count(self, tag):
        return [name for name, _ in self.found].count(tag)


def test_page_is_self_contained(craig, coreset, own_folder):
    arguments = ("evaluate", "d.csv", "--coreset", "cs.parquet", *QUICK, "--report", "page.html")
    result = craig(*arguments)
    assert result.code == 0
    page = (own_folder / "page.html").read_text()
    assert all(f"></span>{name}</td>" in page for name in (*DRAWN, "random rows + 3 Newton steps"))
    assert page.startswith("<!DOCTYPE html>\n<html lang=en>") and page.endswith("</html>\n")
    assert not re.search(r'(src|href)="?[^"#]|<script|url\((?!#)|@import', page)
    texts = Reader(page).texts
    headline = result.out.splitlines()[0].removeprefix("verdict  ").removesuffix(".")
    in_order = [
        *("Is the coreset worth it?", headline, "Is the coreset as good as all rows?"),
        *("Is it better than random rows?", "Does it pay?", "How far from the best"),
        *("The way there, by seconds of training", "The way there, by passes over all rows"),
        *("subset", "What the words mean", f"craig {' '.join(arguments)}"),
    ]
    places = [texts.index(text) for text in in_order]
    assert places == sorted(places)
    assert re.fullmatch(
        rf"craig {__version__}, Python [\d.]+, numpy \S+, scipy \S+, numba \S+", texts[-1]
    )
    assert craig(*arguments).code == 0  # craig's own: replaced
    (own_folder / "notes.html").write_text("mine")
    result = craig("evaluate", "d.csv", "--coreset", "cs.parquet", "--report", "notes.html")
    error = (
        "--report: 'notes.html' exists and is not a craig page. Choose another name, or "
        "replace it with --force."
    )
    assert (result.code, result.err) == (2, f"craig: error: {error}\n")


def test_every_word_of_the_table_is_explained():
    assert set(HEAD[1:]) <= {term for term, _ in TERMS}
    assert {"all rows", "coreset", "newton", *DRAWN} == {name for name, _ in SUBSETS}


def test_names_are_escaped_in_the_page(craig, coreset, own_folder):
    coreset.rename(own_folder / "a<b>.parquet")
    options = ("--coreset", "a<b>.parquet", *QUICK, "--report", "page.html")
    assert craig("evaluate", "d.csv", *options).code == 0
    page = (own_folder / "page.html").read_text()
    assert page.count("a&lt;b&gt;.parquet") == 2 and "a<b>" not in page
    assert "<code>craig evaluate d.csv --coreset &#x27;a&lt;b&gt;.parquet&#x27; " in page


def test_pictures_in_the_page(craig, coreset, own_folder, no_matplotlib):
    options = ("--l2", "1e-3,1e-1", *QUICK, "--report", "page.html")
    assert craig("evaluate", "d.csv", "--coreset", "cs.parquet", *options).code == 0
    page = (own_folder / "page.html").read_text()
    assert Reader(page).count("figure") == 6
    figures = [part.partition("</figure>")[0] for part in page.split("<figure>")[1:]]
    for number, figure in enumerate(figures):
        own = f'stroke="{COLOURS["coreset"]}"'
        if number % 3 == 0:
            assert figure.count(f'{own} stroke-width="12"') == 1
            assert all(f">{name}</text>" in figure for name in ("no training", *DRAWN, "coreset"))
        else:
            assert figure.count(f'{own} stroke-width="3"') == 1
            assert figure.count('stroke-width="1.2"') == 15  # all rows, and two of each other kind
    assert set(re.findall(r"#[0-9a-fA-F]{6}", "".join(figures))) <= {
        *PALETTE,
        GREY,
    }  # what is black is in the colour of the text
    assert "@media (prefers-color-scheme: dark)" in page and 'name="viewport"' in page


def test_picture(craig, coreset, own_folder):
    needs("matplotlib")
    assert (
        craig("evaluate", "d.csv", "--coreset", "cs.parquet", *QUICK, "--plot", "curves.png").code
        == 0
    )
    assert (own_folder / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (
        craig("evaluate", "d.csv", "--coreset", "cs.parquet", *QUICK, "--plot", "curves.png").code
        == 0
    )
    assert listing(own_folder) == ["cs.parquet", "curves.png", "d.csv"]


def test_picture_without_matplotlib(craig, coreset, no_matplotlib):
    result = craig("evaluate", "d.csv", "--coreset", "cs.parquet", "--plot", "curves.png")
    assert (result.code, result.err) == (
        2,
        "craig: error: --plot needs matplotlib, which is not installed. Run: pip install "
        "'craig-cli[plot]'.\n",
    )


@pytest.fixture
def browse(own_folder):
    """Return what a browser makes of a page, and says."""
    browser = path_of("chromium")

    def run(page, *options):
        fixed = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")
        profile = f"--user-data-dir={own_folder / 'profile'}"
        shown = subprocess.run(
            [browser, *fixed, profile, *options, "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"HOME": str(own_folder)},
        )
        assert shown.returncode == 0, shown.stderr
        assert "CONSOLE" not in shown.stderr
        return shown.stdout

    return run


@pytest.mark.needs("chromium")
@pytest.mark.slow
def test_the_page_opens_in_a_browser(craig, coreset, own_folder, browse):
    options = ("--l2", "1e-2", "--report", "page.html", *QUICK)
    assert craig("evaluate", "d.csv", "--coreset", "cs.parquet", *options).code == 0
    page = own_folder / "page.html"
    shot = own_folder / "page.png"
    shown = browse(page, "--window-size=1000,1400", f"--screenshot={shot}")
    assert "<h1>Is the coreset worth it?</h1>" in shown
    assert shown.count("<figure") == 3 and shown.count("<table") == 1
    if shot.exists():  # older ones do either, not both
        assert shot.stat().st_size > 10_000
    told = 'parent.postMessage(`${document.documentElement.scrollWidth} of ${innerWidth}`, "*")'
    (own_folder / "inner.html").write_text(f"{page.read_text()}<script>{told}</script>")
    for width in (320, 390, 1000):  # nothing is wider than the screen, a phone's too
        outer = own_folder / "outer.html"
        outer.write_text(
            "<body><script>onmessage = e => document.body.dataset.seen = e.data</script>"
            f"<iframe src=inner.html width={width} height=800 style=border:0></iframe>"
        )
        seen = re.search('data-seen="([0-9]+) of ([0-9]+)"', browse(outer, WAIT))
        assert seen is not None and int(seen[1]) <= int(seen[2]) == width


WAIT = "--virtual-time-budget=3000"
"""Option of Chromium: for messages to arrive."""
