"""Chosen rows as an Arrow IPC file (Feather), built in memory, so that it can go to a pipe."""

from __future__ import annotations

import pyarrow as pa

from craig_cli.writers.parquet import table_writer


def write_file(table: pa.Table, buffer: pa.BufferOutputStream) -> None:
    """Write a table in one batch, so that the bytes do not depend on how it was read."""
    with pa.ipc.new_file(buffer, table.schema) as file:
        file.write_table(table.combine_chunks())


WRITER = table_writer(write_file)
