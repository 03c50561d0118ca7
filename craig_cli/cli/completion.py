"""``craig completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from craig_cli.cli import options as opt

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=opt.Command,
    examples=(
        "craig completion bash > craig-completion.bash",
        "craig completion zsh > _craig",
        "craig completion fish > craig.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@opt.common_options
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    """Print what makes SHELL complete commands, options and their values.

    bash: source the file from ~/.bashrc, or put it as craig into the folder
    bash-completion/completions. zsh: put it as _craig into a folder of $fpath. fish: put it as
    craig.fish into ~/.config/fish/completions.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "craig", "_CRAIG_COMPLETE").source())
