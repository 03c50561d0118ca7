"""LIBSVM bytes to rows."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.decimals import (
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
) = range(10)
"""What `parse_lines` returns."""

AT, LINE, ROW, ENTRY, COLUMNS, HARD, FAULT = range(7)
"""Slots of the `progress` of `parse_lines`."""
N_SLOTS = 7

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
def parse_lines(
    text, base, may_lack_label, progress, indptr, indices, values, labels, places, hard
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
        numbers so far. After a fault these are as at the start of the line, and FAULT is where the
        offending token starts.
    indptr, indices, values, labels
        Filled in place from progress[ROW] and progress[ENTRY] on: int64 (rows + 1), int32, float64,
        float64. Explicit zeros are left out.
    places : ndarray of int64, shape (rows, 2)
        Filled in place: where each row's line starts, and where the next does.
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
            while text[at] != NEWLINE:
                at += 1
            places[row, 0], places[row, 1] = here, at + 1
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
