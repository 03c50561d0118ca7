"""Makes the reference from the program: commands from what --help says, names from the catalog.

``python packaging/make_reference.py FOLDER`` writes it; the site has it as pages.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from craig_cli.cli.app import COMMANDS, EXIT_CODES, app, load_command
from craig_cli.settings import catalog

DERIVED = ("FORMATS", "EXPORTS")
"""Tables that are parts of another."""


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, in a table too."""
    text = html.escape(" ".join(text.split()), quote=False)
    for sign in "\\*_[]|`":
        text = text.replace(sign, f"\\{sign}")
    return text


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text, each followed by an empty line."""
    for paragraph in text.strip().split("\n\n"):
        yield from (escaped(paragraph), "")


def options_of(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the lines on the options: lists under the titles of the help."""
    options = {str(p.name): p for p in command.params if isinstance(p, click.Option)}
    sections = [(title, [str(p.name) for p in own]) for title, own in command_sections(command)]
    known = {name for _, names in sections for name in names}
    rest = [name for name in options if name not in known]
    sections.append(("More" if sections else "Options", rest))
    for title, names in sections:
        records = [options[name].get_help_record(context) for name in names]
        lines = [
            f"- `{' '.join(record[0].split())}`: {escaped(record[1])}"
            for record in records
            if record is not None
        ]
        if lines:
            yield from (f"**{title}**", "", *lines, "")


def command_sections(command: click.Command) -> Sequence[tuple[str, Sequence[click.Parameter]]]:
    """Return the options of a command under titles; none where they have no titles."""
    return getattr(command, "sections", ())


def command_section(entry: catalog.Entry) -> Iterator[str]:
    """Yield the lines on a command."""
    command = load_command(entry.name)
    group = app.make_context("craig", [], resilient_parsing=True)
    context = click.Context(command, info_name=entry.name, parent=group)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"## craig {entry.name}", "", "```text", f"craig {entry.name} {usage}", "```", "")
    yield from paragraphs(command.help or entry.help)
    yield from options_of(command, context)
    examples = getattr(command, "examples", ())
    if examples:
        yield from ("```sh", *examples, "```", "")


def commands_page() -> str:
    """Return the page of all commands and their options."""
    lines = [
        "# Commands",
        "",
        "Made from what `craig COMMAND --help-all` says (of small commands `--help`). "
        "[Names](names.md) has the tables of methods, losses, formats and so on.",
        "",
    ]
    for entry in COMMANDS:
        lines += command_section(entry)
    lines += ["## Exit codes", "", *(f"- `{code}`: {escaped(said)}" for code, said in EXIT_CODES)]
    return "\n".join(lines) + "\n"


def tables() -> dict[str, Sequence[catalog.Entry]]:
    """Return the tables of the catalog, by title, in its order."""
    return {
        name.replace("_", " ").capitalize(): table
        for name, table in vars(catalog).items()
        if name not in DERIVED
        and isinstance(table, tuple)
        and table
        and all(hasattr(entry, "name") and hasattr(entry, "help") for entry in table)
    }


def facts_of(entry: catalog.Entry | catalog.Format | catalog.Method) -> list[str]:
    """Return the cells of a name beside its meaning: those of formats and methods."""
    if isinstance(entry, catalog.Format):
        use = [word for word, does in (("read", entry.reader), ("written", entry.writer)) if does]
        compressed = ["may be compressed"] * entry.may_be_compressed
        return [" ".join(f"`{end}`" for end in entry.extensions), ", ".join(use + compressed)]
    if isinstance(entry, catalog.Method):
        return [", ".join(entry.abilities)]
    return []


def names_page() -> str:
    """Return the page of all names that users type."""
    lines = [
        "# Names",
        "",
        "Every name that an option or an argument takes, from the program's own tables. What a "
        "method can do: *order*, it has the greedy order that budgets of epsilon and costs need; "
        "*constraints*, `--include`, `--exclude` and `--extend`; *disk* and *parts*, rows that are "
        "not in memory, or not in one place; *draws*, its picks are random rows.",
        "",
    ]
    for title, table in tables().items():
        extra = {catalog.Format: ["file names", ""], catalog.Method: ["can"]}.get(
            type(table[0]), []
        )
        heads = ["name", "meaning", *extra]
        lines += [f"## {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for entry in table:
            cells = [f"`{entry.name}`", escaped(entry.help), *facts_of(entry)]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


PAGES = {"commands.md": commands_page, "names.md": names_page}


def main(folder: Path) -> None:
    """Write the pages into a folder and print their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make())
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/reference"))
