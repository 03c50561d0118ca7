"""The steps of a selection in parts as tasks on the workers of a Dask cluster. Rows and candidates
go from worker to worker; the client sees names and numbers. A worker that dies loses nothing but
time: its tasks run again elsewhere, and give the same.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from craig_cli import __version__
from craig_cli.errors import ResourceError, UsageError

CONNECT_SECONDS = 20


class DaskEngine:
    """Submits every function as a task; handles are futures."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)

    def take(self, handle: Any, place: int) -> Any:
        return self.submit(operator.getitem, handle, place)

    def result(self, handle: Any) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            return self._client.gather(handle)
        except KilledWorker as error:
            raise ResourceError(
                "The Dask workers died again and again on one task, as they do when their memory "
                "does not suffice. Make more --parts, or give "
                "the workers more memory."
            ) from error


def worker_version() -> str:
    """Return the version of craig that a worker runs."""
    return __version__


@contextmanager
def open_dask(scheduler: str | None, n_workers: int, memory_limit: int) -> Iterator[DaskEngine]:
    """Give an engine on the cluster of `scheduler`, or on `n_workers` processes of this machine
    with so many bytes each (0: as Dask has it).

    Raises
    ------
    UsageError
        Dask is not installed, the scheduler cannot be reached, or its workers run another version
        of craig.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError(
            "--engine dask: Dask is not installed. Run pip install 'craig-cli[dask]'."
        ) from error
    with ExitStack() as stack:
        if scheduler is None:
            limit = memory_limit or "auto"
            scheduler = stack.enter_context(
                LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    memory_limit=limit,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            ).scheduler_address
        try:
            client = stack.enter_context(Client(scheduler, timeout=CONNECT_SECONDS))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--scheduler: there is no Dask scheduler at '{scheduler}'. Give its "
                f"address, as tcp://host:8786."
            ) from error
        check_versions(client)
        yield DaskEngine(client)


def check_versions(client: Any) -> None:
    """Raise `UsageError` unless all workers there are run this version of craig."""
    try:
        found = set(client.run(worker_version).values())
    except Exception as error:  # whatever a worker without craig raises
        raise UsageError(
            f"--scheduler: craig {__version__} does not run on the workers: {error}. "
            f"Install it there."
        ) from error
    other = sorted(found - {__version__})
    if other:
        raise UsageError(
            f"--scheduler: the workers run craig {other[0]}, and this is "
            f"{__version__}. Install the same version."
        )
