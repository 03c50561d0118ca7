"""The file of a network: what is written is read, and what is no such file is refused."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from craig_cli.errors import InputError
from craig_cli.files.model import read_arrays
from craig_cli.files.network import (
    TRACE_TYPE,
    NetworkModel,
    assemble_network,
    is_network,
    write_network,
)
from craig_cli.settings.network import NetworkSettings
from craig_cli.training.network import made_network

REMEDY = "Give a file written by craig train."


@pytest.fixture
def model() -> NetworkModel:
    network = made_network(4, 3, NetworkSettings(hidden=2), np.random.default_rng(0))
    facts = {"settings": {"l2": 0.1}, "input": {}, "columns": []}
    return NetworkModel(
        network,
        np.array(["a", "b", "c"], object),
        facts,
        np.array([(0, 0.0, 0.0, 0.0, 1.5, 0.5)], TRACE_TYPE),
    )


def arrays_of(model: NetworkModel) -> dict:
    out = io.BytesIO()
    write_network(out, model)
    return dict(np.load(io.BytesIO(out.getvalue()), allow_pickle=False))


def test_round_trip(model, tmp_path):
    path = tmp_path / "network.npz"
    with path.open("wb") as out:
        write_network(out, model)
    assert is_network(path)
    again = assemble_network(*read_arrays(str(path)))
    for mine, theirs in zip(model.network.arrays[1:], again.network.arrays[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (again.network.activation, again.classes.tolist(), again.trace.tolist()) == (
        "sigmoid",
        ["a", "b", "c"],
        model.trace.tolist(),
    )
    assert again.facts["settings"] == {"l2": 0.1}
    path.write_bytes(b"")
    assert not is_network(path)


def without(name):
    return lambda arrays: arrays.pop(name)


def put(name, change):
    return lambda arrays: arrays.update({name: change(arrays[name])})


def state(**values):
    return put("craig", lambda text: np.array(json.dumps({**json.loads(str(text)), **values})))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without("second"), "array 'second' is missing, or not of finite float32 in 2 dimensions"),
        (
            put("first", lambda a: a * np.float32(np.nan)),
            "array 'first' is missing, or not of finite float32 in 2 dimensions",
        ),
        (put("second", lambda a: a[:1]), "the shapes of its weights do not agree"),
        (put("second", lambda a: a[:, :2]), "the shapes of its weights do not agree"),
        (put("classes", lambda a: a[::-1]), "the classes do not agree with the weights"),
        (put("classes", lambda a: a[:2]), "the classes do not agree with the weights"),
        (without("trace"), "array 'trace' is missing or of a wrong type"),
        (without("craig"), "not a craig model"),
        (
            state(activation="cosine"),
            "its activation or the names of its columns are none of this version of craig",
        ),
        (state(settings=3), "its statements are incomplete"),
    ],
)
def test_refused(model, change, problem):
    arrays = arrays_of(model)
    change(arrays)
    with pytest.raises(InputError) as caught:
        assemble_network("n.npz", arrays)
    assert str(caught.value) == f"n.npz: {problem}. {REMEDY}"
