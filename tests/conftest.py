"""Fixtures that several test files share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Let Ctrl-C count, in each process of the tests and what it starts: a shell that runs them in
    the background has it ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets (``CRAIG_SHARED_DATA``); skips where there is none."""
    folder = Path(
        os.environ.get("CRAIG_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip(f"shared data not found in {folder}: set CRAIG_SHARED_DATA")
    return folder
