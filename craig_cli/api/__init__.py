"""The face in Python: the same door as the commands, with arguments for options."""

from craig_cli.api.coreset import Coreset, load_coreset
from craig_cli.api.select import select_coreset

__all__ = ["Coreset", "load_coreset", "select_coreset"]
