"""Kinds of options, and where the value of one comes from: command line, environment or file."""

from __future__ import annotations

import os
from typing import Any

import click
from click.core import ParameterSource

from craig_cli.errors import printable
from craig_cli.settings import BUDGETS
from craig_cli.settings.shares import check_rows, check_share, is_share, percentage

EXCLUSIVE = (BUDGETS, ("label", "no_label"))
"""Options that exclude each other: one given with more authority displaces the others."""
AUTHORITY = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


TAKEN = ("DATA",)
"""``CRAIG_DATA`` is where the benchmarks and tests look for data sets."""


class Option(click.Option):
    """An option that is also read from ``CRAIG_<COMMAND>_<OPTION>``, else ``CRAIG_<OPTION>``; the
    latter not where it means something else.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        name = str(self.name).upper()
        own = os.environ.get(f"CRAIG_{str(ctx.info_name).upper()}_{name}")
        general = None if name in TAKEN else os.environ.get(f"CRAIG_{name}")
        return own or general or None


class Text(click.types.StringParamType):
    """A text; the bytes of a name of a file may be any, those of others are UTF-8."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text: str = super().convert(value, param, ctx)
        if not self.is_fine(text):
            self.fail(f"'{printable(text)}' is not {self.words}.", param, ctx)
        return text

    words = "UTF-8 text"

    def is_fine(self, text: str) -> bool:
        """Return whether a text is one that this type allows."""
        return not any("\ud800" <= character <= "\udfff" for character in text)


class ColumnName(Text):
    """A column's name; an environment variable gives several with commas between."""

    envvar_list_splitter = ","


class FileName(Text):
    """The name of a file."""

    words = "a name of a file"

    def is_fine(self, text: str) -> bool:
        return text != ""


class InputFile(FileName):
    """The name of a file that is read; ``-`` is stdin."""


class WholeNumber(click.types.IntParamType):
    """A number that 64 bits hold."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = super().convert(value, param, ctx)
        if abs(number) >= 2**63:
            self.fail(f"{number} has too many digits.", param, ctx)
        return number


class IndexBase(click.ParamType):
    """A whole number, or auto."""

    name = "integer"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        return "auto" if value == "auto" else WholeNumber().convert(value, param, ctx)


class Share(click.types.FloatParamType):
    """A share of the rows; ``10%`` is told what to write."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if percentage(value) is not None:
            check_share("--fraction", value, "--fraction ")
        number: float = super().convert(value, param, ctx)
        return number


class RowCount(WholeNumber):
    """A number of rows; a share of them is told what to write."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if is_share(value) or (isinstance(value, str) and percentage(value) is not None):
            check_rows("--size", value, "--fraction ")
        return super().convert(value, param, ctx)


def option(*declarations: str, **attributes: Any) -> Option:
    """Return an `Option`: of texts, unless its type or a flag is given; int is `WholeNumber`."""
    if attributes.get("type") is int:
        attributes["type"] = WholeNumber()
    elif "is_flag" not in attributes:
        attributes.setdefault("type", Text())
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
