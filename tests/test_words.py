"""Errors from Python in the words of arguments: every option that a message can name, and faces."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import craig_cli
from craig_cli import select_coreset
from craig_cli.errors import CraigError, InputError, ResourceError, UsageError
from craig_cli.words import ARGUMENTS, FLAGS, in_arguments, in_words, in_words_of

PACKAGE = Path(craig_cli.__file__).parent
BEHIND = ("api", "arrays", "asked", "dataset", "readers", "settings", "selection", "calibration",
          "storage", "training", "kernels")  # fmt: skip
"""What `select_coreset` can raise from."""
OF_OTHER_COMMANDS = {
    "--baselines", "--coreset", "--decay", "--epochs", "--fail-if", "--files-from", "--first",
    "--force", "--force-mismatch", "--help", "--hidden", "--init", "--loss",
    "--momentum", "--no-assign", "--order", "--output", "--pilot-l", "--plot",
    "--report", "--reselect-method", "--schedule", "--solver", "--step", "--test",
    "--to", "--tune", "--weight-name", "--weights-file",
}  # fmt: skip
"""Options that messages of the other commands name."""
ROWS = np.random.default_rng(0).normal(size=(20, 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Use --drop a, or --one-hot a.", "Use drop=['a'], or one_hot=['a']."),
        ("Use --drop a --drop 'the town', or --one-hot a --one-hot 'the town'.",
         "Use drop=['a', 'the town'], or one_hot=['a', 'the town']."),
        ("drop the column with --drop a.b.", "drop the column with drop=['a.b']."),
        ("Use --drop a --drop b ..., now.", "Use drop=['a', 'b', ...], now."),
        ("--drop 'it'\"'\"'s'", 'drop=["it\'s"]'),
        ("--drop: X has no column 'b'.", "drop: X has no column 'b'."),
        ("--drop and --features both name 'a': leave one out.",
         "drop and features both name 'a': leave one out."),
        ("Name the label column with --label COLUMN, or use --no-label.",
         "Name the label column with y='COLUMN', or use no_label=True."),
        ("Name it with --label FILE.npy.", "Name it with y='FILE.npy'."),
        ("--task regression needs a target: leave out --no-label.",
         "task='regression' needs a target: leave out no_label=True."),
        ("Use --size, --fraction or --for local.", "Use size, fraction or purpose='local'."),
        ("--method cells has no greedy order: use --method exact.",
         "method='cells' has no greedy order: use method='exact'."),
        ("Use --method exact or stochastic.", "Use method='exact' or stochastic."),
        ("Leave out --weight-column.", "Leave out sample_weight."),
        ("Use --parts 4 or less.", "Use parts=4 or less."),
        ("Give its format with --format.", "Give its format with format."),
        ("--header, -- and a--b stay", "header, -- and a--b stay"),
        ("Consider --scale standard.", "Consider scale='standard'."),
        ("--one-hot column 'a' is of type double", "one_hot column 'a' is of type double"),
    ],
)  # fmt: skip
def test_what_is_said(text, said):
    assert in_arguments(text) == said


def options_named():
    """Return every option that a text of the package names, where Python may raise it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).with_suffix("").parts[0] in BEHIND:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", node.value):
                        found.setdefault(option, node.value)
    return found


def test_every_option_in_a_message_has_an_argument():
    arguments = set(inspect.signature(select_coreset).parameters)
    named, left = options_named(), set()
    assert {"--drop", "--label", "--for", "--memory-limit"} <= set(named)
    for option, text in named.items():
        said = in_arguments(text)
        assert option not in said.split(), (option, said)
        argument = ARGUMENTS.get(option[2:], option[2:].replace("-", "_"))
        flag = FLAGS.get(option[2:], "").partition("=")[0]
        if argument not in arguments and flag not in arguments:
            left.add(option)
    assert left == OF_OTHER_COMMANDS


def test_errors_keep_their_kind_and_place():
    error = InputError("d.csv", "has --drop a", row=3, column=2, value="--x", remedy="--y.")
    told = in_words(error)
    assert str(told) == "d.csv:3:2: has drop=['a'] (value '--x'). y."
    told = in_words(InputError("X", "column 'a' is not finite", row=3, column=2))
    assert str(told) == "X: column 'a' is not finite, in row 2, counted from 0."
    told = in_words(ResourceError("Give a higher --memory-limit."))
    assert (type(told), str(told)) == (ResourceError, "Give a higher memory_limit.")


def test_an_outer_face_has_the_word():
    with (
        pytest.raises(UsageError, match=r"^random_state: no"),
        in_words_of({"seed": "random_state"}),
        in_words_of(),
    ):
        raise UsageError("--seed: no")
    with pytest.raises(UsageError, match=r"^seed: no"), in_words_of():
        raise UsageError("--seed: no")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "A budget is missing: give exactly one of fraction, size, epsilon, mean_epsilon or "
         "budget_cost."),
        ({"fraction": 5}, "fraction: 5 is not above 0 and at most 1. For 5 % write fraction=0.05."),
        ({"size": 3, "scale": "log"}, "scale: 'log' is not one of none, standard, minmax, unit."),
        ({"size": 3, "purpose": "linear"},
         "purpose='linear': weights are calibrated at models that need labels, and there are none. "
         "Use purpose='local'."),
        ({"epsilon": 1, "refine": True},
         "refine=True: the picks of an epsilon budget are a greedy prefix. Use size or fraction, "
         "or leave refine=True out."),
        ({"size": 3, "include": [1], "exclude": [1]},
         "include and exclude both name row 1: leave it out of one."),
        ({"size": 99}, "size: 99 rows asked for, the data has 20. Use size=20 or less."),
        ({"size": 3, "y": "a"},
         "y: the columns of X have no names. Give a table, or the name of a file."),
        ({"size": 3, "drop": "a"},
         "drop: the columns of X have no names. Give a table, or the name of a file."),
        ({"size": 3, "delimiter": ";"},
         "delimiter: it is for files, and X is in memory. Leave it out."),
        ({"size": 3, "memory_limit": "1G"},
         "memory_limit: the rows are in memory. Name files, or leave it out."),
        ({"size": 3, "memory_limit": "much"},
         "memory_limit: 'much' is not a size such as 512M, 2G or 1.5GiB."),
        ({"size": 3, "parts": 2}, "parts: they are of files, and X is in memory. Name files."),
        ({"size": 3, "paper": True, "method": "cells"},
         "paper=True leaves no choice of method: leave one of the two out."),
        ({"size": 3, "y": "a", "label": "b"}, "y and label are the same: give one of the two."),
        ({"size": 3, "proxy": ROWS[:4]}, "proxy: it has 4 rows, and the data 20."),
        ({"size": 3, "proxy": [["a"]] * 20}, "proxy: holds <U1, not real numbers."),
    ],
)  # fmt: skip
def test_errors_of_select_coreset(arguments, message):
    with pytest.raises(CraigError) as caught:
        select_coreset(ROWS, **arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("onehot", "one_hot"),
        ("fractoin", "fraction"),
        ("random_state", "seed"),
        ("frac", "fraction"),
    ],
)
def test_an_argument_that_there_is_not(name, meant):
    with pytest.raises(TypeError, match=rf"argument '{name}'\. Did you mean '{meant}'\?"):
        select_coreset(ROWS, **{name: 3})
    with pytest.raises(TypeError, match=r"argument 'zzz'$"):
        select_coreset(ROWS, zzz=3)


@pytest.mark.needs("scikit-learn")
def test_scikit_learn_has_words_of_its_own():
    from craig_cli.sklearn import CraigSelector

    with pytest.raises(ValueError, match=r"^random_state: -1 is not between"):
        CraigSelector(size=3, random_state=-1).fit(ROWS)


@pytest.mark.needs("torch")
def test_torch_has_words_of_its_own():
    from craig_cli.torch import CoresetSampler

    with pytest.raises(UsageError, match=r"^every: 0 is not at least 1"):
        CoresetSampler([0, 1], fraction=0.5, every=0)
    for labels in ([0.5, 1], [np.nan, 1], [-1, 0], np.ma.masked_array([0, 1], [True, False])):
        with pytest.raises(CraigError, match=r"^labels: "):
            CoresetSampler(labels, fraction=0.5)
