"""The collector waits until the program is loaded, and leaves out what was there."""

from __future__ import annotations

import gc
import subprocess
import sys

from craig_cli.cli import main


def told(code: str) -> list[str]:
    code = f"import gc, sys; from craig_cli.cli import garbage; {code}"
    command = [sys.executable, "-c", code, "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def test_only_the_first_collection_waits():
    lines = told(
        "garbage.FIRST_COLLECTION = 50_000; before = gc.get_threshold(); garbage.put_off(); "
        "many = [[] for _ in range(40_000)]; print(gc.get_threshold()[0], gc.get_freeze_count()); "
        "many += [[] for _ in range(40_000)]; print(gc.get_threshold() == before, gc.callbacks); "
        "print(gc.get_freeze_count() >= 40_000)"
    )
    assert lines == ["50000 0", "True []", "True"]


def test_the_program_ends_after_what_is_to_be_done_at_exit():
    code = "import atexit; from craig_cli.cli import program; atexit.register(print, 'last')"
    for option, exit_code in (("--version", 0), ("--nonsense", 2)):
        command = [sys.executable, "-c", f"{code}; program(); print('never')", option]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == exit_code
        assert result.stdout.splitlines()[-1] == "last"


def test_a_program_that_calls_craig_keeps_its_collector():
    before = gc.get_threshold(), gc.get_freeze_count()
    assert main(["--version"]) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
