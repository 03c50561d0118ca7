"""Time that a run took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Wall-clock seconds of each stage, in `seconds`, in the order begun."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._within: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the ``with`` block as stage `name`; what a stage within it takes is not its own, and
        a stage that is entered again goes on.
        """
        begun = time.perf_counter()
        self.seconds.setdefault(name, 0.0)
        self._within.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.seconds[name] += spent - self._within.pop()
            if self._within:
                self._within[-1] += spent
