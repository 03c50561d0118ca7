"""What the Python reference needs beside docstrings as they stand: an extension of griffe, which
mkdocstrings reads them with.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import griffe

SETTING = re.compile(r"[A-Z]\w+\.\w+")
GROUP = re.compile(r"^(\w+(?:, \w+)+) : (.+)\n((?:(?: .*)?\n)*)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Gives values for defaults such as ``SelectionSettings.method``, and each parameter of a group
    a paragraph of its own: as a group all would have the default of the first.
    """

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Change the parameters of a function whose defaults are settings."""
        named = [one for one in func.parameters if SETTING.fullmatch(str(one.default))]
        if named:
            found = getattr(importlib.import_module(func.module.path), func.name)
            real = inspect.signature(found).parameters
            for parameter in named:
                parameter.default = repr(real[parameter.name].default)

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Take the groups of a docstring apart."""
        if obj.docstring is not None:
            obj.docstring.value = GROUP.sub(apart, obj.docstring.value + "\n").rstrip("\n")


def apart(group: re.Match[str]) -> str:
    """Return the paragraphs of a group of parameters, one a name."""
    names, kinds = group[1].split(", "), group[2].split(", ")
    if len(kinds) != len(names):
        kinds = [group[2]] * len(names)
    return "".join(f"{name} : {kind}\n{group[3]}" for name, kind in zip(names, kinds, strict=True))
