"""``--tune``: first steps and decays tried on the same epochs, as the paper's experiments do, by
the training loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from craig_cli.dataset import Progress
from craig_cli.settings.training import TrainSettings
from craig_cli.training.result import Candidate, Fit

STEP_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the first step that is given, or else the solver's usual one."""
DECAYS = {
    "exponential": (0.5, 0.7, 0.85, 0.95),
    "k-inverse": (0.1, 0.5, 2.0),
    "power": (0.25, 0.5, 1.0),
    "constant": (0.0,),
}


def candidates(settings: TrainSettings) -> list[TrainSettings]:
    """Return the settings to try; a decay that the user gave is kept."""
    assert settings.step is not None and settings.schedule is not None
    decays = DECAYS[settings.schedule]
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
    """Return the fit of the candidate whose training loss is the lowest, the time and the passes of
    all of them counted as its own.

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
    chosen = [
        c
        for c in candidates(settings)
        if not keep_decay or c.decay == candidates(settings)[0].decay
    ]
    if keep_decay:
        chosen = [replace(c, decay=settings.decay) for c in chosen]
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
