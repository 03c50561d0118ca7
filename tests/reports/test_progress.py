"""What progress looks like on a terminal, in a log, and to nobody."""

from __future__ import annotations

import io

import pytest

from craig_cli.compiling import COMPILING
from craig_cli.reports import progress as module
from craig_cli.reports.progress import ProgressLines, duration, progress_line
from craig_cli.workflows.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """Let the test set the time."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_duration():
    assert [duration(s) for s in (0.4, 59.6, 61, 3600, 36061)] == [
        "0:00",
        "1:00",
        "1:01",
        "1:00:00",
        "10:01:01",
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("read", 1234567, None, 3, True), "reading: 1,234,567 rows, 0:03"),
        (("select", 0, 100, 3, True), "selecting: [....................] 0 of 100 picks (0%)"),
        (
            ("select", 25, 100, 10, True),
            "selecting: [#####...............] 25 of 100 picks (25%), 0:30 left",
        ),
        (("select", 100, 100, 10, False), "selecting: 100 of 100 picks (100%)"),
        (("other", 1, 2, 1, False), "other: 1 of 2 done (50%), 0:01 left"),
    ],
)
def test_lines(arguments, line):
    assert progress_line(*arguments) == line


def test_a_terminal_sees_one_line_redrawn_and_cleared(clock):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=True, verbose=False) as progress:
        progress("read", 0, None)
        clock[0] = 0.05
        progress("read", 10, None)
        assert out.getvalue() == ""
        clock[0] = 1
        progress("read", 20, None)
        assert out.getvalue() == "\r\x1b[Kreading: 20 rows, 0:01"
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_log_gets_a_line_each_half_minute(clock):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=False, verbose=False) as progress:
        for second in range(0, 70, 5):
            clock[0] = second
            progress("select", second, 100)
    assert out.getvalue() == (
        "craig: selecting: 30 of 100 picks (30%), 1:10 left\ncraig: "
        "selecting: 60 of 100 picks (60%), 0:40 left\n"
    )


@pytest.mark.parametrize("seconds, told", ((1, 0), (31, 2)))
def test_a_stage_of_one_step_is_told_as_it_begins_where_others_were(clock, seconds, told):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=False, verbose=False) as progress:
        progress("offer", 0, 2)
        clock[0] = seconds
        progress("offer", 1, 2)
        progress("merge", 2, 2)
        progress("assign part", 0, 2)
    lines = out.getvalue().splitlines()
    assert len(lines) == told
    assert lines[1:] == ["craig: merging candidates: 2 of 2 parts (100%)"] * (told > 1)


def test_verbose_names_each_stage(clock):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=False, verbose=True) as progress:
        for stage in ("read", "read", "select"):
            progress(stage, 1, None)
    assert out.getvalue() == "craig: reading ...\ncraig: selecting ...\n"


def test_nobody_is_told_when_silent_or_when_nobody_listens(clock):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    out = io.StringIO()
    for stream, silent in ((out, True), (None, False), (Gone(), False)):
        with ProgressLines(stream, silent=silent, interactive=True, verbose=True) as progress:
            for second in range(100):
                clock[0] = second
                progress("read", second, None)
    assert out.getvalue() == ""


def test_a_pipe_that_nobody_writes_is_named_at_once(clock):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=False, verbose=False) as progress:
        progress("wait a\n.csv", 0, None)
        progress("wait <stdin>", 0, None)
    assert out.getvalue() == (
        "craig: waiting for somebody to write to the pipe a\\n.csv. Ctrl-C ends this.\n"
        "craig: waiting for data on standard input (-). Pipe it in, or press Ctrl-C.\n"
    )


def test_a_terminal_sees_which_kernel_is_compiled_at_once(clock):
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=True, verbose=False):
        COMPILING.announce("compile", 6, 19)
        COMPILING.announce("compile", 7, None)
    assert COMPILING.announce is None
    assert out.getvalue() == (
        "\r\x1b[Kcompiling kernels, once on this machine: 7 of 19"
        "\r\x1b[Kcompiling kernels, once on this machine: 8\r\x1b[K"
    )


@pytest.mark.parametrize(
    ("total", "spent", "verbose", "told"),
    [
        (19, 0, False, "1 of 19"),
        (3, 0, False, None),
        (None, 0, False, None),
        (None, 0, True, "1"),
        (3, 2.5, False, "1 of 3"),
    ],
)
def test_a_log_is_told_of_compiling_once_and_only_if_it_is_long(
    clock, monkeypatch, total, spent, verbose, told
):
    monkeypatch.setattr(COMPILING, "seconds", spent)
    out = io.StringIO()
    with ProgressLines(out, silent=False, interactive=False, verbose=verbose) as progress:
        progress("compile", 0, total)
        progress("compile", 1, total)
    line = f"craig: compiling kernels, once on this machine: {told}\n"
    assert out.getvalue() == ("" if told is None else line)


def test_compiling_is_a_stage_of_its_own(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("craig_cli.workflows.stopwatch.time.perf_counter", lambda: now[0])
    monkeypatch.setattr(COMPILING, "seconds", 1.0)

    def take(seconds, compiling=0.0):
        now[0] += seconds
        COMPILING.seconds += compiling

    watch = Stopwatch()
    with watch.stage("read"):
        take(3, compiling=2)
    take(9, compiling=9)
    with watch.stage("select"):
        take(4, compiling=1)
        with watch.stage("assign"):
            take(10, compiling=7)
        take(5)
    assert watch.seconds == {"read": 1, "compile": 19 - 9, "select": 8, "assign": 3}
