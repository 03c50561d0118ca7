"""Read each Parquet file of a folder in a process of its own, and print how each ends.

A line a file, in the order of names: exit code, bytes of memory taken, seconds of CPU. This is run
as a process, as one with threads, such as that of the tests, is not to be forked.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pyarrow

from craig_cli.errors import CraigError
from craig_cli.readers import parquet
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings

MOST_SECONDS = 20


def read_whole(path: Path) -> int:
    """Return how many rows are read."""
    (source,) = expand_sources(InputSettings((str(path),)))
    with parquet.open_table(source) as table:
        return sum(batch.num_rows for _, batch in table.batches(None, 1000))


def exit_code(path: Path) -> int:
    """Return that of a command that reads the file; 99 for an error that nobody foresaw."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        read_whole(path)
    except CraigError as error:
        return error.exit_code
    except BaseException:  # told by the exit code
        return 99
    return 0


def main(folder: str) -> None:
    """Read all files of the folder."""
    pyarrow.set_cpu_count(1)
    own = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    for path in sorted(Path(folder).iterdir()):
        if (child := os.fork()) == 0:
            os._exit(exit_code(path))
        _, status, used = os.wait4(child, 0)
        memory, seconds = used.ru_maxrss * 1024 - own, used.ru_utime + used.ru_stime
        print(os.waitstatus_to_exitcode(status), memory, seconds, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
