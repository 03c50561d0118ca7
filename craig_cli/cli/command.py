"""How a command is made, and its one way from the values of its parameters to a report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeVar, cast

import click

from craig_cli.cli.app import write_exit_codes
from craig_cli.cli.options import COMMON, JSON, READING
from craig_cli.cli.parameters import InputFile, displace, is_given
from craig_cli.cli.session import Session
from craig_cli.errors import UsageError
from craig_cli.reports.base import Report
from craig_cli.reports.progress import ProgressLines
from craig_cli.settings.checks import THREADS, Table, check_number, refuse

Settings = TypeVar("Settings")
TYPED = "craig.typed"
"""Key of the command line in what click keeps of a run."""
READING_NAMES = tuple(str(o.name) for o in READING if o.name != "files_from")


Sections = Sequence[tuple[str, Sequence[click.Parameter]]]
"""Titles, and the options under each."""
EXAMPLES_SHOWN = 3
WHOLE = "craig_cli.whole_help"
"""Of a context: whether all of a command's help is to be shown."""


class Command(click.Command):
    """A command whose help ends with tables of names, runnable examples and the exit codes.

    Parameters
    ----------
    examples : sequence of str
        Command lines that run in this order where ``sample_data/`` is.
    tables : sequence of (str, table)
        Title and names with their help.
    sections : sequence of (str, sequence of Parameter)
        The options of the command under titles, where it has many.
    usual : sequence of str
        Of a command of many options the names of those that ``--help`` shows, without tables;
        ``--help-all`` shows all.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        tables: Sequence[tuple[str, Table]] = (),
        sections: Sections = (),
        usual: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples, self.tables = tuple(examples), tuple(tables)
        self.sections, self.usual = tuple(sections), tuple(usual)
        if usual:
            self.params.append(
                click.Option(
                    ["--help-all"],
                    is_flag=True,
                    expose_value=False,
                    is_eager=True,
                    callback=show_all,
                    help="Show all options, in sections, and what their values mean.",
                )
            )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[TYPED] = shlex.join(["craig", str(ctx.info_name), *args])
        rest = super().parse_args(ctx, args)
        displace(ctx)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = {str(p.name): p for p in self.get_params(ctx) if isinstance(p, click.Option)}
        sections = [(title, [str(p.name) for p in options]) for title, options in self.sections]
        if self.is_short(ctx):
            sections = [("Options", [*self.usual, "help_all"])]
        for title, names in sections:
            records = [shown[name].get_help_record(ctx) for name in names]
            with formatter.section(title):
                formatter.write_dl([record for record in records if record is not None])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.is_short(ctx):
            self.write_examples(formatter, self.examples[:EXAMPLES_SHOWN])
            return
        for title, table in self.tables:
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in table])
        self.write_examples(formatter, self.examples)
        with formatter.section("Settings"):
            formatter.write_text(
                f"Every option can also be set by CRAIG_{str(ctx.info_name).upper()}_<OPTION> or "
                "CRAIG_<OPTION> in the environment, or in a file (--config). The command line "
                "wins over the environment, and that over the file."
            )
        write_exit_codes(formatter)

    def is_short(self, ctx: click.Context) -> bool:
        """Return whether the help is to show the usual options only."""
        return bool(self.usual) and not ctx.meta.get(WHOLE, False)

    def write_examples(self, formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
        """Add command lines that run."""
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':{formatter.current_indent}}$ {example}\n")


def show_all(ctx: click.Context, option: click.Parameter, is_asked: bool) -> None:
    """Show the whole help and end, where that is asked for."""
    if not is_asked or ctx.resilient_parsing:
        return
    ctx.meta[WHOLE] = True
    click.echo(ctx.get_help(), color=ctx.color)
    ctx.exit()


class Run:
    """One run of a command: the values of its parameters by name, and what they say of the data."""

    def __init__(self, ctx: click.Context, session: Session, progress: ProgressLines) -> None:
        self.ctx, self.detail, self.progress = ctx, session.detail, progress

    def __getitem__(self, name: str) -> Any:
        return self.ctx.params[name]

    @property
    def typed(self) -> str:
        """The command line, as a shell takes it."""
        return str(self.ctx.meta[TYPED])

    def only(self, *names: str) -> dict[str, Any]:
        """Return the values of some parameters, by name."""
        return {name: self[name] for name in names}

    def make(self, kind: Callable[..., Settings], **values: Any) -> Settings:
        """Return settings: `values`, and the parameters of the same names for all other fields."""
        for field in fields(cast(Any, kind)):
            if field.name in self.ctx.params:
                values.setdefault(field.name, self[field.name])
        return kind(**values)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The names of the data files: those given, then those that ``--files-from`` lists."""
        data: tuple[str, ...] = self["data"]
        if self["files_from"] is not None:
            from craig_cli.readers import read_file_list

            data += read_file_list(self["files_from"])
        if not data:
            raise click.UsageError(
                "Missing argument 'DATA...': name a data file, or - for stdin.", self.ctx
            )
        return data

    @property
    def overrides(self) -> dict[str, Any]:
        """The reading options that somebody has given, under their names in `InputSettings`."""
        given = self.only(*[name for name in READING_NAMES if is_given(self.ctx, name)])
        if "no_header" in given:
            given["header"] = not given.pop("no_header")
        return given


def reporting(
    name: str,
    *parameters: click.Parameter,
    sections: Sections = (),
    usual: Sequence[str] = (),
    **attributes: Any,
) -> Callable[[Callable[[Run], Report]], Command]:
    """Return a decorator that makes a `Command` of what turns a `Run` into a report.

    Beside `parameters` it has the options of all commands, and those of `sections`, which only
    ``--help-all`` shows unless `usual` names them.
    """

    def decorate(work: Callable[[Run], Report]) -> Command:
        def callback(**options: Any) -> None:
            carry_out(work, click.get_current_context())

        own = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
        every = [("Options", own), *sections, ("What is said", [JSON, *COMMON])]
        shown = [str(option.name) for option in (*own, JSON)] if sections else []
        return Command(
            name,
            callback=callback,
            params=[*parameters, *(o for _, options in every for o in options if o not in own)],
            help=work.__doc__,
            sections=[(title, options) for title, options in every if options],
            usual=usual or shown,
            **attributes,
        )

    return decorate


def carry_out(work: Callable[[Run], Report], ctx: click.Context) -> None:
    """Run a command and give its report."""
    session, options = ctx.ensure_object(Session), ctx.params
    output, is_plan = options.get("output"), options.get("dry_run", False)
    refuse(
        options["json"] and output == "-", "--json and --output - both write to stdout: choose one."
    )
    check_number("--threads", options.get("threads"), THREADS)
    check_stdin(ctx)
    with session.progress() as progress:
        report = work(Run(ctx, session, progress))
    session.finish(report, options["json"], summary_only=output is not None and not is_plan)


def check_stdin(ctx: click.Context) -> None:
    """Raise `UsageError` if more than one parameter names stdin."""
    named: list[str] = []
    for parameter in ctx.command.params:
        if isinstance(parameter.type, InputFile):
            name, values = str(parameter.name), ctx.params[str(parameter.name)]
            is_option = isinstance(parameter, click.Option)
            word = f"--{name.replace('_', '-')}" if is_option else name.upper()
            named += [word] * (values if isinstance(values, tuple) else (values,)).count("-")
    first, *others = dict.fromkeys(named) or [""]
    if others:
        raise UsageError(
            f"{first} and {others[0]} cannot both be read from stdin: name a file for one."
        )
    refuse(len(named) > 1, "- (standard input) can be read only once: name it once.")
