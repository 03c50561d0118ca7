"""Row numbers of the file and positions among the rows kept, there and back."""

from __future__ import annotations

import numpy as np
import pytest

from craig_cli import select_coreset
from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset
from craig_cli.errors import InputError, UsageError
from craig_cli.selection.numbering import by_position, by_row_number
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.skipped import SkippedRows, SkipReason, join_skipped


@pytest.mark.parametrize("seed", range(20))
def test_numbers_and_positions(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    skipped = np.flatnonzero(rng.random(n) < rng.choice([0, 0.1, 0.9]))
    kept = np.setdiff1d(np.arange(n), skipped)
    rows = SkippedRows(skipped)
    assert rows.numbers_of(np.arange(len(kept))).tolist() == kept.tolist()
    expected = np.full(n, -1)
    expected[kept] = np.arange(len(kept))
    assert rows.positions_of(np.arange(n)).tolist() == expected.tolist()


def test_skipped_rows_of_parts_are_joined():
    first = SkippedRows(np.array([1]), (SkipReason("p", "c", 1),), ("one",))
    second = SkippedRows(np.array([0, 3]), (SkipReason("q", "", 1), SkipReason("p", "c", 1)))
    joined = join_skipped([(first, 5), (SkippedRows(), 2), (second, 4)])
    assert joined.rows.tolist() == [1, 7, 10]
    assert joined.reasons == (("p", "c", 2), ("q", "", 1))
    assert joined.examples == ("one",)
    assert joined.mark != first.mark


def test_the_door_names_rows_as_they_lie():
    """The same rows with and without gaps: the same coreset, each row by its own number."""
    rng = np.random.default_rng(1)
    rows, labels = rng.normal(size=(40, 3)), np.arange(40) % 2
    skipped = SkippedRows(np.array([0, 5, 6, 41]))
    numbers = np.setdiff1d(np.arange(44), skipped.rows)
    settings = SelectionSettings(
        Budget(size=8), method="exact", include=(int(numbers[7]),), exclude=(int(numbers[3]),)
    )
    found = make_coreset(Dataset(rows, labels, skipped=skipped), settings)
    wanted = select_coreset(
        rows, labels, size=8, purpose="local", method="exact", include=[7], exclude=[3]
    )
    assert found.index.tolist() == numbers[wanted.index].tolist()
    assert found.label.tolist() == wanted.label.tolist()
    assert (found.n_rows, found.n_input_rows) == (40, 44)
    back = by_position(found, Dataset(rows, labels, skipped=skipped), "cs")
    assert back.index.tolist() == wanted.index.tolist()
    assert by_row_number(back, skipped).index.tolist() == found.index.tolist()
    with pytest.raises(InputError, match="cs: it was selected where 4 rows were skipped as bad"):
        by_position(found, Dataset(rows, labels), "cs")
    lost = SelectionSettings(Budget(size=8), include=(5,))
    with pytest.raises(UsageError, match="--include: row 5, counted from 0, was skipped as bad"):
        make_coreset(Dataset(rows, labels, skipped=skipped), lost)
