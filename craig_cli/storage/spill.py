"""Arrays on disk, for more rows than memory holds.

They are in temporary files without a name, so that nothing stays even of a killed process.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import ResourceError, printable
from craig_cli.platform import Scratch


class Spill:
    """Temporary disk space, given back on leaving the ``with`` block.

    The system gives it back when the process ends in any way.

    Attributes
    ----------
    folder : str
        Where the files are: ``TMPDIR``, else the system's folder for such files.
    used, peak : int
        Bytes that the arrays hold now, and held at most.
    """

    def __init__(self) -> None:
        self.folder = tempfile.gettempdir()
        self.used = self.peak = 0
        self._arrays: list[SpillArray] = []

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for array in self._arrays:
            array.close()

    def require(self, n_bytes: int) -> None:
        """Raise `ResourceError` unless so many more bytes are free."""
        free = shutil.disk_usage(self.folder).free
        if n_bytes > free:
            raise ResourceError(
                f"--memory-limit: {n_bytes / 1e6:,.0f} MB of temporary files are needed in "
                f"{printable(self.folder)}, where {free / 1e6:,.0f} MB are "
                "free. Set TMPDIR to a folder with more space, or give a higher --memory-limit."
            )

    def array(self, n_columns: int, dtype: np.dtype) -> SpillArray:
        """Return a new array of no rows."""
        made = SpillArray(self, n_columns, dtype)
        self._arrays.append(made)
        return made

    def grow(self, n_bytes: int) -> None:
        """Count bytes that an array has taken (or given back, below 0)."""
        self.used += n_bytes
        self.peak = max(self.peak, self.used)


class SpillArray:
    """A table of numbers on disk, whose slices are arrays in memory.

    Several threads may read and write at once.

    Attributes
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    """

    def __init__(self, spill: Spill, n_columns: int, dtype: np.dtype) -> None:
        self._spill = spill
        self._file = Scratch(spill.folder)
        self.shape, self.dtype = (0, n_columns), dtype
        self._row_bytes = n_columns * dtype.itemsize

    @property
    def n_bytes(self) -> int:
        """Bytes on disk."""
        return self.shape[0] * self._row_bytes

    def __getitem__(self, rows: slice) -> NDArray:
        """Return rows ``start`` to ``stop``, each ``step``-th of them, as a new array."""
        start, stop, step = rows.indices(self.shape[0])
        if step != 1:
            return self.take(np.arange(start, stop, step))
        return self._read(start, max(stop - start, 0))

    def take(self, rows: NDArray[np.int64], axis: int = 0) -> NDArray:
        """Return some rows, in the order given; `axis` is that of rows.

        Time: one read for each run of consecutive rows, in ascending order.
        """
        order = np.argsort(rows)
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        for first, last in runs(rows[order]):
            start = int(rows[order[first]])
            out[order[first:last]] = self._read(start, int(rows[order[last - 1]]) + 1 - start)
        return out

    def append(self, rows: NDArray) -> None:
        """Add rows at the end."""
        self.extend(len(rows))
        self.write(self.shape[0] - len(rows), rows)

    def extend(self, n_rows: int) -> None:
        """Add rows of zeros at the end; they take space only once they are written."""
        self._spill.grow(n_rows * self._row_bytes)
        self.shape = (self.shape[0] + n_rows, self.shape[1])
        self._file.truncate(self.n_bytes)

    def put(self, places: NDArray[np.int64], rows: NDArray) -> None:
        """Write rows to some places, each of which is named once.

        Time: one write for each run of consecutive places.
        """
        order = np.argsort(places)
        moved = rows[order]
        for first, last in runs(places[order]):
            self.write(int(places[order[first]]), moved[first:last])

    def write(self, start: int, rows: NDArray) -> None:
        """Write rows one after the other from row `start`."""
        view = as_bytes(np.ascontiguousarray(rows, self.dtype))
        place = start * self._row_bytes
        while view:
            try:
                written = self._file.write(view, place)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise
                raise ResourceError(
                    f"The disk is full: temporary files of {self._spill.used / 1e6:,.0f} MB in "
                    f"{printable(self._spill.folder)} could not be "
                    "written. Set TMPDIR to a folder with more space, or give a higher "
                    "--memory-limit."
                ) from error
            place, view = place + written, view[written:]

    def _read(self, start: int, n_rows: int) -> NDArray:
        out = np.empty((n_rows, self.shape[1]), self.dtype)
        view, place = as_bytes(out), start * self._row_bytes
        while view:
            n_read = self._file.read(view, place)
            if n_read == 0:
                raise ResourceError(
                    f"A temporary file in {printable(self._spill.folder)} has "
                    f"lost its end: run the command again."
                )
            place, view = place + n_read, view[n_read:]
        return out

    def close(self) -> None:
        """Give the space back; no harm if it was before."""
        if not self._file.closed:
            self._file.close()
            self._spill.grow(-self.n_bytes)


def as_bytes(array: NDArray) -> memoryview:
    """Return the memory of an array in C order."""
    return array.reshape(-1).view(np.uint8).data


def runs(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return ``(first, last)`` of each stretch of values that ascend by one."""
    if len(values) == 0:
        return []
    cuts = np.flatnonzero(np.diff(values) != 1) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(values)], strict=True))
