"""Makes the notebook of a tutorial, beside its page: ``python packaging/make_notebook.py
docs/tutorials/embeddings.md``. Python blocks become cells to run, all else cells to read.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIRST = "%cd ../..\n# the root of the checkout, where sample_data/ is"
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+^```text\n.*?^```$)?", re.MULTILINE | re.DOTALL)


def cell(kind: str, text: str, number: int) -> dict[str, Any]:
    """Return a cell of nbformat 4.5, not run."""
    known = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    run = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return known | run | {"source": text.strip().splitlines(keepends=True)}


def cells_of(page: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of the cells of a page."""
    title, _, rest = page.partition("\n")
    yield ("markdown", title)
    yield ("code", FIRST)
    for place, part in enumerate(BLOCK.split(rest)):
        if part.strip():
            yield ("code" if place % 2 else "markdown", part)


def notebook(page: str) -> str:
    """Return the notebook of a page, as JSON."""
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    found = {
        "cells": [cell(kind, text, number) for number, (kind, text) in enumerate(cells_of(page))],
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    source = Path(sys.argv[1])
    source.with_suffix(".ipynb").write_text(notebook(source.read_text()))
