"""What a process that reads a file for another owes it: to end with it, and to take little."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import select
import signal
import sys
from pathlib import Path


def end_with_parent() -> None:
    """End this process when the other end of its standard input is closed, be it by a kill.

    The system sends the signal, so that a library that never returns is ended too.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # it has been closed already
        sys.exit(0)


def limit_memory(n_bytes: int, most: int) -> int:
    """Let this process take so many bytes more than now, `most` in all; return what it may take.

    A second call may raise the limit of the first. Only Linux tells what is taken now.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        allowed = min(pages * resource.getpagesize() + n_bytes, most)
    except (OSError, ValueError):
        allowed = most
    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, allowed)):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(
                kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard)
            )
    return allowed
