"""Kinds of options, and where the value of one comes from: command line, environment or file."""

from __future__ import annotations

import os
from typing import Any

import click
from click.core import ParameterSource

from craig_cli.settings import BUDGETS

EXCLUSIVE = (BUDGETS, ("label", "no_label"))
"""Options that exclude each other: one given with more authority displaces the others."""
AUTHORITY = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


class Option(click.Option):
    """An option that is also read from ``CRAIG_<COMMAND>_<OPTION>``, else ``CRAIG_<OPTION>``."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        name = str(self.name).upper()
        return (
            os.environ.get(f"CRAIG_{str(ctx.info_name).upper()}_{name}")
            or os.environ.get(f"CRAIG_{name}")
            or None
        )


class ColumnName(click.types.StringParamType):
    """A column's name; an environment variable gives several with commas between."""

    envvar_list_splitter = ","


class InputFile(click.types.StringParamType):
    """The name of a file that is read; ``-`` is stdin."""


def option(*declarations: str, **attributes: Any) -> Option:
    """Return an `Option`."""
    return Option(declarations, **attributes)


def source_of(ctx: click.Context, name: str) -> ParameterSource:
    """Return where the value of a parameter comes from."""
    return ctx.get_parameter_source(name) or ParameterSource.DEFAULT


def is_given(ctx: click.Context, name: str) -> bool:
    """Return whether somebody has given a parameter a value, and not just its default."""
    value = ctx.params.get(name)
    return (
        source_of(ctx, name) in AUTHORITY and value is not None and value is not False
    )  # 0 is a value


def displace(ctx: click.Context) -> None:
    """Drop values from `ctx` that one of more authority excludes."""
    for group in EXCLUSIVE:
        given = [name for name in group if is_given(ctx, name)]
        most = min((AUTHORITY.index(source_of(ctx, name)) for name in given), default=0)
        for name in given:
            if AUTHORITY.index(source_of(ctx, name)) > most:
                ctx.params[name] = False if ctx.params[name] is True else None
