"""craig: small weighted subsets of training data (coresets) by the CRAIG method."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Coreset", "__version__", "select_coreset"]

if TYPE_CHECKING:
    from craig_cli.api import select_coreset
    from craig_cli.selection import Coreset


def __getattr__(name: str) -> object:
    # Imported on first use: `craig --help` must not load numpy.
    if name == "select_coreset":
        from craig_cli.api import select_coreset

        return select_coreset
    if name == "Coreset":
        from craig_cli.selection import Coreset

        return Coreset
    raise AttributeError(f"module 'craig_cli' has no attribute '{name}'")
