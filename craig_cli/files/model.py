"""The model file: arrays in NumPy's ``.npz``, without pickles; it alone knows their names."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli import __version__
from craig_cli.dataset import Labels
from craig_cli.errors import InputError
from craig_cli.storage.location import Location
from craig_cli.training.losses import LOSSES, Loss

SCHEMA_VERSION = 1
TRACE_TYPE = np.dtype(
    [
        ("path", np.int64),
        ("epoch", np.int64),
        ("passes", np.float64),
        ("seconds", np.float64),
        ("objective", np.float64),
        ("gradient_norm", np.float64),
    ]
)
REMEDY = "Give a file written by craig train."
REQUIRED = {"loss": str, "input": dict, "columns": list}
DAMAGES = (
    ValueError,
    KeyError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise on files that are cut, changed, encrypted, or promise arrays larger
than memory.
"""


@dataclass(frozen=True)
class Model:
    """One or more linear models of the same data, one for each strength of the regulariser.

    Parameters
    ----------
    coef : ndarray of float64, shape (p, m, d)
    intercept : ndarray of float64, shape (p, m)
    l2 : ndarray of float64, shape (p,)
    classes : Labels or None
        The user's own, ascending; None where a number is predicted.
    facts : mapping
        In JSON types: loss, settings, how the data was read, its fingerprint and that of the
        coreset, names of the columns (or an empty list).
    trace : structured array of `TRACE_TYPE`
        Path is the position in `l2`.
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    l2: NDArray[np.float64]
    classes: Labels | None
    facts: Mapping[str, Any]
    trace: NDArray[np.void]


def write_model(out: BinaryIO, model: Model) -> None:
    """Write a model to a stream that need not be seekable.

    Of a single model, `coef` is (m, d) and `intercept` (m,) in the file.
    """
    single = len(model.l2) == 1
    arrays = {
        "coef": model.coef[0] if single else model.coef,
        "intercept": model.intercept[0] if single else model.intercept,
        "l2": model.l2,
        "trace": model.trace,
        "craig": statements(model.facts),
    }
    if model.classes is not None:
        arrays["classes"] = without_objects(model.classes)
    write_arrays(out, arrays)


def statements(facts: Mapping[str, Any]) -> NDArray[Any]:
    """Return what a model states as an array of one text."""
    said = {"schema_version": SCHEMA_VERSION, "craig_version": __version__, **facts}
    return np.array(json.dumps(said, sort_keys=True))


def without_objects(classes: Labels) -> NDArray[Any]:
    """Return classes as an array that needs no pickle."""
    return classes.astype(str) if classes.dtype == object else classes


def write_arrays(out: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a stream that need not be seekable."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    out.write(buffer.getbuffer())


def is_model(path: Path) -> bool:
    """Return whether a file is a craig model, as far as the names of its arrays tell."""
    return holds_arrays(path, ("coef", "intercept", "craig"))


def holds_arrays(path: Path, names: Iterable[str]) -> bool:
    """Return whether a file has arrays of some names."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{name}.npy" for name in names} <= set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def read_model(path: str) -> Model:
    """Return the model in a file; ``-`` reads stdin.

    Raises
    ------
    InputError
        The file is missing, damaged, no craig model, of a newer schema, or contradicts itself.
    """
    source, arrays = read_arrays(path)
    return assemble(source, arrays)


def read_arrays(path: str) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return what messages call a file, and the arrays in it.

    Raises `InputError` for one that is missing, damaged or holds objects.
    """
    location = Location.of(path)
    source = location.source
    try:
        with nullcontext(sys.stdin.buffer) if location.is_standard else location.open() as stream:
            content = stream.read()
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise InputError(source, "not a model file, or cut short", remedy=REMEDY)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return source, {name: archive[name] for name in archive.files}
    except OSError as error:
        raise InputError(
            source,
            f"cannot be read: {os.strerror(error.errno) if error.errno else error}",
            remedy=REMEDY,
        ) from error
    except DAMAGES as error:
        raise InputError(
            source, "a damaged model file, or one that holds objects", remedy=REMEDY
        ) from error


def assemble(source: str, arrays: Mapping[str, NDArray[Any]]) -> Model:
    """Return the model that arrays make, checked against each other."""
    facts = read_facts(source, arrays)
    coef, intercept, l2 = (numbers(source, name, arrays) for name in ("coef", "intercept", "l2"))
    if l2.shape == (1,):
        coef, intercept = coef[None], intercept[None]
    classes = arrays.get("classes")
    n_outputs = coef.shape[1] if coef.ndim == 3 else 0
    if (
        not n_outputs
        or l2.ndim != 1
        or not len(l2)
        or len(coef) != len(l2)
        or intercept.shape != coef.shape[:2]
    ):
        raise InputError(source, "the shapes of coef, intercept and l2 do not agree", remedy=REMEDY)
    if not is_labelled(classes, n_outputs, LOSSES[facts["loss"]]):
        raise InputError(source, "the classes do not agree with coef", remedy=REMEDY)
    trace = read_trace(source, arrays, TRACE_TYPE)
    if classes is not None and classes.dtype.kind == "U":
        classes = classes.astype(object)
    return Model(coef, intercept, l2, classes, facts, trace)


def is_labelled(classes: NDArray[Any] | None, n_outputs: int, loss: Loss) -> bool:
    """Return whether classes, ascending, are as many as the outputs of a loss stand for.

    None fits a loss that predicts a number.
    """
    if classes is None:
        return loss.fits_numbers and n_outputs == 1
    if (
        classes.ndim != 1
        or classes.dtype.kind not in "ifU"
        or len(classes) < 2
        or not (classes[:-1] < classes[1:]).all()
    ):
        return False
    return n_outputs == loss.n_outputs(len(classes))


def read_facts(source: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what the file of a linear model states."""
    facts = read_statements(source, arrays, REQUIRED)
    if facts["loss"] not in LOSSES or not all(isinstance(name, str) for name in facts["columns"]):
        raise InputError(
            source,
            "its loss or the names of its columns are none of this version of craig",
            remedy=REMEDY,
        )
    return facts


def read_statements(
    source: str, arrays: Mapping[str, NDArray[Any]], required: Mapping[str, type]
) -> dict[str, Any]:
    """Return what a file states in JSON, which has values of the types that are required."""
    text = arrays.get("craig")
    if text is None or text.shape != () or text.dtype.kind != "U":
        raise InputError(source, "not a craig model", remedy=REMEDY)
    try:
        facts = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise InputError(source, "its statements are not JSON", remedy=REMEDY) from error
    version = facts.get("schema_version") if isinstance(facts, dict) else None
    if type(version) is not int or not all(
        type(facts.get(name)) is kind for name, kind in required.items()
    ):
        raise InputError(source, "its statements are incomplete", remedy=REMEDY)
    if version > SCHEMA_VERSION:
        raise InputError(
            source,
            f"model schema version {version}, and this craig reads up to {SCHEMA_VERSION}",
            remedy="Update craig.",
        )
    return dict(facts)


def numbers(source: str, name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return an array of finite numbers."""
    values = arrays.get(name)
    if values is None or values.dtype != np.float64 or not np.isfinite(values).all():
        raise InputError(
            source, f"array '{name}' is missing, or not of finite float64", remedy=REMEDY
        )
    return values


def read_trace(
    source: str, arrays: Mapping[str, NDArray[Any]], dtype: np.dtype
) -> NDArray[np.void]:
    """Return how the training went."""
    trace = arrays.get("trace")
    if trace is None or trace.dtype != dtype:
        raise InputError(source, "array 'trace' is missing or of a wrong type", remedy=REMEDY)
    return trace
