"""What ``craig apply`` writes: a format with its writer, and the place of the weights."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.settings import check_name
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.catalog import COMPRESSIONS, EXPORTS, names
from craig_cli.storage.location import Location
from craig_cli.writers.subset import Subset, number_text

UNFIT_PLACES = {
    "inline": "only LIBSVM text has labels with weights, not {format}. Use column or file.",
    "column": "{format} files have no columns with names. Use file or inline.",
}
"""What is said where a format has no such place for weights."""


@dataclass(frozen=True)
class Target:
    """Where chosen rows are written, and how.

    Parameters
    ----------
    location : Location
    format : str
        Its name in the catalog.
    writer : Writer
    compression : str or None
        Codec.
    place : str
        Of the weights: ``column``, ``file``, ``inline``, ``none``, or ``own`` where the format
        always holds them.
    weight_name : str
        Of a column of weights.
    """

    location: Location
    format: str
    writer: Writer
    compression: str | None
    place: str
    weight_name: str

    @property
    def column(self) -> str | None:
        """The name of the column of weights, if there is to be one."""
        return self.weight_name if self.place == "column" else None

    @property
    def outputs(self) -> tuple[Location, ...]:
        """The file of the rows, and that of the weights beside it, if there is to be one."""
        options = self.location.options
        beside = Location.of(f"{self.location.name.removesuffix(options)}.weight{options}")
        return (self.location, beside) if self.place == "file" else (self.location,)

    @property
    def may_be_compressed(self) -> bool:
        """Whether the format is text."""
        return next(entry.may_be_compressed for entry in EXPORTS if entry.name == self.format)

    @property
    def is_text(self) -> bool:
        """Whether the output can be shown on a terminal."""
        return self.may_be_compressed and self.compression is None


@dataclass(frozen=True)
class Writer:
    """What the module of a format offers, as its ``WRITER``.

    Parameters
    ----------
    write : callable
        Given a stream, rows as numbers and the target; returns what the user should know.
    places : tuple of str
        Places of weights, the usual one first; none where the format always holds them.
    copy : callable, optional
        Given a stream, rows as they stand in files (ascending), the position of each pick among
        them, the weights of the picks and the target.
    written_as : str
        What `copy` takes; a reader that gives it has the same word.
    holds_rows : bool
        Whether rows are written, not only their numbers.
    """

    write: Callable[[BinaryIO, Subset, Target], str]
    places: tuple[str, ...] = ()
    copy: Callable[[BinaryIO, Any, NDArray[np.int64], NDArray[np.float64], Target], None] | None = (
        None
    )
    written_as: str = ""
    holds_rows: bool = True


def writer_of(name: str) -> Writer:
    """Return the writer of a format, imported only now; raises `UsageError` for an unknown one."""
    check_name("--to", name, names(EXPORTS))
    module = next(entry.writer for entry in EXPORTS if entry.name == name)
    writer: Writer = importlib.import_module(f"craig_cli.writers.{module}").WRITER
    return writer


def target_of(settings: ApplySettings) -> Target:
    """Return what is written, by ``--to``, else by the extension of the output.

    Raises `UsageError` where neither tells, or the weights have no such place.
    """
    location = Location.of(settings.output)
    compression = COMPRESSIONS.get(location.suffix.lower())
    extension = location.suffix
    if compression is not None:
        extension = Path(location.path).with_suffix("").suffix
    chosen = settings.to or next(
        (entry.name for entry in EXPORTS if extension.lower() in entry.extensions), None
    )
    if chosen is None:
        raise UsageError(
            f"--output: the name '{location.shown}' does not tell the format. Give --to, one of "
            f"{', '.join(names(EXPORTS))}."
        )
    writer, place = writer_of(chosen), settings.weight_as
    if not writer.places and place != "auto":
        raise UsageError(
            f"--weight-as {place}: {chosen} files have a place of their own for weights. Leave it "
            f"out."
        )
    if place in UNFIT_PLACES and place not in writer.places:
        raise UsageError(f"--weight-as {place}: {UNFIT_PLACES[place].format(format=chosen)}")
    if place == "auto":
        place = writer.places[0] if writer.places else "own"
    target = Target(location, chosen, writer, compression, place, settings.weight_name)
    if compression is not None and not target.may_be_compressed:
        raise UsageError(
            f"--output: {chosen} files are not written compressed. Leave out {location.suffix}."
        )
    if place == "file" and location.is_standard:
        raise UsageError(
            "--output -: weights go to a file beside the output, and stdout has no name. Use "
            "--weight-as inline, column or none."
        )
    return target


@contextmanager
def compressed(out: BinaryIO, codec: str | None) -> Iterator[BinaryIO]:
    """Give a stream whose bytes go to `out` compressed; no clock or name is stored."""
    if codec is None:
        yield out
    elif codec == "gzip":
        with gzip.GzipFile("", "wb", fileobj=out, mtime=0) as stream:
            yield cast(BinaryIO, stream)
    elif codec in ("bz2", "xz"):
        with bz2.BZ2File(out, "wb") if codec == "bz2" else lzma.LZMAFile(out, "wb") as stream:
            yield cast(BinaryIO, stream)
    else:
        import pyarrow

        # The stream closes what it writes to, and `out` is not its own.
        buffer = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(buffer, codec) as stream:
            yield cast(BinaryIO, stream)
        out.write(buffer.getvalue())


def write_weights(out: BinaryIO, weight: NDArray[np.float64]) -> None:
    """Write one weight a line, as LightGBM reads from a file of the data's name and ``.weight``."""
    out.write(b"".join(f"{number_text(value)}\n".encode() for value in weight.tolist()))
