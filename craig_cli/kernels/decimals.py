"""Digits to float64, correctly rounded: what Python's float() gives for the same digits.

A number is mantissa * 10^exponent, the mantissa being its first 19 digits. Most are exact in one
multiplication or division (Clinger 1990); the others take one 128-bit product with a stored power
of five (Lemire 2021, proved to need no fallback by Mushtak and Lemire 2023). Of numbers with more
digits, the few whose last digits could change the rounding are left to the caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel

MAX_DIGITS = 19
"""Decimal digits that always fit 64 bits."""

LARGEST = 1e140
"""Larger numbers are refused wherever they are read, since their squares cannot be summed.

Two of them differ by 2e140 at most. The square of that, 4e280, may be added up 1e27 times, which is
more than any rows times columns, before float64 ends at 1.8e308.
"""

NUMBER, NUMBER_HARD, NUMBER_TOO_LARGE, NUMBER_UNREADABLE = range(4)

PLUS, MINUS, DOT, ZERO, LOWER_E = b"+-.0e"

EXACT_POWERS = np.array([float(10**q) for q in range(23)])
LARGEST_EXACT = np.uint64(2**53)
MIN_POWER, MAX_POWER = -342, 308
POWER_LIMIT = 1 << 40
"""No text is long enough for its digits to bring such an exponent back into range."""

ONE, TEN, LOW_HALF, HALF_BITS = np.uint64(1), np.uint64(10), np.uint64(2**32 - 1), np.uint64(32)
INFINITE_BITS = np.uint64(0x7FF << 52)


def powers_of_five() -> NDArray[np.uint64]:
    """Return the leading 128 bits of 5^q for q from -342 to 308, high and low half, uint64 (651,
    2): cut off, but rounded up for -27 <= q < 0.

    Those are the powers of which a quotient can lie half way between two floats (Lemire 2021,
    section 8.2).
    """
    table = np.empty((MAX_POWER - MIN_POWER + 1, 2), np.uint64)
    for q in range(MIN_POWER, MAX_POWER + 1):
        power = 5 ** abs(q)
        if q < 0:
            length = power.bit_length()
            power = (1 << (length + 127 if q >= -27 else 2 * length + 128)) // power + 1
        bits = power << 128 >> power.bit_length()
        table[q - MIN_POWER] = bits >> 64, bits & (2**64 - 1)
    return table


POWERS_OF_FIVE = powers_of_five()


@kernel
def multiply(a, b):
    """Return the high and the low half of the 128-bit product of two uint64."""
    a_low, a_high, b_low, b_high = a & LOW_HALF, a >> HALF_BITS, b & LOW_HALF, b >> HALF_BITS
    low, cross = a_low * b_low, a_high * b_low
    middle = (low >> HALF_BITS) + (cross & LOW_HALF) + a_low * b_high
    return a_high * b_high + (cross >> HALF_BITS) + (middle >> HALF_BITS), a * b


@kernel
def leading_zeros(number):
    """Return the leading zero bits of a uint64 above 0."""
    count = 0
    for step in (32, 16, 8, 4, 2, 1):
        if number >> np.uint64(64 - step) == 0:
            number <<= np.uint64(step)
            count += step
    return count


@kernel
def decimal_to_float(mantissa, exponent):
    """Return the float64 nearest to mantissa * 10^exponent (uint64, int64), ties to even; infinite
    where it is too large.

    Lemire, Number parsing at a gigabyte per second, 2021, algorithm 1.
    """
    if mantissa == 0 or exponent < MIN_POWER:
        return 0.0
    if exponent > MAX_POWER:
        return np.inf
    zeros = leading_zeros(mantissa)
    mantissa <<= np.uint64(zeros)
    high, low = multiply(mantissa, POWERS_OF_FIVE[exponent - MIN_POWER, 0])
    if high & np.uint64(0x1FF) == np.uint64(0x1FF):
        carry, _ = multiply(mantissa, POWERS_OF_FIVE[exponent - MIN_POWER, 1])
        low += carry
        if low < carry:
            high += ONE
    top = np.int64(high >> np.uint64(63))
    shift = np.uint64(top + 9)
    bits = high >> shift
    binary = ((217706 * exponent) >> 16) + 1086 + top - zeros
    if binary <= 0:
        if binary < -62:
            return 0.0
        bits >>= np.uint64(1 - binary)
        bits = (bits + (bits & ONE)) >> ONE
        return np.uint64(bits).view(np.float64)
    if low <= ONE and -4 <= exponent <= 23 and bits & np.uint64(3) == ONE and bits << shift == high:
        bits -= ONE
    bits = (bits + (bits & ONE)) >> ONE
    result = (np.uint64(binary - 1) << np.uint64(52)) + bits
    return np.uint64(min(result, INFINITE_BITS)).view(np.float64)


@kernel
def leading_digits(text, start, stop):
    """Return the first 19 digits after leading zeros in text[start:stop] (uint64), how many follow,
    and whether one of those is not 0.
    """
    mantissa, kept, dropped, inexact = np.uint64(0), 0, 0, False
    for at in range(start, stop):
        digit = np.int64(text[at]) - ZERO
        if text[at] == DOT:
            continue
        if kept < MAX_DIGITS:
            mantissa = mantissa * TEN + np.uint64(digit)
            kept += mantissa != 0
        else:
            dropped += 1
            inexact |= digit != 0
    return mantissa, dropped, inexact


@kernel
def leading_number(text, at):
    """Return the number that starts at `at`, whatever follows it: a NUMBER code, its value, and
    where it ends. Some newline must follow in `text`.
    """
    negative = text[at] == MINUS
    if negative or text[at] == PLUS:
        at += 1
    start, mantissa, exponent = at, np.uint64(0), 0
    digit = np.int64(text[at]) - ZERO
    while 0 <= digit <= 9:
        mantissa = mantissa * TEN + np.uint64(digit)
        at += 1
        digit = np.int64(text[at]) - ZERO
    n_digits = at - start
    if text[at] == DOT:
        at += 1
        point = at
        digit = np.int64(text[at]) - ZERO
        while 0 <= digit <= 9:
            mantissa = mantissa * TEN + np.uint64(digit)
            at += 1
            digit = np.int64(text[at]) - ZERO
        exponent = point - at
        n_digits -= exponent
    stop = at
    readable = n_digits > 0
    if text[at] | 0x20 == LOWER_E:
        at += 1
        below = text[at] == MINUS
        if below or text[at] == PLUS:
            at += 1
        readable &= 0 <= np.int64(text[at]) - ZERO <= 9
        power, digit = 0, np.int64(text[at]) - ZERO
        while 0 <= digit <= 9:
            if power < POWER_LIMIT:
                power = power * 10 + digit
            at += 1
            digit = np.int64(text[at]) - ZERO
        exponent += -power if below else power
    if not readable:
        return NUMBER_UNREADABLE, 0.0, at
    inexact = False
    if n_digits > MAX_DIGITS:
        first, dropped, inexact = leading_digits(text, start, stop)
        mantissa = np.uint64(first)
        exponent += dropped
    if mantissa <= LARGEST_EXACT and -22 <= exponent <= 22 and not inexact:
        value = np.float64(np.int64(mantissa))
        value = value / EXACT_POWERS[-exponent] if exponent < 0 else value * EXACT_POWERS[exponent]
    else:
        value = decimal_to_float(mantissa, exponent)
        upper = decimal_to_float(mantissa + ONE, exponent) if inexact else value
        if upper > LARGEST:
            return NUMBER_TOO_LARGE, value, at
        if upper != value:
            return NUMBER_HARD, value, at
    return NUMBER, -value if negative else value, at
