"""Compiling ahead: the kernels that common runs call, and with which types. So they can be counted,
and compiled by several processes into one folder.

``python -m craig_cli.kernels.ahead START STEP ROAD ...`` compiles what is missing of
``kernels[START::STEP]`` of some roads.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from numba import types

from craig_cli.kernels import CACHE_FOLDER, IS_KNOWN
from craig_cli.platform import end_with_parent

LIST = Path(__file__).with_name("ahead.json")
"""Kernels by road, each with its types, in the order of their first calls. Written by
``packaging/list_kernels.py``.
"""


@cache
def roads() -> tuple[str, ...]:
    """Return the names of all roads: text formats, kinds of rows, and the rest."""
    return tuple(json.loads(LIST.read_text()))


@cache
def listed(*roads: str) -> list[tuple[Any, tuple]]:
    """Return the kernels of some roads, each with the types it is called with."""
    entries = json.loads(LIST.read_text())
    lines = dict.fromkeys(line for road in roads for line in entries[road])
    kernels = [kernel_of(line) for line in lines]
    # As numba itself reads signatures that are text; the list is as much ours as this file.
    names = named_tuples() | vars(types)
    return [
        (kernel, tuple(eval(f"[{line.partition(': ')[2]}]", names)))
        for kernel, line in zip(kernels, lines, strict=True)
    ]


def missing(roads: Iterable[str]) -> list[tuple[Any, tuple]]:
    """Return what of `listed` is still to be compiled; nothing where none can be kept."""
    if CACHE_FOLDER is None or not IS_KNOWN:
        return []
    return [
        (kernel, signature)
        for kernel, signature in listed(*roads)
        if not kernel._cache.keeps(signature, kernel.targetctx)
    ]


def help_out(roads: Sequence[str], slices: Iterable[tuple[int, int]]) -> list[subprocess.Popen]:
    """Return processes that compile what is missing of some roads, each a slice (start, step)."""
    command = [sys.executable, "-P", "-m", "craig_cli.kernels.ahead"]
    try:
        return [
            subprocess.Popen(
                [*command, str(start), str(step), *roads],
                stdin=subprocess.PIPE,  # its end tells that this process has ended
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for start, step in slices
        ]
    except OSError:  # no more processes: this one compiles all
        return []


def compile_missing(roads: Sequence[str], start: int = 0, step: int = 1) -> None:
    """Compile what is missing of some roads, or of a slice of these kernels."""
    for kernel, signature in missing(roads)[start::step]:
        kernel.compile(signature)


def kernel_of(line: str) -> Any:
    """Return the kernel that a line of the list names."""
    home, _, name = line.partition(": ")[0].partition(".")
    return getattr(import_module(f"{__package__}.{home}"), name)


def named_tuples() -> dict[str, Any]:
    """Return what makes the numba types of the kernels' named tuples from those of their fields."""
    classes = {
        value
        for name, module in list(sys.modules.items())
        if name.startswith(f"{__package__}.")
        for value in vars(module).values()
        if isinstance(value, type) and hasattr(value, "_fields")
    }
    return {kind.__name__: partial(named_tuple, kind) for kind in classes}


def named_tuple(kind: type, *fields: types.Type) -> types.Type:
    """Return the numba type of a named tuple whose fields have these types."""
    if len(set(fields)) == 1:
        return types.NamedUniTuple(fields[0], len(fields), kind)
    return types.NamedTuple(fields, kind)


if __name__ == "__main__":
    end_with_parent()
    compile_missing(sys.argv[3:], int(sys.argv[1]), int(sys.argv[2]))
