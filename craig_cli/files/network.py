"""The file of a network: arrays in NumPy's ``.npz``, whose names only this module knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.errors import InputError
from craig_cli.files.model import (
    REMEDY,
    holds_arrays,
    read_statements,
    read_trace,
    statements,
    without_objects,
    write_arrays,
)
from craig_cli.settings.catalog import ACTIVATIONS, names
from craig_cli.training.network import Network

WEIGHTS = ("first", "first_bias", "second", "second_bias")
TRACE_TYPE = np.dtype(
    [
        ("epoch", np.int64),
        ("passes", np.float64),
        ("seconds", np.float64),
        ("selection_seconds", np.float64),
        ("objective", np.float64),
        ("error", np.float64),
    ]
)
REQUIRED = {"activation": str, "settings": dict, "input": dict, "columns": list}


@dataclass(frozen=True)
class NetworkModel:
    """A network and where it came from.

    Parameters
    ----------
    network : Network
    classes : Labels
        The user's own, ascending.
    facts : mapping
        In JSON types: settings, how the data was read, its fingerprint and that of the coreset,
        names of the columns (or an empty list).
    trace : structured array of `TRACE_TYPE`
    """

    network: Network
    classes: Labels
    facts: Mapping[str, Any]
    trace: NDArray[np.void]


def write_network(out: BinaryIO, model: NetworkModel) -> None:
    """Write a network to a stream that need not be seekable."""
    network = model.network
    facts = {"model": "mlp", "activation": network.activation, **model.facts}
    arrays = {
        **{name: getattr(network, name) for name in WEIGHTS},
        "classes": without_objects(model.classes),
        "trace": model.trace,
        "craig": statements(facts),
    }
    write_arrays(out, arrays)


def is_network(path: Path) -> bool:
    """Return whether a file is a network of craig, as far as the names of its arrays tell."""
    return holds_arrays(path, (*WEIGHTS, "craig"))


def assemble_network(source: str, arrays: Mapping[str, NDArray[Any]]) -> NetworkModel:
    """Return the network that the arrays of a file make, checked against each other.

    Raises `InputError` if they do not agree.
    """
    facts = read_statements(source, arrays, REQUIRED)
    if facts["activation"] not in names(ACTIVATIONS) or not all(
        isinstance(name, str) for name in facts["columns"]
    ):
        raise InputError(
            source,
            "its activation or the names of its columns are none of this version of craig",
            remedy=REMEDY,
        )
    weights = []
    for name, n_axes in zip(WEIGHTS, (2, 1, 2, 1), strict=True):
        values = arrays.get(name)
        if (
            values is None
            or values.dtype != np.float32
            or values.ndim != n_axes
            or not np.isfinite(values).all()
        ):
            raise InputError(
                source,
                f"array '{name}' is missing, or not of finite float32 in {n_axes} dimensions",
                remedy=REMEDY,
            )
        weights.append(np.ascontiguousarray(values))
    first, first_bias, second, second_bias = weights
    if (
        not (first.shape[1:] == first_bias.shape == second.shape[:1])
        or second.shape[1:] != second_bias.shape
        or 0 in (*first.shape, *second.shape)
    ):
        raise InputError(source, "the shapes of its weights do not agree", remedy=REMEDY)
    classes = arrays.get("classes")
    if (
        classes is None
        or classes.dtype.kind not in "ifU"
        or classes.shape != second_bias.shape
        or not (classes[:-1] < classes[1:]).all()
    ):
        raise InputError(source, "the classes do not agree with the weights", remedy=REMEDY)
    trace = read_trace(source, arrays, TRACE_TYPE)
    labels = classes.astype(object) if classes.dtype.kind == "U" else classes
    return NetworkModel(
        Network(first, first_bias, second, second_bias, facts["activation"]), labels, facts, trace
    )
