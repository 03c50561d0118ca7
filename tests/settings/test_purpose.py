"""What follows from `--for`, and what it refuses."""

from __future__ import annotations

import pytest

from craig_cli.errors import UsageError
from craig_cli.settings.purpose import Purpose


@pytest.mark.parametrize(
    ("purpose", "case", "choices"),
    [
        (Purpose(), ("auto", False, True), ("varied", "auto")),
        (Purpose("linear"), ("exact", False, True), ("varied", "auto")),
        (Purpose("local"), ("auto", False, True), ("medoid", "cluster")),
        (Purpose(), ("random", False, True), ("medoid", "auto")),
        (Purpose(), ("auto", True, True), ("medoid", "cluster")),
        (Purpose(), ("auto", False, False), ("medoid", "cluster")),
        (Purpose(weights="calibrated"), ("auto", True, True), ("medoid", "calibrated")),
        (Purpose("local", weights="auto"), ("auto", False, True), ("medoid", "auto")),
        (Purpose("local", "random"), ("auto", False, True), ("random", "cluster")),
        (Purpose("linear", "medoid"), ("auto", True, True), ("medoid", "auto")),
        (Purpose("linear", weights="cluster"), ("auto", False, False), ("varied", "cluster")),
    ],
)
def test_choices(purpose, case, choices):
    assert purpose.choices(*case) == choices


@pytest.mark.parametrize(
    ("purpose", "case", "message"),
    [
        (
            "linear",
            (True, True),
            "--for linear: a budget of epsilon or of costs is kept by the picks themselves. Use "
            "--size, --fraction or --for local.",
        ),
        (
            "linear",
            (False, False),
            "--for linear: weights are calibrated at models that need labels, and there are none. "
            "Use --for local.",
        ),
    ],
)
def test_linear_cannot_be(purpose, case, message):
    with pytest.raises(UsageError) as caught:
        Purpose(purpose).choices("auto", *case)
    assert str(caught.value) == message


def test_unknown_purposes():
    with pytest.raises(UsageError) as caught:
        Purpose("trees")
    assert str(caught.value) == "--for: 'trees' is not one of linear, local."
