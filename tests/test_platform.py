"""Systems that lack what Linux has: the same commands, in a Python that is made poorer.

That is no test of Windows: it shows that nothing is asked for that Windows has not.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
POORER = Path(__file__).parent / "without_posix"
SAMPLES = ("sample.csv", "sample.libsvm", "sample.libsvm.gz", "sample.parquet", "sample.h5")
PROGRAM = f"""
import contextlib, io, json, os, shutil, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from craig_cli.cli import main
from craig_cli.selection import disk_cells, memory

def craig(*words):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(words)
    return code, out.getvalue()

codes, told = [], {{}}
for name in {SAMPLES}:
    path, manifest = os.path.join({str(ROOT / "sample_data")!r}, name), name + ".parquet"
    for _ in range(2):  # the second time it takes the place of the first
        codes.append(craig("select", path, "--fraction", "0.1", "-q", "-o", manifest)[0])
    codes.append(craig("verify", path, manifest)[0])
    codes.append(craig("apply", path, manifest, "-o", name + ".rows.csv", "-q")[0])
    code, said = craig("info", manifest, "--json")
    codes.append(code)
    told[name] = json.loads(said)
    with open(path, "rb") as stream:
        os.dup2(stream.fileno(), 0)
    words = ("--format", name.removesuffix(".gz").rpartition(".")[2].replace("h5", "hdf5"))
    codes.append(
        craig("select", "-", *words, "--size", "20", "-q", "-o", name + ".stdin.parquet")[0]
    )
memory.BASE_BYTES = disk_cells.CELL_BYTES = 0
disk_cells.CELL_ROWS_AT_LEAST = 256
rows = np.random.default_rng(0).normal(size=(40_000, 8)).astype(np.float32)
columns = {{f"x{{c}}": rows[:, c] for c in range(8)}}
pq.write_table(pa.table({{"label": rows[:, 0] > 0, **columns}}), "large.parquet")
words = ("--fraction", "0.005", "--for", "local", "--memory-limit", "64M", "-o", "disk.parquet")
code, said = craig("select", "large.parquet", *words, "--json")
codes += [code, craig("verify", "large.parquet", "disk.parquet")[0]]
told["disk"] = json.loads(said)["temporary_bytes"] > 0
print(json.dumps([codes, told]))
"""


def environment(is_poorer: bool) -> dict[str, str]:
    """Return that of a process that runs this craig."""
    path = os.pathsep.join([str(POORER), str(ROOT)] if is_poorer else [str(ROOT)])
    # Text of no named encoding is an error of craig's there, and not of others'.
    warnings = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "ignore::EncodingWarning"}
    return os.environ | warnings | {"PYTHONPATH": path, "PYTHONIOENCODING": "cp1252"}


def run(code: str, is_poorer: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(is_poorer),
        capture_output=True,
        text=True,
        **options,
    )


def test_the_poorer_python_is_poorer(tmp_path):
    craig_sees = f"""
import io, os, tempfile
from craig_cli import platform
print(hasattr(platform.os, "fork"), platform.optional("fcntl"), platform.PROC.exists())
print(platform.sys.platform, platform.os.name, sorted(platform.ENDING_SIGNALS))
def fails(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
with tempfile.NamedTemporaryFile() as file:
    print([fails(f, *a) for f, *a in
        [(os.unlink, file.name), (os.replace, file.name, "x"), (open, file.name),
        (platform.os.open, {str(tmp_path)!r}, 0)]])
print(platform.peak_memory_bytes(), platform.machine_bytes(), platform.user_number())
"""
    done = run(craig_sees, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "False None False",
        "win32 nt [2, 15]",
        "[13, 13, 13, 13]",
        f"None {4 << 30} 0",
    ], done.stderr


def test_the_same_bytes_without_what_windows_lacks(tmp_path):
    found = {}
    for is_poorer in (False, True):
        folder = tmp_path / str(is_poorer)
        (folder / "tmp").mkdir(parents=True)
        program = f"import tempfile; tempfile.tempdir = {str(folder / 'tmp')!r}\n{PROGRAM}"
        done = run(program, is_poorer, cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        codes, told = json.loads(done.stdout.splitlines()[-1])
        assert set(codes) == {0}, codes
        assert told["disk"]
        assert list((folder / "tmp").iterdir()) == []
        files = {path.name: path.read_bytes() for path in folder.glob("*.*")}
        found[is_poorer] = told, files
    assert len(found[True][1]) == 3 * len(SAMPLES) + 2
    assert found[True] == found[False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_poorer_program_too(tmp_path, number):
    command = [sys.executable, "-m", "craig_cli", "select", "-", "--format", "csv"]
    with subprocess.Popen(
        [*command, "--size", "2", "-o", "cs.parquet"],
        env=environment(True),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "waiting for data" in process.stderr.readline()
        process.send_signal(number)
        rest = process.stderr.read()
    assert (process.returncode, "Traceback" in rest) == (128 + number, False)
    assert list(tmp_path.iterdir()) == []


def test_an_hdf5_child_of_the_poorer_program_ends_with_it(tmp_path):
    code = """
import subprocess, sys
from craig_cli.readers import hdf5
code = "from craig_cli.platform import end_with_parent; end_with_parent()"
hdf5.COMMAND = (sys.executable, "-c", code + "; import time; time.sleep(60)")
with hdf5.start_probe({}) as probe:
    probe.stdin.close()
    print(probe.wait(30))
"""
    assert run(code).stdout == "0\n"
