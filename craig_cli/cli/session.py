"""What one run of the command line shares: how much it says, and where."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import click

from craig_cli.reports.base import Report, to_json
from craig_cli.reports.progress import ProgressLines, is_interactive


@dataclass
class Session:
    """Set by the options that all commands have.

    Attributes
    ----------
    quiet, verbose, debug : bool
    exit_code : int
        Of the command, once it has reported.
    """

    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    exit_code: int = 0

    def progress(self) -> ProgressLines:
        """Return a progress callback that is to be used in a ``with`` block."""
        return ProgressLines(
            sys.stderr,
            silent=self.quiet,
            interactive=is_interactive(sys.stderr),
            verbose=self.verbose,
        )

    def detail(self, message: str) -> None:
        """Say something that only ``--verbose`` asks for."""
        if self.verbose:
            click.echo(f"craig: {message}", err=True)

    def finish(self, report: Report, as_json: bool, summary_only: bool = False) -> None:
        """Give the report, as JSON or text, and keep its exit code.

        Parameters
        ----------
        report : Report
        as_json : bool
        summary_only : bool
            The text is no result, but a summary beside it: it goes to stderr, and not at all under
            ``--quiet``.
        """
        self.exit_code = report.exit_code
        if as_json:
            click.echo(to_json(report.facts()))
        elif not summary_only:
            click.echo(report.text())
        elif not self.quiet:
            click.echo(report.text() if self.verbose else report.summary(), err=True)


def show_error(message: str) -> None:
    """Write an error line to stderr, its first word in red where that helps."""
    colour = bool(sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    word = click.style("error:", fg="red", bold=True) if colour else "error:"
    click.echo(f"craig: {word} {message}", err=True, color=colour)
