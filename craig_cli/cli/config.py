"""``--config craig.toml``: options for all commands at the top, for one command in its table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from craig_cli.cli.parameters import IndexBase
from craig_cli.errors import UsageError, printable

NOT_IN_FILE = frozenset({"config", "help"})


def load_config(
    path: str,
    command: click.Command,
    commands: Mapping[str, click.Command],
    exclusive: tuple[tuple[str, ...], ...],
) -> dict[str, Any]:
    """Return the values that a file gives to the options of one command, by parameter name.

    Parameters
    ----------
    path : str
    command : click.Command
        The one that runs.
    commands : mapping
        All commands, by name: every table of the file is checked, whichever command runs.
    exclusive : tuple of tuple of str
        Options that exclude each other: one in the command's table displaces the others at the top.

    Raises
    ------
    UsageError
        The file cannot be read, names an option that does not exist, or gives a value of a wrong
        type.
    """
    name = printable(path)
    try:
        with Path(path).open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"--config: '{name}' cannot be read: {error.strerror}.") from error
    except ValueError as error:  # bad TOML, or bad UTF-8
        raise UsageError(f"--config: '{name}' is not TOML: {printable(str(error))}.") from error
    options = {key: option_names(value) for key, value in commands.items()}
    known_anywhere = {
        key: option for of_command in options.values() for key, option in of_command.items()
    }
    top: dict[str, Any] = {}
    table: dict[str, Any] = {}
    for key, value in content.items():
        if key in commands and isinstance(value, dict):
            checked = {
                k: check_value(f"{name}: [{key}]", k, v, options[key])
                for k, v in plain(value).items()
            }
            if commands[key] is command:
                table = checked
        else:
            top |= {
                k: check_value(f"{name}:", k, v, known_anywhere, tables=tuple(commands))
                for k, v in plain({key: value}).items()
            }
    displaced = {
        other for group in exclusive if any(key in table for key in group) for other in group
    }
    own = option_names(command)
    return {key: value for key, value in top.items() if key in own and key not in displaced} | table


def plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with dashes in its keys as underscores."""
    return {key.replace("-", "_"): value for key, value in table.items()}


def option_names(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command that a file may set, by parameter name."""
    return {
        p.name: p
        for p in command.params
        if isinstance(p, click.Option) and p.name is not None and p.name not in NOT_IN_FILE
    }


def check_value(
    place: str,
    key: str,
    value: Any,
    known: Mapping[str, click.Option],
    tables: tuple[str, ...] = (),
) -> Any:
    """Return a value, if its key is one of the `known` options and its type that of the option."""
    option = known.get(key)
    shown = printable(key.replace("_", "-"))
    if option is None:
        close = get_close_matches(key.replace("-", "_"), [*known, *tables], n=1)
        hint = f" Did you mean '{close[0].replace('_', '-')}'?" if close else ""
        raise UsageError(f"--config: {place} unknown key '{shown}'.{hint}")
    wanted, accepts = accepted(option)
    values = value if option.multiple and isinstance(value, list) else [value]
    if isinstance(value, list) != bool(option.multiple) or not all(
        type(item) in accepts for item in values
    ):
        raise UsageError(f"--config: {place} '{shown}' must be {wanted}, not {value!r}.")
    return value


def accepted(option: click.Option) -> tuple[str, tuple[type, ...]]:
    """Return what an option takes in a file: in words, and the types of TOML."""
    if option.multiple:
        return "a list of strings", (str,)
    if option.is_flag:
        return "true or false", (bool,)
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number", (int,)
    if isinstance(option.type, click.types.FloatParamType):
        return "a number", (float, int)
    if isinstance(option.type, IndexBase):
        return "auto or a whole number", (str, int)
    return "a string", (str,)
