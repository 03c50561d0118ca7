"""How much memory a file may take: what the machine has left, unless the user sets a limit."""

from __future__ import annotations

import os
import re
from pathlib import Path

UNKNOWN_BYTES = 4 << 30
"""Taken where the system does not tell."""
GROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""Limit and use of a container, and what the use is made of, below `GROUP_FOLDER`."""
GROUP_FOLDER = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Return the memory that this process may still take: free, or to be freed at once.

    Swap counts, and so does the limit of a container.
    """
    return min([machine_bytes(), *(left for names in GROUP_FILES if (left := group_bytes(*names)))])


def machine_bytes() -> int:
    """Return the free memory and swap of the machine; half of all its memory where only that is
    known.
    """
    try:
        told = Path("/proc/meminfo").read_text()
    except OSError:
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        except (OSError, ValueError):
            return UNKNOWN_BYTES
    found = re.findall(r"^(?:MemAvailable|SwapFree):\s*(\d+) kB$", told, re.MULTILINE)
    return sum(map(int, found)) * 1024 or UNKNOWN_BYTES


def group_bytes(limit_name: str, used_name: str, parts_name: str) -> int:
    """Return what is left of the limit of a container; 0 where there is none.

    Files that are kept in memory count as used, but give way.
    """
    try:
        limit, used = (int((GROUP_FOLDER / name).read_text()) for name in (limit_name, used_name))
        parts = (GROUP_FOLDER / parts_name).read_text()
    except (OSError, ValueError):  # no such file, or the word max
        return 0
    cached = re.search(r"^(?:total_)?inactive_file (\d+)$", parts, re.MULTILINE)
    return max(limit - used + (int(cached[1]) if cached else 0), 1)
