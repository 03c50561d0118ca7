"""``craig train``, whole: what it writes, says, and refuses."""

from __future__ import annotations

import json
import re
import signal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import Result, listing, write_csv

from craig_cli.files.model import read_model


def hidden(text):
    """A summary without its times and memory."""
    text = re.sub(r"(read|train|write) \S+ s", r"\1 _ s", text)
    text = re.sub(r"passes in \S+ s", "passes in _ s", text)
    return re.sub(r"memory   [\d,]+ MB|memory  [\d,]+ MB", "memory  _ MB", text)


def write_weights(path, index, weight):
    pq.write_table(pa.table({"index": index, "weight": weight}), path)


@pytest.fixture
def line(own_folder):
    """Write ``line.csv``: the number to predict is 2 a + 1."""
    rows = np.array([[0.0], [1], [2], [3], [4]])
    write_csv(own_folder / "line.csv", [1, 3, 5, 7, 9], rows)


def test_the_summary(craig, data):
    result = craig("train", "data.csv", "--solver", "lbfgs", "--l2", "1", "-o", "model.npz")
    assert (result.code, result.out) == (0, "")
    lines = hidden(result.err).splitlines()
    assert re.fullmatch(
        r"l2       1: lbfgs, \d+ epochs, \d+ passes in _ s, gradient \S+ of that "
        r"at zero",
        lines.pop(3),
    )
    assert re.fullmatch(r"loss     0\.\d+, 33\.33% wrong", lines.pop(3))
    assert lines == [
        "rows     12 read, 1 column",
        "trained  on all rows",
        "model    logistic, 1 x 1 coefficients, written to model.npz",
        "time     read _ s, train _ s, write _ s",
    ]
    assert (
        " MB at the peak\n"
        in craig(
            *("train", "data.csv", "--solver", "lbfgs", "--l2", "1", "--force", "-v", "-o", "v.npz")
        ).err
    )
    model = read_model("model.npz")
    assert (
        model.coef.shape,
        model.classes.tolist(),
        model.facts["columns"],
        model.facts["rows"],
    ) == ((1, 1, 1), [0, 1], ["a"], 12)
    assert model.trace["epoch"].tolist() == list(range(len(model.trace)))


def test_json_states_the_same_facts(craig, data):
    assert (
        craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet").code == 0
    )
    result = craig("train", "data.csv", "--coreset", "cs.parquet", "-o", "model.npz", "--json")
    assert (result.code, result.err) == (0, "")
    facts = json.loads(result.out)
    assert (
        facts["rows"],
        facts["trained_rows"],
        facts["chosen_by"],
        facts["loss"],
        facts["classes"],
    ) == (12, 3, "cs.parquet", "logistic", [0, 1])
    (model,) = facts["models"]
    assert (model["solver"], model["schedule"], model["tried"], model["l2"]) == (
        "newton",
        None,
        0,
        1e-5,
    )
    assert model["why"] == "auto: the quickest to the optimum"
    written = read_model("model.npz")
    assert model["objective"] == written.trace["objective"][-1]
    assert model["epochs"] == written.trace["epoch"][-1]
    assert model["objective_all_rows"] > 0 and 0 <= model["error_all_rows"] <= 1


def test_squared_loss_by_hand(craig, line):
    """A line through all points: no loss but for the regulariser. With l2 = 2, the variance, the
    slope is halved.
    """
    assert (
        craig(
            "train",
            "line.csv",
            "--task",
            "regression",
            "--solver",
            "lbfgs",
            "--l2",
            "0,2",
            "-o",
            "m.npz",
        ).code
        == 0
    )
    model = read_model("m.npz")
    np.testing.assert_allclose(model.coef.ravel(), [2, 1], rtol=1e-7)
    np.testing.assert_allclose(model.intercept.ravel(), [1, 3], rtol=1e-7)
    assert model.classes is None


def test_hand_made_weights_are_repeated_rows(craig, own_folder):
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(30, 2)), [int(v) for v in rng.integers(0, 3, 30)]
    write_csv(own_folder / "d.csv", labels, rows)
    index = np.array([29, 3, 3, 5, 11, 0, 17, 8])
    weights = np.array([2, 1, 1, 3, 1, 0, 4, 2])
    write_weights("w.parquet", index, weights)
    again = np.repeat(index, weights)
    write_csv(own_folder / "again.csv", [labels[i] for i in again], rows[again])
    assert sorted({labels[i] for i in again}) == [0, 1, 2]
    for name, extra in (("d.csv", ("--weights-file", "w.parquet")), ("again.csv", ())):
        assert (
            craig(
                "train", name, "--solver", "lbfgs", "--l2", "0.1", "-o", f"{name}.npz", *extra
            ).code
            == 0
        )
    one, other = read_model("d.csv.npz"), read_model("again.csv.npz")
    np.testing.assert_allclose(one.coef, other.coef, atol=1e-6)
    np.testing.assert_allclose(one.intercept, other.intercept, atol=1e-6)


def test_a_coreset_of_all_rows_is_all_rows(craig, data):
    assert (
        craig("select", "data.csv", "--size", "12", "--for", "local", "-o", "cs.parquet").code == 0
    )
    for name, extra in (("a.npz", ()), ("b.npz", ("--coreset", "cs.parquet"))):
        assert (
            craig("train", "data.csv", "--solver", "lbfgs", "--l2", "0.1", "-o", name, *extra).code
            == 0
        )
    np.testing.assert_allclose(read_model("a.npz").coef, read_model("b.npz").coef, atol=1e-6)


def test_greedy_order_is_that_of_the_manifest(craig, data):
    assert (
        craig("select", "data.csv", "--size", "5", "--for", "local", "-o", "cs.parquet").code == 0
    )
    table = pq.read_table("cs.parquet").sort_by("order")
    write_weights("w.parquet", table["index"], table["weight"])
    for name, extra in (
        ("a.npz", ("--coreset", "cs.parquet")),
        ("b.npz", ("--weights-file", "w.parquet")),
    ):
        assert (
            craig(
                "train",
                "data.csv",
                "--solver",
                "sgd",
                "--order",
                "greedy",
                "--epochs",
                "3",
                "-o",
                name,
                *extra,
            ).code
            == 0
        )
    np.testing.assert_array_equal(read_model("a.npz").coef, read_model("b.npz").coef)


@pytest.mark.parametrize("order", ["1e-3,1,0.1", "1,0.1,1e-3"])
def test_a_path_starts_at_its_largest_l2_and_goes_on_from_there(craig, data, order):
    assert (
        craig("train", "data.csv", "--solver", "lbfgs", "--l2", order, "-o", "path.npz").code == 0
    )
    model = read_model("path.npz")
    assert model.l2.tolist() == [float(part) for part in order.split(",")]
    ends = {l2: model.trace[model.trace["path"] == number] for number, l2 in enumerate(model.l2)}
    assert np.linalg.norm(model.coef[model.l2.argmax()]) < np.linalg.norm(
        model.coef[model.l2.argmin()]
    )
    assert ends[1.0]["objective"][0] == pytest.approx(np.log(2))
    place = model.l2.tolist().index(1.0)
    craig("train", "data.csv", "--solver", "lbfgs", "--l2", "1", "-o", "one.npz")
    craig(
        "train",
        "data.csv",
        "--solver",
        "lbfgs",
        "--l2",
        "0.1",
        "--init",
        "one.npz",
        "-o",
        "two.npz",
    )
    np.testing.assert_array_equal(read_model("one.npz").coef[0], model.coef[place])
    np.testing.assert_array_equal(
        read_model("two.npz").coef[0], model.coef[model.l2.tolist().index(0.1)]
    )


def test_several_classes_with_labels_of_text(craig, own_folder):
    write_csv(
        own_folder / "d.csv",
        ["b", "c", "a", "b", "c", "a"],
        np.array([[1.0], [2], [0], [1.1], [2.1], [0.1]]),
    )
    assert craig("train", "d.csv", "-o", "m.npz").code == 0
    model = read_model("m.npz")
    assert (model.facts["loss"], model.classes.tolist(), model.coef.shape) == (
        "softmax",
        ["a", "b", "c"],
        (1, 3, 1),
    )


def test_a_class_without_a_chosen_row_is_still_in_the_model(craig, own_folder):
    write_csv(own_folder / "d.csv", [0, 1, 2, 0, 1, 2], np.arange(6.0)[:, None])
    write_weights("w.parquet", [0, 1, 3], [1, 1, 1])
    result = craig("train", "d.csv", "--weights-file", "w.parquet", "-o", "m.npz")
    assert result.code == 0
    assert "note      1 of 3 classes have no row among those trained on.\n" in result.err
    assert read_model("m.npz").coef.shape == (1, 3, 1)
    assert craig("predict", "d.csv", "m.npz", "-o", "p.parquet").code == 0


@pytest.mark.parametrize("solver", ["sgd", "saga", "adam", "lbfgs"])
def test_one_chosen_row(craig, data, solver):
    write_weights("w.parquet", [3], [2.5])
    assert (
        craig(
            "train",
            "data.csv",
            "--weights-file",
            "w.parquet",
            "--solver",
            solver,
            "--epochs",
            "5",
            "-o",
            "m.npz",
        ).code
        == 0
    )


def test_the_same_bytes_but_for_the_seconds(craig, data):
    models = []
    for threads in ("1", "2"):
        assert (
            craig("train", "data.csv", "--solver", "sgd", "--threads", threads, "-o", "m.npz").code
            == 0
        )
        models.append(read_model("m.npz"))
    assert models[0].coef.tobytes() == models[1].coef.tobytes()
    assert models[0].trace["objective"].tolist() == models[1].trace["objective"].tolist()


@pytest.mark.parametrize(
    ("solver", "note"),
    [
        (
            "saga",
            "note     The tolerance was not reached: more --epochs, or --solver lbfgs, come "
            "closer to the optimum.\n",
        ),
        (
            "lbfgs",
            "note     The tolerance was not reached: the --epochs were too few, or this is "
            "as near to the optimum as rounding allows.\n",
        ),
        ("sgd", ""),
    ],
)
def test_a_tolerance_that_was_not_reached(craig, data, solver, note):
    result = craig("train", "data.csv", "--solver", solver, "--epochs", "1", "-o", "m.npz")
    assert result.code == 0
    assert [line for line in result.err.splitlines(True) if line.startswith("note ")] == [
        line for line in [note] if line
    ]


def test_an_index_base_of_0_is_an_option_that_is_given(craig, own_folder):
    (own_folder / "d.libsvm").write_text("1 0:1 2:3\n-1 1:1\n")
    assert (
        craig("train", "d.libsvm", "--index-base", "0", "--solver", "lbfgs", "-o", "m.npz").code
        == 0
    )
    assert read_model("m.npz").facts["input"]["index_base"] == 0
    assert craig("predict", "d.libsvm", "m.npz", "-o", "p.parquet").code == 0


def test_tune_says_how_many_it_tried(craig, data):
    result = craig("train", "data.csv", "--solver", "sgd", "--tune", "--epochs", "2", "-o", "m.npz")
    assert result.code == 0
    assert re.search(r"exponential \(the best of 24 tried\), 2 epochs, 48 passes in", result.err)


def test_quiet_and_verbose(craig, data):
    assert craig("train", "data.csv", "-o", "m.npz", "-q") == Result(0, "", "")
    result = craig("train", "data.csv", "-o", "m.npz", "-v", "--threads", "2")
    assert result.err.startswith("craig: solver auto, l2 1e-5, seed 0, 2 threads\n")


def test_data_and_weights_from_stdin(craig, data, monkeypatch, own_folder):
    import sys

    with data.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        result = craig("train", "-", "--format", "csv", "--solver", "lbfgs", "-o", "m.npz")
    assert result.code == 0, result.err
    craig("train", "data.csv", "--solver", "lbfgs", "-o", "n.npz")
    np.testing.assert_array_equal(read_model("m.npz").coef, read_model("n.npz").coef)


def test_a_manifest_of_other_data(craig, data):
    assert (
        craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet").code == 0
    )
    data.write_text(data.read_text().replace("13.0", "13.5"))
    result = craig("train", "data.csv", "--coreset", "cs.parquet", "-o", "m.npz")
    assert result.code == 3
    assert re.fullmatch(
        r"craig: error: cs\.parquet: it was selected from other data \(craig1:\w+, and this is "
        r"craig1:\w+\)\. Give the data and the reading options "
        r"it was made with, or --force-mismatch to use its row numbers all the same\.\n",
        result.err,
    )
    assert listing(data.parent) == ["cs.parquet", "data.csv"]
    assert (
        craig(
            "train", "data.csv", "--coreset", "cs.parquet", "--force-mismatch", "-o", "m.npz"
        ).code
        == 0
    )
    write_csv(data, [0, 1, 0, 1], np.arange(4.0)[:, None])
    result = craig(
        "train", "data.csv", "--coreset", "cs.parquet", "--force-mismatch", "-o", "m.npz"
    )
    assert (result.code, result.err) == (
        3,
        "craig: error: cs.parquet: an index is not between 0 and 3 (value '9'). Give the data it "
        "belongs to.\n",
    )


WEIGHTS_REMEDY = (
    "Give a Parquet file with a column 'index' of row numbers from 0 and a column 'weight'."
)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"index": [0], "w": [1.0]},
            f"there is no column 'weight', or more than one. {WEIGHTS_REMEDY}",
        ),
        (
            {"index": [0.0], "weight": [1.0]},
            f"columns index and weight hold double and double, not whole numbers and numbers. "
            f"{WEIGHTS_REMEDY}",
        ),
        (
            {"index": pa.array([], pa.int64()), "weight": pa.array([], pa.float64())},
            f"there are no rows. {WEIGHTS_REMEDY}",
        ),
        (
            {"index": [0, 1], "weight": [1.0, -1]},
            f"a weight is negative, or all are 0 (value '-1'). {WEIGHTS_REMEDY}",
        ),
        (
            {"index": [0, 1], "weight": [0, 0]},
            f"a weight is negative, or all are 0 (value '0'). {WEIGHTS_REMEDY}",
        ),
        (
            {"index": [0, 12], "weight": [1, 1]},
            "an index is not between 0 and 11 (value '12'). Give the data it belongs to.",
        ),
        (
            {"index": [-1, 2], "weight": [1, 1]},
            "an index is not between 0 and 11 (value '-1'). Give the data it belongs to.",
        ),
    ],
)
def test_weights_refused(craig, data, columns, message):
    pq.write_table(pa.table(columns), "w.parquet")
    result = craig("train", "data.csv", "--weights-file", "w.parquet", "-o", "m.npz")
    assert (result.code, result.err) == (3, f"craig: error: w.parquet: {message}\n")


@pytest.mark.parametrize("values", [[1.0, None], [1.0, float("nan")], [1.0, float("inf")]])
def test_weights_that_are_no_numbers(craig, data, values):
    pq.write_table(pa.table({"index": [0, 1], "weight": values}), "w.parquet")
    result = craig("train", "data.csv", "--weights-file", "w.parquet", "-o", "m.npz")
    assert result.code == 3, result.err
    assert result.err.startswith("craig: error: w.parquet: ") and result.err.count("\n") == 1


def test_a_start_of_another_shape(craig, data, own_folder):
    write_csv(own_folder / "wide.csv", [0, 1, 0, 1], np.eye(4))
    assert craig("train", "wide.csv", "-o", "wide.npz").code == 0
    result = craig("train", "data.csv", "--init", "wide.npz", "-o", "m.npz")
    assert (result.code, result.err) == (
        2,
        "craig: error: --init: the model has 1 x 4 coefficients, not 1 x 1 as the data needs.\n",
    )
    assert craig("train", "data.csv", "--l2", "1,2", "-o", "path.npz").code == 0
    result = craig("train", "data.csv", "--init", "path.npz", "-o", "m.npz")
    assert (result.code, result.err) == (
        2,
        "craig: error: --init: 'path.npz' holds 2 models. Give a file of one.\n",
    )


def test_a_start_of_other_classes(craig, own_folder):
    column = np.array([[0.0], [1.0], [2.0], [0.5], [1.5], [2.5]])
    for name, labels in (
        ("ab.csv", "abaabb"),
        ("xy.csv", "xyxyxy"),
        ("numbers.csv", [0, 1, 0, 1, 0, 1]),
    ):
        write_csv(own_folder / name, list(labels), column)
    assert craig("train", "ab.csv", "-o", "ab.npz").code == 0
    for name, ours in (("xy.csv", "x, y"), ("numbers.csv", "0, 1")):
        result = craig("train", name, "--init", "ab.npz", "-o", "m.npz")
        assert (result.code, result.err) == (
            2,
            f"craig: error: --init: 'ab.npz' is of classes a, b, and the data has {ours}.\n",
        )
    assert craig("train", "ab.csv", "--init", "ab.npz", "-o", "m.npz").code == 0
    assert (
        craig(
            "train", "numbers.csv", "--task", "regression", "--init", "ab.npz", "-o", "m.npz"
        ).code
        == 0
    )  # a number has no classes
    write_csv(own_folder / "many.csv", [0, 1, 2, 3, 4, 5], column)
    write_csv(own_folder / "more.csv", [1, 2, 3, 4, 5, 6], column)
    assert craig("train", "many.csv", "-o", "many.npz").code == 0
    assert craig("train", "more.csv", "--init", "many.npz", "-o", "m.npz").err == (
        "craig: error: --init: 'many.npz' is of classes 0, 1, 2, 3, 4 ... (6 in all), and the data "
        "has 1, 2, 3, 4, 5 ... (6 in all).\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--l2", "x"), "--l2: 'x' is not a number, or several with commas between."),
        (("--l2", "1,1.0"), "--l2: '1,1.0' names a number twice."),
        (("--l2", "-1"), "--l2: -1.0 is not a finite number of at least 0."),
        (("--l2", "nan"), "--l2: nan is not a finite number of at least 0."),
        (("--step", "0"), "--step: 0.0 is not a finite number above 0."),
        (("--epochs", "0"), "--epochs: 0 is not at least 1."),
        (("--momentum", "1"), "--momentum: 1.0 is not at least 0 and below 1."),
        (("--radius", "1"), "--radius: the projection is a step of --solver sgd, not of saga."),
        (
            ("--solver", "lbfgs", "--tune"),
            "--tune: --solver lbfgs has no steps to choose. Leave it "
            "out, or choose another solver.",
        ),
        (
            ("--solver", "lbfgs", "--step", "1"),
            "--step: --solver lbfgs has no steps to choose. "
            "Leave it out, or choose another solver.",
        ),
        (
            ("--schedule", "exponential", "--decay", "1.5"),
            "--decay: 1.5 is not above 0 and at most 1, as --schedule exponential needs.",
        ),
        (
            ("--coreset", "a", "--weights-file", "b"),
            "--coreset and --weights-file exclude each other: leave one out.",
        ),
        (("--force-mismatch",), "--force-mismatch: there is no --coreset to match."),
        (
            ("--weights-file", "-", "--init", "-"),
            "--weights-file and --init cannot both be read from stdin: name a file for one.",
        ),
        (("--json", "-o", "-"), "--json and --output - both write to stdout: choose one."),
        (
            ("--loss", "logistic", "--task", "regression"),
            "The logistic loss needs classes, and the target is a number. Use squared.",
        ),
        (
            ("--no-label",),
            "--no-label: training needs a label, or a target. Name its column with --label.",
        ),
        (
            ("--step", "1e9", "--solver", "sgd"),
            "--step: 1e+09 is too large, --solver sgd diverged. Try a smaller one, or --tune.",
        ),
    ],
)
def test_options_refused(craig, data, own_folder, options, message):
    result = craig("train", "data.csv", "-o", "m.npz", *options)
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")
    assert listing(own_folder) == ["data.csv"]


def test_one_class(craig, own_folder):
    write_csv(own_folder / "d.csv", [1, 1], np.eye(2))
    result = craig("train", "d.csv", "-o", "m.npz")
    message = (
        "There is one class only ('1'): nothing to tell apart. For a number to predict use "
        "--task regression."
    )
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


def test_text_is_no_target(craig, own_folder):
    write_csv(own_folder / "d.csv", ["x", "y"], np.eye(2))
    result = craig("train", "d.csv", "--task", "regression", "-o", "m.npz")
    assert result.code == 3
    assert result.err.startswith("craig: error: d.csv") and result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("data.csv", "'data.csv' is one of the inputs."),
        ("cs.parquet", "'cs.parquet' is one of the inputs."),
        (
            "notes",
            "'notes' exists and is not a craig model. Choose another name, or "
            "replace it with --force.",
        ),
        ("no/m.npz", "the folder of 'no/m.npz' does not exist."),
    ],
)
def test_outputs_refused(craig, data, own_folder, output, message):
    (own_folder / "notes").write_text("dear diary")
    assert (
        craig("select", "data.csv", "--size", "3", "--for", "local", "-o", "cs.parquet").code == 0
    )
    result = craig("train", "data.csv", "--coreset", "cs.parquet", "-o", output)
    assert (result.code, result.err) == (2, f"craig: error: --output: {message}\n")
    assert (own_folder / "notes").read_text() == "dear diary"


def test_bad_data_leaves_the_old_model(craig, data, own_folder):
    assert craig("train", "data.csv", "-o", "m.npz").code == 0
    before = (own_folder / "m.npz").read_bytes()
    data.write_text("label,a\n0,1\n1,x\n")
    assert craig("train", "data.csv", "-o", "m.npz").code == 3
    assert (own_folder / "m.npz").read_bytes() == before
    assert listing(own_folder) == ["data.csv", "m.npz"]


def test_an_interrupt_leaves_the_old_model(craig, data, own_folder, monkeypatch):
    assert craig("train", "data.csv", "-o", "m.npz").code == 0
    before = (own_folder / "m.npz").read_bytes()

    def interrupt(*arguments, **options):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("craig_cli.training.solvers.Saga.run_epoch", interrupt)
    assert craig("train", "data.csv", "--solver", "saga", "-o", "m.npz").code == 130
    assert (own_folder / "m.npz").read_bytes() == before
    assert listing(own_folder) == ["data.csv", "m.npz"]


def test_values_too_large(craig, own_folder):
    write_csv(own_folder / "d.csv", [0, 1], np.array([[1e200], [1.0]]))
    result = craig("train", "d.csv", "-o", "m.npz")
    assert (result.code, result.err) == (
        3,
        "craig: error: d.csv:2:2: column 'a' is beyond 1e+140, too large to be squared and summed "
        "(value '1e+200'). Divide the column by a constant (--scale comes too late for that), or "
        "drop the row with --on-error skip.\n",
    )
