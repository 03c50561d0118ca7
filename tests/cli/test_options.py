"""Where the value of an option comes from: command line over environment over file."""

from __future__ import annotations

import shlex

import click
import pytest

from craig_cli.cli.parameters import Option
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.catalog import METHODS, names

BUDGETS = "--fraction, --size, --epsilon, --mean-epsilon or --budget-cost"


class Stop(Exception):
    """Raised in place of the work."""


@pytest.fixture
def asked(craig, monkeypatch):
    """Return what a command line asks of the workflow."""

    def run(*arguments):
        seen = {}

        def work(inputs, selection, output, *, force, **more):
            seen.update(inputs=inputs, selection=selection, output=output, force=force)
            raise Stop

        monkeypatch.setattr("craig_cli.workflows.select.select_to_file", work)
        result = craig("select", *arguments)
        assert seen, result.err
        return seen

    return run


def test_defaults_are_those_of_the_settings(asked):
    seen = asked("d.csv", "--size", "3", "-o", "x")
    assert seen == {
        "inputs": InputSettings(("d.csv",)),
        "selection": SelectionSettings(Budget(size=3), representative="exchanged"),
        "output": "x",
        "force": False,
    }


def test_every_option_reaches_the_settings(asked):
    seen = asked(
        *shlex.split(
            "--fraction 0.5 --method random --metric cosine --scale unit --seed 7 "
            "--threads 3 --format tsv --label z --task regression"
        ),
        *shlex.split(
            "--index-base 0 --on-error skip --drop p --drop q --one-hot r --delimiter ';' "
            "--no-header --rows-key k --inline-weights read --force -o x"
        ),
        *shlex.split("--decimal , --thousands ' ' --partition-columns"),
        *("--", "-d.csv", "e.csv"),
    )
    assert seen["inputs"] == InputSettings(
        ("-d.csv", "e.csv"), "tsv", "z", False, "regression", 0, "skip", ("p", "q"), ("r",), ";",
        False, "k", inline_weights="read", decimal=",", thousands=" ", partition_columns=True,
        task_given=True,
    )  # fmt: skip
    assert seen["selection"] == SelectionSettings(
        Budget(fraction=0.5), "random", "cosine", "unit", 7, 3, "regression"
    )
    assert seen["force"]


@pytest.mark.parametrize(("text", "base"), [("0", 0), ('"auto"', "auto"), ('"1"', 1)])
def test_an_index_base_in_a_file_is_a_number_or_auto(asked, own_folder, text, base):
    (own_folder / "craig.toml").write_text(f"index-base = {text}\n")
    words = ("d", "--size", "3", "--config", "craig.toml", "-o", "x")
    assert asked(*words)["inputs"].index_base == base


def test_command_line_over_environment_over_file(asked, own_folder, monkeypatch):
    (own_folder / "craig.toml").write_text(
        'seed = 1\nmethod = "random"\nmetric = "cosine"\n[select]\nseed = 2\nindex-base = 0\n'
        "[info]\njson = true\n"
    )
    monkeypatch.setenv("CRAIG_CONFIG", "craig.toml")
    seen = asked("d", "--size", "3", "-o", "x")
    assert (seen["selection"].seed, seen["selection"].method, seen["inputs"].index_base) == (
        2,
        "random",
        0,
    )
    monkeypatch.setenv("CRAIG_SEED", "3")
    assert asked("d", "--size", "3", "-o", "x")["selection"].seed == 3
    monkeypatch.setenv("CRAIG_SELECT_SEED", "4")
    assert asked("d", "--size", "3", "-o", "x")["selection"].seed == 4
    seen = asked("d", "--size", "3", "-o", "x", "--seed", "5")
    assert (seen["selection"].seed, seen["selection"].metric) == (5, "cosine")


def test_repeated_options_from_environment_and_file(asked, own_folder, monkeypatch):
    (own_folder / "craig.toml").write_text('drop = ["a, b", "c"]\n')
    assert asked("d", "--size", "3", "-o", "x", "--config", "craig.toml")["inputs"].drop == (
        "a, b",
        "c",
    )
    monkeypatch.setenv("CRAIG_DROP", "row id,b")
    assert asked("d", "--size", "3", "-o", "x", "--config", "craig.toml")["inputs"].drop == (
        "row id",
        "b",
    )


def test_a_budget_displaces_those_of_less_authority(asked, own_folder, monkeypatch):
    (own_folder / "craig.toml").write_text("fraction = 0.5\n[select]\nsize = 4\n")
    assert asked("d", "-o", "x", "--config", "craig.toml")["selection"].budget == Budget(size=4)
    monkeypatch.setenv("CRAIG_EPSILON", "7")
    assert asked("d", "-o", "x", "--config", "craig.toml")["selection"].budget == Budget(epsilon=7)
    assert asked("d", "-o", "x", "--config", "craig.toml", "--mean-epsilon", "1")[
        "selection"
    ].budget == Budget(mean_epsilon=1)


def test_label_and_no_label_displace_each_other(asked, monkeypatch):
    monkeypatch.setenv("CRAIG_LABEL", "z")
    assert asked("d", "--size", "3", "-o", "x", "--no-label")["inputs"] == InputSettings(
        ("d",), no_label=True
    )
    monkeypatch.setenv("CRAIG_SELECT_NO_LABEL", "0")
    assert asked("d", "--size", "3", "-o", "x")["inputs"] == InputSettings(("d",), label="z")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], f"A budget is missing: give exactly one of {BUDGETS}."),
        (
            ["--size", "3", "--epsilon", "1"],
            f"--size and --epsilon exclude each other: give exactly one of {BUDGETS}.",
        ),
        (
            ["--fraction", "1.5"],
            "--fraction: 1.5 is not above 0 and at most 1. For 1.5 % write --fraction 0.015.",
        ),
        (
            ["--fraction", "5"],
            "--fraction: 5.0 is not above 0 and at most 1. For 5 % write --fraction 0.05.",
        ),
        (
            ["--fraction", "10%"],
            "--fraction: '10%' is not a number above 0 and at most 1. For 10 % write --fraction "
            "0.1.",
        ),
        (["--fraction", "500"], "--fraction: 500.0 is not above 0 and at most 1."),
        (
            ["--size", "10%"],
            "--size: '10%' is not a whole number of rows. For 10 % of the rows write --fraction "
            "0.1.",
        ),
        (
            ["--size", "0.1"],
            "--size: '0.1' is not a whole number of rows. For 10 % of the rows write --fraction "
            "0.1.",
        ),
        (["--fraction", "nan"], "--fraction: nan is not above 0 and at most 1."),
        (["--size", "0"], "--size: 0 is not at least 1."),
        (["--size", "3", "--index-base", "2"], "--index-base: 2 is not auto, 0 or 1."),
        (
            ["--size", "3", "--no-label", "--label", "z"],
            "--no-label and --label exclude each other: leave one out.",
        ),
        (["--size", "3", "--threads", "-1"], "--threads: -1 is not at least 1."),
        (
            ["--size", "3", "--json", "-o", "-"],
            "--json and --output - both write to stdout: choose one.",
        ),
    ],
)
def test_settings_speak_in_the_words_of_the_options(craig, arguments, message):
    result = craig("select", "d", "-o", "x", *arguments)
    assert (result.code, result.err) == (2, f"craig: error: {message}\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("fracton = 0.1", "craig.toml: unknown key 'fracton'. Did you mean 'fraction'?"),
        ("[slect]\nsize = 1", "craig.toml: unknown key 'slect'. Did you mean 'select'?"),
        ("[info]\nsize = 1", "craig.toml: [info] unknown key 'size'."),
        ("[select]\nsede = 1", "craig.toml: [select] unknown key 'sede'. Did you mean 'seed'?"),
        ("size = true", "craig.toml: 'size' must be a whole number, not True."),
        ("size = 1.5", "craig.toml: 'size' must be a whole number, not 1.5."),
        ("fraction = '0.1'", "craig.toml: 'fraction' must be a number, not '0.1'."),
        ("drop = 'a'", "craig.toml: 'drop' must be a list of strings, not 'a'."),
        ("drop = [1]", "craig.toml: 'drop' must be a list of strings, not [1]."),
        ("quiet = 1", "craig.toml: 'quiet' must be true or false, not 1."),
        ("label = 3", "craig.toml: 'label' must be a string, not 3."),
        ("config = 'x'", "craig.toml: unknown key 'config'."),
        ("size = ", "'craig.toml' is not TOML: Invalid value (at end of document)."),
    ],
)
def test_a_bad_file_is_refused(craig, own_folder, content, message):
    (own_folder / "craig.toml").write_text(content)
    result = craig("select", "d", "-o", "x", "--config", "craig.toml", "--size", "1")
    assert (result.code, result.err) == (2, f"craig: error: --config: {message}\n")


def test_a_file_that_is_not_there_is_refused(craig):
    result = craig("info", "x", "--config", "no.toml")
    assert (result.code, result.err) == (
        2,
        "craig: error: --config: 'no.toml' cannot be read: No such file or directory.\n",
    )


def test_the_folder_of_data_sets_is_no_option_of_merge(craig, monkeypatch):
    """``CRAIG_DATA`` is the benchmarks'; the option's own variable still counts."""
    monkeypatch.setenv("CRAIG_DATA", "somewhere")
    result = craig("merge", "a.partial", "-o", "x")
    assert "a.partial" in result.err and "somewhere" not in result.err
    monkeypatch.setenv("CRAIG_MERGE_DATA", "elsewhere")
    assert (
        Option(["--data"]).resolve_envvar_value(
            click.Context(click.Command("merge"), info_name="merge")
        )
        == "elsewhere"
    )


def test_bad_values_in_the_environment_are_usage_errors(craig, monkeypatch):
    monkeypatch.setenv("CRAIG_METHOD", "best")
    result = craig("select", "d", "-o", "x", "--size", "1")
    assert (result.code, result.err) == (
        2,
        f"craig: error: Invalid value for '--method': 'best' is not one of "
        f"{', '.join(map(repr, names(METHODS)))}.\nTry 'craig select --help'.\n",
    )
