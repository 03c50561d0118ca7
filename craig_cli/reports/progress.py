"""Progress on stderr: a line drawn anew on a terminal, else a plain line every half minute."""

from __future__ import annotations

import os
import shutil
import time
from types import TracebackType
from typing import TextIO

from craig_cli.compiling import COMPILING
from craig_cli.errors import printable
from craig_cli.platform import CLEAR

STAGES = {
    "read": ("reading", "rows"),
    "select": ("selecting", "picks"),
    "sort": ("sorting by class", "rows"),
    "pick": ("selecting", "rows"),
    "assign": ("assigning", "rows"),
    "offer": ("selecting candidates", "parts"),
    "merge": ("merging candidates", "parts"),
    "assign part": ("assigning rows", "parts"),
    "pilots": ("fitting pilots to all rows", "models"),
    "exchange": ("exchanging medoids", "ridges"),
    "calibrate": ("calibrating weights", "ridges"),
    "search": ("searching", "folds"),
    "evaluate": ("comparing", "losses and l2"),
    "write": ("writing", "rows"),
    "compile": ("compiling kernels, once on this machine", "kernels"),
}
"""Stage as workflows name it: what is being done, and what is counted."""
REDRAW_SECONDS = 0.1
LINE_SECONDS = 30.0
LONG_SECONDS, MANY = 2.0, 8
"""Compiling is told in a log if it has taken so long, or is to be of more kernels than that."""
BAR_WIDTH = 20
WAIT = "wait "


def is_interactive(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal that can redraw a line."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def progress_line(stage: str, done: int, total: int | None, elapsed: float, bar: bool) -> str:
    """Return one line on how far a stage is, with the time left at the pace so far."""
    verb, noun = STAGES.get(stage, (stage, "done"))
    if not total:
        return f"{verb}: {done:,} {noun}, {duration(elapsed)}"
    share = min(done / total, 1.0)
    filled = int(share * BAR_WIDTH)
    drawn = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] " if bar else ""
    left = f", {duration(elapsed * (1 - share) / share)} left" if 0 < share < 1 else ""
    return f"{verb}: {drawn}{done:,} of {total:,} {noun} ({share:.0%}){left}"


def compiling_line(done: int, total: int | None) -> str:
    """Return one line on which of the kernels is compiled; they differ too much for a time."""
    number = f"{done + 1:,}" if total is None else f"{min(done + 1, total):,} of {total:,}"
    return f"{STAGES['compile'][0]}: {number}"


def duration(seconds: float) -> str:
    """Return a time as minutes and seconds, or hours too."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def awaited(stage: str) -> str:
    """Return what is waited for, and how to go on, of a stage that begins with `WAIT`."""
    name = stage.removeprefix(WAIT)
    if name == "<stdin>":
        return "waiting for data on standard input (-). Pipe it in, or press Ctrl-C."
    return f"waiting for somebody to write to the pipe {printable(name)}. Ctrl-C ends this."


class ProgressLines:
    """A progress callback, told of compiling too; leaving the ``with`` block clears the line.

    Parameters
    ----------
    stream : text stream or None
    silent : bool
        Say nothing at all.
    interactive : bool
        Redraw one line.
    verbose : bool
        Also say when a stage begins, where lines are not redrawn.
    """

    def __init__(
        self, stream: TextIO | None, *, silent: bool, interactive: bool, verbose: bool
    ) -> None:
        self._stream = None if silent else stream
        self._interactive, self._verbose = interactive, verbose
        self._stage, self._begun, self._said = "", 0.0, 0.0
        self._drawn = self._announced = self._has_told = False

    def __enter__(self) -> ProgressLines:
        COMPILING.announce = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        COMPILING.end()
        if self._drawn and self._stream is not None:
            self._write(CLEAR)

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if self._stream is None:
            return
        if stage.startswith(WAIT):
            self._write(f"{CLEAR if self._drawn else ''}craig: {awaited(stage)}\n")
            return
        if stage == "compile":
            self._announce(done, total)
            return
        now, is_one_step = time.monotonic(), False
        if stage != self._stage:
            self._stage, self._begun, self._said = stage, now, now
            if self._verbose and not self._interactive:
                self._write(f"craig: {STAGES.get(stage, (stage,))[0]} ...\n")
            # Nothing more will be heard of it: it is told at once, in a log if others were.
            is_one_step = 0 < done == total and (self._interactive or self._has_told)
        pause = REDRAW_SECONDS if self._interactive else LINE_SECONDS
        if now - self._said < pause and not is_one_step:
            return
        self._said, self._has_told = now, True
        self._say(progress_line(stage, done, total, now - self._begun, self._interactive))

    def _announce(self, done: int, total: int | None) -> None:
        """Say how far compiling is, within whatever stage; in a log once, if it is much."""
        is_long = COMPILING.seconds > LONG_SECONDS or (total or 0) > MANY
        if self._interactive or (not self._announced and (self._verbose or is_long)):
            self._announced = True
            self._say(compiling_line(done, total))

    def _say(self, line: str) -> None:
        if self._interactive:
            self._drawn = True
            self._write(CLEAR + line[: shutil.get_terminal_size().columns - 1])
        else:
            self._write(f"craig: {line}\n")

    def _write(self, text: str) -> None:
        assert self._stream is not None
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # nobody listens: the work goes on
            self._stream = None
