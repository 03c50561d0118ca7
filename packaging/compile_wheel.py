"""Add compiled kernels to a wheel: python packaging/compile_wheel.py WHEEL FOLDER, by a Python that
has this wheel installed. Writes to FOLDER a wheel for this version of Python and this platform.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

PLATFORMS = {("Linux", "x86_64"): "manylinux_2_17_x86_64"}
"""Where kernels are compiled for a baseline, by the tag of its wheels. Others have the wheel that
compiles them at first use.
"""


def compiled_kernels() -> dict[str, bytes]:
    """Return the files to add, by their names in the wheel."""
    from craig_cli.kernels import BASELINE, SHIPPED_FOLDER

    name, features = BASELINE
    with tempfile.TemporaryDirectory() as folder:
        cache = {"CRAIG_CACHE_DIR": folder, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
        command = [sys.executable, "-P", "-m", "craig_cli", "doctor", "--warm"]
        subprocess.run(command, check=True, env=os.environ | cache)
        shipped = Path("craig_cli/kernels/compiled") / SHIPPED_FOLDER.name
        return {
            str(shipped / path.name): path.read_bytes()
            for path in sorted(Path(folder).rglob("*.nb[ci]"))
        }


def tag() -> str:
    """Return the tag of wheels for this Python and platform."""
    if (platform.system(), platform.machine()) not in PLATFORMS:
        sys.exit("Kernels are not compiled for this platform: the wheel for all serves it.")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{PLATFORMS[platform.system(), platform.machine()]}"


def with_files(wheel: Path, added: Mapping[str, bytes], tag: str, folder: Path) -> Path:
    """Write a wheel of another tag and with more files to a folder, and return it."""
    with zipfile.ZipFile(wheel) as pure:
        files = {name: pure.read(name) for name in pure.namelist()}
    about = next(name for name in files if name.endswith(".dist-info/WHEEL"))
    lines = files[about].decode().splitlines()
    kept = [line for line in lines if line and not line.startswith(("Root-Is-Purelib:", "Tag:"))]
    files[about] = "\n".join([*kept, "Root-Is-Purelib: false", f"Tag: {tag}", ""]).encode()
    files |= added
    record = about.replace("/WHEEL", "/RECORD")
    del files[record]
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerows([name, digest(data), len(data)] for name, data in files.items())
    rows.writerow([record, "", ""])
    folder.mkdir(parents=True, exist_ok=True)
    name, version, *_ = wheel.name.split("-")
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for file, data in (files | {record: table.getvalue().encode()}).items():
            out.writestr(zipfile.ZipInfo(file), data, zipfile.ZIP_DEFLATED)
    return path


def digest(data: bytes) -> str:
    """Return the digest of a file as a wheel's record has it."""
    found = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={found.rstrip(b'=').decode()}"


if __name__ == "__main__":
    found = tag()
    print(with_files(Path(sys.argv[1]), compiled_kernels(), found, Path(sys.argv[2])))
