"""The listener that books what is compiled, and announces it."""

from __future__ import annotations

import time
from typing import Any

from numba.core import event

from craig_cli.compiling import COMPILING, HELPER_BYTES
from craig_cli.platform import available_bytes, usable_threads

WORTH_HELP = 8
"""With fewer kernels to compile, a second process would come too late."""


class Watcher(event.Listener):
    """Hears of each function that numba compiles, those that it calls in turn within it; heeded are
    our kernels. One at a time is compiled, whatever the threads.
    """

    def __init__(self) -> None:
        self._depth, self._begun, self._is_ours = 0, 0.0, False
        self._roads: tuple[str, ...] = ()
        self._total = self._done = 0

    def on_start(self, event: Any) -> None:
        """Begin to count time, with the outermost function."""
        if not self._depth:
            function = event.data["dispatcher"].py_func
            self._is_ours = function.__module__.startswith(__package__)
            self._begun = time.perf_counter()
            if self._is_ours:
                self._tell()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """Book the time that the outermost function took."""
        self._depth -= 1
        if not self._depth and self._is_ours:
            COMPILING.seconds += time.perf_counter() - self._begun
            self._done += 1

    def _tell(self) -> None:
        """Announce how many kernels are there, of those that the run needs; the first time, get
        help.
        """
        if COMPILING.announce is None:
            return
        from craig_cli.kernels.ahead import help_out, missing

        left = len(missing(COMPILING.roads))
        if self._roads != COMPILING.roads:
            self._roads, self._total, self._done = COMPILING.roads, left, 0
            if left >= WORTH_HELP and COMPILING.may_have_help and can_start_another():
                COMPILING.helpers += help_out(self._roads, [(-1, -1)])
        if left:
            COMPILING.announce("compile", self._total - left, self._total)
        else:
            COMPILING.announce("compile", self._done, None)


def can_start_another() -> bool:
    """Return whether there are a CPU and memory for one more process."""
    return usable_threads() > 1 and available_bytes() > 2 * HELPER_BYTES
