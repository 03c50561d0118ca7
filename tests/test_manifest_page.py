"""docs/reference/manifest.md: what it tells authors of readers is so."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from craig_cli.files.manifest import COLUMN_TYPES
from craig_cli.workflows.select import select_to_file

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "manifest.md").read_text()
WORD = 2**64


def mix(b):
    g = (b ^ (b >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    h = (g ^ (g >> 27)) * 0x94D049BB133111EB % WORD
    return h ^ (h >> 31)


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def by_the_page(rows, labels, weights=None, costs=None):
    """The fingerprint as the page defines it, with Python's own numbers."""
    text = "craig1:"
    for lane in (0x243F6A8885A308D3, 0x13198A2E03707344):
        total = len(rows)
        for r, (row, label) in enumerate(zip(rows, labels, strict=True)):
            e = sum(mix(mix(c ^ lane) ^ bits(v)) for c, v in enumerate(row) if v != 0) % WORD
            hashed = (
                bits(label)
                if not isinstance(label, str)
                else int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "little")
            )
            for amounts, word in ((weights, 0xA4093822299F31D0), (costs, 0x082EFA98EC4E6C89)):
                if amounts is not None:
                    hashed = mix(mix(bits(amounts[r]) ^ word) ^ hashed)
            total += mix(e ^ mix((hashed + lane) % WORD) ^ (r * 0x9E3779B97F4A7C15 % WORD))
        text += f"{total % WORD:016x}"
    return text


@pytest.fixture(params=[(1.0, -1.0), ("yes", "no")], ids=["numbers", "texts"])
def made(request, tmp_path):
    """Write a manifest of six rows and return its table and what the data is."""
    from craig_cli.settings import Budget, InputSettings, SelectionSettings

    rows = [[0.5, 0.0], [-1.25, 3.0], [0.0, 0.0], [1e-3, 7.0], [2.0, 2.0], [5.0, -0.0]]
    labels = [request.param[i % 2] for i in range(6)]
    path, output = tmp_path / "d.csv", tmp_path / "cs.parquet"
    path.write_text(
        "label,a,b\n"
        + "".join(
            f"{y if isinstance(y, str) else int(y)},{a},{b}\n"
            for y, (a, b) in zip(labels, rows, strict=True)
        )
    )
    select_to_file(
        InputSettings((str(path),)), SelectionSettings(Budget(size=4), "exact"), str(output)
    )
    return pq.read_table(output), rows, labels


def test_the_fingerprint_is_that_of_the_page(made):
    table, rows, labels = made
    facts = json.loads(table.schema.metadata[b"craig"])
    assert facts["data_fingerprint"] == by_the_page(rows, labels)
    text = json.dumps(
        {"data": facts["data_fingerprint"], "request": facts["request"]},
        sort_keys=True,
        separators=(",", ":"),
    )
    assert facts["request_fingerprint"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_fingerprint_with_weights_and_costs(tmp_path):
    from craig_cli.readers import read_dataset
    from craig_cli.readers.fingerprint import fingerprint
    from craig_cli.readers.gather import Reading
    from craig_cli.readers.picks import read_picks
    from craig_cli.settings import InputSettings

    weights, costs = [0.5, 2.0, 0.0, 1.0], [3.0, 1.0, 0.25, 9.0]
    path = tmp_path / "d.csv"
    path.write_text(
        "label,a,w,c\n" + "".join(f"{i % 2},{i + 0.5},{weights[i]},{costs[i]}\n" for i in range(4))
    )
    rows, labels = [[i + 0.5] for i in range(4)], [0.0, 1.0, 0.0, 1.0]
    for own, expected in (
        ({"weight_column": "w", "drop": ("c",)}, by_the_page(rows, labels, weights)),
        ({"cost_column": "c", "drop": ("w",)}, by_the_page(rows, labels, None, costs)),
        ({"weight_column": "w", "cost_column": "c"}, by_the_page(rows, labels, weights, costs)),
    ):
        inputs = InputSettings((str(path),), block_bytes=20, **own)
        assert fingerprint(read_dataset(inputs)) == expected
        assert read_picks(Reading(inputs, lambda *_: None), np.array([1])).fingerprint == expected


def test_every_column_and_every_key_is_told(made):
    facts = json.loads(made[0].schema.metadata[b"craig"])
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert set(COLUMN_TYPES) <= named
    assert set(facts) <= named


def test_the_python_example_runs(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = PAGE[PAGE.index("```python\n") + 10 :]
    exec(compile(code[: code.index("```")], "manifest.md", "exec"), {})
