"""LIBSVM text: the first column, agreed over all files, weights after labels, and qid."""

from __future__ import annotations

import bz2
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import dump_svmlight_file, load_svmlight_file, load_svmlight_files

from craig_cli import select_coreset
from craig_cli.dataset import no_progress
from craig_cli.errors import InputError, ResourceError, UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.agreement import FROM_0, INLINE_WEIGHTS, QUERIES
from craig_cli.readers.gather import Reading
from craig_cli.readers.limited import read_limited
from craig_cli.readers.parts import Part, Piece, has_index_0, read_part
from craig_cli.readers.picks import read_picks
from craig_cli.settings import InputSettings
from craig_cli.storage.spill import Spill
from craig_cli.words import in_arguments

BLOCK_SIZES = [1, 9, 4 << 20]


@pytest.fixture
def write(tmp_path):
    """Write some files, and return how they are read."""

    def write(*texts: str | bytes, **options) -> InputSettings:
        names = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.libsvm"
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            names.append(str(path))
        return InputSettings(tuple(names), **options)

    return write


def by_limited(settings: InputSettings):
    with Spill() as spill:
        return read_limited(settings, 1 << 30, lambda n_rows, n_bytes: 0, spill)[0]


def by_picks(settings: InputSettings):
    reading = Reading(settings, no_progress)
    index = np.arange(read_dataset(settings).n_rows)
    picked = read_picks(reading, index)
    return reading.dataset(picked.rows, [picked.labels])


ROADS = [read_dataset, by_limited, by_picks]


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("texts", "base", "rows"),
    [
        (["1 1:5 3:7\n2 2:1\n"], 1, [[5, 0, 7], [0, 1, 0]]),
        (["1 1:5 2:7\n2 0:1\n"], 0, [[0, 5, 7], [1, 0, 0]]),
        (["1 1:5\n", "2 0:3\n"], 0, [[0, 5], [3, 0]]),
        (["1 0:5\n", "2 1:3\n"], 0, [[5, 0], [0, 3]]),
        (["1 2:5\n2\t0:0\n"], 0, [[0, 0, 5], [0, 0, 0]]),
        (["1 2:5\n2 00:1\n"], 0, [[0, 0, 5], [1, 0, 0]]),
        (["1\n2 2:5 # 0:1\n"], 1, [[0, 0], [0, 5]]),
        (["0 10:1\n0 qid:0 1:0\n"], 1, [[0] * 9 + [1], [0] * 10]),
        (["1\n2"], 1, [[], []]),
    ],
)
def test_index_0_makes_all_files_zero_based(write, road, texts, base, rows, block_bytes):
    dataset = road(write(*texts, block_bytes=block_bytes))
    assert dataset.index_base == base
    assert dataset.rows.dense().tolist() == rows
    assert (FROM_0 in dataset.notes) == (base == 0)


@pytest.mark.parametrize("road", ROADS)
def test_a_skipped_row_does_not_tell_the_base(write, road):
    settings = write("1 1:2 3:1\n2 0:1 5:x\n", on_error="skip")
    assert road(settings).rows.dense().tolist() == [[2, 0, 1]]


@pytest.mark.parametrize("road", ROADS)
def test_a_told_base_is_not_searched_for(write, road):
    from_1 = road(write("1 1:5\n", index_base=1))
    from_0 = road(write("1 1:5\n", index_base=0))
    assert (from_1.rows.shape, from_0.rows.shape) == ((1, 1), (1, 2))
    assert (from_1.index_base, from_0.index_base) == (1, 0)
    assert not from_0.notes
    with pytest.raises(InputError, match=r":1:3: the index is 0, but indices start at 1 \(value"):
        road(write("1 0:5\n", index_base=1))


@pytest.mark.parametrize("road", ROADS)
def test_errors_keep_their_places(write, road):
    with pytest.raises(InputError, match=r"0\.libsvm:3:12: the index is repeated \(value '2:2'"):
        road(write("# x\n1 0:1\n1 1:1 2: 3 2:2\n", block_bytes=4))


def test_rows_without_labels_tell_the_base_by_their_first_word(write):
    settings = write("0:5 1:2\n1:3\n", no_label=True)
    assert [road(settings).rows.dense().tolist() for road in ROADS] == [[[5, 2], [0, 3]]] * 3
    settings = write("1:5 3:2\n", no_label=True)
    assert [road(settings).rows.dense().tolist() for road in ROADS] == [[[5, 0, 2]]] * 3


def test_a_range_of_rows_has_the_base_of_its_file(write):
    settings = write("1 1:5\n1 2:6\n1 0:7\n")
    (name,) = settings.paths
    part = read_part(settings, Part((Piece(name, 0, 2),)))
    assert part.rows.dense().tolist() == [[0, 5, 0], [0, 0, 6]]
    assert has_index_0(settings, name)


def test_other_formats_have_no_say(tmp_path):
    (tmp_path / "a.csv").write_text("label,a\n0,0\n1,1\n")
    dataset = read_dataset(InputSettings((str(tmp_path / "a.csv"),)))
    assert (dataset.index_base, dataset.notes) == (1, ())
    assert not has_index_0(InputSettings(dataset.files), dataset.files[0])


@pytest.mark.parametrize("from_0", [True, False])
@pytest.mark.parametrize("with_queries", [True, False])
def test_equals_scikit_learn_on_what_it_writes(tmp_path, from_0, with_queries):
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((60, 7)) * (rng.random((60, 7)) < 0.4)
    rows[:, 0] = 1
    labels, queries = rng.integers(0, 3, 60), np.sort(rng.integers(0, 9, 60))
    path = tmp_path / "a.svmlight"
    more = {"query_id": queries} if with_queries else {}
    dump_svmlight_file(rows, labels, str(path), zero_based=from_0, comment="made here", **more)
    expected, expected_labels = load_svmlight_file(str(path), zero_based="auto")
    dataset = read_dataset(InputSettings((str(path),)))
    assert np.array_equal(dataset.rows.dense(), expected.toarray())
    assert np.array_equal(dataset.labels, expected_labels)
    assert (QUERIES in dataset.notes) == with_queries


def test_several_files_equal_scikit_learn(write):
    settings = write("1 1:5 4:2\n", "2 0:3\n3 2:1\n")
    first, _, second, _ = load_svmlight_files(settings.paths, zero_based="auto")
    expected = np.vstack([first.toarray(), second.toarray()])
    assert np.array_equal(read_dataset(settings).rows.dense(), expected)


def test_adult_is_read_from_0(shared_data: Path):
    path = str(shared_data / "adult.tst.bz2")
    found, told = (read_dataset(InputSettings((path,), index_base=base)) for base in ("auto", 0))
    assert found.rows.shape == told.rows.shape == (16281, 123)
    assert np.array_equal(found.rows.indices, told.rows.indices)


@pytest.mark.parametrize("block_bytes", BLOCK_SIZES)
def test_weights_after_labels(write, block_bytes):
    hard = "1.00000000000000011102230246251565404236316680908203125"
    text = f"1:0.5 1:3\n-1:0 2: 4 3:\t5\n# 1:2\n\n1: 2e0 qid:7\r\n1:{hard}1 1:1"
    dataset = read_dataset(write(text, block_bytes=block_bytes))
    assert dataset.labels.tolist() == [1, -1, 1, 1]
    assert dataset.weights.tolist() == [0.5, 0, 2, 1.0000000000000002]
    assert dataset.rows.dense().tolist() == [[3, 0, 0], [0, 4, 5], [0, 0, 0], [1, 0, 0]]
    assert dataset.notes == (INLINE_WEIGHTS, QUERIES)


@pytest.mark.parametrize(
    "options",
    [{"inline_weights": "ignore"}, {"amounts_needed": False}],
)
def test_weights_can_be_passed_over(write, options):
    dataset = read_dataset(write("1:0.5 1:3\n2 1:4\n1:-2 1:5\n", **options))
    assert (dataset.labels.tolist(), dataset.weights, dataset.notes) == ([1, 2, 1], None, ())


def test_weights_of_rows_as_one_group(write):
    text = "1:0.5 2:3\n2:4 3:1\n"
    as_entries = read_dataset(write(text, no_label=True))
    assert as_entries.rows.dense().tolist() == [[0.5, 3, 0], [0, 4, 1]]
    as_weights = read_dataset(write(text, no_label=True, inline_weights="read"))
    assert as_weights.rows.dense().tolist() == [[0, 3, 0], [0, 0, 1]]
    assert (as_weights.labels, as_weights.weights.tolist()) == (None, [0.5, 4])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "1:1 1:1\n1 2:2\n",
            "2:1: the row has no weight after its label, and those before it have one (value '1'). "
            "Write label:weight in every row, or pass the weights over with --inline-weights "
            "ignore.",
        ),
        (
            "1:-1 1:1\n",
            "1:3: the weight is negative (value '-1'). Correct it, or pass all weights over with "
            "--inline-weights ignore.",
        ),
        ("1:x 1:1\n", "1:3: the weight is not a number (value 'x'). Write label:weight."),
        ("1: 1:1\n", "1:4: the label has no weight (value '1:1'). Write label:weight."),
        ("1:\n", "1:3: the label has no weight. Write label:weight."),
        (
            "1:inf 1:1\n",
            "1:3: the weight is not finite (value 'inf'). Correct the row, or drop it with "
            "--on-error skip.",
        ),
        (
            "1:1e999 1:1\n",
            "1:3: the weight is too large for a 64-bit float (value '1e999'). Scale the weights.",
        ),
    ],
)
def test_bad_weights(write, text, error):
    settings = write(text)
    with pytest.raises(InputError) as caught:
        read_dataset(settings)
    assert str(caught.value) == f"{settings.paths[0]}:{error}"
    kept = read_dataset(write(f"2:3 1:1\n{text}", on_error="skip"))
    assert (kept.skipped_rows, kept.weights.tolist()) == (1, [3, 1][: kept.n_rows])


def test_weights_in_some_files_only_are_refused(write):
    settings = write("1:1 1:1\n", "1 1:1\n")
    with pytest.raises(InputError) as caught:
        read_dataset(settings)
    assert str(caught.value) == (
        f"{settings.paths[1]}: its rows have no weights (label:weight), and those of "
        f"{settings.paths[0]} have some. Write label:weight in every file, or pass the weights "
        "over with --inline-weights ignore."
    )


def test_weights_need_all_rows_in_memory(write):
    settings = write("1:1 1:1\n2:2 1:1\n")
    with pytest.raises(ResourceError, match=r"^label:weight: rows with weights are held in memory"):
        by_limited(settings)
    with pytest.raises(UsageError, match=r"^label:weight: weights of rows need all rows in one"):
        read_part(settings, Part((Piece(settings.paths[0]),)))


def test_inline_weights_are_libsvms(tmp_path):
    (tmp_path / "a.csv").write_text("label,a\n0,0\n1,1\n")
    with pytest.raises(UsageError, match=r"^--inline-weights: only LIBSVM text has label:weight"):
        read_dataset(InputSettings((str(tmp_path / "a.csv"),), inline_weights="read"))


def test_python_reads_alike(write, tmp_path):
    rows = "".join(f"{i % 2}:{1 + i % 3} 0:{i}\n" for i in range(12))
    path = Path(write("").paths[0]).with_suffix(".svm.bz2")
    path.write_bytes(bz2.compress(rows.encode()))
    coreset = select_coreset(path, size=4, purpose="local")
    assert coreset.notes[:2] == tuple(map(in_arguments, (INLINE_WEIGHTS, FROM_0)))
    x, y, w = np.arange(12.0)[:, None], np.arange(12) % 2, 1.0 + np.arange(12) % 3
    same = select_coreset(x, y, sample_weight=w, size=4, purpose="local")
    assert coreset.index.tolist() == same.index.tolist()
    assert coreset.weight.tolist() == same.weight.tolist()
    assert coreset.weight.sum() == w.sum()
