"""Checks and readings that several settings share."""

from __future__ import annotations

import os
import re

from craig_cli.errors import UsageError


def usable_threads() -> int:
    """Return the number of CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse_size(option: str, text: str) -> int:
    """Return a number of bytes written as ``2G``, ``512MiB`` or ``1.5 TB``; raises `UsageError` for
    anything else.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(I?)B?", text.strip().upper())
    if found is None or (found[3] and not found[2]):
        raise UsageError(f"{option}: '{text}' is not a size such as 512M, 2G or 1.5GiB.")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " KMGT".index(found[2] or " "))


def size_in_words(n_bytes: int) -> str:
    """Return a number of bytes as `parse_size` takes it, rounded up to three digits or so."""
    return f"{-(-n_bytes // 10**6)}M" if n_bytes < 10**9 else f"{-(-n_bytes // 10**7) / 100:g}G"


def check_name(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise `UsageError` unless `value` is one of `allowed`."""
    if value not in allowed:
        raise UsageError(f"{option}: '{value}' is not one of {', '.join(allowed)}.")
