"""The labels of a test set beside the classes of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.errors import InputError, printable
from craig_cli.readers.labels import as_text
from craig_cli.selection.lookalikes import LABEL_SHOWN, look, shown_label

LABELS_SHOWN = 5


def comparable(labels: Labels, others: Labels) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two arrays of labels that can be compared: both numbers, or both text."""
    if (labels.dtype == object) == (others.dtype == object):
        return labels, others
    return as_text(labels), as_text(others)


def some_labels(labels: Labels) -> str:
    """Return the first few labels, for a message."""
    shown = [printable(str(label), LABEL_SHOWN) for label in labels[:LABELS_SHOWN].tolist()]
    return ", ".join(shown) + (
        "" if len(labels) <= LABELS_SHOWN else f" ... ({len(labels)} in all)"
    )


def check_known(test: Dataset, classes: Labels | None, way_out: str) -> tuple[str, ...]:
    """Return notes on the labels of test rows that are none of a model's classes.

    Parameters
    ----------
    test : Dataset
    classes : Labels or None
        None where a number is predicted.
    way_out : str
        What to do if there is nothing to score by.

    Raises
    ------
    InputError
        No row has a label that the model knows: there is nothing to score.
    """
    if test.labels is None or classes is None or not len(test.labels):
        return ()
    labels, known = comparable(test.labels, classes)
    values, counts = np.unique(labels, return_counts=True)
    is_unknown = ~np.isin(values, known)
    if not is_unknown.any():
        return ()
    unknown = sorted(
        zip(values[is_unknown].tolist(), counts[is_unknown].tolist(), strict=True),
        key=lambda pair: -pair[1],
    )
    named = ", ".join(shown_label(*pair) for pair in unknown[:LABELS_SHOWN])
    if len(unknown) > LABELS_SHOWN:
        named += f" ... ({len(unknown):,} such labels in all)"
    hint = alike_hint([label for label, _ in unknown], known.tolist())
    n_rows = int(counts[is_unknown].sum())
    if n_rows == test.n_rows:
        raise InputError(
            test.files[0],
            f"no row has a label that the model knows: it has {named}, and the model "
            f"{some_labels(known)}",
            remedy=f"{hint}{way_out}",
        )
    count = "1 row counts" if n_rows == 1 else f"{n_rows:,} rows count"
    return (
        f"The model does not know all labels of the test rows: {named}. Whatever it predicts, "
        f"{count} as wrong. {hint}".rstrip(),
    )


def alike_hint(unknown: list[Any], known: list[Any]) -> str:
    """Return which labels of a test set look like classes of a model; empty if none does."""
    of_look = {look(label): label for label in known if isinstance(label, str)}
    pairs = [
        f"'{printable(label, LABEL_SHOWN)}' as '{printable(of_look[look(label)], LABEL_SHOWN)}'"
        for label in unknown
        if isinstance(label, str) and look(label) in of_look
    ]
    more = ", ..." if len(pairs) > LABELS_SHOWN else ""
    return f"Write {', '.join(pairs[:LABELS_SHOWN])}{more} if they mean the same. " if pairs else ""
