"""What several settings share: checks, in the words of the options, readings, and threads."""

from __future__ import annotations

import math
import os
import re

from craig_cli.errors import UsageError


def usable_threads() -> int:
    """Return the number of CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def check_name(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Raise `UsageError` unless `value` is one of `allowed`, or not given."""
    if value is not None and value not in allowed:
        raise UsageError(f"{option}: '{value}' is not one of {', '.join(allowed)}.")


def check_at_least(option: str, number: float | None, least: float) -> None:
    """Raise `UsageError` unless a number is at least so much, or not given."""
    if number is not None and not number >= least:
        raise UsageError(f"{option}: {number} is not at least {least}.")


def check_between(option: str, number: float, low: float, high: float) -> None:
    """Raise `UsageError` unless a number is in an interval, both ends included."""
    if not low <= number <= high:
        raise UsageError(f"{option}: {number} is not between {low} and {high}.")


def check_share(option: str, number: float | None) -> None:
    """Raise `UsageError` unless a number is a share of something, or not given."""
    if number is not None and not 0 < number <= 1:
        raise UsageError(f"{option}: {number} is not above 0 and at most 1.")


def check_positive(option: str, number: float | None) -> None:
    """Raise `UsageError` unless a number is finite and above 0, or not given."""
    if number is not None and not (number > 0 and math.isfinite(number)):
        raise UsageError(f"{option}: {number} is not a finite number above 0.")


def check_finite(option: str, number: float | None, least: float = 0) -> None:
    """Raise `UsageError` unless a number is finite and at least so much, or not given."""
    if number is not None and not (number >= least and math.isfinite(number)):
        raise UsageError(f"{option}: {number} is not a finite number of at least {least}.")


def check_seed(seed: int) -> None:
    """Raise `UsageError` unless a seed is one that generators take."""
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed: {seed} is not between 0 and 2^63 - 1.")


def check_threads(threads: int) -> None:
    """Raise `UsageError` unless a number of threads is one; 0 leaves the choice to craig."""
    if threads < 0:
        raise UsageError(f"--threads: {threads} is not at least 1.")
