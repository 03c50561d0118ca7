"""What follows from `--for`, and what it refuses."""

from __future__ import annotations

import pytest

from craig_cli.errors import UsageError
from craig_cli.settings import DRAWN
from craig_cli.settings.purpose import Purpose


@pytest.mark.parametrize(
    ("purpose", "case", "choices"),
    [
        (Purpose(), ("auto", False, True), ("exchanged", "auto")),
        (Purpose("any"), ("exact", False, True, True), ("exchanged", "auto")),
        (Purpose("linear"), ("exact", False, True), ("exchanged", "auto")),
        (Purpose("local"), ("auto", False, True), ("medoid", "cluster")),
        (Purpose(), ("random", False, True), ("medoid", "auto")),
        (Purpose(), ("auto", True, True), ("medoid", "cluster")),
        (Purpose(), ("auto", False, False), ("medoid", "cluster")),
        (Purpose(weights="calibrated"), ("auto", True, True), ("medoid", "calibrated")),
        (Purpose("local", weights="auto"), ("auto", False, True), ("medoid", "auto")),
        (Purpose("local", "random"), ("auto", False, True), ("random", "cluster")),
        (Purpose("linear", "medoid"), ("auto", True, True), ("medoid", "auto")),
        (Purpose("linear", weights="cluster"), ("auto", False, False), ("exchanged", "cluster")),
    ],
)
def test_choices(purpose, case, choices):
    assert purpose.choices(*case) == choices


@pytest.mark.parametrize(
    ("purpose", "case", "allocation"),
    [
        (Purpose(), ("auto", False, True), "proportional"),
        (Purpose("any"), ("auto", False, True), "proportional"),
        (Purpose("linear"), ("exact", False, True), "power"),
        (Purpose("local"), ("auto", False, True), "proportional"),
        (Purpose("local", weights="calibrated"), ("auto", False, True), "proportional"),
        (Purpose("linear", "medoid", "cluster"), ("auto", False, True), "power"),
        *((Purpose(), (method, False, True), "proportional") for method in DRAWN),
        (Purpose(), ("auto", True, True), "proportional"),
        (Purpose("linear", "medoid"), ("auto", True, True), "proportional"),
        (Purpose(), ("auto", False, False), "proportional"),
        (Purpose(), ("auto", False, True, True), "proportional"),
        (Purpose("linear"), ("auto", False, True, True), "power"),
        (Purpose("linear"), ("auto", False, True, True, True), "proportional"),
        (Purpose("local", allocation="power"), ("auto", False, True, True, True), "power"),
        (Purpose(allocation="equal"), ("random", False, True), "equal"),
        (Purpose(allocation="proportional"), ("auto", False, True), "proportional"),
    ],
)
def test_allocations(purpose, case, allocation):
    assert purpose.allocated(*case) == allocation


@pytest.mark.parametrize("purpose", ["any", "linear"])
@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            (True, True),
            "--for {}: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        ),
        (
            (False, False),
            "--for {}: weights are calibrated at models that need labels, and there are none. "
            "Use --for local.",
        ),
    ],
)
def test_calibrated_weights_cannot_be(purpose, case, message):
    with pytest.raises(UsageError) as caught:
        Purpose(purpose).choices("auto", *case)
    assert str(caught.value) == message.format(purpose)


def test_unknown_purposes():
    with pytest.raises(UsageError) as caught:
        Purpose("trees")
    assert str(caught.value) == "--for: 'trees' is not one of any, linear, local."
    with pytest.raises(UsageError, match="--allocation: 'sqrt' is not one of auto, proportional, "):
        Purpose(allocation="sqrt")
