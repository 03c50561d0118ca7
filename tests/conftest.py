"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets (``CRAIG_SHARED_DATA``); skips where there is none."""
    folder = Path(os.environ.get("CRAIG_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"shared data not found in {folder}: set CRAIG_SHARED_DATA")
    return folder
