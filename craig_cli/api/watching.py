"""What a person at work sees of a run: progress while it lasts, notes as warnings after it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from craig_cli.compiling import COMPILING
from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import CraigWarning
from craig_cli.reports.base import RunReport
from craig_cli.reports.progress import STAGES, WAIT, ProgressLines, is_interactive
from craig_cli.reports.skipped import warnings_of
from craig_cli.words import in_arguments

PATIENCE = 2.0
"""Seconds until somebody who has not asked for progress sees it."""
PACKAGE = __name__.partition(".")[0]


class Bars:
    """A progress callback that shows each stage as a bar of tqdm.

    Parameters
    ----------
    tqdm : type
        ``tqdm.auto.tqdm``.
    delay : float
        Seconds of a stage until its bar is shown.
    """

    def __init__(self, tqdm: Any, delay: float) -> None:
        self._tqdm, self._delay = tqdm, delay
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage.startswith(WAIT):
            return
        if stage != self._stage:
            self.close()
            verb, noun = STAGES.get(stage, (stage, "done"))
            self._bar = self._tqdm(
                desc=verb,
                initial=done,
                total=total,
                unit=f" {noun}",
                leave=False,
                delay=self._delay,
            )
            self._stage = stage
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


@contextmanager
def watched(progress: bool | Progress | None) -> Iterator[Progress]:
    """Give a progress callback for the length of a run; it is told of compiling too.

    Parameters
    ----------
    progress : bool, callable or None
        Whether to show it, or what to call as ``progress(stage, done, total)``. None: to who is at
        a notebook or an interactive session, once a stage takes longer than `PATIENCE`.
    """
    with ExitStack() as stack:
        callback: Progress = no_progress
        if callable(progress):
            callback = progress
        elif progress or (progress is None and hasattr(sys, "ps1")):
            callback = stack.enter_context(shown(0 if progress else PATIENCE))
        stack.callback(COMPILING.end)
        COMPILING.announce = None if callback is no_progress else callback
        yield callback


@contextmanager
def shown(delay: float) -> Iterator[Progress]:
    """Give a callback that shows progress, after some seconds: by tqdm, or else in lines."""
    if tqdm := tqdm_if_there():
        bars = Bars(tqdm, delay)
        try:
            yield bars
        finally:
            bars.close()
        return
    interactive = is_interactive(sys.stderr)
    with ProgressLines(sys.stderr, silent=False, interactive=interactive, verbose=not delay) as own:
        yield own


def tqdm_if_there() -> Any:
    """Return tqdm's class of bars for a terminal or a notebook; None without the package."""
    try:
        with warnings.catch_warnings():  # it says so where a notebook has no widgets
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm


def warn_of(report: RunReport) -> None:
    """Issue a `CraigWarning` for each note of a report, and of many rows skipped, as of the line
    outside of craig that has called it.
    """
    skipped = map(in_arguments, warnings_of(report.rows, report.skipped))
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and within(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    for note in (*report.notes, *skipped):
        warnings.warn(note, CraigWarning, stacklevel=level)


def within(module: str) -> bool:
    """Return whether a module is one of craig."""
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")
