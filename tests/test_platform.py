"""Systems that lack what Linux has: the same commands, in a Python that is made poorer.

That is no test of Windows: it shows that nothing is asked for that Windows has not.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path, PureWindowsPath

import pytest
from commandline import without_compiling

from craig_cli import cache, platform
from craig_cli.cli.signals import Signalled, Signals
from craig_cli.errors import UsageError
from craig_cli.readers import folders
from craig_cli.reports.base import RunReport, to_json
from craig_cli.storage.file_names import check_name
from craig_cli.storage.location import Location
from craig_cli.threads import Workers

ROOT = Path(__file__).parents[1]
POORER = Path(__file__).parent / "without_posix"
SAMPLES = ("sample.csv", "sample.libsvm", "sample.libsvm.gz", "sample.parquet", "sample.h5")
PROGRAM = f"""
import contextlib, io, json, os, shutil, sys, warnings
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from craig_cli import select_coreset
from craig_cli.cli import main
from craig_cli.selection import disk_cells, memory

warnings.simplefilter("ignore")

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
path, manifest = os.path.join({str(ROOT / "sample_data")!r}, "sample.csv"), "sample.csv.parquet"
for words in (
    ("train", path, "--coreset", manifest, "-q", "-o", "model.npz"),
    ("predict", path, "model.npz", "-q", "-o", "predicted.parquet"),
    ("calibrate", path, manifest, "-q", "-o", "calibrated.parquet"),
    ("select", path, "--fraction", "0.1", "--partial", "-q", "-o", "one.partial"),
    ("merge", "one.partial", "-q", "-o", "merged.parquet"),
    ("describe", path),
    ("plot", manifest),
    ("diff", manifest, manifest),
    ("doctor",),
):
    codes.append(craig(*words)[0])
told["parts"] = select_coreset(path, fraction=0.1, parts=2).index.tolist()
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
import io, os, sys, tempfile
from craig_cli import platform
print(hasattr(platform.os, "fork"), sys.modules["fcntl"], platform.PROC.exists())
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


@pytest.mark.slow
def test_the_same_bytes_without_what_windows_lacks(tmp_path):
    found = {}
    for is_poorer in (False, True):
        folder = tmp_path / str(is_poorer)
        (folder / "tmp").mkdir(parents=True)
        program = f"import tempfile; tempfile.tempdir = {str(folder / 'tmp')!r}\n{PROGRAM}"
        done = run(program, is_poorer, cwd=folder)
        assert (done.returncode, without_compiling(done.stderr)) == (0, "")
        codes, told = json.loads(done.stdout.splitlines()[-1])
        assert set(codes) == {0}, codes
        assert told["disk"]
        assert list((folder / "tmp").iterdir()) == []
        files = {path.name: path.read_bytes() for path in folder.glob("*.*")}
        del files["model.npz"]  # it holds times
        found[is_poorer] = told, files
    assert len(found[True][1]) == 3 * len(SAMPLES) + 6
    assert found[True] == found[False]


def test_ctrl_c_ends_the_poorer_program_too(tmp_path):
    code = """
import sys
from craig_cli.cli import program
from craig_cli.readers import streams
streams.PATIENCE_SECONDS = 0.1
sys.argv = "craig select - --format csv --size 2 -o cs.parquet".split()
program()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(True),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "waiting for data" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert (process.returncode, rest) == (130, "craig: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_gone_is_told_as_windows_tells_it(tmp_path):
    code = """
import sys
from craig_cli.cli import app, program
def gone(name):
    raise OSError(22, "Invalid argument", *{file})
app.load_command = gone
sys.argv = ["craig", "info", "x"]
program()
"""
    for is_poorer, file, exit_code in ((True, (), 141), (True, ("x?",), 1), (False, (), 1)):
        done = run(code.format(file=file), is_poorer)
        assert (done.returncode, bool(done.stderr)) == (exit_code, exit_code == 1), done.stderr


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


def test_letters_that_an_encoding_lacks_are_shown_escaped(tmp_path):
    (tmp_path / "rows.csv").write_text("label,a\n\u0434,1\n\u043d,2\n", encoding="utf-8")
    craig = [sys.executable, "-m", "craig_cli"]
    options = {"cwd": tmp_path, "env": environment(False), "capture_output": True, "text": True}
    words = ["select", "rows.csv", "--size", "2", "-q", "-o", "cs.parquet"]
    subprocess.run([*craig, *words], check=True, **options)
    shown = subprocess.run([*craig, "info", "cs.parquet"], **options)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\\u0434  1 of 1" in shown.stdout


@pytest.fixture
def windows(monkeypatch):
    """Tell of memory as kernel32 does, in a system that tells of it in no other way."""
    asked = {}

    def of_machine(structure):
        asked["machine"] = structure._obj[0]
        structure._obj[1:] = range(1, 8)
        return 1

    def of_process(handle, structure, size):
        asked["process"] = handle.value, structure._obj[0], size.value
        structure._obj[1:] = range(11, 19)
        return 1

    kernel32 = {"GlobalMemoryStatusEx": of_machine, "K32GetProcessMemoryInfo": of_process}
    monkeypatch.setattr(ctypes, "WinDLL", {"kernel32": kernel32}.get, raising=False)
    monkeypatch.setattr(platform, "PROC", Path("nowhere"))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "sysconf")
    return asked


def test_memory_as_windows_tells_it(windows):
    assert (platform.memory_bytes(), platform.machine_bytes()) == (1, 4)
    assert platform.peak_memory_bytes() == 11
    # The sizes of the structures, and the handle that is this process.
    assert windows == {"machine": 64, "process": (2**64 - 1, 72, 72)}


def test_memory_as_macos_tells_it(monkeypatch):
    monkeypatch.setattr(platform, "PROC", Path("nowhere"))
    kib = platform.peak_memory_bytes() // 1024
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kib <= platform.peak_memory_bytes() < 2 * kib, "bytes there, and kibibytes elsewhere"
    assert platform.machine_bytes() == platform.memory_bytes() // 2


@pytest.mark.parametrize("absent", [(), ("pwrite", "preadv")])
def test_scratch_is_read_and_written_at_any_place(tmp_path, monkeypatch, absent):
    for name in absent:
        monkeypatch.delattr(os, name)
    scratch = platform.Scratch(str(tmp_path))
    scratch.truncate(8000)

    def fill(number):
        place = 1000 * number
        for _ in range(50):
            assert scratch.write(memoryview(bytes([number]) * 1000), place) == 1000
            space = memoryview(bytearray(1000))
            assert scratch.read(space, place) == 1000
            assert space == bytes([number]) * 1000

    with Workers(4) as workers:
        workers.map(fill, [(number,) for number in range(7)])
    tail = memoryview(bytearray(2000))
    assert (scratch.read(tail, 7000), scratch.read(tail, 8000)) == (1000, 0)
    assert bytes(tail) == bytes(2000)
    scratch.close()
    assert scratch.closed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("proc", [platform.PROC, Path("nowhere")])
@pytest.mark.parametrize("has_name", [False, True])
def test_a_temporary_copy_is_opened_again_and_leaves_nothing(tmp_path, monkeypatch, proc, has_name):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(platform, "PROC", proc)
    for end in (platform.TemporaryCopy.close, lambda copy: None):
        copy = platform.TemporaryCopy(has_name)
        copy.file.write(b"abc")
        copy.file.flush()
        assert [Path(copy.path).read_bytes() for _ in range(2)] == [b"abc"] * 2
        is_named = has_name or proc == Path("nowhere")
        assert len(list(tmp_path.iterdir())) == is_named
        end(copy)
        del copy
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_write_is_not_private(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    assert platform.is_private(tmp_path.stat())
    tmp_path.chmod(0o720)
    assert not platform.is_private(tmp_path.stat())
    monkeypatch.setattr(os, "getuid", lambda: -1)
    tmp_path.chmod(0o700)
    assert not platform.is_private(tmp_path.stat())
    monkeypatch.delattr(os, "getuid")
    assert platform.is_private(tmp_path.stat())


def test_the_cache_is_where_windows_keeps_such(monkeypatch):
    for name in ("CRAIG_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/a/AppData/Local")
    monkeypatch.setenv("HOME", "/home/a")
    assert cache.candidate_folders()[0] == Path("C:/Users/a/AppData/Local/craig")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_signal_comes_to_the_main_thread(monkeypatch, is_there):
    if not is_there:
        monkeypatch.delattr(signal, "pthread_kill")
    with pytest.raises(Signalled) as caught, Signals():
        timer = threading.Timer(0.05, platform.signal_main_thread, (signal.SIGTERM,))
        timer.start()
        for _ in range(100):
            time.sleep(0.05)
    assert (caught.value.word, caught.value.exit_code) == ("terminated", 143)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (r"C:\rows\a.csv", r"C:\rows\a.csv"),
        ("C:/rows/a.csv", "C:/rows/a.csv"),
        (r"\\host\share\a.csv", r"\\host\share\a.csv"),
        ("file:///C:/rows/a%20b.csv", "C:/rows/a b.csv"),
    ],
)
def test_names_of_windows_are_no_stores(monkeypatch, name, path):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("craig_cli.storage.location.Path", PureWindowsPath)
    location = Location.of(name)
    assert (location.path, location.scheme) == (path, "")
    assert location.file_name in ("a.csv", "a b.csv")
    assert location.beside("b.csv").path == path.replace(location.file_name, "b.csv")


def test_columns_in_the_names_of_folders_of_windows(monkeypatch):
    monkeypatch.setattr(folders, "Path", PureWindowsPath)
    assert folders.partition_texts(r"C:\rows\year=2024/month=1\a.csv") == [
        ("year", "2024"),
        ("month", "1"),
    ]
    files = [r"rows\a.csv", r"rows\_old\a.csv", r"rows\.git\a.csv"]
    assert folders.without_hidden(files, r"rows\**\*.csv") == files[:1]


def test_the_name_of_an_output_is_its_last_step_under_windows(monkeypatch):
    monkeypatch.setattr("craig_cli.storage.location.Path", PureWindowsPath)
    with pytest.raises(UsageError, match=r"Name it cs\.parquet; craig apply DATA cs\.parquet"):
        check_name(Location.of(r"C:\out\cs.csv"), "manifest", "--output")


def test_memory_that_no_system_tells_is_unknown():
    class Run(RunReport):
        lines = RunReport.closing_lines

    run = Run(rows=1, columns=1, skipped_rows=0, seconds={}, peak_memory_bytes=None)
    assert dict(run.lines())["memory"] == "unknown at the peak"
    assert json.loads(to_json(run.facts()))["peak_memory_bytes"] is None
