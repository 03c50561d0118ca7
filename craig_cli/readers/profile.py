"""What the columns of a table hold, found out in one pass: types, distinct and missing values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.readers.arrow import decoded
from craig_cli.readers.arrow_types import is_number, is_text
from craig_cli.readers.csv_lexis import ON_OFF, TRUE_FALSE, WORDS, YES_NO, Lexis, kind_of_text
from craig_cli.readers.folders import partition_read, with_partition
from craig_cli.readers.profile_kinds import as_numbers, total, type_in_words
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

MOST_DISTINCT = 10_000
"""Distinct values that are counted exactly."""
MOST_REMEMBERED = 4_000_000
"""Values of a column that are compared to tell whether all differ; later ones within a batch."""
SAMPLE = 200
"""Texts of each batch that are looked at one by one."""
ABSENT = pa.array(
    ["", "nan", "+nan", "-nan", "na", "n/a", "<na>", "#n/a", "null", "none", "missing", "?"]
)
"""What stands for no value, in lower case: what `texts.MISSING` matches."""


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds.

    Parameters
    ----------
    name : str
    type : str
        In words, such as ``whole number``.
    distinct : int or None
        Distinct values, missing ones apart; None: more than `MOST_DISTINCT`.
    missing : int
    low, high : float or None
        Of numbers.
    examples : tuple of str
        The first texts.
    is_unique : bool
        Whether no two rows have the same value, as far as that was looked at.
    is_counting : bool
        Whether each row's number is that of the row before and one.
    n_odd : int
        Cells of a column of numbers that hold something else.
    hint : str
        What to do about texts that look like something else, such as amounts of money.
    """

    name: str
    type: str
    distinct: int | None
    missing: int
    low: float | None = None
    high: float | None = None
    examples: tuple[str, ...] = ()
    is_unique: bool = False
    is_counting: bool = False
    n_odd: int = 0
    hint: str = ""


class Tally:
    """Gathers what one column holds, batch by batch.

    Parameters
    ----------
    name : str
    lexis : Lexis
        How numbers are spelled where all is text.
    """

    def __init__(self, name: str, lexis: Lexis) -> None:
        self.name, self.lexis = name, lexis
        self.rows = self.missing = self.n_numbers = self.n_seen = 0
        self.n_words = dict.fromkeys(WORD_SETS, 0)
        self.n_texts = 0
        self.looks: Counter[tuple[str, str]] = Counter()
        self.low, self.high, self.is_whole = np.inf, -np.inf, True
        self.distinct: dict[object, None] | None = {}
        self.examples: dict[str, None] = {}
        self.type: pa.DataType | None = None
        self.hint = ""
        self.lengths: tuple[int, int] | None = None
        self.is_unique = self.is_counting = True
        self.remembered: list[NDArray[np.int64]] = []
        self.expected: float | None = None

    def add(self, values: pa.Array, is_text_file: bool) -> None:
        """Take in the next values; those of a text file are all text."""
        values = decoded(values)
        self.rows += len(values)
        self.type = values.type
        if is_text(values.type):
            values = values.cast(pa.string())
            self.add_texts(
                pc.utf8_trim_whitespace(values) if is_text_file else values, is_text_file
            )
        elif is_number(values.type):
            self.add_typed_numbers(values)
        else:
            self.missing += values.null_count
            if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
                found = pc.min_max(pc.list_value_length(values))
                low, high = found["min"].as_py(), found["max"].as_py()
                if low is not None:
                    before = self.lengths or (low, high)
                    self.lengths = min(low, before[0]), max(high, before[1])
            self.is_unique = self.is_counting = False
            self.distinct = None

    def add_typed_numbers(self, values: pa.Array) -> None:
        """Take in numbers or booleans of a file that knows types."""
        present = values.drop_null()
        if pa.types.is_floating(values.type):
            present = present.filter(pc.invert(pc.is_nan(present)))
        self.missing += len(values) - len(present)
        if len(present):
            if pa.types.is_boolean(values.type):
                self.n_words[TRUE_FALSE] += len(present)
            else:
                self.n_numbers += len(present)
            numbers = present.cast(pa.float64(), safe=False)
            self.add_numbers(numbers.to_numpy(), len(present) == len(values))
            self.count_distinct(numbers, len(values))

    def add_texts(self, texts: pa.Array, may_be_numbers: bool) -> None:
        """Take in texts, which may be numbers in a text file."""
        missing = texts.null_count
        texts = texts.drop_null()
        counted = pc.value_counts(texts) if self.distinct is not None or self.is_unique else None
        unique = texts if counted is None else counted.field("values")
        counts = None if counted is None else counted.field("counts").to_numpy()
        if may_be_numbers:
            numbers = as_numbers(unique, self.lexis)
            is_absent = np.isnan(numbers)
            if is_absent.any():
                is_absent &= pc.is_in(pc.utf8_lower(unique), value_set=ABSENT).to_numpy(False)
        else:
            numbers = np.full(len(unique), np.nan)
            is_absent = np.zeros(len(unique), bool)
        missing += total(counts, is_absent)
        self.missing += missing
        is_number = ~np.isnan(numbers)
        self.n_numbers += total(counts, is_number)
        is_other = ~is_number & ~is_absent
        if is_other.any():
            self.add_others(unique, counts, is_other, may_be_numbers)
        if is_number.any():
            found = numbers[is_number]
            self.add_numbers(found, len(found) == len(texts) and missing == 0)
        self.count_distinct(unique.filter(pa.array(~is_absent)), len(texts) + missing)

    def add_others(
        self, unique: pa.Array, counts: NDArray | None, is_other: NDArray, may_be_words: bool
    ) -> None:
        """Take in what is neither a number nor missing: words for true and false, dates, texts."""
        others = unique.filter(pa.array(is_other))
        own = None if counts is None else counts[is_other]
        is_rest = np.ones(len(others), bool)
        lowered = pc.utf8_lower(others)
        for kind, words in WORD_SETS.items() if may_be_words else ():
            found = pc.is_in(lowered, value_set=words).to_numpy(zero_copy_only=False)
            self.n_words[kind] += total(own, found)
            is_rest &= ~found
        sample = others.filter(pa.array(is_rest)).slice(0, SAMPLE).to_pylist()
        self.n_texts += total(own, is_rest)
        self.n_seen += len(sample)
        self.looks.update(found for text in sample if (found := kind_of_text(text, self.lexis, "")))
        for text in [*sample, *others.slice(0, 3).to_pylist()][:SAMPLE]:
            if len(self.examples) < 3:
                self.examples[text] = None

    def count_distinct(self, values: pa.Array, n_rows: int) -> None:
        """Count different values, given those that are there among some rows."""
        if self.distinct is not None or self.is_unique:
            values = pc.unique(values)
        if len(values) < n_rows:
            self.is_unique = False
        if self.is_unique:
            self.remember(values)
        if self.distinct is not None:
            self.distinct.update(dict.fromkeys(values.slice(0, 2 * MOST_DISTINCT).to_pylist()))
            if len(self.distinct) > MOST_DISTINCT:
                self.distinct = None

    def remember(self, values: pa.Array) -> None:
        """Keep marks of values, which are alike for equal values only, but for chance."""
        if sum(map(len, self.remembered)) < MOST_REMEMBERED:
            if is_text(values.type):
                marks = np.fromiter(map(hash, values.to_pylist()), np.int64, len(values))
            else:
                marks = values.to_numpy().view(np.int64)
            self.remembered.append(marks)

    def add_numbers(self, numbers: NDArray[np.float64], in_order: bool) -> None:
        """Take in the numbers of a batch, which are one for each row, or not."""
        self.low, self.high = min(self.low, numbers.min()), max(self.high, numbers.max())
        if self.is_whole and not (numbers == np.floor(numbers)).all():
            self.is_whole = self.is_unique = False  # no id is a fraction
        if self.is_counting:
            start = numbers[0] if self.expected is None else self.expected
            self.is_counting = in_order and bool((numbers == start + np.arange(len(numbers))).all())
            self.expected = start + len(numbers)

    def profile(self) -> ColumnProfile:
        """Return what the column holds."""
        kind, n_odd = self.kind()
        marks = self.remembered
        is_unique = self.is_unique and self.rows > 1
        if is_unique and len(marks):
            joined = np.concatenate(marks)
            is_unique = len(np.unique(joined)) == len(joined)
        is_number = kind in ("number", "whole number")
        distinct = None if self.distinct is None else len(self.distinct)
        if distinct == 1 and kind != "no values":
            kind = f"constant {kind}"
        return ColumnProfile(
            self.name,
            kind,
            distinct,
            self.missing,
            float(self.low) if is_number else None,
            float(self.high) if is_number else None,
            tuple(self.examples),
            is_unique,
            self.is_counting and is_number and self.rows > 1,
            n_odd,
            self.hint,
        )

    def kind(self) -> tuple[str, int]:
        """Return the type in words, and how many cells of a column of numbers are of another."""
        assert self.type is not None
        if not (is_text(self.type) or is_number(self.type)):
            return type_in_words(self.type, self.lengths), 0
        n_words = sum(self.n_words.values())
        present = self.n_numbers + n_words + self.n_texts
        if present == 0:
            return "no values", 0
        if n_words == present and max(self.n_words.values()) == present:
            return "truth value", 0
        n_odd = present - self.n_numbers
        if self.n_numbers and n_odd <= MOST_ODD * present:
            return ("whole number" if self.is_whole else "number"), n_odd
        looks, n_alike = next(iter(self.looks.most_common(1)), (("", ""), 0))
        if self.n_seen and n_alike > 0.9 * self.n_seen and self.n_texts > 0.9 * present:
            kind = looks[0].removeprefix("holds ")
            self.hint = looks[1].format(drop="--drop")
            return "date or time" if kind == "dates or times" else kind, 0
        return "text", 0


MOST_ODD = 0.05
"""Share of cells up to which a column is one of numbers with a few faults, and not one of texts."""
WORD_SETS = {
    kind: pa.array([word for word, (own, _) in WORDS.items() if own == kind])
    for kind in (TRUE_FALSE, YES_NO, ON_OFF)
}


@dataclass(frozen=True)
class TableProfile:
    """What the columns of a table hold; `is_whole`: all of its rows were looked at."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    is_whole: bool = True


def profile_sources(
    sources: Sequence[Source],
    settings: InputSettings,
    progress: Progress = no_progress,
    most_cells: int | None = None,
) -> TableProfile:
    """Return what the columns of tables hold, of the first cells where there is a limit to them.

    Memory: a batch, `MOST_DISTINCT` values a column and `MOST_REMEMBERED` marks of some.
    """
    tallies: dict[str, Tally] = {}
    rows, is_whole = 0, True
    for source in sources:
        assert source.reader.read_columns is not None
        is_text_file = source.reader.written_as == "delimited"
        for batch in source.reader.read_columns(source, settings):
            if most_cells is not None and rows * len(tallies) >= most_cells:
                is_whole = False
                break
            batch = with_partition(
                batch,
                partition_read(source, settings),
                [entry.name for entry in source.partition] if is_text_file else (),
            )
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                if name not in tallies:
                    tallies[name] = Tally(name, Lexis.of(settings))
                tallies[name].add(values, is_text_file)
            rows += batch.num_rows
            progress("read", rows, None)
    return TableProfile(rows, tuple(t.profile() for t in tallies.values()), is_whole)
