"""`evaluate_coreset`: the comparison of the command, of rows in memory and in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from tools import needs

from craig_cli import evaluate_coreset, select_coreset
from craig_cli.cli import main
from craig_cli.errors import CraigWarning, InputError, UsageError

SAMPLES = Path(__file__).parents[2] / "sample_data"
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(300, 4))
LABELS = np.where(ROWS[:, 0] + RNG.normal(size=300) > 0, "<b>yes</b>", "no")
FEW = {"l2": 1e-2, "baselines": ["random"], "seeds": 2, "selection_seconds": 1}


@pytest.fixture(scope="module")
def coreset():
    """Return thirty rows of two classes."""
    return select_coreset(ROWS, LABELS, size=30)


def residuals(evaluation):
    """Return the residual of each kind of subset, by name."""
    (comparison,) = evaluation.report.comparisons
    return {result.name: result.residual for result in comparison.results}


@pytest.mark.needs("pandas")
def test_the_numbers_are_those_of_the_command(tmp_path, capsys):
    data, test = str(SAMPLES / "sample.libsvm"), str(SAMPLES / "sample.test.libsvm")
    coreset = select_coreset(data, fraction=0.1)
    coreset.save(tmp_path / "cs.parquet")
    options = ["--l2", "1e-2,0.1", "--seeds", "2", "--baselines", "random,newton", "--json"]
    named = ["--coreset", str(tmp_path / "cs.parquet"), "--test", test]
    assert main(["evaluate", data, *named, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    for given in (coreset, tmp_path / "cs.parquet"):
        evaluation = evaluate_coreset(
            given, data, X_test=test, l2=[1e-2, 0.1], seeds=2, baselines=["random", "newton"]
        )
        table = evaluation.to_pandas().fillna({"coreset": ""})
        results = [(c, r) for c in told["comparisons"] for r in c["results"]]
        assert len(table) == len(results) == 12
        for row, (c, r) in zip(table.to_dict("records"), results, strict=True):
            assert (row["loss"], row["l2"], row["rows"]) == (c["loss"], c["l2"], r["rows"])
            wanted = [r["residual"][name] for name in ("mean", "lowest", "highest")]
            found = [row[name] for name in ("residual", "lowest", "highest")]
            assert [*found, row["test_error"]] == pytest.approx([*wanted, r["test_error"]])
            assert row["coreset"] == c["standing"].get(r["name"], "")
    assert evaluation.verdict()[:2] == told["verdict"][:2]  # the third is of seconds


def test_rows_in_memory_of_every_kind(coreset):
    wanted = residuals(evaluate_coreset(coreset, ROWS, LABELS, **FEW))
    assert wanted["coreset"] < wanted["random"]
    table = pa.table({**{f"x{k}": column for k, column in enumerate(ROWS.T)}, "label": LABELS})
    for X, y in ((table, "label"), (table.drop(["label"]), LABELS)):
        assert residuals(evaluate_coreset(coreset, X, y, **FEW)) == wanted
    of_table = select_coreset(table, "label", size=30)
    assert residuals(evaluate_coreset(of_table, table, **FEW)) == wanted
    sparse = residuals(evaluate_coreset(coreset, sp.csr_array(ROWS), LABELS, **FEW))
    assert sparse["all rows"] == pytest.approx(wanted["all rows"], abs=1e-9)


def test_weights_of_rows_and_targets():
    weights, target = RNG.integers(1, 4, 300), ROWS @ [1.0, 2, 3, 4] + RNG.normal(size=300)
    weighted = select_coreset(ROWS, LABELS, size=30, sample_weight=weights)
    evaluate_coreset(weighted, ROWS, LABELS, sample_weight=weights, **FEW)
    with pytest.raises(InputError, match=r"^coreset: it was selected from other data \("):
        evaluate_coreset(weighted, ROWS, LABELS, **FEW)
    regression = select_coreset(ROWS, target, size=30, task="regression")
    report = evaluate_coreset(regression, ROWS, target, **FEW).report
    assert report.is_regression and report.comparisons[0].loss == "squared"


def test_test_rows_have_the_columns_of_the_data():
    kind = RNG.choice(["a", "b", "c"], 300)
    table = pa.table({"x": ROWS[:, 0], "kind": kind, "label": LABELS, "id": np.arange(300)})
    coreset = select_coreset(table, "label", size=30, one_hot="kind", drop="id")
    other = table.select(["label", "id", "kind", "x"]).slice(0, 100)
    other = other.filter(np.asarray(other["kind"]) != "b")
    found = evaluate_coreset(coreset, table, X_test=other, **FEW).report.comparisons[0]
    assert 0 < found.coreset.test_error < 0.5
    rest = other.drop(["label"])
    same = evaluate_coreset(coreset, table, X_test=rest, y_test=other["label"], **FEW)
    assert same.report.comparisons[0].coreset.test_error == found.coreset.test_error


def test_it_is_told_in_a_line_and_as_an_escaped_table(coreset):
    evaluation = evaluate_coreset(coreset, ROWS, LABELS, **FEW)
    assert repr(evaluation).startswith("<Evaluation: 90% fewer rows, loss ")
    assert "Is it better than random rows? Yes: " in evaluation.verdict()[1]
    page = evaluation._repr_html_()
    assert page.count("<table>") == 3 and "<b>" not in page and ">speed-up</th>" in page
    assert "as given" in evaluation.summary()
    assert "--" not in evaluation.summary()


@pytest.mark.needs("matplotlib")
def test_a_picture_has_three_panels_for_each_comparison(coreset):
    pyplot = needs("matplotlib", ".pyplot")
    axes = evaluate_coreset(coreset, ROWS, LABELS, **FEW | {"l2": [0.1, 0.01]}).plot()
    assert axes.shape == (6,) and axes[0].figure is pyplot.gcf()
    assert axes[0].get_title("left").startswith("logistic, l2 0.1: how far")
    pyplot.close("all")


def test_notes_are_warnings(coreset):
    with pytest.warns(CraigWarning, match="labels") as caught:
        evaluate_coreset(
            coreset, ROWS, LABELS, X_test=ROWS, y_test=np.where(ROWS[:, 0] > 1, "no", "?"), **FEW
        )
    assert {w.filename for w in caught} == {__file__}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": ROWS[:9], "y": LABELS[:9]}, r"^coreset: it was selected from other data .* "
         r"force_mismatch=True to use"),
        ({"loss": "best"}, r"^loss: 'best' is not one of"),
        ({"baselines": ["best"]}, r"^baselines: 'best' is not one of"),
        ({"l2": [0.1, -1]}, r"^l2: -1.0 is not"),
        ({"y_test": LABELS}, r"^y_test: there is no X_test"),
        ({"solver": "saga", "schedule": "best"}, r"^schedule: 'best' is not one of"),
        ({"X_test": ROWS[:, :2], "y_test": LABELS}, r"^X_test"),
        ({"X_test": ROWS, "y_test": LABELS[:9]}, r"^y_test: has shape"),
        ({"X_test": ROWS}, r"^X_test: its labels"),
    ],
)  # fmt: skip
def test_what_is_refused(coreset, arguments, message):
    arguments = {"X": ROWS, "y": LABELS} | FEW | arguments
    with pytest.raises((InputError, UsageError), match=message):
        evaluate_coreset(coreset, **arguments)


def test_an_argument_that_there_is_not(coreset):
    with pytest.raises(TypeError, match=r"^evaluate_coreset\(\) got .* mean 'one_hot'"):
        evaluate_coreset(coreset, ROWS, LABELS, onehot="a")
