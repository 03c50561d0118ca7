"""Run ``coreset.ipynb`` anew, with its outputs: ``python examples/run_notebook.py [OUTPUT]``.

Without OUTPUT the notebook itself is written over. Needs nbclient and ipykernel.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("coreset.ipynb")


def main() -> None:
    """Run all cells in a folder that is then removed; the notebook keeps neither times nor names of
    this machine.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=600, record_timing=False, resources=resources).execute()
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, sys.argv[1] if len(sys.argv) > 1 else NOTEBOOK)


if __name__ == "__main__":
    main()
