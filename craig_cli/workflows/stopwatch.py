"""Time and memory that a run took."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def peak_memory_bytes() -> int:
    """Return the largest memory this process has held; where Linux tells, without that of the
    process that started it, which `getrusage` counts.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # no such file but on Linux: getrusage will do
        status = ""
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    if found:
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
