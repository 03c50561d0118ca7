"""The command line: click, and nothing else below it prints.

Imports nothing heavy, so that signals are handled from the start.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn, TextIO

from craig_cli.cli import garbage
from craig_cli.cli.signals import Signalled, Signals

BROKEN_PIPE_EXIT_CODE = 141
"""As of a program that SIGPIPE ends."""


def program() -> NoReturn:
    """Run the command line of this process, and end it.

    What libraries have to do at exit is done, but not what C++ does after that: threads that are
    still waiting for work are no reason for Arrow to abort, and modules need not be taken apart.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        # As of stderr: a letter that the encoding of a terminal lacks is no failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    code = main()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # What commands write is flushed there, and a full disk told: here nobody reads any more.
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:  # as where it was closed from the start
                stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    `arguments` default to those of the process, which is then taken to end with it.
    """
    if arguments is None:
        garbage.put_off()
    try:
        with Signals() as signals:
            code = run_quietly(list(sys.argv[1:] if arguments is None else arguments), signals)
            if arguments is None:
                signals.outcome = code
            return code
    except Signalled as signalled:
        complain(signalled.word)
        return signalled.exit_code


def run_quietly(arguments: list[str], signals: Signals) -> int:
    """Run the command line and return its exit code; that nobody reads a pipe is no error."""
    try:
        from craig_cli.cli.app import run

        return run(arguments, signals)
    except BrokenPipeError:
        discard(sys.__stdout__)
        return BROKEN_PIPE_EXIT_CODE


def complain(message: str) -> None:
    """Write a line to stderr; nobody may be listening any more."""
    try:
        print(f"craig: {message}", file=sys.stderr, flush=True)
    except OSError:
        discard(sys.__stderr__)


def discard(stream: TextIO | None) -> None:
    """Point a stream to nowhere.

    The interpreter would fail at exit on what is still to be written to it.
    """
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
