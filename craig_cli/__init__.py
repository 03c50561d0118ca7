"""craig: small weighted subsets of training data (coresets) by the CRAIG method."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Coreset",
    "CraigError",
    "CraigWarning",
    "__version__",
    "evaluate_coreset",
    "load_coreset",
    "select_coreset",
]

if TYPE_CHECKING:
    from craig_cli.api.coreset import Coreset, load_coreset
    from craig_cli.api.evaluate import evaluate_coreset
    from craig_cli.api.select import select_coreset
    from craig_cli.errors import CraigError, CraigWarning

HOMES = {
    "Coreset": "api.coreset",
    "CraigError": "errors",
    "CraigWarning": "errors",
    "evaluate_coreset": "api.evaluate",
    "load_coreset": "api.coreset",
    "select_coreset": "api.select",
}


def __getattr__(name: str) -> object:
    # Imported on first use: `craig --help` must not load numpy.
    if name in HOMES:
        return getattr(importlib.import_module(f"craig_cli.{HOMES[name]}"), name)
    raise AttributeError(f"module 'craig_cli' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
