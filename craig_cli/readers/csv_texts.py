"""Fields of delimited text that are read as text: labels, categories, ids, weights and costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Encoding
from craig_cli.errors import printable
from craig_cli.readers.columns import UNSEEN_REMEDY
from craig_cli.readers.csv_faults import Fault, Layout
from craig_cli.readers.csv_lexis import unquoted
from craig_cli.readers.texts import NO_TEXT, amount_problem, text_problem
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

MOST_KNOWN = 1 << 20
"""Different texts of a column that are kept, so that equal ones share their memory."""


class TextFields:
    """Reads such fields.

    Parameters
    ----------
    layout : Layout
    places : mapping of str to int
        Their columns in the file, by name.
    settings : InputSettings
    encoding : Encoding or None
        The values of ``--one-hot`` columns.
    is_collecting : bool
        Whether these are not known yet.
    """

    def __init__(
        self,
        layout: Layout,
        places: Mapping[str, int],
        settings: InputSettings,
        encoding: Encoding | None,
        is_collecting: bool,
    ) -> None:
        self.layout, self.places, self.settings = layout, places, settings
        self.encoding, self.is_collecting = encoding, is_collecting
        self.known: dict[str, dict[bytes, str]] = {name: {} for name in places}

    def read(
        self,
        name: str,
        text: bytes,
        spans: NDArray[np.int64],
        is_good: NDArray[np.bool_],
        faults: list[Fault],
    ) -> list[str]:
        """Return the content of a field in each row.

        Where there is none that can be used, adds to `faults` and clears `is_good`.
        """
        known, columns = self.known[name], self.layout.columns
        if len(known) > MOST_KNOWN:
            known.clear()
        tokens = [
            text[start:stop]
            for start, stop in zip(spans[:, 0].tolist(), spans[:, 1].tolist(), strict=True)
        ]
        problems: dict[bytes, tuple[str, str]] = {}
        for token in set(tokens) - known.keys():
            bare = unquoted(token)
            content = self.layout.lexis.normalised(bare)
            if token == bare and self.is_filled(name, content):
                content = b""
            known[token] = content.decode(errors="backslashreplace")
            if found := self.problem_of(name, content, token == bare):
                problems[token] = found
                del known[token]
        for row, token in enumerate(tokens if problems else ()):
            if token in problems and is_good[row]:
                is_good[row] = False
                value, (what, remedy) = token.decode(errors="backslashreplace"), problems[token]
                problem = f"{columns.called(name)} {what}"
                is_missing = name in columns.features and is_missing_text(unquoted(token))
                at, field = int(spans[row, 0]), self.places[name]
                faults.append(Fault(at, field, problem, value, remedy, is_missing=is_missing))
        return [known.get(token, "") for token in tokens]

    def is_filled(self, name: str, content: bytes) -> bool:
        """Return whether a field stands for a missing category, which is a value of its own."""
        return (
            name in self.layout.columns.one_hot
            and fills_missing(self.settings)
            and is_missing_text(content)
        )

    def problem_of(self, name: str, content: bytes, is_bare: bool) -> tuple[str, str] | None:
        """Return what is wrong with the text of a field and what to do; None if nothing is."""
        columns = self.layout.columns
        if (amount := columns.amounts.get(name)) is not None:
            return amount_problem(content, amount)
        if name == columns.id and not content:
            return None
        is_number = name == columns.label and self.settings.task == "regression"
        if (found := text_problem(content, is_bare, is_number)) is not None:
            return found
        if name not in columns.one_hot or self.is_collecting or self.settings.unseen == "zeros":
            return None
        if self.encoding is None or content.decode() in self.encoding.categories[name]:
            return None
        return f"holds a value that {printable(self.encoding.origin)} does not know", UNSEEN_REMEDY


def is_missing_text(content: bytes) -> bool:
    """Return whether a field that is text stands for none."""
    return not content or NO_TEXT.fullmatch(content.decode(errors="replace")) is not None


def expand(
    categories: tuple[str, ...], values: list[str], out: NDArray[np.float64]
) -> Counter[str]:
    """Set to 1, in each row of `out`, the column of the category that the row has; return the
    values that have none, and how often each occurs.
    """
    position = {category: column for column, category in enumerate(categories)}
    columns = np.array([position.get(value, -1) for value in values], np.int64)
    known = np.flatnonzero(columns >= 0)
    out[known, columns[known]] = 1
    return Counter(value for value in values if value not in position)
