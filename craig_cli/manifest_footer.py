"""The footer of a manifest, read with checks: JSON that anybody may have changed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from craig_cli.errors import ManifestError

SCHEMA_VERSION = 1


class Facts:
    """The footer of a manifest, read with checks.

    Parameters
    ----------
    source : str
        For messages.
    text : bytes
        JSON.
    """

    def __init__(self, source: str, text: bytes) -> None:
        self.source = source
        try:
            self.values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(source, "the footer is not JSON") from error
        if not isinstance(self.values, dict):
            raise ManifestError(source, "the footer is not a JSON object")
        version = self.get("schema_version", int)
        if version > SCHEMA_VERSION:
            remedy = "Update craig."
            raise ManifestError(source, f"manifest schema version {version}, and this craig reads up to {SCHEMA_VERSION}", remedy=remedy)

    def get(self, key: str, *types: type, of: Mapping[str, Any] | None = None) -> Any:
        """Return a value of one of `types`; `of` is an object within the footer."""
        value = (self.values if of is None else of).get(key)
        if type(value) not in types:
            raise ManifestError(self.source, f"footer: '{key}' is missing or of a wrong type")
        return value

    def count(self, key: str, of: Mapping[str, Any] | None = None) -> int:
        """Return a whole number of at least 0 that int64 holds."""
        value: int = self.get(key, int, of=of)
        if not 0 <= value < 2**63:
            raise ManifestError(self.source, f"footer: '{key}' is out of range", value=str(value))
        return value

    def number(self, key: str, of: Mapping[str, Any]) -> float:
        """Return a finite number."""
        value = float(self.get(key, float, int, of=of))
        if not math.isfinite(value):
            raise ManifestError(self.source, f"footer: '{key}' is not finite")
        return value

    def objects(self, key: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        values: list[dict[str, Any]] = self.get(key, list)
        if not all(isinstance(value, dict) for value in values):
            raise ManifestError(self.source, f"footer: '{key}' is missing or of a wrong type")
        return values
