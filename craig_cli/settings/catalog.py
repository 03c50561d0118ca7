"""The one table of names that users type, each with a line of help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A name and what it means, in one line."""

    name: str
    help: str


class Method(NamedTuple):
    """A method of selection, and what it can do.

    Abilities are ``draws`` (its picks are random rows), ``order`` (it has the greedy order that
    budgets of epsilon and of costs need), ``constraints`` (it goes on from given rows), ``disk``
    and ``parts`` (it selects from rows that are not in memory, or not in one place).
    """

    name: str
    help: str
    abilities: tuple[str, ...] = ()


class Format(NamedTuple):
    """A file format, the ends of its file names, and whether it may be compressed.

    `reader` and `writer` are the modules of `craig_cli.readers` and `craig_cli.writers` that read
    and write it; empty where craig does not.
    """

    name: str
    help: str
    extensions: tuple[str, ...]
    may_be_compressed: bool
    reader: str = ""
    writer: str = ""


ALL_FORMATS = (
    Format(
        "libsvm",
        "label index:value ... lines, sparse",
        (".libsvm", ".svm", ".svmlight", ".trn", ".tst", ".t", ".tr", ".val", ".scale"),
        True,
        reader="libsvm",
        writer="libsvm",
    ),
    Format("csv", "comma-separated values with a header line", (".csv",), True, "csv", "csv"),
    Format("tsv", "tab-separated values with a header line", (".tsv", ".tab"), True, "csv", "csv"),
    Format(
        "parquet",
        "Apache Parquet: columns of numbers, or one of embeddings (lists of numbers)",
        (".parquet", ".pq"),
        False,
        reader="parquet",
        writer="parquet",
    ),
    Format(
        "arrow",
        "Arrow IPC, as a file (Feather) or a stream: columns as for Parquet",
        (".arrow", ".feather", ".ipc", ".arrows"),
        False,
        reader="ipc",
        writer="ipc",
    ),
    Format(
        "hdf5",
        "HDF5: a dense dataset, or a CSR group (data, indices, indptr), and a labels dataset",
        (".h5", ".hdf5", ".hdf", ".h5ad"),
        False,
        reader="hdf5",
        writer="hdf5",
    ),
    Format(
        "idx",
        "IDX (MNIST): images, bytes as 0 ... 1; labels from train-labels-idx1-ubyte beside "
        "train-images-idx3-ubyte",
        ("-idx3-ubyte", ".idx3-ubyte", "-idx1-ubyte", ".idx1-ubyte", ".idx"),
        True,
        reader="idx",
    ),
    Format(
        "vw", "Vowpal Wabbit text: label weight 'row| column:value ...", (".vw",), True, writer="vw"
    ),
    Format(
        "npy",
        "NumPy: an array of rows; labels from another, --label FILE.npy beside",
        (".npy",),
        False,
        reader="npy",
    ),
    Format(
        "npz",
        "NumPy arrays: rows in X, labels in y, or a sparse matrix of scipy (save_npz); craig apply "
        "writes index and weight (and label), without the rows",
        (".npz",),
        False,
        reader="npz",
        writer="npz",
    ),
)
"""Every format. A new one is a row here, and its modules."""

FORMATS = tuple(entry for entry in ALL_FORMATS if entry.reader)
"""What is read."""

EXPORTS = tuple(entry for entry in ALL_FORMATS if entry.writer)
"""What ``craig apply`` writes."""

WEIGHT_PLACES = (
    Entry("auto", "column; for LIBSVM text file"),
    Entry("column", "a column (HDF5: dataset) of the rows, --weight-name"),
    Entry(
        "file",
        "one a line in a file beside, OUTPUT.weight, where LightGBM looks for it "
        "(XGBoost does not any more)",
    ),
    Entry("inline", "after the label of LIBSVM text, label:weight, as XGBoost takes it"),
    Entry("none", "nowhere"),
)

INLINE_WEIGHTS = (
    Entry("auto", "weights of the rows; under --no-label the first word is an entry if it may be"),
    Entry("read", "weights of the rows"),
    Entry("ignore", "passed over: all rows count alike"),
)
"""What ``label:weight`` of LIBSVM text is read as."""

PICK_ORDERS = (
    Entry("greedy", "that of the manifest, so that the first lines are a smaller coreset"),
    Entry("row", "that of the data"),
)

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".xz": "xz"}
"""File name extension to codec, for the formats that may be compressed."""

TASKS = (
    Entry("classification", "select within each class"),
    Entry("regression", "one group; the target counts as one more coordinate"),
)

METHODS = (
    Method(
        "auto",
        "exact while that takes about a second, else cells; says which and why",
        ("order", "constraints", "disk", "parts"),
    ),
    Method(
        "exact",
        "lazy greedy: the picks of plain greedy (the paper's method)",
        ("order", "constraints", "parts"),
    ),
    Method(
        "cells",
        "greedy within compact cells for twice the picks, reverse greedy over all of them: "
        "near-linear time, L as low as exact's",
        ("disk", "parts"),
    ),
    Method(
        "stochastic",
        "greedy over n/k ln(1/delta) random candidates a pick (Mirzasoleiman et al. 2015)",
        ("constraints", "parts"),
    ),
    Method(
        "stratified",
        "one random row of each balanced, compact cell; weights are the cell's rows",
        ("draws",),
    ),
    Method("random", "uniform random rows of each class (the paper's baseline)", ("draws", "disk")),
    Method(
        "importance",
        "random rows of each class, likelier the longer their gradient at a pilot "
        "model; weights 1/probability (OSMAC)",
        ("draws",),
    ),
)

REPRESENTATIVES = (
    Entry("medoid", "the pick itself (the paper's)"),
    Entry("random", "one row of its cluster, drawn at random: no bias, a larger epsilon"),
    Entry(
        "varied",
        "the same, but some exchanged so that each column that varies in a class "
        "varies among its picks",
    ),
    Entry(
        "exchanged",
        "the pick, or another row of its cluster where weights alone cannot give the gradient of "
        "all rows; without calibration the pick",
    ),
)

WEIGHTINGS = (
    Entry(
        "cluster",
        "those of the method: rows of the cluster (the paper's), of the cell, or 1/probability",
    ),
    Entry(
        "calibrated",
        "the nearest to these, within bounds, that give the gradients of all rows at pilot "
        "models; kept only if they help",
    ),
    Entry("auto", "calibrated where that can be done and helps, else cluster"),
)

ALLOCATIONS = (
    Entry("proportional", "in proportion to its rows (the paper's)"),
    Entry("power", "in proportion to their square root (Bankier 1988): more of rare classes"),
    Entry("equal", "the same for each"),
)

ALLOCATION_CHOICES = (
    Entry("auto", "power with --for linear, else proportional"),
    *ALLOCATIONS,
)
"""How many picks each class gets; at least one, and at most all its rows."""

PURPOSES = (
    Entry(
        "any",
        "every model: medoids, as few exchanged as will do, weights auto (the default where there "
        "are labels and a number of rows to pick)",
    ),
    Entry("linear", "linear models: the same, with more picks of rare classes"),
    Entry("local", "kernels, neighbours, often trees: medoids with the sizes of their clusters"),
)

METRICS = (
    Entry("euclidean", "||x - y||, the paper's"),
    Entry(
        "cosine", "|| x/||x|| - y/||y|| ||, the euclidean distance of the rows scaled to length one"
    ),
)

SCALES = (
    Entry("none", "as the rows are (the paper's)"),
    Entry("standard", "each column divided by its standard deviation"),
    Entry("minmax", "each column divided by its range"),
    Entry("unit", "each row divided by its length"),
)

MODELS = (
    Entry("linear", "one score a class, or the number: w.x + b"),
    Entry("mlp", "a network: one hidden layer, softmax; trained by mini-batches of weighted rows"),
)

ACTIVATIONS = (
    Entry("sigmoid", "1 / (1 + exp(-z))"),
    Entry("relu", "max(0, z)"),
)

RESELECTIONS = (
    Entry("groups", "exact greedy within compact groups of 64 rows or more: the quickest"),
    Entry("cells", "as for craig select"),
    Entry("exact", "as for craig select"),
    Entry("stratified", "as for craig select"),
    Entry("importance", "drawn by the length of p - y when last trained on: no pass over all rows"),
    Entry("random", "uniform random rows of each class"),
)

RESELECTION_PROXIES = (
    Entry("residual", "p - y, the gradient at the softmax's input (paper eq. 16)"),
    Entry("layer", "that by the last layer's weights: p - y times the hidden units (slower)"),
)

LOSSES = (
    Entry("logistic", "log(1 + exp(-y s)), y = -1 or +1"),
    Entry("softmax", "-log p(class), p = softmax of one score a class"),
    Entry("squared", "(s - y)^2 / 2: ridge regression, or a classifier with y = -1 or +1"),
    Entry("squared-hinge", "max(0, 1 - y s)^2"),
    Entry("smoothed-hinge", "0 if y s >= 1, 1/2 - y s if y s <= 0, else (1 - y s)^2 / 2"),
)

SOLVERS = (
    Entry("auto", "newton; saga where an option is of small steps (--step, --epochs, --tune ...)"),
    Entry(
        "sgd",
        "w <- w - step (g grad f(w) + l2 w), g the row's weight over the mean weight "
        "(paper eq. 17-20)",
    ),
    Entry("momentum", "sgd with heavy-ball momentum (--momentum)"),
    Entry("adagrad", "each coordinate's step divided by the root of its sum of squared gradients"),
    Entry(
        "adam",
        "moving averages of gradients and their squares; a coordinate's move only when "
        "its value is not zero",
    ),
    Entry("saga", "variance-reduced steps from a table of past slopes; converges linearly"),
    Entry("svrg", "variance-reduced steps from a full gradient an epoch; converges linearly"),
    Entry("lbfgs", "full gradients, to the optimum (scipy's L-BFGS-B)"),
    Entry(
        "newton",
        "gradients and second derivatives, to the optimum; with many columns by conjugate "
        "gradients",
    ),
)

MISSING = (
    Entry("refuse", "an error that names the first one"),
    Entry("skip", "the row is skipped, and counted"),
    Entry("mean", "the mean of the column; a missing category is a value of its own"),
    Entry("median", "the median of the column; likewise"),
    Entry("zero", "0; likewise"),
)

SCHEDULES = (
    Entry("exponential", "a0 b^k, k the epoch from 0"),
    Entry("k-inverse", "a0 / (1 + b k)"),
    Entry("power", "a0 / (k + 1)^b"),
    Entry("constant", "a0"),
)

ORDERS = (
    Entry("shuffled", "all rows, in a new random order each epoch"),
    Entry(
        "sampled", "as many rows, a fifth drawn evenly, the others in proportion to their weights"
    ),
    Entry("greedy", "all rows in the order of the manifest, each epoch"),
)


PARTITIONS = (
    Entry("rows", "a part is rows as they lie"),
    Entry("cells", "a part is a compact cell: rows that are near each other, wherever they lie"),
)

ENGINES = (
    Entry("local", "one part after the other, in this process"),
    Entry(
        "dask", "parts are tasks on the workers of a Dask cluster (pip install 'craig-cli[dask]')"
    ),
)


def names(table: Sequence[Entry | Format | Method]) -> tuple[str, ...]:
    """Return the names of a table, in its order."""
    return tuple(entry.name for entry in table)


def methods_that(ability: str) -> tuple[str, ...]:
    """Return the names of the methods that can do something."""
    return tuple(method.name for method in METHODS if ability in method.abilities)
