"""Write the man pages, craig.1 and one for each command, from what --help says: python
packaging/make_man.py FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from craig_cli import __version__
from craig_cli.cli.app import COMMANDS, EXIT_CODES, app, load_command


def escaped(text: str) -> str:
    """Return text that roff shows as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text.startswith((".", "'", "\\(aq")) else text


def paragraphs(text: str) -> Iterator[str]:
    """Yield the lines of a help text, its paragraphs apart."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield escaped(" ".join(paragraph.split()))


def listed(pairs: list[tuple[str, str]]) -> Iterator[str]:
    """Yield names and what they mean."""
    for name, meaning in pairs:
        yield from (".TP", f"\\fB{escaped(name)}\\fR", escaped(" ".join(meaning.split())))


def page(name: str, summary: str, command: click.Command) -> str:
    """Return a man page."""
    group = app.make_context("craig", [], resilient_parsing=True)
    context = (
        group
        if command is app
        else click.Context(command, info_name=name.removeprefix("craig-"), parent=group)
    )
    lines = [
        f'.TH "{name.upper()}" "1" "" "craig {__version__}" "craig"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(summary)}",
    ]
    lines += [
        ".SH SYNOPSIS",
        f"\\fB{escaped(context.command_path)}\\fR "
        f"{escaped(' '.join(command.collect_usage_pieces(context)))}",
    ]
    lines += [".SH DESCRIPTION", *paragraphs(command.help or summary)]
    records = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) is not None
    ]
    lines += [".SH OPTIONS", *listed(records)]
    if name == "craig":
        lines += [
            ".SH COMMANDS",
            *listed([(f"craig-{entry.name}(1)", entry.help) for entry in COMMANDS]),
        ]
    for title, table in getattr(command, "tables", ()):
        lines += [f".SH {title.upper()}", *listed([(entry.name, entry.help) for entry in table])]
    examples = getattr(command, "examples", ())
    if examples:
        lines += [".SH EXAMPLES", ".nf", *map(escaped, examples), ".fi"]
    lines += [".SH EXIT STATUS", *listed(list(EXIT_CODES))]
    others = [f"craig-{entry.name}" for entry in COMMANDS] if name == "craig" else ["craig"]
    lines += [
        ".SH SEE ALSO",
        ", ".join(f"\\fB{escaped(other)}\\fR(1)" for other in others if other != name),
    ]
    return "\n".join(lines) + "\n"


def write_pages(folder: Path) -> list[Path]:
    """Write all pages to a folder and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "craig": page("craig", "select coresets: small weighted subsets of training data", app)
    }
    for entry in COMMANDS:
        name = f"craig-{entry.name}"
        pages[name] = page(
            name, entry.help[0].lower() + entry.help[1:].rstrip("."), load_command(entry.name)
        )
    for name, text in pages.items():
        (folder / f"{name}.1").write_text(text)
    return [folder / f"{name}.1" for name in pages]


if __name__ == "__main__":
    for path in write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "build/man")):
        print(path)
