"""``--tune``: first steps and decays tried on the same epochs, as in the paper's experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from craig_cli.dataset import Progress
from craig_cli.settings.training import TrainSettings
from craig_cli.training.result import Candidate, Fit
from craig_cli.training.schedules import SCHEDULES

STEP_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the first step that is given, or else the solver's usual one."""


def candidates(settings: TrainSettings, keep_decay: bool) -> list[TrainSettings]:
    """Return the settings to try: all first steps with all decays, or with that of the settings."""
    assert settings.step is not None and settings.schedule is not None
    decays = (settings.decay,) if keep_decay else SCHEDULES[settings.schedule].decays
    return [
        replace(settings, step=settings.step * factor, decay=decay)
        for factor in STEP_FACTORS
        for decay in decays
    ]


def tuned(
    settings: TrainSettings,
    keep_decay: bool,
    run: Callable[[TrainSettings], Fit],
    progress: Progress,
) -> Fit:
    """Return the fit of the candidate whose training loss is the lowest.

    The time and the passes of all candidates are counted as its own.

    Parameters
    ----------
    settings : TrainSettings
        With nothing left open.
    keep_decay : bool
        Try only the decay that the settings have.
    run : callable
        Gives the fit of settings.
    progress : Progress
        Called with stage "tune", the candidates tried, and their number.
    """
    chosen = candidates(settings, keep_decay)
    fits = []
    for number, candidate in enumerate(chosen, 1):
        fits.append(run(candidate))
        progress("tune", number, len(chosen))
    best = min(fits, key=lambda fit: fit.objective)
    tried = tuple(
        Candidate(f.settings.step or 0.0, f.settings.decay or 0.0, f.objective) for f in fits
    )
    return replace(
        best, seconds=sum(f.seconds for f in fits), passes=sum(f.passes for f in fits), tried=tried
    )
