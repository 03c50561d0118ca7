"""How columns became those of rows, as a model keeps it for later tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from craig_cli.dataset import Encoding
from craig_cli.errors import InputError

UNKNOWN = "its encoding of columns is none of this version of craig"
REMEDY = "Train the model again."


def describe_encoding(encoding: Encoding | None) -> dict[str, Any] | None:
    """Return an encoding in JSON types."""
    if encoding is None:
        return None
    kept = {name: value for name, value in asdict(encoding).items() if name != "origin"}
    return {
        **{name: dict(value) for name, value in kept.items() if value and name != "features"},
        "features": list(encoding.features),
    }


def restore_encoding(source: str, facts: Mapping[str, Any]) -> Encoding | None:
    """Return the encoding that a model's file tells, if any; raises `InputError` for another."""
    said = facts.get("encoding")
    if said is None:
        return None
    known = {field.name for field in fields(Encoding)} - {"origin"}
    try:
        parts = {name: dict(value) for name, value in said.items() if name != "features"}
        if set(parts) <= known and all(isinstance(name, str) for name in said["features"]):
            if "categories" in parts:
                parts["categories"] = {
                    name: tuple(map(str, values)) for name, values in parts["categories"].items()
                }
            return Encoding(tuple(said["features"]), **parts, origin=source)
    except (TypeError, KeyError, ValueError, AttributeError):
        pass
    raise InputError(source, UNKNOWN, remedy=REMEDY)
