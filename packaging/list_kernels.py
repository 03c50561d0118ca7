"""Write the list of kernels that common runs call, and with which types: python
packaging/list_kernels.py. Where they are compiled already that takes half a minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numba import types

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_data"
TABLE, TEXT, ARRAY = SAMPLES / "sample.csv", SAMPLES / "sample.libsvm", SAMPLES / "sample.h5"
WIDE = Path("wide.libsvm")
METHODS = ("cells", "stochastic", "stratified", "importance", "random")
SOLVERS = ("newton", "saga", "svrg", "sgd", "adam", "lbfgs")
SELECT = ("select", "--quiet", "--force", "-o", "cs.parquet", "--fraction", "0.1")


def first_selections() -> dict[str, list[str]]:
    """Return what a selection calls by default, by road: what only reads text apart."""
    table, text = (called([*SELECT, str(data)]) for data in (TABLE, TEXT))
    return {
        "csv": [line for line in table if line.startswith("csv.")],
        "libsvm": [line for line in text if line.startswith("libsvm.")],
        "dense": [line for line in table if not line.startswith("csv.")],
        "sparse": [line for line in text if not line.startswith("libsvm.")],
    }


def other_runs() -> list[list[str]]:
    """Return the arguments of the other runs that are common."""
    local = [*SELECT, str(TABLE), "--for", "local"]
    runs = [[*SELECT, str(ARRAY)], [*local, "--refine"], [*local, "--parts", "2"]]
    WIDE.write_text("".join(wide_rows()))
    for data in (TABLE, TEXT, WIDE):
        start = [*SELECT, str(data)]
        runs += [[*start, "--method", method] for method in METHODS]
        runs += [[*start, "--for", purpose] for purpose in ("linear", "local")]
        runs += [[*start, *options] for options in (["--paper"], ["--scale", "standard"])]
        runs += [[*start, "--metric", "cosine"], [*start, "--pilot-loss", "squared"]]
        runs += [
            ["train", str(data), "--coreset", "cs.parquet", "-q", "--force", "-o", "m.npz", *solver]
            for solver in ([], *(["--solver", name] for name in SOLVERS))
        ]
        runs += [
            ["verify", str(data), "cs.parquet"],
            ["evaluate", str(data), "--coreset", "cs.parquet", "-q"],
            ["predict", str(data), "m.npz", "-q", "--force", "-o", "p.parquet"],
        ]
    return runs


def wide_rows() -> Iterator[str]:
    """Yield rows of many columns, nearly all of them 0: text, as that of words."""
    rng = np.random.default_rng(0)
    for row in range(300):
        entries = " ".join(f"{column + 1}:1" for column in np.flatnonzero(rng.random(500) < 0.02))
        yield f"{row % 2} {entries}\n"


def called(arguments: Sequence[str]) -> list[str]:
    """Return the lines of the kernels that a run of `craig` calls, in order, in a process of its
    own. What is compiled calls nothing by itself: where something had to be, the run is repeated.
    """
    command = [sys.executable, __file__, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for _ in range(2):
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
        lines = json.loads(told.splitlines()[-1])
        if None not in lines:
            break
    return list(dict.fromkeys(lines))


def tell_calls(arguments: Sequence[str]) -> None:
    """Run `craig` in this process, and print what it calls from outside of kernels; None for what
    had to be compiled.
    """
    from craig_cli.cli import main
    from craig_cli.kernels import KernelCache, ahead

    ahead.missing = no_kernels  # the list may name what is no longer there

    lines, load = [], KernelCache.load_overload

    def noting(cache: KernelCache, signature: Any, context: Any) -> Any:
        found = load(cache, signature, context)
        lines.append(None if found is None else spelled(cache._py_func, signature))
        return found

    KernelCache.load_overload = noting
    code = main(arguments)
    print()
    print(json.dumps(lines))
    sys.exit(code)


def no_kernels(roads: Iterable[str]) -> list[Any]:
    """Return nothing to compile ahead."""
    return []


def spelled(kernel: Any, signature: Iterable[types.Type]) -> str:
    """Return a kernel and its types as one line of the list."""
    home = kernel.__module__.rpartition(".")[2]
    return f"{home}.{kernel.__name__}: {', '.join(map(type_name, signature))}"


def spelled_all(kernels: Iterable[tuple[Any, tuple]]) -> list[str]:
    """Return kernels with their types as lines of the list."""
    return [spelled(kernel.py_func, signature) for kernel, signature in kernels]


def type_name(kind: types.Type) -> str:
    """Return a type as it stands in the list."""
    match kind:
        case types.BaseNamedTuple():
            return f"{kind.instance_class.__name__}({', '.join(map(type_name, kind.types))})"
        case types.BaseTuple():
            return f"Tuple([{', '.join(map(type_name, kind.types))}])"
        case types.Omitted():
            return f"Omitted({kind.value!r})"
        case types.Array(layout="C", mutable=True, aligned=True):
            return f"{kind.dtype}[{':, ' * (kind.ndim - 1)}::1]"
        case types.Array():
            return f"Array({kind.dtype}, {kind.ndim}, {kind.layout!r}, {not kind.mutable})"
    return str(kind)


def table() -> dict[str, list[str]]:
    """Return the list: the kernels of each road."""
    roads = first_selections()
    known = {line for lines in roads.values() for line in lines}
    others = dict.fromkeys(line for run in other_runs() for line in called(run))
    return roads | {"other": [line for line in others if line not in known]}


if __name__ == "__main__":
    if sys.argv[1:]:
        tell_calls(sys.argv[1:])
    else:
        from craig_cli.kernels.ahead import LIST

        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            LIST.write_text(json.dumps(table(), indent=1) + "\n")
