"""LIBSVM bytes to numbers, correctly rounded: what Python's float() gives for the same digits.

A number is mantissa * 10^exponent, the mantissa being its first 19 digits. Most are exact in one
multiplication or division (Clinger 1990); the others take one 128-bit product with a stored power
of five (Lemire 2021, proved to need no fallback by Mushtak and Lemire 2023). Of numbers with more
digits, the few whose last digits could change the rounding are left to the caller.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel

(
    DONE,
    LABEL_UNREADABLE,
    LABEL_TOO_LARGE,
    INDEX_UNREADABLE,
    INDEX_TOO_LARGE,
    INDEX_BELOW_BASE,
    INDEX_REPEATED,
    INDEX_DESCENDING,
) = range(8)
VALUE_UNREADABLE, VALUE_TOO_LARGE = 8, 9
"""What `parse_lines` returns."""

AT, LINE, ROW, ENTRY, COLUMNS, HARD, FAULT = range(7)
"""Slots of the `progress` of `parse_lines`."""
N_SLOTS = 7

INDEX_LIMIT = 2**31 - 1
"""Indices from here on are refused: column numbers are int32."""

MAX_DIGITS = 19
"""Decimal digits that always fit 64 bits."""

NUMBER, NUMBER_HARD, NUMBER_TOO_LARGE, NUMBER_UNREADABLE = range(4)

(
    TAB,
    NEWLINE,
    RETURN,
    SPACE,
    HASH,
    PLUS,
    MINUS,
    DOT,
    ZERO,
    COLON,
    LOWER_E,
    LOWER_Q,
    LOWER_I,
    LOWER_D,
) = b"\t\n\r #+-.0:eqid"

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
def is_blank(character):
    """Return whether this byte only separates tokens of a line."""
    return character in (SPACE, TAB, RETURN)


@kernel
def is_end(character):
    """Return whether a token ends before this byte."""
    return is_blank(character) or character in (NEWLINE, HASH)


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
        if upper == np.inf:
            return NUMBER_TOO_LARGE, value, at
        if upper != value:
            return NUMBER_HARD, value, at
    return NUMBER, -value if negative else value, at


@kernel
def read_number(text, at):
    """Return the number that starts at `at` and fills its token: a NUMBER code, its value, and
    where it ends. Some newline must follow in `text`.
    """
    kind, value, stop = leading_number(text, at)
    return kind if is_end(text[stop]) else NUMBER_UNREADABLE, value, stop


@kernel
def count_lines_and_colons(text):
    """Return how many newlines and colons `text` (uint8) has: bounds on its rows and entries."""
    lines, colons = 0, 0
    for at in range(text.shape[0]):
        lines += text[at] == NEWLINE
        colons += text[at] == COLON
    return lines, colons


@kernel
def has_label(text, at):
    """Return whether the token at `at` is without a colon."""
    while not is_end(text[at]):
        if text[at] == COLON:
            return False
        at += 1
    return True


@kernel
def is_query(text, at):
    """Return whether the token at `at` starts with ``qid:``."""
    return (
        text[at] == LOWER_Q
        and text[at + 1] == LOWER_I
        and text[at + 2] == LOWER_D
        and text[at + 3] == COLON
    )


@kernel
def parse_entries(text, at, base, entry, n_hard, indices, values, hard):
    """Read the entries of a row, from `at` to the end of its line or its comment; the arrays are
    those of `parse_lines`.

    Returns a fault code, where the entries end or the offending token starts, the new `entry` and
    `n_hard`, and the last index.
    """
    index = np.int64(base - 1)
    while True:
        while is_blank(text[at]):
            at += 1
        if is_end(text[at]):
            return DONE, at, entry, n_hard, index
        if index < base and is_query(text, at):
            while not is_end(text[at]):
                at += 1
            continue
        start, previous, index = at, index, np.int64(0)
        digit = np.int64(text[at]) - ZERO
        while 0 <= digit <= 9:
            if index < INDEX_LIMIT:
                index = index * 10 + digit
            at += 1
            digit = np.int64(text[at]) - ZERO
        if at == start or text[at] != COLON:
            return INDEX_UNREADABLE, start, entry, n_hard, index
        if index >= INDEX_LIMIT:
            return INDEX_TOO_LARGE, start, entry, n_hard, index
        if index <= previous:
            fault = INDEX_REPEATED if index == previous else INDEX_DESCENDING
            return INDEX_BELOW_BASE if index < base else fault, start, entry, n_hard, index
        at += 1
        kind, value, stop = read_number(text, at)
        if kind == NUMBER_HARD:
            hard[n_hard, 0], hard[n_hard, 1], hard[n_hard, 2] = entry, at, stop
            n_hard += 1
        elif kind != NUMBER:
            return (
                VALUE_TOO_LARGE if kind == NUMBER_TOO_LARGE else VALUE_UNREADABLE,
                at,
                entry,
                n_hard,
                index,
            )
        if value != 0.0 or kind == NUMBER_HARD:
            indices[entry], values[entry] = index - base, value
            entry += 1
        at = stop


@kernel
def parse_lines(text, base, may_lack_label, progress, indptr, indices, values, labels, hard):
    """Return DONE after the last line of `text`, or the code of the first fault.

    Parameters
    ----------
    text : ndarray of uint8
        Whole lines, each with its newline.
    base : int
        The lowest index allowed, 0 or 1.
    may_lack_label : bool
        Whether rows may start with an entry; the label counts as 0 then.
    progress : ndarray of int64, shape (N_SLOTS,)
        Changed in place: where to go on (AT), and the lines, rows, entries, columns and hard
        numbers so far. After a fault these are as at the start of the line, and FAULT is where the
        offending token starts.
    indptr, indices, values, labels
        Filled in place from progress[ROW] and progress[ENTRY] on: int64 (rows + 1), int32, float64,
        float64. Explicit zeros are left out.
    hard : ndarray of int64, shape (len(text) // MAX_DIGITS + 1, 3)
        Filled in place: numbers the caller has to resolve, as entry (or -1 - row for a label),
        start and stop of the text.
    """
    here, line, row, columns = progress[AT], progress[LINE], progress[ROW], progress[COLUMNS]
    entry, n_hard, fault = progress[ENTRY], progress[HARD], DONE
    while here < text.shape[0]:
        at = here
        while is_blank(text[at]):
            at += 1
        if not is_end(text[at]):
            new_hard = n_hard
            labels[row] = 0.0
            if not may_lack_label or has_label(text, at):
                kind, labels[row], stop = read_number(text, at)
                if kind == NUMBER_HARD:
                    hard[n_hard, 0], hard[n_hard, 1], hard[n_hard, 2] = -1 - row, at, stop
                    new_hard += 1
                elif kind != NUMBER:
                    fault = LABEL_TOO_LARGE if kind == NUMBER_TOO_LARGE else LABEL_UNREADABLE
                    progress[FAULT] = at
                    break
                at = stop
            fault, at, new_entry, new_hard, index = parse_entries(
                text, at, base, entry, new_hard, indices, values, hard
            )
            if fault != DONE:
                progress[FAULT] = at
                break
            entry, n_hard = new_entry, new_hard
            row += 1
            indptr[row] = entry
            columns = max(columns, index - base + 1)
        while text[at] != NEWLINE:
            at += 1
        here = at + 1
        line += 1
    progress[AT], progress[LINE], progress[ROW], progress[COLUMNS] = here, line, row, columns
    progress[ENTRY], progress[HARD] = entry, n_hard
    return fault
