"""What `select_coreset` returns: what it looks like, manifests, the rows themselves, pictures."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.sparse as sp
from tools import needs

from craig_cli import Coreset, load_coreset, select_coreset
from craig_cli.cli import main
from craig_cli.errors import CraigWarning, InputError, ManifestError, UsageError

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(300, 4))
LABELS = np.where(ROWS[:, 0] + RNG.normal(size=300) > 0, "<b>yes</b>", "no")


@pytest.fixture(scope="module")
def coreset():
    """Return thirty rows of two classes, calibrated."""
    return select_coreset(ROWS, LABELS, size=30)


def test_it_is_told_on_two_lines(coreset):
    assert re.fullmatch(
        r"<Coreset: 30 of 300 rows, 2 classes, method exact, weights calibrated;\n"
        r" coverage cost [\d.]+ a row, suboptimality [\d.]+e-\d\d>",
        repr(coreset),
    )
    alone = select_coreset(ROWS, size=30)
    assert len(alone) == len(coreset) == 30
    assert repr(alone) == (
        "<Coreset: 30 of 300 rows, method exact, weights cluster;\n"
        f" coverage cost {alone.epsilon_mean:.6g} a row>"
    )


def test_notebooks_get_the_summary_as_an_escaped_table(coreset):
    page = coreset._repr_html_()
    assert page.startswith("<table>") and page.endswith("</table>")
    assert "&lt;b&gt;yes&lt;/b&gt;" in page and "<b>" not in page
    words = re.findall(r"<th[^>]*>(\w+)</th>", page)
    assert words == ["read", "picked", "quality", "coverage"]


def test_the_summary_is_that_of_the_command(tmp_path):
    data = ROOT / "sample_data" / "sample.csv"
    arguments = ["select", str(data), "--size", "30", "-o", f"{tmp_path}/a.parquet"]
    found = subprocess.run(
        [sys.executable, "-m", "craig_cli", *arguments], capture_output=True, text=True, cwd=ROOT
    )
    told = [line for line in found.stderr.splitlines() if not line.startswith(("written", "next"))]
    assert len(told) >= 4
    assert select_coreset(data, size=30).summary().splitlines() == told


@pytest.mark.parametrize(
    ("file", "options", "arguments"),
    [
        ("sample.csv", ["--fraction", "0.1"], {"fraction": 0.1}),
        ("sample.libsvm", ["--size", "20", "--for", "local"], {"size": 20, "purpose": "local"}),
        (
            "sample.parquet",
            ["--size", "9", "--label", "label"],
            {"size": np.int64(9), "y": "label"},
        ),
        (
            "sample.parquet",
            ["--size", "20", "--no-label", "--drop", "label", "--method", "stochastic"],
            {"size": 20, "no_label": True, "drop": ["label"], "method": "stochastic"},
        ),
        ("sample.csv", ["--size", "20", "--parts", "3"], {"size": 20, "parts": 3}),
        (
            "sample.csv",
            ["--mean-epsilon", "2", "--scale", "standard", "--seed", "3", "--method", "exact"],
            {"mean_epsilon": 2, "scale": "standard", "seed": np.int64(3), "method": "exact"},
        ),
        (
            "sample.csv",
            ["--size", "20", "--proxy", "sample.libsvm"],
            {"size": 20, "proxy": "sample.libsvm"},
        ),
    ],
)
def test_a_manifest_has_the_bytes_of_the_command(tmp_path, monkeypatch, file, options, arguments):
    monkeypatch.chdir(ROOT / "sample_data")
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    assert main(["select", file, *options, "-q", "-o", str(theirs)]) == 0
    select_coreset(file, **arguments).save(ours)
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("labels", [LABELS, None], ids=["labels", "none"])
def test_rows_in_memory_have_the_bytes_of_a_file_of_them(tmp_path, labels):
    columns = {f"x{k}": column for k, column in enumerate(ROWS.T)}
    if labels is not None:
        columns["label"] = labels
    table = pa.table(columns)
    pa.parquet.write_table(table, tmp_path / "rows.parquet")
    options = [] if labels is not None else ["--no-label"]
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    arguments = ["select", str(tmp_path / "rows.parquet"), "--size", "20", *options]
    assert main([*arguments, "-q", "-o", str(theirs)]) == 0
    select_coreset(ROWS, labels, size=20).save(ours)
    assert ours.read_bytes() == theirs.read_bytes()
    if labels is not None:
        assert main([*arguments, "--label", "label", "-q", "-o", str(theirs)]) == 0
        select_coreset(table, "label", size=20).save(ours)
        assert ours.read_bytes() == theirs.read_bytes()


def test_what_is_loaded_is_what_was_saved(tmp_path, coreset):
    coreset.save(tmp_path / "a.parquet")
    again = load_coreset(str(tmp_path / "a.parquet"))
    assert isinstance(again, Coreset)
    for name in ("index", "order", "weight", "cluster_size", "label", "gain", "epsilon"):
        np.testing.assert_array_equal(getattr(again, name), getattr(coreset, name))
    assert (repr(again), again.summary()) == (repr(coreset), coreset.summary())
    again.save(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert Coreset.load(tmp_path / "b.parquet").index.tolist() == coreset.index.tolist()
    assert pickle.loads(pickle.dumps(coreset)).index.tolist() == coreset.index.tolist()


def test_a_coreset_that_was_changed_is_saved_as_it_is(tmp_path, coreset):
    replace(coreset, weight=coreset.weight * 2).save(tmp_path / "a.parquet")
    found = load_coreset(tmp_path / "a.parquet")
    np.testing.assert_array_equal(found.weight, coreset.weight * 2)


def test_notes_are_kept_in_the_words_of_the_command(tmp_path):
    wide = ROWS * [1, 1, 1, 1000]
    with pytest.warns(CraigWarning, match="scale='standard'") as caught:
        found = select_coreset(wide, size=9)
    assert [w.filename for w in caught] == [__file__]
    found.save(tmp_path / "a.parquet")
    (note,) = load_coreset(tmp_path / "a.parquet").manifest.coreset.notes
    assert "--scale standard" in note
    assert "scale='standard'" in found.summary().splitlines()[-1]


def test_what_is_not_written_over_and_not_read(tmp_path, coreset):
    path = tmp_path / "mine.parquet"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"^path: .*mine.parquet.* force=True"):
        coreset.save(path)
    assert path.read_text() == "mine"
    with pytest.raises(ManifestError, match=r"mine\.parquet"):
        load_coreset(path)
    coreset.save(path, force=True)
    coreset.save(path)
    assert load_coreset(path).index.tolist() == coreset.index.tolist()
    with pytest.raises(ManifestError, match="absent"):
        load_coreset(tmp_path / "absent.parquet")


@pytest.mark.parametrize(
    "kind",
    [
        np.asarray,
        sp.csr_array,
        sp.csc_matrix,
        sp.coo_array,
        np.ndarray.tolist,
        lambda rows: pa.table(dict(zip("abcd", rows.T, strict=True))),
        pytest.param(
            lambda rows: needs("pandas").DataFrame(rows), marks=pytest.mark.needs("pandas")
        ),
        pytest.param(
            lambda rows: needs("polars").DataFrame(rows, list("abcd")),
            marks=pytest.mark.needs("polars"),
        ),
        pytest.param(
            lambda rows: needs("polars").LazyFrame(rows, list("abcd")),
            marks=pytest.mark.needs("polars"),
        ),
        pytest.param(lambda rows: needs("torch").tensor(rows), marks=pytest.mark.needs("torch")),
    ],
    ids=["numpy", "csr", "csc", "coo", "list", "arrow", "pandas", "polars", "lazy", "torch"],
)
def test_rows_are_of_the_kind_that_they_were(coreset, kind):
    values = kind(ROWS)
    rows, labels, weight = coreset.apply(values, LABELS)
    if type(values).__name__ == "LazyFrame":
        values = values.collect()
    assert type(rows) is (sp.csr_array if getattr(values, "format", "") == "coo" else type(values))
    if isinstance(rows, pa.Table):
        rows = np.column_stack([column.to_numpy() for column in rows.columns])
    rows = rows.toarray() if sp.issparse(rows) else np.asarray(rows)
    np.testing.assert_array_equal(rows, ROWS[coreset.index])
    np.testing.assert_array_equal(labels, LABELS[coreset.index])
    assert weight is coreset.weight


@pytest.mark.parametrize(
    "package",
    [
        "arrow",
        *(pytest.param(name, marks=pytest.mark.needs(name)) for name in ("pandas", "polars")),
    ],
)
def test_the_label_may_be_a_column(coreset, package):
    table = pa.table({"a": ROWS[:, 0], "label": LABELS})
    if package == "polars":
        table = needs("polars").from_arrow(table)
    elif package == "pandas":
        needs("pandas")
        table = table.to_pandas().set_index(np.arange(1000, 1300))
    rows, labels, _ = coreset.apply(table, "label")
    assert list(getattr(rows, "column_names", rows.columns)) == ["a"]
    assert np.asarray(labels).tolist() == LABELS[coreset.index].tolist()
    if package == "pandas":
        assert rows.index.tolist() == (coreset.index + 1000).tolist() == labels.index.tolist()
    with pytest.raises(UsageError, match=r"^y: X has no column 'target'\."):
        coreset.apply(table, "target")


def test_other_data_of_the_same_rows(coreset):
    pictures = np.arange(300 * 4).reshape(300, 2, 2)
    texts = tuple(f"text {row}" for row in range(300))
    found, none, _ = coreset.apply(pictures)
    assert none is None
    np.testing.assert_array_equal(found, pictures[coreset.index])
    assert coreset.apply(texts)[0] == [texts[row] for row in coreset.index]


def test_rows_that_do_not_fit(coreset):
    for arguments, message in (
        ((ROWS[:7],), r"^X: it has 7 rows, and the coreset is of 300\."),
        ((ROWS, LABELS[:7]), r"^y: it has 7 rows, and the coreset is of 300\."),
        (("a.csv",), "^X: it names a file"),
        ((ROWS, "label"), "^y: X has no column 'label'"),
    ):
        with pytest.raises(UsageError, match=message):
            coreset.apply(*arguments)


@pytest.mark.needs("matplotlib")
def test_a_picture_has_a_panel_for_the_rows_where_they_are_given(coreset):
    pyplot = needs("matplotlib", ".pyplot")
    alone, table = coreset.plot(), pa.table({"a": ROWS[:, 0], "b": ROWS[:, 1], "label": LABELS})
    assert alone.shape == (3,) and alone[0].figure is pyplot.gcf()
    of_table = select_coreset(table, "label", size=30)
    for axes in (coreset.plot(ROWS), of_table.plot(table), of_table.plot(ROWS[:, :2])):
        assert axes.shape == (4,)
        assert "rows and" in axes[3].get_xlabel()
    pyplot.close("all")
    with pytest.raises(UsageError, match=r"^X: it has 9 rows, and the coreset is of 300\."):
        coreset.plot(ROWS[:9])


def test_the_word_of_a_picture_without_matplotlib(coreset, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"^plot\(\) needs matplotlib, which is not installed"):
        coreset.plot()


@pytest.mark.needs("pandas")
def test_a_table_has_a_row_for_each_pick(coreset, tmp_path):
    table = coreset.to_pandas()
    coreset.save(tmp_path / "a.parquet")
    written = pa.parquet.read_table(tmp_path / "a.parquet").to_pandas()
    assert table.columns.tolist() == written.columns.tolist()
    assert table["index"].tolist() == coreset.index.tolist()
    assert table["label"].tolist() == coreset.label.tolist()
    assert table["weight"].tolist() == coreset.weight.tolist()


def test_the_word_of_a_table_without_pandas(coreset, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"^to_pandas\(\) needs pandas"):
        coreset.to_pandas()


def test_two_coresets_are_two_objects(coreset):
    assert coreset == coreset and coreset != select_coreset(ROWS, LABELS, size=30)
    assert len({coreset, coreset}) == 1


def test_one_goes_on_from_another(coreset, tmp_path):
    coreset.save(tmp_path / "a.parquet")
    more = select_coreset(ROWS, LABELS, size=40, extend=load_coreset(tmp_path / "a.parquet"))
    assert more.picks[:30].tolist() == coreset.picks.tolist()
    with pytest.raises(InputError, match=r"^extend: it was selected from other data"):
        select_coreset(ROWS[::-1], LABELS, size=40, extend=coreset)
    with pytest.raises(UsageError, match=r"^extend: the coreset was selected with metric='eucl"):
        select_coreset(ROWS, LABELS, size=40, extend=coreset, metric="cosine")
