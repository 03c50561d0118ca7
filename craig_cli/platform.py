"""What differs from system to system: the only module that names what Linux, macOS or Windows may
lack. Imported by every command: whatever takes long is imported in the functions.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

ENDING_SIGNALS: Mapping[int, str] = MappingProxyType(
    {
        int(getattr(signal, name)): word
        for name, word in (
            ("SIGINT", "interrupted"),
            ("SIGTERM", "terminated"),
            ("SIGHUP", "hung up"),
            ("SIGBREAK", "interrupted"),  # Ctrl-Break, which only Windows has
        )
        if hasattr(signal, name)
    }
)
"""Signals that ask a process to end, and what has happened, in a word or two."""
STREAM_PATHS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Paths that stand for open descriptors, where there are such."""
CLEAR = f"\r{' ' * 79}\r" if sys.platform == "win32" else "\r\x1b[K"
"""What empties a terminal's line; Windows' own do not all know how to."""
PROC = Path("/proc")
GROUP_FOLDER = Path("/sys/fs/cgroup")
GROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
"""Limit and use of a container, and what the use is made of, below `GROUP_FOLDER`."""
UNKNOWN_BYTES = 4 << 30
"""Free memory, where the system does not tell."""


def usable_threads() -> int:
    """Return the number of CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def signal_main_thread(number: int) -> None:
    """Send this process a signal; where it can be, what the main thread waits for is broken off."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:  # os.kill would end the process there, whatever handles the signal
        signal.raise_signal(number)


def end_with_parent() -> None:
    """End this process when the other end of its standard input is closed, be it by a kill.

    Linux sends a signal, so that a library that never returns is ended too. Elsewhere, as macOS
    ignores that signal, a thread waits, and such a library may keep it from being heard.
    """
    if sys.platform != "linux":
        threading.Thread(target=end_at_end_of_input, daemon=True).start()
        return
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # it has been closed already
        sys.exit(0)


def end_at_end_of_input() -> None:
    """Wait for the end of standard input, then end this process."""
    while os.read(0, 1):
        pass
    os._exit(0)


def told_by_linux(name: str) -> str:
    """Return the text of a file of ``/proc``; empty where there is none."""
    try:
        return (PROC / name).read_text(encoding="utf-8")
    except OSError:
        return ""


def told_by_windows(function: str, n_bytes: int, of_process: bool = False) -> list[int]:
    """Return the 8-byte numbers of a structure that kernel32 fills; empty where there is none.

    Its first 4 bytes are its size, `n_bytes`. Functions that tell of a process are given the handle
    of this one too, and the size once more.
    """
    import ctypes  # here, as this module is on the way of every command

    if not hasattr(ctypes, "WinDLL"):
        return []
    numbers = (ctypes.c_uint64 * (n_bytes // 8))(n_bytes)
    kernel32: Any = ctypes.WinDLL("kernel32")
    arguments: list[Any] = [ctypes.byref(numbers)]
    if of_process:
        arguments = [ctypes.c_void_p(-1), *arguments, ctypes.c_uint32(n_bytes)]
    return list(numbers) if kernel32[function](*arguments) else []


def windows_memory() -> list[int]:
    """Return MEMORYSTATUSEX: at 1 all memory, at 4 what may yet be asked for, swap counted."""
    return told_by_windows("GlobalMemoryStatusEx", 64)


def memory_bytes() -> int | None:
    """Return the memory of the machine, where it can be asked for."""
    if hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            pages: int = os.sysconf("SC_PHYS_PAGES")
            return pages * int(os.sysconf("SC_PAGE_SIZE"))
    told = windows_memory()
    return told[1] if told else None


def available_bytes() -> int:
    """Return the memory that this process may still take: free, or to be freed at once.

    Swap counts, and so does the limit of a container.
    """
    return min([machine_bytes(), *(left for names in GROUP_FILES if (left := group_bytes(*names)))])


def machine_bytes() -> int:
    """Return the free memory and swap of the machine; half of all its memory where only that is
    known.
    """
    found = re.findall(
        r"^(?:MemAvailable|SwapFree):\s*(\d+) kB$", told_by_linux("meminfo"), re.MULTILINE
    )
    if found:
        return sum(map(int, found)) * 1024
    if told := windows_memory():
        return told[4]
    return (memory_bytes() or 2 * UNKNOWN_BYTES) // 2


def group_bytes(limit_name: str, used_name: str, parts_name: str) -> int:
    """Return what is left of the limit of a container; 0 where there is none.

    Files that are kept in memory count as used, but give way.
    """
    try:
        limit, used, parts = (
            (GROUP_FOLDER / name).read_text(encoding="utf-8")
            for name in (limit_name, used_name, parts_name)
        )
        left = int(limit) - int(used)
    except (OSError, ValueError):  # no such file, or the word max
        return 0
    cached = re.search(r"^(?:total_)?inactive_file (\d+)$", parts, re.MULTILINE)
    return max(left + (int(cached[1]) if cached else 0), 1)


def peak_memory_bytes() -> int | None:
    """Return the largest memory this process has held; None where the system does not tell.

    Where Linux tells, it is without that of the process that started it, which `getrusage` counts.
    """
    found = re.search(r"^VmHWM:\s*(\d+) kB$", told_by_linux("self/status"), re.MULTILINE)
    if found:
        return int(found[1]) * 1024
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    told = told_by_windows("K32GetProcessMemoryInfo", 72, of_process=True)
    return told[1] if told else None


def limit_memory(n_bytes: int, most: int) -> None:
    """Let this process take so many bytes more than now, `most` in all.

    A second call may raise the limit of the first. Only Linux tells what is taken now: elsewhere
    nothing is done.
    """
    if sys.platform != "linux":
        return
    import resource

    taken = told_by_linux("self/statm").split()
    allowed = min(int(taken[0]) * resource.getpagesize() + n_bytes, most) if taken else most
    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, allowed)):
        hard = resource.getrlimit(kind)[1]
        with suppress(ValueError, OSError):
            resource.setrlimit(
                kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard)
            )


def user_number() -> int:
    """Return the number of the user; 0 where users have none, as under Windows."""
    return os.getuid() if hasattr(os, "getuid") else 0


def is_private(folder: os.stat_result) -> bool:
    """Return whether a folder is the user's, and closed to writers other than them.

    Windows does not tell by numbers and modes: a folder is taken to be as private as that above it.
    """
    if not hasattr(os, "getuid"):
        return True
    return folder.st_uid == os.getuid() and not folder.st_mode & 0o022


def path_of_url(path: str) -> str:
    """Return a path of this system, by that of a ``file://`` URL: ``/C:/x`` is ``C:/x``."""
    return path[1:] if sys.platform == "win32" and re.match("/[A-Za-z]:", path) else path


def is_terminal(path: str) -> bool:
    """Return whether a character device is a terminal. It is opened without waiting, and does not
    become that of this process.
    """
    flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


def is_broken_pipe(error: Exception) -> bool:
    """Return whether the reader of a pipe has gone. Windows says then that the argument is wrong,
    as it does of the name of a file.
    """
    return isinstance(error, BrokenPipeError) or (
        sys.platform == "win32"
        and isinstance(error, OSError)
        and error.errno == errno.EINVAL
        and error.filename is None
    )


class Scratch:
    """A temporary file for this process alone, read and written by several threads at once.

    The system gives its space back when the process ends in any way.
    """

    def __init__(self, folder: str) -> None:
        import tempfile

        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()

    def write(self, data: memoryview, place: int) -> int:
        """Write bytes at a place; return how many were."""
        if hasattr(os, "pwrite"):
            return int(os.pwrite(self._file.fileno(), data, place))
        with self._lock:
            self._file.seek(place)
            return self._file.write(data)

    def read(self, space: memoryview, place: int) -> int:
        """Fill bytes from a place; return how many there were, 0 at the end."""
        if hasattr(os, "preadv"):
            return int(os.preadv(self._file.fileno(), [space], place))
        with self._lock:
            self._file.seek(place)
            n_read: int = self._file.readinto(space)
            return n_read

    def truncate(self, n_bytes: int) -> None:
        """Cut the file, or add zeros."""
        self._file.truncate(n_bytes)

    @property
    def closed(self) -> bool:
        """Whether the space has been given back."""
        return self._file.closed

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


class TemporaryCopy:
    """A temporary file that can be opened once more by its path, as often as need be.

    Under Linux it has no name, so that not even a killed process leaves it behind, unless
    `has_name` asks for one.

    Attributes
    ----------
    file : binary file
        To be written, and flushed.
    """

    def __init__(self, has_name: bool = True) -> None:
        import tempfile

        self._descriptors = PROC / str(os.getpid()) / "fd"
        has_name = has_name or not self._descriptors.is_dir()
        # One that is deleted on closing cannot be opened twice under Windows.
        self.file: IO[bytes]
        if has_name:
            self.file = tempfile.NamedTemporaryFile(delete=False)  # noqa: SIM115
        else:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self._name = self.file.name if has_name else ""
        self._end = weakref.finalize(self, close_and_remove, self.file, self._name)

    @property
    def path(self) -> str:
        """What the file can be opened by."""
        return self._name or str(self._descriptors / str(self.file.fileno()))

    def __enter__(self) -> TemporaryCopy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file; no harm if it was before."""
        self._end()


def close_and_remove(file: IO[bytes], path: str) -> None:
    """Close a file and remove it, where it has a path; under Windows it stays if others have it
    open. What was not flushed is not missed, be the disk full.
    """
    with suppress(OSError):
        file.close()
    if path:
        with suppress(OSError):
            Path(path).unlink()
