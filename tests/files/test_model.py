"""The model file: what is written is read back, nothing in it can run, and what is no model is
refused by name.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from craig_cli import __version__
from craig_cli.errors import InputError
from craig_cli.files.model import TRACE_TYPE, Model, is_model, read_model, write_model

UNKNOWN = "its loss or the names of its columns are none of this version of craig"
REMEDY = "Give a file written by craig train."
FACTS = {
    "loss": "logistic",
    "settings": [{}],
    "input": {},
    "columns": ["a", "b"],
    "data_fingerprint": "craig1:0",
    "rows": 3,
}


def made_model(n_models=1, classes=(-1, 1), loss="logistic", outputs=1):
    rng = np.random.default_rng(0)
    shape = (n_models, outputs, 2)
    labels = (
        None
        if classes is None
        else np.array(classes, object if isinstance(classes[0], str) else None)
    )
    trace = np.array([(0, 0, 0.0, 0.0, 0.7, 1.0), (0, 1, 1.0, 0.5, 0.3, 0.1)], TRACE_TYPE)
    return Model(
        rng.normal(size=shape),
        rng.normal(size=shape[:2]),
        np.geomspace(1, 1e-3, n_models),
        labels,
        FACTS | {"loss": loss},
        trace,
    )


def write(path, model):
    with path.open("wb") as out:
        write_model(out, model)
    return str(path)


def rewrite(path, **arrays):
    """Replace arrays in a model, as a hand would; None takes one out."""
    with np.load(path) as archive:
        old = dict(archive)
    np.savez(path, **{name: array for name, array in (old | arrays).items() if array is not None})


@pytest.mark.parametrize(
    "model",
    [
        made_model(),
        made_model(3),
        made_model(classes=None, loss="squared"),
        made_model(classes=("ham", "späm\n")),
        made_model(classes=(0.5, 1.5)),
        made_model(2, classes=(1, 2, 3), loss="softmax", outputs=3),
        made_model(classes=(1, 2), loss="softmax", outputs=2),
        made_model(classes=("a", "b", "c"), outputs=3),
    ],
)
def test_round_trip(tmp_path, model):
    path = tmp_path / "model.npz"
    again = read_model(write(path, model))
    for name in ("coef", "intercept", "l2", "trace"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert (again.classes is None) == (model.classes is None)
    if model.classes is not None:
        assert (again.classes.tolist(), again.classes.dtype) == (
            model.classes.tolist(),
            model.classes.dtype,
        )
    assert again.facts == {**model.facts, "schema_version": 1, "craig_version": __version__}
    assert is_model(path)


def test_numpy_reads_it_without_pickles(tmp_path):
    with np.load(write(tmp_path / "one.npz", made_model()), allow_pickle=False) as archive:
        assert sorted(archive.files) == ["classes", "coef", "craig", "intercept", "l2", "trace"]
        assert (archive["coef"].shape, archive["intercept"].shape) == ((1, 2), (1,))
        assert json.loads(str(archive["craig"]))["loss"] == "logistic"
    with np.load(write(tmp_path / "path.npz", made_model(3)), allow_pickle=False) as archive:
        assert (archive["coef"].shape, archive["intercept"].shape) == ((3, 1, 2), (3, 1))


def test_the_same_model_gives_the_same_bytes(tmp_path):
    first, second = (write(tmp_path / name, made_model()) for name in ("a", "b"))
    os.utime(first, (0, 0))
    with open(first, "rb") as a, open(second, "rb") as b:  # noqa: PTH123
        assert a.read() == b.read()


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("boom",))


def test_pickles_are_refused_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.npz"
    write(path, made_model())
    for name in ("coef", "classes", "extra"):
        write(path, made_model())
        rewrite(path, **{name: np.array([Bomb()], object)})
        with pytest.raises(InputError) as caught:
            read_model(str(path))
        assert str(caught.value) == (
            f"{path}: a damaged model file, or one that holds objects. {REMEDY}"
        )
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError):
        read_model(str(path))
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"craig": None}, "not a craig model"),
        ({"craig": np.array(1.0)}, "not a craig model"),
        ({"craig": np.array("{")}, "its statements are not JSON"),
        ({"craig": np.array("[" * 100_000)}, "its statements are not JSON"),
        ({"craig": np.array("[]")}, "its statements are incomplete"),
        ({"craig": np.array('{"schema_version": true}')}, "its statements are incomplete"),
        ({"craig": np.array(json.dumps(FACTS | {"schema_version": 1, "loss": "cubic"}))}, UNKNOWN),
        ({"craig": np.array(json.dumps(FACTS | {"schema_version": 1, "columns": [1]}))}, UNKNOWN),
        ({"coef": None}, "array 'coef' is missing, or not of finite float64"),
        ({"coef": np.array([[np.nan, 1]])}, "array 'coef' is missing, or not of finite float64"),
        (
            {"coef": np.ones((1, 2), np.float32)},
            "array 'coef' is missing, or not of finite float64",
        ),
        ({"coef": np.ones(2)}, "the shapes of coef, intercept and l2 do not agree"),
        (
            {"coef": np.ones((0, 2)), "intercept": np.ones(0)},
            "the shapes of coef, intercept and l2 do not agree",
        ),
        ({"intercept": np.ones(2)}, "the shapes of coef, intercept and l2 do not agree"),
        ({"l2": np.array(1.0)}, "the shapes of coef, intercept and l2 do not agree"),
        (
            {"l2": np.zeros(0), "coef": np.zeros((0, 1, 2)), "intercept": np.zeros((0, 1))},
            "the shapes of coef, intercept and l2 do not agree",
        ),
        ({"l2": np.array([1.0, 2.0])}, "the shapes of coef, intercept and l2 do not agree"),
        ({"classes": np.array([1, 2, 3])}, "the classes do not agree with coef"),
        ({"classes": np.array(1)}, "the classes do not agree with coef"),
        ({"classes": np.array([1])}, "the classes do not agree with coef"),
        ({"classes": np.array([1, 1])}, "the classes do not agree with coef"),
        ({"classes": np.array([b"a", b"b"])}, "the classes do not agree with coef"),
        ({"classes": None}, "the classes do not agree with coef"),
        ({"trace": None}, "array 'trace' is missing or of a wrong type"),
        ({"trace": np.ones(3)}, "array 'trace' is missing or of a wrong type"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, arrays, message):
    path = tmp_path / "model.npz"
    write(path, made_model())
    rewrite(path, **arrays)
    with pytest.raises(InputError) as caught:
        read_model(str(path))
    assert str(caught.value) == f"{path}: {message}. {REMEDY}"


def test_a_newer_schema(tmp_path):
    path = tmp_path / "model.npz"
    write(path, made_model())
    rewrite(path, craig=np.array(json.dumps(FACTS | {"schema_version": 2})))
    with pytest.raises(InputError) as caught:
        read_model(str(path))
    assert str(caught.value) == (
        f"{path}: model schema version 2, and this craig reads up to 1. Update craig."
    )


@pytest.mark.parametrize("content", [b"", b"dear diary", b"PK\x03\x04"])
def test_other_files(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    assert not is_model(path)
    with pytest.raises(InputError) as caught:
        read_model(str(path))
    assert str(caught.value) == f"{path}: not a model file, or cut short. {REMEDY}"


def test_missing_and_cut_files(tmp_path):
    with pytest.raises(InputError) as caught:
        read_model(str(tmp_path / "no.npz"))
    assert str(caught.value) == (
        f"{tmp_path}/no.npz: cannot be read: No such file or directory. {REMEDY}"
    )
    path = tmp_path / "model.npz"
    write(path, made_model())
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_model(str(path))


def test_no_changed_byte_gets_past_with_a_traceback(tmp_path):
    path = tmp_path / "model.npz"
    write(path, made_model())
    whole, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 400):
        changed = whole.copy()
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        try:
            read_model(str(path))
        except InputError:
            continue


def test_a_member_that_promises_more_than_there_is(tmp_path):
    path = tmp_path / "model.npz"
    write(path, made_model())
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**14, 2)}
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("huge.npy", header.getvalue())
    with pytest.raises(InputError):
        read_model(str(path))
