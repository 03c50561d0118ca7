"""Time that a run took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from craig_cli.compiling import COMPILING


class Stopwatch:
    """Wall-clock seconds of each stage, in `seconds`, in the order begun. Compiling kernels, which
    later runs are spared, is a stage of its own, ``compile``.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._within: list[float] = []
        self._compiled = COMPILING.seconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the ``with`` block as stage `name`; what a stage within it takes is not its own, and
        a stage that is entered again goes on.
        """
        begun = time.perf_counter()
        self.seconds.setdefault(name, 0.0)
        self._book_compiling()
        self._within.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self._book_compiling()
            self.seconds[name] += spent - self._within.pop()
            if self._within:
                self._within[-1] += spent

    def _book_compiling(self) -> None:
        """Take what was compiled since the last call from the stage that runs."""
        spent = COMPILING.seconds - self._compiled
        self._compiled = COMPILING.seconds
        if spent and self._within:
            self._within[-1] += spent
            self.seconds["compile"] = self.seconds.get("compile", 0.0) + spent
