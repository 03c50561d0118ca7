"""The request of a selection: every option that changes the numbers, as the manifest keeps it, and
back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from craig_cli.errors import CraigError, ManifestError, UsageError, printable
from craig_cli.files.manifest import Manifest
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings

NOT_KEPT = frozenset(
    (
        *("paths", "block_bytes", "memory_bytes", "threads", "memory_limit", "proxy"),
        *("amounts_needed", "task_given", "strict"),
    )
)
"""Settings that change no number, or that the manifest must not tell."""
ALWAYS_KEPT = frozenset(
    {
        "format",
        "label",
        "no_label",
        "task",
        "index_base",
        "on_error",
        "drop",
        "one_hot",
        "delimiter",
        "header",
        "rows_key",
    }
)
"""Settings of reading that the first manifests have; later ones are kept where they are not the
default, so that what did not ask for them stays the same, byte for byte.
"""

LATER = {"allocation": "proportional"}
"""Settings of the selection that the first manifests do not have, and what these mean; likewise."""


def describe_request(
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings | None = None,
    proxy: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the request in JSON types; calibration and a proxy only where they play a part."""
    budget = {name: value for name, value in asdict(selection.budget).items() if value is not None}
    choices = {
        name: value
        for name, value in asdict(selection).items()
        if name not in NOT_KEPT | {"budget"} and value not in ((), LATER.get(name))
    }
    choices = {
        name: list(value) if isinstance(value, tuple) else value for name, value in choices.items()
    }
    request = {"budget": budget, "input": describe_inputs(inputs), **choices}
    if calibration is not None and (
        calibration.weights != "cluster" or selection.method == "importance"
    ):
        request["calibration"] = describe_calibration(calibration)
    if proxy is not None:
        request["proxy"] = dict(proxy)
    return request


def check_not_proxied(option: str, source: str, request: Mapping[str, Any]) -> None:
    """Raise `UsageError` if a manifest was selected by a proxy, whose rows are not at hand to make
    clusters of.
    """
    if "proxy" in request:
        raise UsageError(
            f"{option}: '{source}' was selected by a proxy, and new clusters need its "
            f"rows. Select so many with --proxy instead."
        )


def describe_calibration(calibration: CalibrationSettings) -> dict[str, Any]:
    """Return how weights are calibrated, in JSON types."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(calibration).items()
        if name not in NOT_KEPT
    }


def restore_calibration(
    source: str, request: Mapping[str, Any], threads: int
) -> CalibrationSettings:
    """Return the settings that `describe_calibration` recorded; the defaults where it has not.
    Raises `ManifestError` for what it cannot have.

    Earlier versions had rounds, which count no more.
    """
    try:
        recorded: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in request.get("calibration", {}).items()
            if name != "rounds"
        }
        return replace(CalibrationSettings(**recorded), threads=threads)
    except (TypeError, AttributeError, CraigError) as error:
        raise ManifestError(
            source, "footer: 'request' is not one of this version of craig"
        ) from error


def describe_inputs(inputs: InputSettings) -> dict[str, Any]:
    """Return how the data is read, in JSON types."""
    defaults = asdict(InputSettings(inputs.paths))
    kept = {
        name: value
        for name, value in asdict(inputs).items()
        if name not in NOT_KEPT and (name in ALWAYS_KEPT or value != defaults[name])
    }
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }


def restore_settings(
    source: str,
    request: Mapping[str, Any],
    paths: tuple[str, ...],
    overrides: Mapping[str, Any],
    threads: int,
) -> tuple[InputSettings, SelectionSettings]:
    """Return the settings that a request was made of, for other paths.

    Parameters
    ----------
    source : str
        The manifest, for messages.
    request : mapping
        As `describe_request` made it.
    overrides : mapping
        Reading options that the user gives now, by their name in `InputSettings`.

    Raises
    ------
    ManifestError
        The request is not one that this version can have made.
    """
    try:
        choices: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in request.items()
            if name not in ("input", "budget", "calibration", "first", "proxy", "partition")
        }
        reading = request["input"]
        selection = SelectionSettings(Budget(**request["budget"]), **choices)
    except (KeyError, TypeError, AttributeError, CraigError) as error:
        raise ManifestError(
            source, "footer: 'request' is not one of this version of craig"
        ) from error
    return restore_inputs(source, reading, paths, overrides), replace(selection, threads=threads)


def restore_inputs(
    source: str, recorded: Mapping[str, Any], paths: tuple[str, ...], overrides: Mapping[str, Any]
) -> InputSettings:
    """Return the settings that `describe_inputs` recorded, for other paths; of `overrides`,
    ``label`` and ``no_label`` displace each other.
    """
    try:
        reading: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in recorded.items()
        }
        InputSettings(paths, **reading)
    except (TypeError, AttributeError, CraigError) as error:
        raise ManifestError(
            source, "footer: 'request' is not one of this version of craig"
        ) from error
    if "label" in overrides:
        reading["no_label"] = False
    if "no_label" in overrides:
        reading["label"] = None
    return InputSettings(paths, **(reading | {"task_given": True} | dict(overrides)))


def extended(source: str, manifest: Manifest, selection: SelectionSettings) -> SelectionSettings:
    """Return the settings that go on from the picks of a manifest; raises `UsageError` where its
    distances are others.
    """
    coreset = manifest.coreset
    for name in ("metric", "scale", "task"):
        then, now = getattr(coreset, name), getattr(selection, name)
        if then != now:
            raise UsageError(
                f"--extend: {printable(source)} was selected with --{name} {then}, "
                f"and this is {now}. Give --{name} {then}."
            )
    picks = coreset.picks
    return replace(selection, extend=tuple(picks.tolist()))
