"""Pipes that nobody writes, from the command line."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "craig_cli", "select", "--fraction", "0.5", "-o", "cs.parquet"]


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.slow
def test_what_is_waited_for_is_told_and_ctrl_c_ends_it(tmp_path: Path, is_terminal: bool) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    words = ["-", "--format", "csv"] if is_terminal else ["rows.csv"]
    keyboard, terminal = pty.openpty()
    try:
        with subprocess.Popen(
            [*COMMAND, *words], cwd=tmp_path, stdin=terminal, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            begun = time.monotonic()
            told = process.stderr.readline().decode()
            assert 4.5 < time.monotonic() - begun < 30
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            rest = process.communicate()[1].decode()
            assert time.monotonic() - begun < 3
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert told == (
        "craig: waiting for data on standard input (-). Pipe it in, or press Ctrl-C.\n"
        if is_terminal
        else "craig: waiting for somebody to write to the pipe rows.csv. Ctrl-C ends this.\n"
    )
    assert process.returncode == 130
    assert "Traceback" not in rest
