"""Columns of delimited text that the names of its folders are."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.readers.columns import Columns
from craig_cli.readers.folders import check_numbers, partition_read
from craig_cli.readers.sources import Source
from craig_cli.readers.texts import amount_problem
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

LINE_END = re.compile(rb"\r?\n\Z")


class Folders:
    """The columns of a file that its folders name, each of one value.

    Attributes
    ----------
    names : list of str
    places : dict of str to int
        Where each feature stands in the rows.
    """

    def __init__(self, source: Source, settings: InputSettings) -> None:
        self.source, self.partition = source, partition_read(source, settings)
        self.names = [entry.name for entry in self.partition]
        self.places: dict[str, int] = {}
        self.texts: list[str] = []

    def check(self, columns: Columns, task: str) -> None:
        """Raise `InputError` where a value is not what its column is to hold."""
        numbers = [name for name in columns.features if name not in columns.one_hot]
        if task == "regression" and columns.label is not None:
            numbers.append(columns.label)
        check_numbers(self.source.name, self.partition, numbers)
        for entry in self.partition:
            amount = columns.amounts.get(entry.name)
            found = None if amount is None else amount_problem(entry.text.encode(), amount)
            if found is not None:
                problem = f"{columns.called(entry.name)} {found[0]}"
                raise InputError(
                    self.source.name, problem, value=entry.text, remedy="Rename the folder."
                )
        read_as_text = (*columns.one_hot, columns.label, *columns.amounts)
        self.texts = [name for name in self.names if name in read_as_text]

    def fill(self, rows: NDArray[np.float64]) -> dict[str, list[str]]:
        """Fill the numbers into some rows, and return the columns of texts."""
        for entry in self.partition:
            if entry.name in self.places:
                rows[:, self.places[entry.name]] = entry.value
        return {
            entry.name: [entry.text] * len(rows)
            for entry in self.partition
            if entry.name in self.texts
        }


def with_folders(
    reading: Reading,
    index: NDArray[np.int64],
    names: list[str] | None,
    records: list[bytes],
    delimiter: str,
) -> tuple[list[str] | None, list[bytes]]:
    """Return a header and some rows, ascending, with the columns of their folders at the end."""
    own = [source.partition for source in reading.sources]
    ends = []
    for partition in own:
        text = io.StringIO()
        fields = [entry.text for entry in partition]
        csv.writer(text, delimiter=delimiter, lineterminator="").writerow(fields)
        ends.append(f"{delimiter}{text.getvalue()}".encode() if fields else b"")
    files = np.searchsorted(reading.file_starts, index, side="right") - 1
    longer = []
    for record, file in zip(records, files.tolist(), strict=True):
        end = LINE_END.search(record)
        stop = len(record) if end is None else end.start()
        longer.append(record[:stop] + ends[file] + record[stop:])
    return None if names is None else names + [entry.name for entry in own[0]], longer
