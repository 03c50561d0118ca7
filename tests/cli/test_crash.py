"""Killed, interrupted, out of disk, without rights: the old output or none, and no litter where a
signal can be caught.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commandline import listing, write_csv
from tools import path_of

from craig_cli.cli import main

REPOSITORY = Path(__file__).parents[2]
CRAIG = [sys.executable, "-m", "craig_cli"]
N_ROWS = 3000
SAID = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


@pytest.fixture
def big(own_folder: Path) -> Path:
    """Write ``big.csv`` and, from other options, the manifest ``cs.parquet``; return the latter."""
    rng = np.random.default_rng(0)
    write_csv(
        own_folder / "big.csv", rng.integers(0, 2, N_ROWS).tolist(), rng.normal(size=(N_ROWS, 8))
    )
    assert (
        main(["select", "big.csv", "--size", "10", "--for", "local", "-o", "cs.parquet", "-q"]) == 0
    )
    return own_folder / "cs.parquet"


SELECT = ["select", "big.csv", "--fraction", "0.3", "--for", "local", "-o", "cs.parquet", "-q"]


@pytest.fixture
def whole_run(big: Path) -> tuple[float, bytes]:
    """Return how long a run takes in a process of its own, and what it writes; the old manifest
    stands again after it.
    """
    old = big.read_bytes()
    begun = time.monotonic()
    subprocess.run([*CRAIG, *SELECT], check=True)
    seconds, written = time.monotonic() - begun, big.read_bytes()
    big.write_bytes(old)
    return seconds, written


def wait_for_handlers(process: subprocess.Popen) -> None:
    """Wait until a process catches SIGHUP, the last of the signals, or has ended: before, Python is
    starting, and nothing of craig is at work.
    """
    status = Path(f"/proc/{process.pid}/status")
    while status.exists() and process.poll() is None:
        caught = next(
            (line for line in status.read_text().splitlines() if line.startswith("SigCgt:")),
            "SigCgt: ffffffff",
        )
        if int(caught.split()[1], 16) >> (signal.SIGHUP - 1) & 1:
            return
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name
)
def test_a_signal_at_any_time_leaves_the_old_output_or_the_new(big, own_folder, whole_run, number):
    seconds, new = whole_run
    old = big.read_bytes()
    when = random.Random(int(number))
    for _ in range(4):
        process = subprocess.Popen([*CRAIG, *SELECT], stderr=subprocess.PIPE, text=True)
        wait_for_handlers(process)
        time.sleep(when.uniform(0, seconds))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert big.read_bytes() in (old, new)
        assert "Traceback" not in errors
        if number != signal.SIGKILL:
            assert listing(own_folder) == ["big.csv", "cs.parquet"]
            if process.returncode == -number:  # the work was done, and the handlers put away
                assert big.read_bytes() == new
            elif process.returncode:
                assert process.returncode == 128 + number
                assert errors == f"craig: {SAID[number]}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_signal_while_the_file_is_written(big, own_folder, monkeypatch, number):
    old = big.read_bytes()
    fsync = os.fsync

    def interrupted_fsync(descriptor: int) -> None:
        os.kill(os.getpid(), number)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", interrupted_fsync)
    assert main(SELECT) == 128 + number
    assert big.read_bytes() == old
    assert listing(own_folder) == ["big.csv", "cs.parquet"]


@pytest.mark.slow
def test_an_ignored_hangup_stays_ignored(big, whole_run):
    process = subprocess.Popen(["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", *CRAIG, *SELECT])
    time.sleep(0.5)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0


def test_a_second_signal_ends_it_at_once(big, monkeypatch):
    from craig_cli.cli.signals import Signalled, Signals

    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with Signals():
        for _ in range(2):
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except Signalled as signalled:
                assert ended == [] or signalled.exit_code == 130
    assert ended == [130]


def test_a_signal_lost_in_a_finaliser_comes_again():
    from craig_cli.cli.signals import Signalled, Signals

    class Finalised:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)

    with pytest.raises(Signalled), Signals():
        Finalised()
        time.sleep(5)


def test_a_full_disk_leaves_the_old_output(big, own_folder):
    old = big.read_bytes()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
    result = subprocess.run([*CRAIG, *SELECT], capture_output=True, text=True, preexec_fn=limit)
    assert (result.returncode, result.stderr) == (
        4,
        "craig: error: cs.parquet: cannot be written: File too large. An older file of that name "
        "is untouched.\n",
    )
    assert big.read_bytes() == old
    assert listing(own_folder) == ["big.csv", "cs.parquet"]


def test_a_full_device(craig, data):
    result = craig("select", "data.csv", "--size", "3", "-o", "/dev/full")
    assert (result.code, result.err) == (
        4,
        "craig: error: /dev/full: cannot be written: No space left on device.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [["info", "cs.parquet", "--json"], ["select", "--help"], ["--version"]],
    ids=" ".join,
)
def test_stdout_on_a_full_device(big, arguments):
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*CRAIG, *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (result.returncode, result.stderr) == (4, "craig: error: No space left on device.\n")


@pytest.mark.slow
def test_a_broken_pipe_is_quiet(big):
    script = '"$@" | head -c 1 > first; echo ${PIPESTATUS[0]}'
    for arguments in (
        ["select", "big.csv", "--fraction", "1", "-o", "-", "-q"],
        ["info", "cs.parquet"],
        ["select", "--help"],
    ):
        result = subprocess.run(
            ["bash", "-c", script, "bash", *CRAIG, *arguments], capture_output=True, text=True
        )
        assert result.stderr == ""
        assert result.stdout in ("0\n", "141\n")
        assert len(Path("first").read_bytes()) == 1
    result = subprocess.run(
        ["bash", "-c", '"$@" | true; echo ${PIPESTATUS[0]}', "bash", *CRAIG, *SELECT[:-2], "-"],
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in result.stderr


@pytest.mark.slow  # in a new cache: kernels are compiled anew
def test_without_write_rights_on_install_and_home(tmp_path_factory, big, own_folder):
    # Root may write everywhere by capabilities, which setpriv takes away.
    powerless = ["setpriv", "--bounding-set", "-dac_override", "--"] if os.getuid() == 0 else []
    if powerless:
        path_of("setpriv")
    install = tmp_path_factory.mktemp("install")
    shutil.copytree(
        REPOSITORY / "craig_cli",
        install / "craig_cli",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    closed = [install, *(path for path in install.rglob("*") if path.is_dir())]
    for folder in closed:
        folder.chmod(0o555)
    temporary = own_folder / "tmp"
    temporary.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("CRAIG_CACHE_DIR", "XDG_CACHE_HOME")
    }
    environment |= {
        "HOME": str(install),
        "PYTHONPATH": f"{install}:{os.environ.get('PYTHONPATH', '')}",
        "TMPDIR": str(temporary),
    }
    run = [*powerless, *CRAIG, *SELECT]
    try:
        result = subprocess.run(run, env=environment, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
        assert listing(temporary) == [f"craig-cache-{os.getuid()}"]
        result = subprocess.run(
            [*run[:-2], str(install / "cs.parquet")],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (result.returncode, result.stderr) == (
            2,
            f"craig: error: --output: the folder of "
            f"'{install / 'cs.parquet'}' cannot be "
            f"written.\n",
        )
    finally:
        for folder in closed:
            folder.chmod(0o755)
