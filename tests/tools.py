"""What some tests need beyond the packages that ``craig`` itself needs.

A test says ``@pytest.mark.needs("zsh")``, or calls :func:`needs` where it wants the module or the
path. Every skip of the suite has the form ``needs NAME: how to get it``; `skips.py` reads it, and
`install_tools.py` gets what is missing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

ENVIRONMENT = Path(sys.prefix)
SEARCHED = os.pathsep.join(
    (
        str(ENVIRONMENT / "bin"),
        str(ENVIRONMENT / "node_modules" / ".bin"),
        os.environ.get("PATH", os.defpath),
    )
)
"""Where programs are looked for: the virtual environment first, whether or not it is active."""
SHARED_DATA = Path(os.environ.get("CRAIG_DATA") or Path(__file__).parents[2] / "shared" / "data")


@dataclass(frozen=True)
class Tool:
    """Something that tests need: a module, a program or a folder.

    Attributes
    ----------
    kind : {"module", "program", "folder"}
    names : tuple of str
        The module, the programs (any of them will do) or the folder.
    client : {"pip", "apt", "npm", ""}
        Which client gets it; none gets the real data sets.
    packages : tuple of str
        Its packages there, the first that can be had.
    """

    kind: str
    names: tuple[str, ...]
    client: str
    packages: tuple[str, ...]

    def find(self) -> str | None:
        """Return the module's name or the path of the program or folder, None where it is not."""
        if self.kind == "module":
            return self.names[0] if importlib.util.find_spec(self.names[0]) else None
        if self.kind == "folder":
            return self.names[0] if Path(self.names[0]).is_dir() else None
        found = (shutil.which(name, path=SEARCHED) for name in self.names)
        return next(filter(None, found), None)

    def is_installed(self) -> bool:
        """Return whether its package is installed, by the word of what installed it."""
        return any(map(PACKAGE_IS_THERE[self.client], self.packages))

    def advice(self) -> str:
        """Return how to get it."""
        ways = {"pip": "pip install", "apt": "apt-get install", "npm": "npm install"}
        return f"{ways[self.client]} '{self.packages[-1]}'" if self.client else self.packages[0]


def has_distribution(package: str) -> bool:
    """Return whether pip has installed a package."""
    try:
        importlib.metadata.version(package.partition(">")[0].partition("=")[0].partition("[")[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def has_debian_package(package: str) -> bool:
    """Return whether dpkg, where there is one, has installed a package."""
    if shutil.which("dpkg-query") is None:
        return False
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(asked, capture_output=True, text=True).stdout == "installed"


PACKAGE_IS_THERE = {
    "pip": has_distribution,
    "apt": has_debian_package,
    "npm": lambda package: (ENVIRONMENT / "node_modules" / package).is_dir(),
    "": lambda _: SHARED_DATA.is_dir(),
}


def module(name: str, *packages: str) -> Tool:
    """Return a Python module."""
    return Tool("module", (name,), "pip", packages or (name,))


def program(*names: str, client: str = "apt", package: str = "") -> Tool:
    """Return a program, by any of its names."""
    return Tool("program", names, client, (package or names[0],))


TOOLS = {
    "boto3": module("boto3"),
    "distributed": module("distributed"),
    "ipykernel": module("ipykernel"),
    "lightgbm": module("lightgbm", "lightgbm>=4"),
    "matplotlib": module("matplotlib"),
    "mkdocs-material": module("material", "mkdocs-material>=9.5"),
    "mkdocstrings": module("mkdocstrings", "mkdocstrings[python]>=0.27"),
    "moto": module("moto", "moto[s3,server]>=5"),
    "nbclient": module("nbclient"),
    "pandas": module("pandas", "pandas>=2"),
    "polars": module("polars", "polars>=1"),
    "pyyaml": module("yaml", "pyyaml"),
    "scikit-learn": module("sklearn", "scikit-learn>=1.6"),
    "tqdm": module("tqdm"),
    # Some indexes have a build for the CPU of this version only; any other takes gigabytes.
    "torch": module("torch", "torch==2.13.0", "torch>=2.4"),
    "vowpalwabbit": module("vowpalwabbit", "vowpalwabbit>=9"),
    "xgboost": module("xgboost", "xgboost-cpu>=3", "xgboost>=3"),
    "azurite": program("azurite-blob", client="npm", package="azurite"),
    "chromium": program("chromium", "google-chrome"),
    "fish": program("fish"),
    "gcp-storage-emulator": program("gcp-storage-emulator", client="pip"),
    "groff": program("groff"),
    "make": program("make"),
    "setpriv": program("setpriv", package="util-linux"),
    "zsh": program("zsh"),
    "fashion-mnist": Tool(
        "folder", ("/usr/share/datasets/fashion-mnist",), "apt", ("dataset-fashion-mnist",)
    ),
    "shared data": Tool(
        "folder", (str(SHARED_DATA),), "", ("set CRAIG_DATA, see benchmarks/DATA.md",)
    ),
}


def path_of(name: str) -> str:
    """Return where a program or a folder is; skips the test where it is not."""
    found = TOOLS[name].find()
    if found is None:
        pytest.skip(f"needs {name}: {TOOLS[name].advice()}", allow_module_level=True)
    return found


def needs(name: str, submodule: str = "") -> ModuleType:
    """Return a module, or a submodule of it; skips the test, or the file, where it is not."""
    return importlib.import_module(path_of(name) + submodule)


def made_by(script: str) -> ModuleType:
    """Return a script of packaging/ as a module."""
    path = Path(__file__).parents[1] / "packaging" / f"{script}.py"
    spec = importlib.util.spec_from_file_location(script, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slow(*values: object) -> list:
    """Return values of a parameter that only the slow tier tries."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def spared(cases: Sequence[Mapping[str, object]], together: int) -> list[int]:
    """Return which cases are not needed to see all values of parameters, or all pairs of values.

    A case is taken, time and again, that shows most of what has not been seen yet.

    Parameters
    ----------
    cases : sequence of mappings
        The values of the parameters, a mapping each.
    together : int
        How many parameters are looked at together: 1 for values, 2 for pairs.
    """
    values = [sorted((name, repr(value)) for name, value in case.items()) for case in cases]
    shown = [frozenset(combinations(case, min(together, len(case)))) for case in values]
    unseen, left = set().union(*shown), list(range(len(cases)))
    while unseen:
        best = max(left, key=lambda place: len(shown[place] & unseen))
        unseen -= shown[best]
        left.remove(best)
    return left
