"""The one table of names that users type, each with a line of help."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A name and what it means, in one line."""

    name: str
    help: str


class Format(NamedTuple):
    """A file format, its file name extensions, and whether it is text (text may be compressed)."""

    name: str
    help: str
    extensions: tuple[str, ...]
    is_text: bool


FORMATS = (
    Format("libsvm", "label index:value ... lines, sparse", (".libsvm", ".svm", ".svmlight", ".trn", ".tst", ".t", ".tr", ".val", ".scale"), True),
    Format("csv", "comma-separated values with a header line", (".csv",), True),
    Format("tsv", "tab-separated values with a header line", (".tsv", ".tab"), True),
    Format("parquet", "Apache Parquet with flat numeric columns", (".parquet", ".pq"), False),
    Format("hdf5", "HDF5: a dense dataset, or a CSR group (data, indices, indptr), and a labels dataset", (".h5", ".hdf5", ".hdf"), False),
)

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".xz": "xz"}
"""File name extension to codec, for the text formats."""

TASKS = (
    Entry("classification", "select within each class"),
    Entry("regression", "one group; the target counts as one more coordinate"),
)

METHODS = (
    Entry("auto", "exact while that takes about a second, else cells; says which and why"),
    Entry("exact", "lazy greedy: the picks of plain greedy (the paper's method)"),
    Entry("cells", "twice the picks, greedy within compact cells, thinned out over all: near-linear time, L as low as exact's"),
    Entry("stochastic", "greedy over n/k ln(1/delta) random candidates a pick (Mirzasoleiman et al. 2015)"),
    Entry("stratified", "one random row of each balanced, compact cell; weights are the cell's rows"),
    Entry("random", "uniform random rows of each class (the paper's baseline)"),
)

METRICS = (
    Entry("euclidean", "||x - y||, the paper's"),
    Entry("cosine", "|| x/||x|| - y/||y|| ||, the euclidean distance of the rows scaled to length one"),
)

SCALES = (
    Entry("none", "as the rows are (the paper's)"),
    Entry("standard", "each column divided by its standard deviation"),
    Entry("minmax", "each column divided by its range"),
    Entry("unit", "each row divided by its length"),
)


def names(table: tuple[Entry, ...] | tuple[Format, ...]) -> tuple[str, ...]:
    """Return the names of a table, in its order."""
    return tuple(entry.name for entry in table)
