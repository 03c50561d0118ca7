"""Where compiled kernels are kept between runs. Imported before numba, since numba reads the folder
once, at import.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from craig_cli import __version__, platform


def kernels_digest() -> str:
    """Return a digest of the kernels' sources: numba does not notice when a kernel changes that
    another file's kernel calls.
    """
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent / "kernels").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def cache_name() -> str:
    """Return the name of the folder of these kernels, compiled: no other version's."""
    return f"{__version__}-{kernels_digest()}"


def candidate_folders() -> list[Path]:
    """Return the folders to try, best first: CRAIG_CACHE_DIR, the user's cache, a private temporary
    folder.
    """
    folders = []
    if os.environ.get("CRAIG_CACHE_DIR"):
        folders.append(Path(os.environ["CRAIG_CACHE_DIR"]))
    if os.environ.get("XDG_CACHE_HOME"):
        folders.append(Path(os.environ["XDG_CACHE_HOME"]) / "craig")
    elif os.environ.get("LOCALAPPDATA"):  # Windows
        folders.append(Path(os.environ["LOCALAPPDATA"]) / "craig")
    elif os.environ.get("HOME"):
        folders.append(Path(os.environ["HOME"]) / ".cache" / "craig")
    folders.append(Path(tempfile.gettempdir()) / f"craig-cache-{platform.user_number()}")
    return folders


def is_private_and_writable(folder: Path) -> bool:
    """Return whether `folder` can be made and written, belongs to this user and is closed to
    writers other than them.

    The cache holds pickles and machine code, so a folder that somebody else can write must not be
    trusted.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not platform.is_private(folder.stat()):
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def prepare_cache() -> Path | None:
    """Point numba at a folder of this version's own and return it; None if nothing is writable, and
    then nothing is cached.

    Must run before numba is first imported; where the caller's program has imported numba already,
    its configuration is set instead.
    """
    import sys

    name = cache_name()
    chosen = next(
        (folder / name for folder in candidate_folders() if is_private_and_writable(folder / name)),
        None,
    )
    if chosen is not None:
        if "numba" in sys.modules:
            import numba

            numba.config.CACHE_DIR = str(chosen)  # type: ignore[attr-defined]
        else:
            os.environ["NUMBA_CACHE_DIR"] = str(chosen)
    return chosen
