"""Weights made anew, so that the gradient at pilot models is that of all rows; the door to both.

Knows selection's result and training's problems; selection and training know nothing of this.
"""

from craig_cli.calibration.calibrator import Calibration, Calibrator
from craig_cli.calibration.coresets import (
    calibrated_coreset,
    calibrated_prefix,
    calibrated_prefixes,
    make_coreset,
    too_wide,
)
from craig_cli.calibration.costs import (
    calibrating_bytes,
    calibrating_work,
    fits_beside,
    shape_of_calibration,
)
from craig_cli.calibration.problems import importance_scores
from craig_cli.calibration.summary import CalibrationSummary

__all__ = [
    "Calibration",
    "CalibrationSummary",
    "Calibrator",
    "calibrated_coreset",
    "calibrated_prefix",
    "calibrated_prefixes",
    "calibrating_bytes",
    "calibrating_work",
    "fits_beside",
    "importance_scores",
    "make_coreset",
    "shape_of_calibration",
    "too_wide",
]
