"""From files to rows: the only place that knows formats."""

from craig_cli.readers.gather import read_dataset
from craig_cli.readers.sources import expand_sources, read_file_list

__all__ = ["expand_sources", "read_dataset", "read_file_list"]
