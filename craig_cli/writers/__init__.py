"""From chosen rows to files that other trainers read: all that craig knows of these is here."""

from craig_cli.writers.subset import Subset
from craig_cli.writers.target import Target, compressed, target_of, write_weights

__all__ = ["Subset", "Target", "compressed", "target_of", "write_weights"]
