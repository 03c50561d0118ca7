"""The fingerprint of data as a manifest states it, to tell whether the two belong together."""

from __future__ import annotations

from craig_cli.dataset import Dataset
from craig_cli.files.manifest import Manifest
from craig_cli.readers.fingerprint import fingerprint


def fingerprint_for(manifest: Manifest | None, dataset: Dataset) -> str:
    """Return the fingerprint of the data, made of those of parts where the manifest's is; the usual
    one where there is no manifest.
    """
    return (
        fingerprint(dataset)
        if manifest is None
        else fingerprint(dataset, manifest.data_fingerprint, manifest.coreset.parts)
    )
