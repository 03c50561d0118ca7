"""Weights of a coreset made anew, so that at pilot models its gradient is that of all rows. Knows
selection's result and training's problems.
"""

from craig_cli.calibration.coresets import calibrated_coreset, importance_scores
from craig_cli.calibration.costs import calibrating_bytes, calibrating_work
from craig_cli.calibration.rounds import Calibration, calibrate
from craig_cli.calibration.summary import CalibrationSummary

__all__ = [
    "Calibration",
    "CalibrationSummary",
    "calibrate",
    "calibrated_coreset",
    "calibrating_bytes",
    "calibrating_work",
    "importance_scores",
]
