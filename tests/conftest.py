"""Fixtures that several test files share."""

from __future__ import annotations

import signal
from collections import defaultdict
from pathlib import Path

import pytest
from tools import path_of, spared


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow the cases of each ``thinned`` test that the quick tier spares."""
    thinned = defaultdict(list)
    for item in items:
        if item.get_closest_marker("thinned"):
            thinned[item.nodeid.partition("[")[0]].append(item)
    for cases in thinned.values():
        together = cases[0].get_closest_marker("thinned").kwargs.get("together", 1)
        for place in spared([case.callspec.params for case in cases], together):
            cases[place].add_marker(pytest.mark.slow)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is not there."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            path_of(name)


def pytest_configure() -> None:
    """Let Ctrl-C count, in each process of the tests and what it starts: a shell that runs them in
    the background has it ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets (``CRAIG_DATA``); skips where there is none."""
    return Path(path_of("shared data"))


@pytest.fixture(params=("all distances", "lists"))
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How greedy keeps its gains up to date: both ways make the same picks."""
    if request.param == "lists":
        monkeypatch.setattr("craig_cli.selection.dense_group.ROWS_ALL_DISTANCES", 0)
