"""What is wrong with a table, told of all of its columns in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from craig_cli.errors import CraigError, InputError, TableError, printable
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

MOST_CELLS = 4_000_000
"""Cells that are looked at to explain an error: a second or two."""
UNFIT = (CraigError, ValueError, NotImplementedError, OSError)
"""What a second look may raise, Arrow's errors among them: the first error is then told alone."""


@contextmanager
def explained(sources: Sequence[Source], settings: InputSettings) -> Iterator[None]:
    """Add a report of all columns to an `InputError`, where columns of a table cannot be used."""
    try:
        yield
    except TableError:
        raise
    except InputError as error:
        report = report_of(sources, settings)
        if report is None:
            raise
        raise TableError(error, report) from error


def report_of(sources: Sequence[Source], settings: InputSettings) -> str | None:
    """Return what all columns of tables hold, and a command that works; None where the columns can
    be used as they are, or this is no table.
    """
    if not sources or any(source.reader.read_columns is None for source in sources):
        return None
    from craig_cli.readers.profile import profile_sources  # only for errors: it takes Arrow
    from craig_cli.readers.proposal import SHOWN_IN_ERROR, propose

    try:
        proposal = propose(
            profile_sources(sources, settings, most_cells=MOST_CELLS), settings, settings.paths
        )
    except UNFIT:
        return None
    if proposal.is_ready or not proposal.uses:
        return None
    profile = proposal.profile
    among = "" if profile.is_whole else f", by the first {profile.rows:,} rows"
    return "\n".join(
        [
            f"All columns{among} (more: craig describe):",
            *proposal.lines(SHOWN_IN_ERROR),
            *proposal.notes,
            *command_lines(proposal.command, profile.is_whole),
        ]
    )


def command_lines(command: str, is_sure: bool) -> list[str]:
    """Return what is said of a command that is proposed."""
    if not command:
        return []
    return [f"This command {'works' if is_sure else 'should work'}:", f"  {printable(command)}"]
