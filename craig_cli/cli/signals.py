"""Ctrl-C, SIGTERM and SIGHUP as an exception: every ``with`` block on the way out cleans up."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from craig_cli.platform import ENDING_SIGNALS, signal_main_thread

RAISE_AGAIN_SECONDS = 0.05


class Signalled(BaseException):
    """A signal has asked the process to end; no `Exception`, so that nothing takes it for an error
    of its own.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it."""
        return 128 + self.number

    @property
    def word(self) -> str:
        """What has happened, in a word or two."""
        return ENDING_SIGNALS[self.number]


class Signals:
    """Handlers for the time of the ``with`` block: the first signal raises `Signalled` in the main
    thread, a second one ends the process at once.

    Attributes
    ----------
    received : Signalled or None
        The first signal. Libraries may turn the exception into one of their own; what was meant is
        still known here.
    outcome : int or None
        If set, the process is about to end with this exit code: a signal that comes after the block
        only makes it end sooner.
    """

    def __init__(self) -> None:
        self.received: Signalled | None = None
        self.outcome: int | None = None
        self._previous: dict[int, Any] = {}
        self._previous_hook = sys.unraisablehook

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING_SIGNALS:
                previous = signal.getsignal(number)
                if previous is not signal.SIG_IGN:  # nohup, or a job in the background of a script
                    self._previous[number] = previous
                    signal.signal(number, self._handle)
            sys.unraisablehook = self._raise_again
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous if self.outcome is None else self._end)
        sys.unraisablehook = self._previous_hook

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            os._exit(self.received.exit_code)
        self.received = Signalled(number)
        raise self.received

    def _end(self, number: int, frame: FrameType | None) -> None:
        os._exit(self.outcome or 0)

    def _raise_again(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Send a signal once more whose exception was lost in a finaliser or a callback from C."""
        if isinstance(unraisable.exc_value, Signalled):
            self.received = None
            threading.Timer(
                RAISE_AGAIN_SECONDS, signal_main_thread, (unraisable.exc_value.number,)
            ).start()
        else:
            self._previous_hook(unraisable)
