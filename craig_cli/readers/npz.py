"""NumPy's archives of arrays (``.npz``): dense rows, or a sparse matrix of scipy; never pickles."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Rows, take_from_block
from craig_cli.errors import InputError, UsageError
from craig_cli.readers import npy
from craig_cli.readers.amounts import AMOUNTS, unfit
from craig_cli.readers.beside import check_as_many, check_not_piped, named_beside
from craig_cli.readers.columns import listed
from craig_cli.readers.formats import NAMELESS, Reader
from craig_cli.readers.hdf5 import sparse_rows
from craig_cli.readers.npy import Array
from craig_cli.readers.numbers import BlockCheck, as_floats
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

ROWS_NAMES = ("X", "x", "data", "features", "embeddings")
LABEL_NAMES = ("y", "labels", "label", "targets", "target")
SPARSE_NAMES = {"data", "indices", "indptr", "shape", "format"}
COPY_AGAIN = "Copy or write the file again."
MOST_DEFLATED = 1100
"""Bytes that one byte of an archive may stand for: deflate knows no more than 1032."""
MOST_ARRAYS = 10_000


class Archive:
    """An ``.npz`` file that is open.

    Parameters
    ----------
    stack : ExitStack
        Closes what is opened.
    source : Source
    """

    def __init__(self, stack: ExitStack, source: Source) -> None:
        self.stack, self.name = stack, source.name
        self.zip = stack.enter_context(zipfile.ZipFile(stack.enter_context(source.open_raw())))
        members = self.zip.infolist()
        if len(members) > MOST_ARRAYS:
            raise InputError(
                self.name, f"it has {len(members):,} arrays", remedy="Save those needed."
            )
        self.members = {
            member.filename.removesuffix(".npy"): member
            for member in members
            if member.filename.endswith(".npy")
        }

    @property
    def is_sparse(self) -> bool:
        """Whether scipy's ``save_npz`` has written it."""
        return set(self.members) >= SPARSE_NAMES

    def open(self, key: str) -> Array:
        """Return an array, to be read in its order."""
        member, name = self.members[key], f"{self.name}:{key}"
        if member.file_size > MOST_DEFLATED * member.compress_size + (1 << 16):
            problem = (
                f"{member.compress_size:,} bytes are said to hold {member.file_size:,}, which no "
                "compression does"
            )
            raise InputError(name, problem, remedy=COPY_AGAIN)
        stream = cast(BinaryIO, self.stack.enter_context(self.zip.open(member)))
        header = npy.read_header(stream, name)
        npy.check_size(name, header, member.file_size - header.start)
        return Array(stream, name, header)

    def key(self, option: str, wanted: str | None, usual: tuple[str, ...]) -> str | None:
        """Return the name of an array: that wanted, else the first usual one that is there.

        Raises `UsageError` where the one that is wanted is not there.
        """
        if wanted is None:
            return next((name for name in usual if name in self.members), None)
        if wanted not in self.members:
            raise UsageError(
                f"{option}: {self.name} has no array '{wanted}'. The arrays are "
                f"{listed(list(self.members))}."
            )
        return wanted

    def rows_key(self, wanted: str | None) -> str:
        """Return the name of the array of rows; the only table where none has a usual name."""
        found = self.key("--rows-key", wanted, ROWS_NAMES)
        if found is None and len(self.members) == 1:
            found = next(iter(self.members))
        if found is None:
            raise InputError(
                self.name,
                f"no array is named {', '.join(ROWS_NAMES[:-1])} or {ROWS_NAMES[-1]}; the arrays "
                f"are {listed(list(self.members))}",
                remedy="Name that of the rows with --rows-key NAME.",
            )
        return found


@contextmanager
def opened(source: Source) -> Iterator[Archive]:
    """Give the archive, opened; what goes wrong in reading it becomes an error that names it."""
    try:
        with ExitStack() as stack:
            yield Archive(stack, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise InputError(
            source.name, "this is not an .npz file, or it is damaged", remedy=COPY_AGAIN
        ) from error
    except RuntimeError as error:  # of zipfile: encrypted, or compressed by a method it lacks
        raise InputError(
            source.name,
            "its arrays are encrypted, or compressed in a way that NumPy does not write",
            remedy="Write it with numpy.savez or numpy.savez_compressed.",
        ) from error


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one archive, dense, or sparse where scipy has saved a matrix.

    Dense rows are float32 where they are stored as float32, float16 or bfloat16, else float64.
    Labels are int64, float64 or str objects. Uses rows_key, label, no_label, weight_column,
    cost_column, task and block_bytes of `settings`.
    """
    with opened(source) as archive:
        if archive.is_sparse and settings.rows_key is None:
            yield from sparse_blocks(archive, source, file, settings, skipped)
            return
        rows = archive.open(archive.rows_key(settings.rows_key))
        npy.check_table(rows.name, rows.header)
        beside = Beside(archive, source, settings, skipped, rows.header.shape[0])
        whole = rows_at_once(rows) if rows.header.by_columns else None
        for first, last in npy.spans(rows.header, None, settings.block_bytes):
            check = BlockCheck(source.name, first)
            stored = rows.rows(first, last) if whole is None else whole[first:last]
            yield beside.block(check, np.ascontiguousarray(check.rows(stored)), file)


def rows_at_once(rows: Array) -> NDArray:
    """Return all rows of an array that is stored by columns, which no stream gives row by row."""
    header = rows.header._replace(shape=rows.header.shape[::-1], by_columns=False)
    return Array(rows.stream, rows.name, header).rows(0, header.shape[0]).T


class Beside:
    """Labels, weights and costs, which are arrays beside the rows, or a file of labels."""

    def __init__(
        self,
        archive: Archive,
        source: Source,
        settings: InputSettings,
        skipped: Skipped,
        n_rows: int,
    ) -> None:
        self.settings, self.skipped = settings, skipped
        self.labels = None if settings.no_label else open_labels(archive, source, settings)
        if self.labels is not None:
            npy.check_labels(self.labels.name, self.labels.header, "Name another with --label.")
            check_as_many(self.labels.name, self.labels.header.shape[0], source.name, n_rows)
        self.amounts = {}
        for amount in AMOUNTS if settings.amounts_needed else ():
            if (wanted := amount.column(settings)) is not None:
                key = archive.key(amount.option, wanted, ())
                self.amounts[amount] = found = archive.open(cast(str, key))
                if found.header.shape != (n_rows,) or found.header.dtype.kind not in "fiub":
                    problem = f"it holds {found.header} of shape {found.header.shape}"
                    raise InputError(
                        found.name, f"{problem}, not a number a row", remedy="Name another."
                    )

    def block(self, check: BlockCheck, rows: Rows, file: int) -> Block:
        """Return the block of some rows, with the next labels, weights and costs."""
        first = check.first_row
        last, labels = first + rows.shape[0], None
        if self.labels is not None:
            beside = BlockCheck(self.labels.name, first, faults=check.faults)
            labels = npy.labels_of(beside, self.labels.rows(first, last), self.settings.task)
        found = {}
        for amount, array in self.amounts.items():
            numbers = as_floats(array.rows(first, last))
            for bad, problem in unfit(numbers, amount):
                wrong, called = np.flatnonzero(bad), amount.field.removesuffix("s")
                check.add(f"the {called} {problem}", wrong, numbers[wrong])
            found[amount.field] = numbers.astype(np.float64)
        kept = check.settle(last - first, self.settings.on_error, self.skipped)
        block = Block(rows, labels, file, found.get("weights"), found.get("costs"))
        return take_from_block(block, kept)


def open_labels(archive: Archive, source: Source, settings: InputSettings) -> Array:
    """Return the array of labels: in the archive, or in a file beside that ``--label`` names."""
    wanted = settings.label
    if wanted is not None and wanted not in archive.members and wanted.endswith(".npy"):
        check_not_piped(source)
        return npy.open_array(archive.stack, named_beside(source, wanted, "npy"))
    key = archive.key("--label", wanted, LABEL_NAMES)
    if key is None:
        raise InputError(
            archive.name,
            f"no array is named {', '.join(LABEL_NAMES[:-1])} or {LABEL_NAMES[-1]}; the arrays "
            f"are {listed(list(archive.members))}",
            remedy="Name that of the labels with --label NAME (or a file beside, --label "
            "FILE.npy), or use --no-label.",
        )
    return archive.open(key)


def sparse_blocks(
    archive: Archive, source: Source, file: int, settings: InputSettings, skipped: Skipped
) -> Iterator[Block]:
    """Yield the rows of a sparse matrix that ``scipy.sparse.save_npz`` has written."""
    layout = flat(archive, "format", "SU").tobytes().replace(b"\0", b"").decode("ascii", "replace")
    if layout != "csr":
        raise InputError(
            archive.name,
            "the matrix is not stored by rows",
            value=layout,
            remedy="Save X.tocsr() with scipy.sparse.save_npz.",
        )
    shape, pointers = flat(archive, "shape", "iu"), flat(archive, "indptr", "iu").astype(np.int64)
    indices, values = archive.open("indices"), archive.open("data")
    is_whole = (
        len(shape) == 2
        and len(pointers) == shape[0] + 1
        and pointers[0] == 0
        and (np.diff(pointers) >= 0).all()
        and (int(pointers[-1]),) == values.header.shape == indices.header.shape
        and indices.header.dtype.kind in "iu"
        and values.header.dtype.kind in "fiub"
        and 0 <= shape[1] <= np.iinfo(np.int32).max
    )
    if not is_whole:
        raise InputError(
            archive.name,
            "data, indices, indptr and shape are not those of one matrix of numbers",
            remedy="Write it with scipy.sparse.save_npz.",
        )
    n_rows, n_columns = shape.tolist()
    beside = Beside(archive, source, settings, skipped, n_rows)
    most_rows, most_entries = settings.block_bytes // 8, settings.block_bytes // 12
    first = 0
    while first < n_rows:
        enough = int(np.searchsorted(pointers, pointers[first] + most_entries, "right")) - 1
        last = min(n_rows, max(first + 1, min(enough, first + max(1, most_rows))))
        entries = int(pointers[first]), int(pointers[last])
        check = BlockCheck(archive.name, first)
        arrays = {
            "indptr": pointers[first : last + 1] - pointers[first],
            "indices": indices.rows(*entries),
            "values": values.rows(*entries),
        }
        yield beside.block(check, sparse_rows(check, n_columns, arrays), file)
        first = last


def flat(archive: Archive, key: str, kinds: str) -> NDArray:
    """Return all of a small array with at most one axis; raises `InputError` for another."""
    array = archive.open(key)
    if len(array.header.shape) > 1 or array.header.dtype.kind not in kinds:
        problem = f"it holds {array.header}, which a sparse matrix has not"
        raise InputError(array.name, problem, remedy="Write it with scipy.sparse.save_npz.")
    header = array.header._replace(shape=array.header.shape or (1,), by_columns=False)
    return Array(array.stream, array.name, header).rows(0, header.shape[0])


READER = Reader(
    read_blocks,
    {
        option: NAMELESS[option]
        for option in ("--drop", "--one-hot", "--features", "--id", "--missing")
    },
    files_beside=npy.files_of_labels,
)
