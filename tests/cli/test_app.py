"""The group: help, version, and how every kind of failure ends."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from commandline import Result

from craig_cli import __version__
from craig_cli.cli.app import COMMANDS, EXIT_CODES, load_command
from craig_cli.errors import ContractError, InputError, ResourceError


def test_help_lists_commands_and_exit_codes(craig):
    result = craig("--help")
    assert (result.code, result.err) == (0, "")
    for entry in COMMANDS:
        assert f"\n  {entry.name} " in result.out
    for code, _ in EXIT_CODES:
        assert f"\n  {code} " in result.out


def test_no_arguments_show_the_help(craig):
    assert craig() == craig("-h")


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
def test_each_commands_help_shows_examples_and_exit_codes(craig, name):
    result = craig(name, "-h")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: craig {name} ")
    assert f"\n  $ craig {name} " in result.out
    whole = result if "--help-all" not in result.out else craig(name, "--help-all")
    assert (whole.code, whole.err) == (0, "")
    assert "Exit codes:\n  0    done\n" in whole.out


@pytest.mark.parametrize("name", ["select", "train", "evaluate"])
def test_help_shows_twelve_options_and_help_all_every_one(craig, name):
    short, whole = craig(name, "--help").out, craig(name, "--help-all").out
    shown = [
        re.findall(r"^  (?:-., )?(--[a-z0-9-]+)", text, re.MULTILINE) for text in (short, whole)
    ]
    assert len(shown[0]) == 13 and shown[0][-1] == "--help-all"
    assert len(set(shown[1])) == len(shown[1])
    every = {max(p.opts, key=len) for p in load_command(name).params if p.opts[0].startswith("-")}
    assert set(shown[1]) - {"--help"} == every - {"--help-all"}


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
def test_each_option_has_help(name):
    command = load_command(name)
    assert [p.name for p in command.params if p.param_type_name == "option" and not p.help] == []


def test_version(craig):
    assert craig("--version") == Result(0, f"craig {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["slect"], "No such command 'slect'. Did you mean 'select'?\nTry 'craig --help'."),
        (
            ["xyz"],
            f"No such command 'xyz'. There are "
            f"{', '.join(entry.name for entry in COMMANDS)}.\nTry 'craig --help'.",
        ),
        (["--frob"], "No such option '--frob'.\nTry 'craig --help'."),
        (["select"], "Missing option '-o' / '--output'.\nTry 'craig select --help'."),
        (["info"], "Missing argument 'MANIFEST'.\nTry 'craig info --help'."),
        (
            ["select", "-o", "x", "--size", "many"],
            "Invalid value for '--size': 'many' is not a "
            "valid integer.\nTry 'craig select --help'.",
        ),
        (
            ["select", "-o", "x", "--size", "1"],
            "Missing argument 'DATA...': name a data file, or - for stdin.\nTry 'craig select "
            "--help'.",
        ),
        (
            ["verify", "cs.parquet"],
            "Missing argument 'DATA...': name a data file, or - for stdin.\n"
            "Try 'craig verify --help'.",
        ),
    ],
)
def test_usage_errors(craig, arguments, message):
    result = craig(*arguments)
    assert (result.code, result.out, result.err) == (2, "", f"craig: error: {message}\n")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a.csv", "a cell is empty", row=3), 3, "a.csv:3: a cell is empty."),
        (ResourceError("The disk is full."), 4, "The disk is full."),
        (MemoryError(), 4, "Not enough memory."),
        (MemoryError("Unable to allocate 8 GiB"), 4, "Not enough memory: Unable to allocate 8 GiB"),
        (OSError(28, "No space left on device", "/tmp/x"), 4, "No space left on device: /tmp/x."),
        (
            ContractError("a weight is odd."),
            1,
            "internal error: ContractError: a weight is odd. "
            "Please report it; --debug shows where.",
        ),
        (
            ValueError("two\nlines"),
            1,
            "internal error: ValueError: two\\nlines. Please report it; --debug shows where.",
        ),
    ],
)
def test_failures_are_one_line(craig, monkeypatch, error, code, line):
    def fail(path):
        raise error

    monkeypatch.setattr("craig_cli.workflows.info.describe_manifest", fail)
    result = craig("info", "cs.parquet")
    assert (result.code, result.out, result.err) == (code, "", f"craig: error: {line}\n")
    result = craig("info", "cs.parquet", "--debug")
    assert result.code == code
    assert result.err.startswith("Traceback") and result.err.endswith(f"craig: error: {line}\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_make_no_traceback(closed):
    result = subprocess.run(
        ["bash", "-c", f'"$0" -m craig_cli info nothing.parquet {closed}', sys.executable],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_red_only_on_a_terminal_without_no_color(monkeypatch, capsys):
    from craig_cli.cli.session import show_error

    monkeypatch.delenv("NO_COLOR", raising=False)
    show_error("a")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show_error("b")
    monkeypatch.setenv("NO_COLOR", "1")
    show_error("c")
    assert capsys.readouterr().err == (
        "craig: error: a\ncraig: \x1b[31m\x1b[1merror:\x1b[0m b\ncraig: error: c\n"
    )
