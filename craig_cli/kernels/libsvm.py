"""LIBSVM bytes to rows."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.decimals import (
    MINUS,
    NUMBER,
    NUMBER_HARD,
    NUMBER_TOO_LARGE,
    NUMBER_UNREADABLE,
    ZERO,
    leading_number,
)

(
    DONE,
    LABEL_UNREADABLE,
    LABEL_TOO_LARGE,
    INDEX_UNREADABLE,
    INDEX_TOO_LARGE,
    INDEX_BELOW_BASE,
    INDEX_REPEATED,
    INDEX_DESCENDING,
    VALUE_UNREADABLE,
    VALUE_TOO_LARGE,
    WEIGHT_UNREADABLE,
    WEIGHT_TOO_LARGE,
    WEIGHT_NEGATIVE,
    WEIGHT_MISSING,
    WEIGHT_UNEXPECTED,
    QUERY_UNREADABLE,
) = range(16)
"""What `parse_lines` returns."""

AT, LINE, ROW, ENTRY, COLUMNS, HARD, FAULT, WEIGHTS, QUERIES, ZEROS = range(10)
"""Slots of the `progress` of `parse_lines`."""
N_SLOTS = 10

UNKNOWN, ABSENT, PRESENT, PASSED_OVER = range(4)
"""Whether rows have a weight after their label (WEIGHTS): the first row decides, unless weights are
passed over.
"""

NO_QUERY = -1
QUERY_DIGITS = 18
"""Digits of a qid that always fit 64 bits."""

INDEX_LIMIT = 2**31 - 1
"""Indices from here on are refused: column numbers are int32."""

TAB, NEWLINE, RETURN, SPACE, HASH, COLON, LOWER_Q, LOWER_I, LOWER_D = b"\t\n\r #:qid"


@kernel
def is_blank(character):
    """Return whether this byte only separates tokens of a line."""
    return character in (SPACE, TAB, RETURN)


@kernel
def is_end(character):
    """Return whether a token ends before this byte."""
    return is_blank(character) or character in (NEWLINE, HASH)


@kernel
def read_number(text, at):
    """Return the number that starts at `at` and fills its token: a NUMBER code, its value, and
    where it ends. Some newline must follow in `text`.
    """
    kind, value, stop = leading_number(text, at)
    return kind if is_end(text[stop]) else NUMBER_UNREADABLE, value, stop


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
def read_query(text, at):
    """Return the number after ``qid:`` at `at`, NO_QUERY if it is not whole, and where it ends."""
    at += 4
    start, query = at, np.int64(0)
    digit = np.int64(text[at]) - ZERO
    while 0 <= digit <= 9 and at - start <= QUERY_DIGITS:
        query = query * 10 + digit
        at += 1
        digit = np.int64(text[at]) - ZERO
    n_digits = at - start
    return (query if 0 < n_digits <= QUERY_DIGITS and is_end(text[at]) else NO_QUERY), at


@kernel
def is_index_0(text, at):
    """Return whether the token at `at` is an entry of index 0."""
    if text[at] != ZERO:
        return False
    while text[at] == ZERO:
        at += 1
    return text[at] == COLON


@kernel
def after_blanks(text, at):
    """Return where the value after a colon starts; `at` itself if the line ends before one."""
    stop = at
    while text[stop] == SPACE or text[stop] == TAB:
        stop += 1
    return at if is_end(text[stop]) else stop


@kernel
def read_label(text, at, weights, row, n_hard, numbers, hard):
    """Read the label at `at`, and its weight if it has one; the arrays are those of `parse_lines`,
    `weights` is UNKNOWN or another of the four.

    Returns a fault code, where the label ends or the offending token starts, and the new `n_hard`
    and `weights`.
    """
    kind, numbers[0, row], stop = leading_number(text, at)
    has_weight = text[stop] == COLON
    if kind == NUMBER_UNREADABLE or not (has_weight or is_end(text[stop])):
        return LABEL_UNREADABLE, at, n_hard, weights
    if kind == NUMBER_TOO_LARGE:
        return LABEL_TOO_LARGE, at, n_hard, weights
    if kind == NUMBER_HARD:
        hard[n_hard, 0], hard[n_hard, 1], hard[n_hard, 2] = -1 - row, at, stop
        n_hard += 1
    if weights == UNKNOWN:
        weights = PRESENT if has_weight else ABSENT
    elif weights != PASSED_OVER and has_weight != (weights == PRESENT):
        return WEIGHT_UNEXPECTED if has_weight else WEIGHT_MISSING, at, n_hard, weights
    if not has_weight:
        return DONE, stop, n_hard, weights
    at = after_blanks(text, stop + 1)
    kind, weight, stop = read_number(text, at)
    if kind in (NUMBER_TOO_LARGE, NUMBER_UNREADABLE):
        fault = WEIGHT_TOO_LARGE if kind == NUMBER_TOO_LARGE else WEIGHT_UNREADABLE
        return fault, at, n_hard, weights
    if kind == NUMBER_HARD:
        place = -1 - numbers.shape[1] - row
        hard[n_hard, 0], hard[n_hard, 1], hard[n_hard, 2] = place, at, stop
        n_hard += 1
    if weights == PRESENT and (weight < 0 or (kind == NUMBER_HARD and text[at] == MINUS)):
        return WEIGHT_NEGATIVE, at, n_hard, weights
    numbers[1, row] = weight
    return DONE, stop, n_hard, weights


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
        at = after_blanks(text, at + 1)
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
def parse_lines(
    text, base, may_lack_label, progress, indptr, indices, values, numbers, queries, places, hard
):
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
        numbers so far; whether rows have weights (WEIGHTS), how many have a qid (QUERIES) and how
        many an index 0 (ZEROS). After a fault these are as at the start of the line, and FAULT is
        where the offending token starts.
    indptr, indices, values
        Filled in place from progress[ROW] and progress[ENTRY] on: int64 (rows + 1), int32, float64.
        Explicit zeros are left out.
    numbers : ndarray of float64, shape (2, rows)
        Filled in place: labels, and weights where rows have such.
    queries : ndarray of int64, shape (rows,)
        Filled in place: the qid of each row, or NO_QUERY.
    places : ndarray of int64, shape (rows, 2)
        Filled in place: where each row's line starts, and where the next does.
    hard : ndarray of int64, shape (len(text) // MAX_DIGITS + 1, 3)
        Filled in place: numbers the caller has to resolve, as entry (or -1 - position in `numbers`,
        laid out flat), start and stop of the text.
    """
    here, line, row, columns = progress[AT], progress[LINE], progress[ROW], progress[COLUMNS]
    entry, n_hard, fault = progress[ENTRY], progress[HARD], DONE
    weights, n_queries, n_zeros = progress[WEIGHTS], progress[QUERIES], progress[ZEROS]
    while here < text.shape[0]:
        at = here
        while is_blank(text[at]):
            at += 1
        if not is_end(text[at]):
            new_hard, new_weights, query = n_hard, weights, NO_QUERY
            numbers[0, row] = 0.0
            if not may_lack_label or has_label(text, at):
                fault, at, new_hard, new_weights = read_label(
                    text, at, weights, row, n_hard, numbers, hard
                )
            while fault == DONE and is_blank(text[at]):
                at += 1
            if fault == DONE and is_query(text, at):
                query, stop = read_query(text, at)
                fault = QUERY_UNREADABLE if query == NO_QUERY else DONE
                at = at if fault != DONE else stop
                while is_blank(text[at]):
                    at += 1
            has_zero = is_index_0(text, at)
            if fault == DONE:
                fault, at, new_entry, new_hard, index = parse_entries(
                    text, at, base, entry, new_hard, indices, values, hard
                )
            if fault != DONE:
                progress[FAULT] = at
                break
            entry, n_hard, weights = new_entry, new_hard, new_weights
            n_queries += query != NO_QUERY
            n_zeros += has_zero
            while text[at] != NEWLINE:
                at += 1
            places[row, 0], places[row, 1] = here, at + 1
            queries[row] = query
            row += 1
            indptr[row] = entry
            columns = max(columns, index - base + 1)
        while text[at] != NEWLINE:
            at += 1
        here = at + 1
        line += 1
    progress[AT], progress[LINE], progress[ROW], progress[COLUMNS] = here, line, row, columns
    progress[ENTRY], progress[HARD] = entry, n_hard
    progress[WEIGHTS], progress[QUERIES], progress[ZEROS] = weights, n_queries, n_zeros
    return fault
