"""Garbage collection in a process that is all craig's: what is imported is no garbage.

Looking it through time and again while it is imported takes a fifth of a small selection.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping

FIRST_COLLECTION = 200_000
"""Objects made until then: what is imported, and some more."""


def put_off() -> None:
    """Let the first collection wait until the program is loaded; later ones leave out what was
    there, and come as often as usual.
    """
    usual = gc.get_threshold()

    def at_first(phase: str, facts: Mapping[str, int]) -> None:
        if phase == "stop":
            gc.callbacks.remove(at_first)
            gc.freeze()
            gc.set_threshold(*usual)

    gc.set_threshold(FIRST_COLLECTION)
    gc.callbacks.append(at_first)
