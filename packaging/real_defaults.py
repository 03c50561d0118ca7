"""The values of defaults in the Python reference, in the place of the settings that they are taken
from: an extension of griffe, which mkdocstrings reads docstrings with.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import griffe

SETTING = re.compile(r"[A-Z]\w+\.\w+")


class RealDefaults(griffe.Extension):
    """Puts values in the place of names such as ``SelectionSettings.method``."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Change the parameters of a function whose defaults are settings."""
        named = [one for one in func.parameters if SETTING.fullmatch(str(one.default))]
        if named:
            found = getattr(importlib.import_module(func.module.path), func.name)
            real = inspect.signature(found).parameters
            for parameter in named:
                parameter.default = repr(real[parameter.name].default)
