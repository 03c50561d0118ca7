"""The table of formats: what each writer writes is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from craig_cli.dataset import SparseRows
from craig_cli.errors import UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.formats import reader_of
from craig_cli.settings import InputSettings
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.catalog import EXPORTS, FORMATS, names
from craig_cli.writers import Subset, compressed, target_of
from craig_cli.writers.target import UNFIT_PLACES, writer_of

ROWS = np.array([[1.5, 0.0, -3.0], [0.0, 2.0, 1e-3], [4.0, 0.25, 6.0]])
LABELS = np.array([3, 1, 3])
WEIGHT = np.array([2.0, 0.5, 7.0])
INDEX = np.array([4, 0, 9])


def sparse(rows: np.ndarray) -> SparseRows:
    row, column = np.nonzero(rows)
    indptr = np.searchsorted(row, np.arange(len(rows) + 1))
    return SparseRows(indptr, column.astype(np.int32), rows[row, column], rows.shape[1])


def read_vw(path: Path) -> tuple[list, list, list]:
    """Return rows, labels and weights of Vowpal Wabbit text; the labels of classes are 1, 2, ..."""
    rows, labels, weights = [], [], []
    for line in path.read_text().splitlines():
        head, features = line.split("| ")
        label, weight, _ = head.split()
        labels.append({"-1": 1, "1": 3}[label])
        weights.append(float(weight))
        values = dict(pair.split(":") for pair in features.split())
        rows.append([float(values.get(name, 0)) for name in ("a", "b", "c")])
    return rows, labels, weights


def read_npz(path: Path) -> tuple[list, list, list]:
    """Return the rows that the numbers stand for, labels and weights."""
    arrays = np.load(path)
    assert arrays["index"].tolist() == INDEX.tolist()
    return ROWS.tolist(), arrays["label"].tolist(), arrays["weight"].tolist()


OTHERS = {"vw": read_vw, "npz": read_npz}
"""What reads a format that craig only writes: a new one needs a line here."""


def read_back(name: str, path: Path) -> tuple[list, list, list]:
    """Return rows, labels and weights of a file that was written."""
    if name in OTHERS:
        return OTHERS[name](path)
    nameless = "--weight-column" in reader_of(name).refused
    weights = {} if nameless else {"weight_column": "weight"}
    dataset = read_dataset(InputSettings((str(path),), format=name, **weights))
    rows = dataset.rows if isinstance(dataset.rows, np.ndarray) else dataset.rows.dense()
    given = WEIGHT if dataset.weights is None else dataset.weights
    return rows.tolist(), dataset.labels.tolist(), given.tolist()


@pytest.mark.parametrize("rows", [ROWS, sparse(ROWS)], ids=["dense", "sparse"])
@pytest.mark.parametrize("entry", EXPORTS, ids=lambda entry: entry.name)
def test_what_is_written_is_read_back(tmp_path, entry, rows):
    codecs = ("", ".gz", ".xz") if entry.may_be_compressed else ("",)
    for codec in codecs:
        path = tmp_path / f"subset{entry.extensions[0]}{codec}"
        target = target_of(ApplySettings(str(path)))
        assert (target.format, target.place) == (
            entry.name,
            target.writer.places[0] if target.writer.places else "own",
        )
        subset = Subset(INDEX, WEIGHT, rows, LABELS, ("a", "b", "c"), "label", False)
        with path.open("wb") as out, compressed(out, target.compression) as stream:
            target.writer.write(stream, subset, target)
        if entry.name in OTHERS and codec:
            continue
        assert read_back(entry.name, path) == (ROWS.tolist(), LABELS.tolist(), WEIGHT.tolist())


def holds_rows(name: str) -> bool:
    """Return whether the rows are in what is written, not only their numbers."""
    return writer_of(name).holds_rows


def test_every_format_that_is_only_written_has_a_reader_here():
    read = {name for name in names(FORMATS) if name not in names(EXPORTS) or holds_rows(name)}
    assert set(OTHERS) == set(names(EXPORTS)) - read


@pytest.mark.parametrize("place", ["column", "file", "inline", "none"])
@pytest.mark.parametrize("entry", EXPORTS, ids=lambda entry: entry.name)
def test_places_of_weights(entry, place):
    settings = ApplySettings("subset", to=entry.name, weight_as=place)
    writer = writer_of(entry.name)
    if place in writer.places:
        assert target_of(settings).place == place
        assert (target_of(settings).column == "weight") == (place == "column")
        return
    text = UNFIT_PLACES.get(place, "").format(format=entry.name)
    if not writer.places:
        text = f"{entry.name} files have a place of their own for weights. Leave it out."
    with pytest.raises(UsageError) as caught:
        target_of(settings)
    assert str(caught.value) == f"--weight-as {place}: {text}"


def test_an_unknown_format_is_an_error():
    for name in ("", "idx"):
        with pytest.raises(UsageError) as caught:
            writer_of(name)
        assert str(caught.value) == f"--to: '{name}' is not one of {', '.join(names(EXPORTS))}."


def test_the_file_of_weights_lies_beside():
    for name, beside in (
        ("a/x.libsvm", "a/x.libsvm.weight"),
        ("s3://b/x.libsvm?region=r", "s3://b/x.libsvm.weight?region=r"),
        ("file:///a/x.libsvm", "file:///a/x.libsvm.weight"),
    ):
        first, second = target_of(ApplySettings(name)).outputs
        assert (first.name, second.name) == (name, beside)
