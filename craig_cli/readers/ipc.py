"""Arrow IPC files and streams (Feather): their batches, which `table_files` makes blocks of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pyarrow as pa

from craig_cli.errors import InputError
from craig_cli.readers.sources import Source
from craig_cli.readers.table_files import naming_arrow_errors, table_reader

FILE_MAGIC, OLD_FEATHER_MAGIC = b"ARROW1", b"FEA1"
COPY_AGAIN = "Copy or write the file again."


class IpcTable:
    """An Arrow file or stream that is open, as `table_files` reads it.

    Parameters
    ----------
    name : str
    data : pa.NativeFile
        The bytes: mapped to memory where the file is on this machine.
    is_stream : bool
        Whether the batches come one after the other, without a table of them at the end.
    """

    def __init__(self, name: str, data: pa.NativeFile, is_stream: bool) -> None:
        self.name, self._data, self._is_stream = name, data, is_stream
        self.schema: pa.Schema = self._reader(None).schema

    def _reader(self, names: list[str] | None) -> Any:
        """Return a new reader of some columns; of all where `names` is None."""
        self._data.seek(0)
        fields = None if names is None else [self.schema.names.index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        opened = pa.ipc.open_stream if self._is_stream else pa.ipc.open_file
        return opened(self._data, options=options)

    def _stored(self, names: list[str] | None) -> Iterator[pa.RecordBatch]:
        """Yield the batches as they are stored."""
        reader = self._reader(names)
        if self._is_stream:
            yield from reader
        else:
            yield from map(reader.get_batch, range(reader.num_record_batches))

    def count_rows(self) -> int:
        """Return the rows of all batches."""
        return sum(batch.num_rows for batch in self._stored(self.schema.names[:1]))

    def batches(
        self, names: list[str] | None, n_rows: int, rows: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the first row, and the rows, of pieces of the batches that hold some of `rows`."""
        first_row = 0
        for stored in self._stored(names):
            stop = first_row + stored.num_rows
            if rows is not None and first_row >= rows[1]:
                return
            if rows is None or stop > rows[0]:
                stored.validate(full=True)
                chosen = stored if names is None else stored.select(names)
                for start in range(0, stored.num_rows, n_rows):
                    yield first_row + start, chosen.slice(start, n_rows)
            first_row = stop


@contextmanager
def open_table(source: Source) -> Iterator[IpcTable]:
    """Give the file, opened; what goes wrong in reading it becomes an error that names it."""
    with ExitStack() as stack:
        stream = stack.enter_context(source.open_raw())
        head = stream.read(len(FILE_MAGIC))
        if head.startswith(OLD_FEATHER_MAGIC):
            raise InputError(
                source.name,
                "this is a Feather file of version 1, which has been given up",
                remedy="Write it again: pyarrow.feather.write_feather writes version 2.",
            )
        if not head:
            raise InputError(source.name, "the file is empty", remedy=COPY_AGAIN)
        is_stream = head != FILE_MAGIC
        problem = "the Arrow file is damaged or cut short, or this is none"
        with naming_arrow_errors(source.name, "Arrow", problem, COPY_AGAIN):
            data = (
                pa.PythonFile(stream, mode="r")
                if source.location.is_remote
                else stack.enter_context(pa.memory_map(source.location.path))
            )
            yield IpcTable(source.name, data, is_stream)


READER = table_reader(open_table)
