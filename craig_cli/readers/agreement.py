"""What all files of an input agree on, and is known once all are read: the first column of LIBSVM
text, and whether rows have weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from craig_cli.dataset import Block, SparseRows
from craig_cli.errors import InputError
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

FROM_0 = "Columns count from 0, as index 0 occurs (--index-base auto)."
INLINE_WEIGHTS = (
    "Weights of rows are read from label:weight: --inline-weights ignore passes them over, and "
    "--no-label is for rows that have no label, and start with an entry."
)
QUERIES = (
    "The qid of rows plays no part; in LIBSVM text craig apply keeps those of one qid together."
)


class Agreement:
    """What is found in the blocks of an input, as they are read.

    Parameters
    ----------
    settings : InputSettings

    Attributes
    ----------
    index_base : int
        As asked for, else as found so far.
    notes : tuple of str
        What the user should know of it.
    """

    def __init__(self, settings: InputSettings) -> None:
        asked = settings.index_base
        self.index_base = 1 if isinstance(asked, str) else asked
        self._notes: dict[str, None] = {}
        self._first: tuple[bool, str] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def add(self, block: Block, source: Source) -> None:
        """Take in the next block; raises `InputError` where only some files have weights."""
        has_weights = block.weights is not None
        first_has, first = self._first = self._first or (has_weights, source.name)
        if has_weights != first_has:
            problem = f"its rows have {'' if has_weights else 'no '}weights (label:weight)"
            remedy = (
                "Write label:weight in every file, or pass the weights over with --inline-weights "
                "ignore."
            )
            raise InputError(
                source.name,
                f"{problem}, and those of {first} have {'some' if first_has else 'none'}",
                remedy=remedy,
            )
        if has_weights and source.format == "libsvm":
            self._notes[INLINE_WEIGHTS] = None
        if block.queries is not None:
            self._notes[QUERIES] = None
        if block.has_index_0:
            self.found_index_0()

    def found_index_0(self) -> None:
        """Take in that index 0 occurs."""
        self.index_base = 0
        self._notes[FROM_0] = None

    def settled(self, block: Block) -> Block:
        """Return a block, its columns counted from the first of the input."""
        if block.has_index_0 is None:
            return block
        rows = block.rows
        if self.index_base == 1:
            assert isinstance(rows, SparseRows)
            rows = replace(rows, indices=rows.indices - 1, n_columns=max(rows.n_columns - 1, 0))
        return replace(block, rows=rows, has_index_0=None)


def any_index_0(sources: Iterable[Source], settings: InputSettings) -> bool:
    """Return whether index 0 occurs in a file of LIBSVM text, all of its rows looked through."""
    finders = ((source.reader.has_index_0, source) for source in sources)
    return any(find(source, settings) for find, source in finders if find is not None)
