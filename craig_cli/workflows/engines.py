"""What runs the steps of a selection in parts: this process, one after the other, or the workers of
a Dask cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from craig_cli.settings.parts import PartSettings


class Engine(Protocol):
    """Runs functions whose arguments may be handles of what others return."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return a handle of ``function(*arguments)``."""

    def take(self, handle: Any, place: int) -> Any:
        """Return a handle of one item of what a handle stands for."""

    def result(self, handle: Any) -> Any:
        """Return what a handle, or each of a list of handles, stands for; raises what its function
        raised.
        """


class LocalEngine:
    """Runs every function at once, in this process."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    def take(self, handle: Any, place: int) -> Any:
        return handle[place]

    def result(self, handle: Any) -> Any:
        return handle


@contextmanager
def open_engine(settings: PartSettings, n_workers: int, memory_limit: int) -> Iterator[Engine]:
    """Give the engine of the settings; `n_workers` and `memory_limit` (bytes a worker, 0: none) are
    for a Dask cluster of this machine's own.
    """
    if settings.engine == "local":
        yield LocalEngine()
        return
    from craig_cli.workflows.dask_engine import open_dask

    with open_dask(settings.scheduler, n_workers, memory_limit) as engine:
        yield engine
