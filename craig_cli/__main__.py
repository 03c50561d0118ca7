"""``python -m craig_cli``: the same as ``craig``."""

from craig_cli.cli import program

program()
