"""What several settings share: checks, in the words of the options, readings, and threads."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

from craig_cli.errors import UsageError
from craig_cli.platform import usable_threads
from craig_cli.settings.catalog import Entry, Format, Method, names

Table = tuple[Entry, ...] | tuple[Format, ...] | tuple[Method, ...]


class Threaded:
    """Settings that say how many threads to run."""

    threads: int

    @property
    def n_threads(self) -> int:
        """Threads to run: those asked for, else the CPUs this process may use."""
        return self.threads or usable_threads()


def parse_size(option: str, text: str) -> int:
    """Return the number of bytes in ``2G``, ``512MiB`` or ``1.5 TB``; raises `UsageError`."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(I?)B?", text.strip().upper())
    if found is None or (found[3] and not found[2]):
        raise UsageError(f"{option}: '{text}' is not a size such as 512M, 2G or 1.5GiB.")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " KMGT".index(found[2] or " "))


def size_in_words(n_bytes: int) -> str:
    """Return a number of bytes as `parse_size` takes it, rounded up to three digits or so."""
    return f"{-(-n_bytes // 10**6)}M" if n_bytes < 10**9 else f"{-(-n_bytes // 10**7) / 100:g}G"


def parse_numbers(option: str, text: str) -> tuple[float, ...]:
    """Return the numbers in a text with commas between; raises `UsageError`."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{option}: '{text}' is not a number, or several with commas between."
        ) from error


def refuse(is_wrong: object, message: str) -> None:
    """Raise `UsageError` where something is wrong."""
    if is_wrong:
        raise UsageError(message)


def check_name(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Raise `UsageError` unless `value` is one of `allowed`, or not given."""
    refuse(
        value is not None and value not in allowed,
        f"{option}: '{value}' is not one of {', '.join(allowed)}.",
    )


class Rule(NamedTuple):
    """What a number must be, in words, and whether one is."""

    words: str
    holds: Callable[[float], bool]


COUNT = Rule("at least 1", lambda number: number >= 1)
POSITIVE = Rule("a finite number above 0", lambda number: 0 < number < math.inf)
NOT_NEGATIVE = Rule("a finite number of at least 0", lambda number: 0 <= number < math.inf)
SHARE = Rule("above 0 and at most 1", lambda number: 0 < number <= 1)
SEED = Rule("between 0 and 2^63 - 1", lambda number: 0 <= number < 2**63)
THREADS = Rule("at least 1", lambda number: number >= 0)
"""0 leaves the choice to craig."""


def check_number(option: str, number: float | None, rule: Rule) -> None:
    """Raise `UsageError` unless a number keeps a rule, or is not given."""
    refuse(
        number is not None and not rule.holds(number),
        f"{option}: {number} is not {rule.words}.",
    )


class Checked:
    """Settings whose fields are checked one by one, in the words of their options."""

    CHECKS: ClassVar[Mapping[str, Rule | Table]] = {}
    """By field, the rule of a number, or the table that a name must be in."""
    OPTIONS: ClassVar[Mapping[str, str]] = {}
    """By field, the option, where it is not that of the same name."""

    def __post_init__(self) -> None:
        for field, allowed in self.CHECKS.items():
            option = self.OPTIONS.get(field, f"--{field.replace('_', '-')}")
            value = getattr(self, field)
            if isinstance(allowed, Rule):
                check_number(option, value, allowed)
            else:
                check_name(option, value, names(allowed))
