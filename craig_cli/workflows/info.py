"""``craig info``: what a manifest says."""

from __future__ import annotations

import numpy as np

from craig_cli.files.manifest import read_manifest
from craig_cli.reports.info import InfoReport


def describe_manifest(path: str) -> InfoReport:
    """Return what the manifest at `path` says; ``-`` reads stdin."""
    manifest = read_manifest(path)
    weight = manifest.coreset.weight
    return InfoReport(
        path, manifest.facts(), float(weight.min()), float(np.median(weight)), float(weight.max())
    )
