"""The checks that settings share, in the words of options that there are."""

from __future__ import annotations

from dataclasses import fields

import pytest

from craig_cli.cli.app import COMMANDS, load_command
from craig_cli.errors import UsageError
from craig_cli.settings import Budget, SelectionSettings, parse_size, usable_threads
from craig_cli.settings.apply import ApplySettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.checks import COUNT, NOT_NEGATIVE, POSITIVE, SEED, SHARE, check_number
from craig_cli.settings.evaluation import EvaluateSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.settings.parts import PartSettings
from craig_cli.settings.purpose import Purpose
from craig_cli.settings.training import TrainSettings

KINDS = (
    *(ApplySettings, Budget, CalibrationSettings, EvaluateSettings, NetworkSettings),
    *(PartSettings, Purpose, SelectionSettings, TrainSettings),
)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("kind", KINDS)
def test_checks_are_of_fields_and_in_the_words_of_options(kind):
    options = {
        word for entry in COMMANDS for p in load_command(entry.name).params for word in p.opts
    }
    assert set(kind.CHECKS) <= {field.name for field in fields(kind)}
    assert set(kind.OPTIONS) <= set(kind.CHECKS)
    assert {
        kind.OPTIONS.get(name, f"--{name.replace('_', '-')}") for name in kind.CHECKS
    } <= options


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (COUNT, (1, 10**9), (0, -1, NAN)),
        (POSITIVE, (1e-300, 1e300), (0, -1, NAN, INF)),
        (NOT_NEGATIVE, (0, 1e300), (-1e-300, NAN, INF, -INF)),
        (SHARE, (1e-300, 1), (0, 1.001, NAN, INF)),
        (SEED, (0, 2**63 - 1), (-1, 2**63)),
    ],
)
def test_rules(rule, good, bad):
    for number in (None, *good):
        check_number("--it", number, rule)
    for number in bad:
        with pytest.raises(UsageError) as caught:
            check_number("--it", number, rule)
        assert str(caught.value) == f"--it: {number} is not {rule.words}."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "--seed: -1 is not between 0 and 2^63 - 1."),
        ({"threads": -2}, "--threads: -2 is not at least 1."),
        ({"loss": "hinge"}, "--pilot-loss: 'hinge' is not one of logistic, "),
    ],
)
def test_calibration(settings, message):
    with pytest.raises(UsageError) as caught:
        CalibrationSettings(**settings)
    assert str(caught.value).startswith(message)


def test_threads_of_0_are_those_there_are():
    assert TrainSettings().n_threads == NetworkSettings(threads=0).n_threads == usable_threads()
    assert CalibrationSettings(threads=3).n_threads == 3


def test_sizes():
    assert [parse_size("--it", text) for text in ("0", "512M", "1.5GiB", "2 tb")] == [
        0,
        512 * 10**6,
        3 << 29,
        2 * 10**12,
    ]
