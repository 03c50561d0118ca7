"""Names of outputs that promise another format than what is written."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from craig_cli.errors import UsageError, printable
from craig_cli.settings.catalog import ALL_FORMATS, COMPRESSIONS, EXPORTS
from craig_cli.storage.location import Location


class Kind(NamedTuple):
    """What is written: in words, and the ends of names that promise it, the usual one first."""

    words: str
    ends: tuple[str, ...]
    has_rows: bool = False


KINDS = {
    "manifest": Kind("a manifest is a Parquet file", (".parquet", ".pq"), has_rows=True),
    "partial manifest": Kind(
        "a partial manifest is a Parquet file", (".partial", ".parquet", ".pq")
    ),
    "model": Kind("a model is an .npz file", (".npz",)),
    "file of predictions": Kind("predictions are a Parquet file", (".parquet", ".pq")),
}
"""By what `check_output` calls them; other outputs may have any name."""
OTHERS = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    **dict.fromkeys((".txt", ".md", ".log"), "text"),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "Arrow"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "a pickle"),
    **dict.fromkeys((".onnx", ".pt", ".pth", ".ckpt", ".safetensors"), "another model format"),
    **dict.fromkeys((".h5ad", ".mat", ".rds", ".orc", ".avro"), "another data format"),
    **dict.fromkeys((".db", ".sqlite", ".duckdb"), "a database"),
    **dict.fromkeys((".html", ".pdf", ".png", ".jpg", ".svg"), "a page or a picture"),
    **dict.fromkeys((".yaml", ".yml", ".toml", ".xml"), "text"),
}
COMPRESSED = (*COMPRESSIONS, ".zip", ".tar", ".tgz", ".7z")
IN_WORDS = {"parquet": "Parquet", "npz": "NumPy arrays", "vw": "Vowpal Wabbit"}
NAMED = {
    end: IN_WORDS.get(entry.name, entry.name.upper())
    for entry in ALL_FORMATS
    for end in entry.extensions
}
EXPORTED = tuple(end for entry in EXPORTS for end in entry.extensions)


def check_name(location: Location, kind: str, option: str) -> None:
    """Raise `UsageError` if the name of an output promises another format than its kind has."""
    wanted = KINDS.get(kind)
    name = location.file_name
    if wanted is None or name.lower().endswith(wanted.ends):
        return
    stem, end = name, PurePosixPath(name.lower()).suffix
    is_compressed = end in COMPRESSED
    if is_compressed:
        stem = name[: -len(end)]
        end = PurePosixPath(stem.lower()).suffix
    promised = NAMED.get(end) or OTHERS.get(end)
    if is_compressed and (promised is None or end in wanted.ends):
        promised = "compressed data"
    if promised is None:
        return
    better = printable(stem[: len(stem) - len(end)] + wanted.ends[0])
    remedy = f"Name it {better}."
    if wanted.has_rows and end in EXPORTED and promised != "compressed data":
        remedy = (
            f"Name it {better}; craig apply DATA {better} -o {printable(name)} then writes the "
            "rows."
        )
    raise UsageError(
        f"{option}: '{location.shown}' promises {promised}, and {wanted.words}. {remedy}"
    )
