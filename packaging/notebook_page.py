"""A notebook as a page of the site: its text, its code, and what it printed and drew."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def shown(output: Mapping[str, Any]) -> str:
    """Return an output as Markdown: the picture, the table, or the text."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        return f'<img alt="what the cell draws" src="data:image/png;base64,{data["image/png"]}">'
    if "text/html" in data:
        page = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.DOTALL)
        return re.sub(r"<table[^>]*>", "<table>", " ".join(page.split()))
    return f"```text\n{''.join(data['text/plain']).rstrip()}\n```"


def parts_of(notebook: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paragraphs and blocks of the page."""
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield text
        else:
            yield f"```python\n{text}\n```"
            yield from map(shown, cell["outputs"])


def page_of(path: Path) -> str:
    """Return the page of a notebook, as Markdown."""
    return "\n\n".join(parts_of(json.loads(path.read_text()))) + "\n"
