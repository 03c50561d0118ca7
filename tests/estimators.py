"""scikit-learn's own checks of an estimator, as cases of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def checks_of(estimator: Any) -> Iterator[Any]:
    """Give the checks by name, but for those of its array API, which is not switched on."""
    from sklearn.utils.estimator_checks import parametrize_with_checks

    for own, check in parametrize_with_checks([estimator]).args[1]:
        name = getattr(check, "func", check).__name__
        is_of_pandas = "pandas" in name or name.endswith("data_not_an_array")
        marks = [pytest.mark.needs("pandas")] if is_of_pandas else []
        if not name.startswith("check_array_api"):
            yield pytest.param(own, check, marks=marks, id=name)
