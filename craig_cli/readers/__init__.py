"""From files to rows: the only place that knows formats."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from craig_cli.readers.gather import read_dataset
    from craig_cli.readers.sources import expand_sources, read_file_list

__all__ = ["expand_sources", "read_dataset", "read_file_list"]
HOMES = {"read_dataset": "gather", "expand_sources": "sources", "read_file_list": "sources"}


def __getattr__(name: str) -> object:
    # Imported on first use: `hdf5_probe` starts for each HDF5 file, and needs none of it.
    if name in HOMES:
        return getattr(importlib.import_module(f"craig_cli.readers.{HOMES[name]}"), name)
    raise AttributeError(f"module 'craig_cli.readers' has no attribute '{name}'")
