"""Make the sample data: the same 600 rows in every format, and 200 test rows of the same kind.

Beside them are 600 texts with embeddings, as a table that somebody has made for a search.

Run ``python sample_data/make_samples.py [FOLDER]``; the files are written beside this script unless
another folder is named. Rows lie in nine clusters of very different sizes, labels are -1 and +1,
values have four decimals, and about a third of them are zero.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_TRAIN, N_TEST, N_COLUMNS = 600, 200, 8
COLUMNS = [f"x{k}" for k in range(1, N_COLUMNS + 1)]


def make_rows() -> tuple[np.ndarray, np.ndarray]:
    """Return 800 rows (float64) and their labels (int64)."""
    rng = np.random.default_rng(20)
    share = np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.05, 0.03, 0.02])
    cluster = rng.choice(len(share), size=N_TRAIN + N_TEST, p=share)
    centres = rng.normal(size=(len(share), N_COLUMNS)) * 2
    rows = centres[cluster] + rng.normal(size=(len(cluster), N_COLUMNS)) * 0.7
    rows[rng.random(rows.shape) < 1 / 3] = 0
    labels = np.where(rows @ rng.normal(size=N_COLUMNS) + rng.normal(size=len(rows)) > 1.5, 1, -1)
    return np.round(rows, 4) + 0.0, labels


def libsvm_text(rows: np.ndarray, labels: np.ndarray) -> str:
    """Return rows as LIBSVM lines, columns from 1."""
    lines = (
        f"{y:+d} " + " ".join(f"{k + 1}:{float(v)!r}" for k, v in enumerate(row) if v != 0)
        for row, y in zip(rows, labels, strict=True)
    )
    return "".join(line.rstrip() + "\n" for line in lines)


def write_all(folder: Path) -> None:
    """Write every sample file into `folder`."""
    rows, labels = make_rows()
    (folder / "sample.test.libsvm").write_text(libsvm_text(rows[N_TRAIN:], labels[N_TRAIN:]))
    rows, labels = rows[:N_TRAIN], labels[:N_TRAIN]
    text = libsvm_text(rows, labels)
    (folder / "sample.libsvm").write_text(text)
    (folder / "sample.libsvm.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    lines = [
        ",".join([*(repr(float(v)) for v in row), str(y)])
        for row, y in zip(rows, labels, strict=True)
    ]
    (folder / "sample.csv").write_text("\n".join([",".join([*COLUMNS, "label"]), *lines, ""]))
    table = pa.table({**{name: rows[:, k] for k, name in enumerate(COLUMNS)}, "label": labels})
    pq.write_table(table, folder / "sample.parquet", store_schema=False)
    write_embeddings(folder, rows)
    with h5py.File(folder / "sample.h5", "w") as file:
        file["X"], file["y"] = rows, labels
    with h5py.File(folder / "sample.csr.h5", "w") as file:
        owner, column = np.nonzero(rows)
        file["X/data"], file["X/indices"] = rows[owner, column], column.astype(np.int32)
        file["X/indptr"] = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=N_TRAIN))])
        file["X"].attrs["shape"] = rows.shape
        file["y"] = labels


def write_embeddings(folder: Path, rows: np.ndarray) -> None:
    """Write texts with their embeddings: the rows, scaled to length one, as lists of float32."""
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-3)
    flat = pa.array((rows / lengths).astype(np.float32).reshape(-1))
    columns = {
        "id": [f"doc-{number}" for number in range(len(rows))],
        "text": [f"The text of document {number}." for number in range(len(rows))],
        "embedding": pa.FixedSizeListArray.from_arrays(flat, N_COLUMNS),
    }
    pq.write_table(pa.table(columns), folder / "sample.embeddings.parquet")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
