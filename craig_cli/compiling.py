"""What compiling kernels has taken in this process: for the clocks of stages, and for progress.

Needs no numba: kernels write it, those above read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

HELPER_BYTES = 500_000_000
"""Memory that a process which compiles may take."""
Announce = Callable[[str, int, int | None], None]


@dataclass
class Compiling:
    """The account of this process.

    Attributes
    ----------
    seconds : float
        Spent so far.
    roads : tuple of str
        What the run is known to need, names in `craig_cli.kernels.ahead`.
    may_have_help : bool
        Of another process; it takes memory.
    announce : callable, optional
        A progress callback, called as stage ``compile`` for each kernel. Without one nothing is
        told, and nobody helps.
    helpers : list of subprocess.Popen
        Those that do.
    """

    seconds: float = 0.0
    roads: tuple[str, ...] = ()
    may_have_help: bool = True
    announce: Announce | None = None
    helpers: list[Popen] = field(default_factory=list)

    def end(self) -> None:
        """Announce nothing more, and end what helps."""
        self.announce, self.roads = None, ()
        while self.helpers:
            helper = self.helpers.pop()
            helper.kill()
            helper.communicate()


COMPILING = Compiling()
