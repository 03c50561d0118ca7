"""The LIBSVM kernel reads every number as Python's float() does, and says where a line is wrong."""

from __future__ import annotations

import math
import struct
from decimal import Decimal, localcontext

import numpy as np
import pytest

from craig_cli.kernels import decimals
from craig_cli.kernels import libsvm as kernels

MODES = ["compiled", "plain"]


def text_of(data: str | bytes) -> np.ndarray:
    return np.frombuffer((data.encode() if isinstance(data, str) else data) + b"\n", np.uint8)


def read(token: str, mode: str = "compiled") -> tuple[int, float]:
    """Return the code and the value of one number, run as compiled or as plain Python."""
    function = (
        kernels.read_number
        if mode == "compiled"
        else getattr(kernels.read_number, "py_func", kernels.read_number)
    )
    with np.errstate(over="ignore"):
        code, value, stop = function(text_of(token), 0)
    assert code == decimals.NUMBER_UNREADABLE or stop == len(token)
    return code, value


def check(token: str, mode: str = "compiled") -> bool:
    """Assert that a number equals Python's, unless the kernel leaves it to Python; returns whether
    it does so.
    """
    code, value = read(token, mode)
    if code == decimals.NUMBER_TOO_LARGE:
        assert abs(float(token)) >= decimals.LARGEST, token
    elif code != decimals.NUMBER_HARD:
        assert code == decimals.NUMBER, token
        assert struct.pack("d", value) == struct.pack("d", float(token)), token
    return code == decimals.NUMBER_HARD


def random_floats(rng: np.random.Generator, n: int) -> list[float]:
    """Return finite floats of evenly spread bit patterns."""
    floats = rng.integers(0, 0x7FF << 52, n, dtype=np.uint64).view(np.float64)
    return [float(number) for number in floats]


def halfway(number: float) -> Decimal:
    """Return the exact middle between a float and the next."""
    with localcontext() as context:
        context.prec = 1200
        return (Decimal(number) + Decimal(math.nextafter(number, math.inf))) / 2


PLAIN_TOKENS = [
    *(
        "0",
        "-0",
        "+1",
        "-1.0",
        "1e5",
        ".5",
        "5.",
        "1E+3",
        "-2.5e-3",
        "0.1",
        "123456789012345678",
        "9007199254740993",
        "1e22",
        "1e23",
    ),
    *(
        "0e999999999999999999999",
        "1e-999999999999999999999",
        "0." + "0" * 400 + "1",
        "0" * 50 + "7",
        "1" + "0" * 300,
        "1" + "0" * 100 + "e-100",
    ),
    *(
        "5e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-342",
        "1e-343",
    ),
    *(
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "6.9294956446009195e15",
        "7.3177701707893310e+15",
        "18446744073709551615",
    ),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("token", PLAIN_TOKENS)
def test_known_numbers(token: str, mode: str) -> None:
    assert not check(token, mode)


def test_random_floats_in_many_notations() -> None:
    rng = np.random.default_rng(0)
    for number in random_floats(rng, 10_000):
        for notation in (repr(number), f"{number:.17e}", f"{number:.14g}", f"-{number:.6e}"):
            assert not check(notation)
        check(f"{number:.25e}")


def test_random_digits_and_exponents() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20_000):
        digits = "".join(map(str, rng.integers(0, 10, rng.integers(1, 30))))
        check(f"{digits}e{rng.integers(-360, 330)}")
        check(f"{digits[:3]}.{digits[3:]}")


def test_halfway_cases() -> None:
    rng = np.random.default_rng(2)
    hard = 0
    for number in random_floats(rng, 3_000) + [k * 5e-324 for k in range(200)]:
        for digits in (17, 18, 19, 30, 780):
            hard += check(f"{halfway(number):.{digits}e}")
    assert hard > 1_000


def test_short_halfway_cases_go_to_even() -> None:
    rng = np.random.default_rng(3)
    for odd in (2 * rng.integers(2**52, 2**53, 2_000) + 1).tolist():
        for power in range(-8, 10):
            token = format(
                Decimal(odd) * Decimal(2) ** power if power >= 0 else Decimal(odd) / 2**-power, "f"
            )
            check(token)
            assert len(token.replace(".", "")) > 19 or not check(token)


@pytest.mark.parametrize("mode", MODES)
def test_decimal_to_float_compiled_and_plain(mode: str) -> None:
    function = (
        decimals.decimal_to_float
        if mode == "compiled"
        else getattr(decimals.decimal_to_float, "py_func", decimals.decimal_to_float)
    )
    rng = np.random.default_rng(4)
    with np.errstate(over="ignore"):
        for mantissa, exponent in zip(
            rng.integers(0, 2**64, 1_000, dtype=np.uint64),
            rng.integers(-350, 320, 1_000).tolist(),
            strict=True,
        ):
            assert function(mantissa, exponent) == float(f"{mantissa}e{exponent}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "token",
    [
        "1e999",
        "-1e309",
        "1.7976931348623159e308",
        "9" * 400,
        "1e99999999999999999999999",
        "1" * 25 + "e300",
    ],
)
def test_too_large(token: str, mode: str) -> None:
    assert read(token, mode)[0] == decimals.NUMBER_TOO_LARGE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "token",
    [
        "",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "1e+",
        "1_0",
        "0x1p3",
        "nan",
        "inf",
        "1.2.3",
        "--1",
        "1-",
        "1\0",
        "\uff11",
        "-.e1",
    ],
)
def test_unreadable(token: str, mode: str) -> None:
    assert read(token, mode)[0] == decimals.NUMBER_UNREADABLE


def test_powers_of_five_are_the_leading_bits() -> None:
    for q in range(decimals.MIN_POWER, decimals.MAX_POWER + 1):
        high, low = (int(half) for half in decimals.POWERS_OF_FIVE[q - decimals.MIN_POWER])
        bits, power = high << 64 | low, 5 ** abs(q)
        assert 2**127 <= bits < 2**128
        shift = 128 - power.bit_length() if q >= 0 else power.bit_length() + 127
        cut = (
            (power << shift if shift >= 0 else power >> -shift) if q >= 0 else (1 << shift) // power
        )
        assert bits == cut + (-27 <= q < 0)


def parse(
    data: str,
    base: int = 1,
    may_lack_label: bool = False,
    mode: str = "compiled",
    weights: int = kernels.UNKNOWN,
) -> tuple:
    """Return the code, the progress and the rows as lists: labels, entries, weights, queries."""
    function = (
        kernels.parse_lines
        if mode == "compiled"
        else getattr(kernels.parse_lines, "py_func", kernels.parse_lines)
    )
    text = text_of(data)
    n_lines, n_colons = data.count("\n") + 1, data.count(":")
    progress, indptr = np.zeros(kernels.N_SLOTS, np.int64), np.zeros(n_lines + 1, np.int64)
    progress[kernels.WEIGHTS] = weights
    numbers, queries = np.full((2, n_lines), -9.0), np.empty(n_lines, np.int64)
    indices, values = np.empty(n_colons, np.int32), np.empty(n_colons)
    places = np.empty((n_lines, 2), np.int64)
    hard = np.empty((len(text) // decimals.MAX_DIGITS + 1, 3), np.int64)
    with np.errstate(over="ignore"):
        into = indptr, indices, values, numbers, queries, places, hard
        code = function(text, base, may_lack_label, progress, *into)
    rows, entries = progress[kernels.ROW], progress[kernels.ENTRY]
    return (
        code,
        progress.tolist(),
        numbers[0, :rows].tolist(),
        indptr[: rows + 1].tolist(),
        indices[:entries].tolist(),
        values[:entries].tolist(),
        numbers[1, :rows].tolist(),
        queries[:rows].tolist(),
    )


@pytest.mark.parametrize("mode", MODES)
def test_lines(mode: str) -> None:
    data = "# head\n\n+1 1:2 \t3:-.5 # tail 9:9\r\n -1.0\n2 qid:7 2:0 4:-0 5:1e1\r\n0 1:1#x"
    code, progress, labels, indptr, indices, values, _, queries = parse(data, mode=mode)
    assert (code, progress) == (kernels.DONE, [len(data) + 1, 6, 4, 4, 5, 0, 0, 1, 1, 0])
    assert queries == [-1, -1, 7, -1]
    assert labels == [1, -1, 2, 0]
    assert (indptr, indices, values) == ([0, 2, 2, 3, 4], [0, 2, 4, 0], [2, -0.5, 10, 1])


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_leaves_progress_at_the_start_of_its_line(mode: str) -> None:
    code, progress, labels, indptr, indices, values, _, queries = parse(
        "1 1:2\n2 5:6 9:1e999 10:1\n3 1:1", mode=mode
    )
    assert (code, progress) == (kernels.VALUE_TOO_LARGE, [6, 1, 1, 1, 1, 0, 14, 1, 0, 0])
    assert queries == [-1]
    assert (labels, indptr, indices, values) == ([1], [0, 1], [0], [2])


def test_rows_without_labels() -> None:
    assert parse("1:2\n5 1:2\nqid:3 2:1\n7", may_lack_label=True)[2:6] == (
        [0, 5, 0, 7],
        [0, 1, 2, 3, 3],
        [0, 0, 1],
        [2, 2, 1],
    )


def test_a_hard_number_is_left_to_the_caller() -> None:
    token = f"{halfway(0.1):.60e}"
    assert parse(f"{token} 1:{token}")[1][:7] == [2 * len(token) + 4, 1, 1, 1, 1, 2, 0]


@pytest.mark.parametrize("mode", MODES)
def test_weights_after_labels(mode: str) -> None:
    parsed = parse("1:0.5 0:2\n-1: 3 qid:8 1: 2\n2:0\n1:-0", base=0, mode=mode)
    assert (parsed[0], parsed[1][7:]) == (kernels.DONE, [kernels.PRESENT, 1, 1])
    assert parsed[2:] == (
        [1, -1, 2, 1],
        [0, 1, 2, 2, 2],
        [0, 1],
        [2, 2],
        [0.5, 3, 0, 0],
        [-1, 8, -1, -1],
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("data", "weights", "code", "at"),
    [
        ("1 1:2\n1:2 1:2", kernels.UNKNOWN, kernels.WEIGHT_UNEXPECTED, 6),
        ("1:2 1:2\n1 1:2", kernels.UNKNOWN, kernels.WEIGHT_MISSING, 8),
        ("1:-2 1:2", kernels.UNKNOWN, kernels.WEIGHT_NEGATIVE, 2),
        (f"1:-{halfway(0.1):.60e}", kernels.UNKNOWN, kernels.WEIGHT_NEGATIVE, 2),
        ("1:-2 1:2\n1 1:2", kernels.PASSED_OVER, kernels.DONE, 0),
        ("1:x 1:2", kernels.PASSED_OVER, kernels.WEIGHT_UNREADABLE, 2),
        ("1: ", kernels.UNKNOWN, kernels.WEIGHT_UNREADABLE, 2),
        ("1:1e999", kernels.UNKNOWN, kernels.WEIGHT_TOO_LARGE, 2),
        ("1 qid:x 1:2", kernels.UNKNOWN, kernels.QUERY_UNREADABLE, 2),
        ("1 qid:1 qid:1", kernels.UNKNOWN, kernels.INDEX_UNREADABLE, 8),
    ],
)
def test_faults_of_weights_and_queries(
    data: str, weights: int, code: int, at: int, mode: str
) -> None:
    found, progress, *_ = parse(data, mode=mode, weights=weights)
    assert (found, progress[kernels.FAULT]) == (code, at)


def test_a_row_that_is_refused_does_not_decide_on_weights() -> None:
    assert parse("1:2 x\n")[1][kernels.WEIGHTS] == kernels.UNKNOWN
