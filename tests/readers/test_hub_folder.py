"""Folders as Hugging Face's ``datasets`` lays them out: which files are read, and what is said."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from craig_cli.errors import InputError
from craig_cli.readers import read_dataset
from craig_cli.settings import InputSettings

RNG = np.random.default_rng(6)


def table(n, first):
    """Return embeddings of `n` rows, whose labels count on from `first`."""
    lists = pa.FixedSizeListArray.from_arrays(pa.array(RNG.normal(size=3 * n), pa.float32()), 3)
    texts = [f"text {k}" for k in range(n)]
    return pa.table({"text": texts, "embedding": lists, "label": np.arange(first, first + n)})


def stream(path, rows):
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, rows.schema) as file:
        file.write_table(rows)


def saved(folder, sizes):
    """Write a folder as ``save_to_disk`` does, with a file of its cache."""
    folder.mkdir(parents=True)
    names = [f"data-{k:05}-of-{len(sizes):05}.arrow" for k in range(len(sizes))]
    for k, name in enumerate(names):
        stream(folder / name, table(sizes[k], 10 * k))
    stream(folder / "cache-8a7b.arrow", table(5, 90))
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")


def read(path, **options):
    return read_dataset(InputSettings((str(path),), **options))


def test_a_repository_of_shards(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    (tmp_path / ".gitattributes").write_text("*.parquet filter=lfs\n")
    pq.write_table(table(3, 10), data / "train-00001-of-00002.parquet")
    pq.write_table(table(4, 0), data / "train-00000-of-00002.parquet")
    found = read(tmp_path)
    assert found.labels.tolist() == [0, 1, 2, 3, 10, 11, 12]
    assert found.notes == ("The features are column 'embedding'; left out: text.",)
    pq.write_table(table(2, 20), data / "test-00000-of-00001.parquet")
    for folder in (tmp_path, data):
        found = read(folder)
        assert found.labels.tolist() == [0, 1, 2, 3, 10, 11, 12]
        assert found.notes[0] == (
            f"Of the splits only train is read; the others are test: name one as '{data}/test-*'."
        )
    assert read(f"{data}/test-*").labels.tolist() == [20, 21]


def test_splits_without_one_for_training(tmp_path):
    for name in ("validation", "test"):
        pq.write_table(table(2, 0), tmp_path / f"{name}-00000-of-00001.parquet")
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: it has 2 splits (test, validation), and none is named train. Name one, as "
        f"'{tmp_path}/test-*'."
    )


def test_other_files_beside_make_it_no_repository(tmp_path):
    pq.write_table(table(2, 0), tmp_path / "part-00000-of-00001.parquet")
    pq.write_table(table(2, 5), tmp_path / "more.parquet")
    assert read(tmp_path).labels.tolist() == [5, 6, 0, 1]


def test_what_save_to_disk_writes(tmp_path):
    saved(tmp_path / "d", [3, 2])
    assert read(tmp_path / "d").labels.tolist() == [0, 1, 2, 10, 11]
    saved(tmp_path / "splits" / "train", [2])
    saved(tmp_path / "splits" / "test", [1])
    (tmp_path / "splits" / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
    found = read(tmp_path / "splits")
    assert found.labels.tolist() == [0, 1]
    assert found.notes[0].endswith(f"the others are test: name one as {tmp_path}/splits/test.")


@pytest.mark.parametrize("state", ["", "[]", '{"_data_files": 3}', "[" * 100_000,
                                   '{"_data_files": [{"filename": "../x.arrow"}]}'])  # fmt: skip
def test_a_damaged_list_is_an_error(tmp_path, state):
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/state.json: it does not list the files of the rows. Name them instead of the "
        "folder."
    )
