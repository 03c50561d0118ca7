"""The notebook of ``examples/``: it is kept with its outputs, and runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "coreset.ipynb"


def code_cells(path):
    """Return the cells of a notebook that hold code."""
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def kinds(cell):
    """Return what kinds of output a cell has."""
    return [(out["output_type"], sorted(out.get("data", ()))) for out in cell["outputs"]]


def texts(cells):
    """Return the outputs of cells as plain text."""
    outputs = [out for cell in cells for out in cell["outputs"]]
    return "".join(
        "".join(out.get("text", out.get("data", {}).get("text/plain", ""))) for out in outputs
    )


def test_it_is_kept_as_it_ran():
    cells = code_cells(NOTEBOOK)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell["outputs"] for cell in cells[1:]), "every cell shows something"
    assert {kind for cell in cells for kind, _ in kinds(cell)} <= {
        "display_data",
        "execute_result",
        "stream",
    }
    assert not re.search(r"/(tmp|home|root|work|usr)/|site-packages", NOTEBOOK.read_text())
    assert NOTEBOOK.stat().st_size < 500_000
    assert "<Coreset: 500 of 10,000 rows, 3 classes" in texts(cells)


@pytest.mark.slow
@pytest.mark.needs("nbclient", "ipykernel", "pandas", "scikit-learn", "matplotlib")
def test_it_runs(tmp_path):
    out = tmp_path / "out.ipynb"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "run_notebook.py"), str(out)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    kept, found = code_cells(NOTEBOOK), code_cells(out)
    assert [kinds(cell) for cell in found] == [kinds(cell) for cell in kept]
    first = [re.search(r"<Coreset: .*", texts(cells))[0] for cells in (kept, found)]
    assert first[0] == first[1]
    assert NOTEBOOK.parent.joinpath("coreset.parquet").exists() is False
