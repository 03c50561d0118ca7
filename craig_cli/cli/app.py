"""The group of commands, each imported when it is used; any failure becomes a line and a code."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from craig_cli import __version__
from craig_cli.cli.session import Session, show_error
from craig_cli.cli.signals import Signals
from craig_cli.errors import ContractError, CraigError, ResourceError, UsageError, printable
from craig_cli.platform import is_broken_pipe
from craig_cli.settings.catalog import Entry

COMMANDS = (
    Entry("select", "Select a small weighted subset of the rows, and write it as a manifest."),
    Entry(
        "merge", "Make the coreset of all shards from the candidates of each (select --partial)."
    ),
    Entry(
        "calibrate",
        "Make the weights of a manifest anew, so that they give the gradients of all rows at "
        "pilot models.",
    ),
    Entry("apply", "Write the chosen rows, with their weights, for another trainer."),
    Entry("train", "Train a linear model, or a network, on a coreset or on all rows."),
    Entry("evaluate", "Compare a coreset with all rows, and with random ones."),
    Entry("predict", "Predict the rows of a data set by a trained model."),
    Entry("describe", "Show what the columns of data hold, and a command that selects from it."),
    Entry("info", "Show what a manifest says."),
    Entry("plot", "Show epsilon, gains, weights and rows of a manifest, as text or as a picture."),
    Entry("diff", "Compare two manifests."),
    Entry("verify", "Check a manifest against its data."),
    Entry("doctor", "Show what this installation runs on, and whether it works."),
    Entry("completion", "Print what makes a shell complete commands and options."),
)

EXIT_CODES = (
    ("0", "done"),
    ("1", "internal error: a defect of craig"),
    ("2", "usage: wrong or contradicting options"),
    ("3", "bad input data, or a bad manifest"),
    ("4", "not enough memory or disk"),
    ("5", "a check failed"),
    (
        "130",
        "interrupted by Ctrl-C (129: hung up, 143: terminated, 141: the reader of a pipe has gone)",
    ),
)

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, ``craig_cli.cli.<name>.command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], known, n=1)
            ctx.fail(
                f"No such command '{args[0]}'."
                + (f" Did you mean '{close[0]}'?" if close else f" There are {', '.join(known)}.")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in COMMANDS])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example"):
            formatter.write(
                f"{'':{formatter.current_indent}}$ craig select sample_data/sample.libsvm "
                "--fraction 0.1 -o cs.parquet\n"
            )
        write_exit_codes(formatter)


def write_exit_codes(formatter: click.HelpFormatter) -> None:
    """Add the list of exit codes to a help page."""
    with formatter.section("Exit codes"):
        formatter.write_dl(EXIT_CODES)


def load_command(name: str) -> click.Command:
    """Return a command, its module imported."""
    command: click.Command = importlib.import_module(f"craig_cli.cli.{name}").command
    return command


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="craig", message="%(prog)s %(version)s")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Select coresets: small weighted subsets of training data, on which incremental gradient
    methods reach the model that all rows give.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: list[str], signals: Signals) -> int:
    """Run the command line and return the exit code; what goes wrong is told in one line on stderr.

    Raises
    ------
    Signalled
        A signal came.
    BrokenPipeError
        The reader of stdout went away.
    """
    if os.environ.get("_CRAIG_COMPLETE"):
        app.main(arguments, prog_name="craig")
    session = Session()
    try:
        with app.make_context("craig", arguments, obj=session) as context:
            app.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
        return session.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "craig"
        show_error(f"{printable(error.format_message())}\nTry '{where} --help'.")
        return error.exit_code
    except Exception as error:  # the last resort: a user never sees a traceback unasked
        if is_broken_pipe(error):
            raise BrokenPipeError from error
        if session.debug:
            import traceback

            traceback.print_exc()
        if signals.received is not None:
            raise signals.received from error
        return explain(error)


def explain(error: Exception) -> int:
    """Tell of an error in one line and return its exit code."""
    if isinstance(error, CraigError) and not isinstance(error, ContractError):
        is_one_line = isinstance(error, UsageError)  # it may repeat what was typed
        show_error(printable(str(error)) if is_one_line else str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        show_error(f"Not enough memory: {error}" if str(error) else "Not enough memory.")
        return ResourceError.exit_code
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        file = "" if error.filename is None else f": {printable(str(error.filename))}"
        show_error(f"{error.strerror}{file}.")
        return ResourceError.exit_code
    show_error(
        f"internal error: {printable(f'{type(error).__name__}: {error}').rstrip('.')}. Please "
        "report it; --debug shows where."
    )
    return CraigError.exit_code
