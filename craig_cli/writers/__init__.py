"""From chosen rows to files that other trainers read: the only place that knows what these expect."""

from craig_cli.writers.subset import Subset

__all__ = ["Subset"]
