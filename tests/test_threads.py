"""BLAS keeps to one thread while it is asked to, and has its own back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier

import numpy as np
import pytest

from craig_cli.lapack import compiled_module
from craig_cli.threads import (
    Workers,
    functions_in,
    one_blas_thread,
    openblas_beside,
    openblas_functions,
)

pytestmark = pytest.mark.skipif(
    "openblas" not in np.show_config("dicts")["Build Dependencies"]["blas"]["name"],
    reason="another BLAS is left as it is",
)


def numbers() -> list[int]:
    return [get() for get, _ in openblas_functions()]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = numbers()
    for _, change in openblas_functions():
        change(2)
    yield
    for (_, change), number in zip(openblas_functions(), before, strict=True):
        change(number)


def test_the_libraries_of_numpy_and_of_scipy_are_found():
    assert len(openblas_functions()) == 2


def test_they_are_found_by_their_files_too():
    users = (np._core._multiarray_umath.__file__, compiled_module("cython_blas").origin)
    for place, user in enumerate(users):
        for get, change in functions_in(openblas_beside(user)):  # none but in wheels
            assert get() == 2
            change(1)
            assert numbers()[place] == 1


def test_one_thread_within_blocks_and_the_same_as_before_after_the_last():
    with one_blas_thread():
        with one_blas_thread():
            assert numbers() == [1, 1]
        assert numbers() == [1, 1]
    assert numbers() == [2, 2]


def test_an_error_leaves_the_number_as_it_was():
    with pytest.raises(ValueError, match="wrong"), one_blas_thread():
        raise ValueError("wrong")
    assert numbers() == [2, 2]


def test_a_block_left_early_does_not_end_another_on_another_thread():
    both_inside, one_left = Barrier(2), Barrier(2)

    def stay() -> list[int]:
        with one_blas_thread():
            both_inside.wait(10)
            one_left.wait(10)
            return numbers()

    def leave() -> list[int]:
        with one_blas_thread():
            both_inside.wait(10)
        one_left.wait(10)
        return []

    with Workers(2) as workers:
        assert workers.map(lambda run: run(), [(stay,), (leave,)])[0] == [1, 1]
    assert numbers() == [2, 2]
