"""The rules of the house: rooms import only those below, functions and files are short, and the
help needs nothing heavy.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from without_posix.names import MODULES, is_absent

from craig_cli.cli.app import COMMANDS

PACKAGE = Path(__file__).parents[1] / "craig_cli"
FLOORS = (
    ("craig_cli.platform", "craig_cli.compiling"),
    ("craig_cli.errors", "craig_cli.lapack", "craig_cli.cache", "craig_cli.skipped"),
    ("craig_cli.threads",),
    ("craig_cli.dataset",),
    ("craig_cli.settings",),
    ("craig_cli.storage",),
    ("craig_cli.kernels",),
    ("craig_cli.readers", "craig_cli.writers"),
    ("craig_cli.selection", "craig_cli.training"),
    ("craig_cli.calibration",),
    ("craig_cli.evaluation",),
    ("craig_cli.files",),
    ("craig_cli.reports",),
    ("craig_cli.workflows",),
    ("craig_cli.words", "craig_cli.arrays"),
    ("craig_cli.asked",),
    ("craig_cli.api",),
    ("craig_cli.sklearn", "craig_cli.torch"),
    ("craig_cli.cli",),
)
"""From the ground up. A room imports only those on floors below its own, never its neighbours."""
TOP = (
    *("__init__", "__main__", "arrays", "asked", "cache", "compiling", "dataset", "errors"),
    *("lapack", "platform", "skipped", "threads", "torch", "words"),
)
"""The only modules outside the rooms."""
HOMES = {
    "click": ("craig_cli.cli",),
    "numba": ("craig_cli.kernels", "craig_cli.cache"),
    "distributed": ("craig_cli.workflows.dask_engine",),
    "matplotlib": ("craig_cli.reports.panel_png",),
    "sklearn": ("craig_cli.sklearn",),
    "torch": ("craig_cli.torch",),
    "pandas": ("craig_cli.api.tables",),
    "tqdm": ("craig_cli.api.watching",),
    "h5py": ("craig_cli.readers", "craig_cli.writers"),
    "pyarrow": (
        "craig_cli.readers",
        "craig_cli.writers",
        "craig_cli.files",
        "craig_cli.storage",
    ),
}
"""Packages, and the only places that import them."""
FACADE = ("craig_cli", "craig_cli.__main__")
ROOMS = (
    *("api", "calibration", "cli", "evaluation", "files", "kernels", "readers", "reports"),
    *("selection", "settings", "sklearn", "storage", "training", "workflows", "writers"),
)
LACKED = (*MODULES, "ctypes.WinDLL", "os.name", "sys.platform", "tempfile.NamedTemporaryFile")
"""What only `craig_cli.platform` names, beside the names that some systems lack."""
MOST_FUNCTION_LINES = 60
MOST_FILE_LINES = 350
MOST_COLUMNS = 100
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def floor_of(module: str) -> int:
    floors = [
        number
        for number, members in enumerate(FLOORS)
        if any(is_within(module, member) for member in members)
    ]
    assert floors, f"{module} is on no floor: add it to FLOORS"
    return floors[0]


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


@cache
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    """Return all nodes of a module: parsed once for all tests."""
    return tuple(ast.walk(ast.parse(source)))


def imports(path: Path) -> Iterator[str]:
    """Give every module that a file imports, in functions too."""
    for node in nodes_of(path.read_text()):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            if node.module == "craig_cli":
                yield from (
                    name
                    for alias in node.names
                    if (name := f"craig_cli.{alias.name}") != "craig_cli.__version__"
                )
            else:
                yield node.module


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_down(path):
    module = module_name(path)
    for imported in imports(path):
        for package, homes in HOMES.items():
            if is_within(imported, package):
                assert any(is_within(module, home) for home in homes), (
                    f"{module} imports {imported}"
                )
        if (
            module in FACADE
            or not is_within(imported, "craig_cli")
            or room_of(module) == room_of(imported)
        ):
            continue
        assert floor_of(imported) < floor_of(module), f"{module} imports {imported}: not below it"


def of_some_systems(source: str) -> list[str]:
    """Return what a module names that not all systems have: modules, names in modules, paths."""
    found = []
    for node in nodes_of(source):
        match node:
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name in LACKED]
            case ast.ImportFrom(module=module, names=names):
                found += [module] if module in LACKED else []
                found += [
                    f"{module}.{alias.name}"
                    for alias in names
                    if is_absent(str(module), alias.name)
                ]
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                whole = f"{module}.{name}"
                found += [whole] if is_absent(module, name) or whole in LACKED else []
            case ast.Constant(value=str(text)) if text.startswith(("/proc", "/sys/", "/dev/")):
                found.append(text)
    return found


def test_what_only_some_systems_have_is_known():
    source = """
import fcntl, os, signal, tempfile
from os import fork, replace
from resource import getrusage
os.O_CLOEXEC, os.O_RDONLY, os.replace, os.pwrite, os.name, sys.platform
signal.SIGHUP, signal.SIGINT
Path("/proc/meminfo"), tempfile.NamedTemporaryFile()
"""
    assert sorted(of_some_systems(source)) == [
        *("/proc/meminfo", "fcntl", "os.O_CLOEXEC", "os.fork", "os.name", "os.pwrite"),
        *("resource", "signal.SIGHUP", "sys.platform", "tempfile.NamedTemporaryFile"),
    ]


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_one_module_names_what_only_some_systems_have(path):
    found = of_some_systems(path.read_text())
    assert bool(found) == (module_name(path) == "craig_cli.platform"), found


def test_nothing_lies_outside_the_rooms():
    assert sorted(path.stem for path in PACKAGE.glob("*.py")) == sorted(TOP)
    assert sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")) == sorted(ROOMS)


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that are neither blank, nor comment, nor docstring."""
    lines = {
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    }
    for node in nodes_of(source):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                lines -= set(range(node.lineno, node.end_lineno + 1))
    return lines


def too_long(source: str, module: str) -> dict[str, int]:
    """Return the functions of a module, and the module itself, that are too long, and how long."""
    code, found = code_lines(source), {module: len(source.splitlines())}
    found = {name: length for name, length in found.items() if length > MOST_FILE_LINES}
    for node in nodes_of(source):
        if isinstance(node, ast.FunctionDef):
            length = len(code & set(range(node.lineno, node.end_lineno + 1)))
            if length > MOST_FUNCTION_LINES:
                found[f"{module}.{node.name}"] = length
    return found


def test_what_counts_as_a_line_of_code():
    body = ["def f():", '    """Say', "", '    it."""', "", "    # why", *["    g()  # h"] * 60]
    assert code_lines("\n".join(body)) == {1, *range(7, 67)}
    assert too_long("\n".join(body), "m") == {"m.f": 61}
    assert too_long("\n".join(body[:-1]), "m") == {}
    assert too_long("x = 1\n" * 351, "m") == {"m": 351}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_functions_files_and_lines_are_short(path):
    source = path.read_text()
    assert too_long(source, module_name(path)) == {}
    assert [line for line in source.splitlines() if len(line) > MOST_COLUMNS] == []


@pytest.mark.parametrize(
    "path", [p for p in FILES if not is_within(module_name(p), "craig_cli.cli")], ids=module_name
)
def test_nothing_prints_below_the_command_line(path):
    calls = [node.func for node in nodes_of(path.read_text()) if isinstance(node, ast.Call)]
    assert [
        call
        for call in calls
        if isinstance(call, ast.Name) and call.id in ("print", "input", "breakpoint")
    ] == []


HEAVY = ("numpy", "numba", "scipy", "pyarrow", "h5py", "pandas", "craig_cli.workflows.select")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([entry.name, "--help"] for entry in COMMANDS),
        ["select", "--size", "x"],
    ],
    ids=" ".join,
)
def test_help_is_light(arguments):
    code = (
        f"import sys; from craig_cli.cli import main; main(); print([m for m in {HEAVY} if m "
        f"in "
        f"sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True
    )
    assert result.stderr.splitlines()[-1] == "[]"


UNUSED = (
    *("h5py", "matplotlib", "numpy.f2py", "numpy.testing", "pandas", "polars", "sklearn", "torch"),
    *("distributed", "pyarrow.compute", "pyarrow.dataset"),
    *("scipy.linalg", "scipy.optimize", "scipy.sparse", "scipy.special"),
    *("numba.np.arraymath", "numba.np.linalg", "numba.np.random.legacy", "numba.typed.typedlist"),
    *("craig_cli.kernels.dense_epochs", "craig_cli.kernels.sparse_epochs"),
)
"""What a selection from LIBSVM text has no use for once its kernels are compiled."""


def test_selecting_loads_only_what_it_uses(tmp_path):
    sample, manifest = PACKAGE.parent / "sample_data" / "sample.libsvm", tmp_path / "cs.parquet"
    code = (
        "import sys; from craig_cli.cli import main; code = main(); "
        f"print(code, [m for m in {UNUSED} if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "select", str(sample), "--fraction", "0.1", "-q", "-o"]
    for _ in range(2):  # the first time kernels may have to be compiled, for which numba loads more
        result = subprocess.run([*command, str(manifest)], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("0 []\n", "")
    told = subprocess.run(
        [sys.executable, "-c", code.replace(str(UNUSED), "('numba', 'scipy')"), "info", manifest],
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines()[-1] == "0 []", "a manifest is told without kernels"


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if not is_within(module_name(p), "craig_cli.kernels")],
    ids=module_name,
)
def test_kernels_called_from_outside_are_kept_on_disk(path):
    kernels = {
        kernel.stem: importlib.import_module(module_name(kernel))
        for kernel in PACKAGE.glob("kernels/*.py")
    }
    used = []
    for node in nodes_of(path.read_text()):
        if isinstance(node, ast.ImportFrom) and is_within(str(node.module), "craig_cli.kernels"):
            used += [
                getattr(importlib.import_module(str(node.module)), alias.name)
                for alias in node.names
            ]
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in kernels
        ):
            used.append(getattr(kernels[node.value.id], node.attr, None))
    assert [
        function
        for function in used
        if getattr(function, "targetoptions", {}).get("inline") == "always"
    ] == []


def test_completion_is_light():
    report = "atexit.register(lambda: print('numpy' in sys.modules, file=sys.stderr))"
    code = f"import sys, atexit; {report}; from craig_cli.cli import main; sys.exit(main())"
    environment = {
        "_CRAIG_COMPLETE": "bash_complete",
        "COMP_WORDS": "craig select --me",
        "COMP_CWORD": "2",
    }
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert (result.returncode, result.stderr) == (0, "False\n")
    assert result.stdout.split() == [
        "plain,--mean-epsilon",
        "plain,--method",
        "plain,--metric",
        "plain,--memory-limit",
    ]
