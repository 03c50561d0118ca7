"""``craig completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from craig_cli.cli.command import Command
from craig_cli.cli.options import COMMON

SHELLS = ("bash", "zsh", "fish")


def completion(shell: str) -> None:
    """Print what makes SHELL complete commands, options and their values.

    bash: source the file from ~/.bashrc, or put it as craig into the folder
    bash-completion/completions. zsh: put it as _craig into a folder of $fpath. fish: put it as
    craig.fish into ~/.config/fish/completions.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    group = click.get_current_context().find_root().command
    click.echo(kind(group, {}, "craig", "_CRAIG_COMPLETE").source())


command = Command(
    "completion",
    callback=completion,
    params=[click.Argument(["shell"], type=click.Choice(SHELLS)), *COMMON],
    help=completion.__doc__,
    examples=(
        "craig completion bash > craig-completion.bash",
        "craig completion zsh > _craig",
        "craig completion fish > craig.fish",
    ),
)
