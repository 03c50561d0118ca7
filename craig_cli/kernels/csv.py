"""Delimited bytes (CSV, TSV) to numbers, correctly rounded, and to the places of texts.

Quotes are those of RFC 4180: a field that starts with one ends at the next that is not doubled, and
may hold delimiters and newlines. Blanks around a field do not count, unless they are quoted.
"""

from __future__ import annotations

from craig_cli.kernels import kernel
from craig_cli.kernels.decimals import NUMBER, NUMBER_HARD, NUMBER_TOO_LARGE, leading_number
from craig_cli.kernels.libsvm import NEWLINE, RETURN, SPACE, TAB

DONE, UNCLOSED, EMPTY, FULL, TOO_LARGE, TOO_FEW, TOO_MANY, AFTER_QUOTE = range(8)
"""What `parse_records` returns."""

IGNORE, NUMERIC, TEXT, OPTIONAL = range(4)
"""Kinds of columns; OPTIONAL is text that may be empty."""

AT, ROW, HARD, RECORD, FAULT, FIELD = range(6)
"""Slots of the `progress` of `parse_records`."""
N_SLOTS = 6

QUOTE = ord('"')


@kernel
def skip_blanks(text, at, delimiter):
    """Return where the next byte is that is no blank; a carriage return is one only before a
    newline.
    """
    while text[at] != delimiter and (
        text[at] == SPACE or text[at] == TAB or (text[at] == RETURN and text[at + 1] == NEWLINE)
    ):
        at += 1
    return at


@kernel
def scan_field(text, at, delimiter):
    """Return where the content of a field starts and stops, whether it is quoted, where its end is,
    and DONE, UNCLOSED or AFTER_QUOTE.

    `at` is at the first byte that is no blank. The end is the delimiter or newline; after
    AFTER_QUOTE it is where the rest of the field starts.
    """
    start = at
    if text[at] == QUOTE:
        at += 1
        while at < text.shape[0]:
            if text[at] == QUOTE:
                if text[at + 1] != QUOTE:
                    after = skip_blanks(text, at + 1, delimiter)
                    return (
                        start + 1,
                        at,
                        True,
                        after,
                        DONE if text[after] == delimiter or text[after] == NEWLINE else AFTER_QUOTE,
                    )
                at += 1
            at += 1
        return start, start, True, at, UNCLOSED
    while text[at] != delimiter and text[at] != NEWLINE:
        at += 1
    stop = at
    while stop > start and (
        text[stop - 1] == SPACE
        or text[stop - 1] == TAB
        or (text[stop - 1] == RETURN and text[at] == NEWLINE)
    ):
        stop -= 1
    return start, stop, False, at, DONE


@kernel
def scan_number(text, at, delimiter):
    """Return a NUMBER code, the value, where its digits start and stop, and where the field's
    delimiter or newline is (-1: none follows).
    """
    quoted = text[at] == QUOTE
    start = at + quoted
    kind, value, stop = leading_number(text, start)
    after = stop
    if quoted:
        after = after + 1 if text[after] == QUOTE else -1
    if after >= 0:
        after = skip_blanks(text, after, delimiter)
        if text[after] != delimiter and text[after] != NEWLINE:
            after = -1
    return kind, value, start, stop, after


@kernel
def parse_record(text, at, delimiter, kinds, targets, progress, row, n_hard, values, spans, hard):
    """Return DONE or what is wrong with a record, where it ends, and the new `n_hard`.

    The arrays are those of `parse_records`.
    """
    n_columns, fault, field = kinds.shape[0], DONE, 0
    while True:
        at = skip_blanks(text, at, delimiter)
        first, after, problem, is_word = at, -1, DONE, False
        if field >= n_columns:
            problem = TOO_MANY
        elif kinds[field] == NUMERIC and fault == DONE:
            kind, value, start, stop, after = scan_number(text, at, delimiter)
            if after >= 0 and kind in (NUMBER, NUMBER_HARD):
                values[row, targets[field]] = value
                if kind == NUMBER_HARD:
                    hard[n_hard, 0], hard[n_hard, 1] = row, targets[field]
                    hard[n_hard, 2], hard[n_hard, 3] = start, stop
                    n_hard += 1
            else:
                is_word = after < 0 or kind != NUMBER_TOO_LARGE
                problem = DONE if is_word else TOO_LARGE
                after = -1
        if after < 0:
            start, stop, quoted, after, state = scan_field(text, at, delimiter)
            while state == AFTER_QUOTE:
                problem = AFTER_QUOTE if field < n_columns else TOO_MANY
                _, _, _, after, state = scan_field(text, after, delimiter)
            if state == UNCLOSED:
                progress[FAULT], progress[FIELD] = first, field
                return UNCLOSED, at, n_hard
            is_text = problem == DONE and kinds[field] >= TEXT
            if is_word and problem == DONE:
                hard[n_hard, 0], hard[n_hard, 1] = row, targets[field]
                hard[n_hard, 2], hard[n_hard, 3] = first, stop + quoted
                n_hard += 1
            elif start == stop and is_text and kinds[field] == TEXT:
                problem = EMPTY
            elif is_text and fault == DONE:
                spans[row, targets[field], 0] = first
                spans[row, targets[field], 1] = stop + quoted
        field += 1
        at = after
        if text[at] == NEWLINE and field < n_columns:
            problem = TOO_FEW
        # A wrong number of fields is told rather than an unreadable field, which is often its
        # consequence.
        if problem != DONE and (
            fault == DONE or (problem in (TOO_FEW, TOO_MANY) and fault != TOO_MANY)
        ):
            fault = problem
            progress[FAULT], progress[FIELD] = first, field - 1
        if text[at] == NEWLINE:
            return fault, at, n_hard
        at += 1


@kernel
def parse_records(text, delimiter, kinds, targets, progress, values, spans, hard):
    """Return DONE after the last record of `text`, FULL where `hard` might not hold the next, or
    the code of the first fault.

    Blank lines are passed over. A numeric field that is no number, or none at all, is no fault
    here: the caller may know what it means.

    Parameters
    ----------
    text : ndarray of uint8
        Whole lines; a quoted newline may be the last byte.
    delimiter : int
        The byte between fields.
    kinds, targets : ndarray of int64, shape (n_columns,)
        What each field is, and its column in `values` (NUMERIC) or `spans` (TEXT).
    progress : ndarray of int64, shape (N_SLOTS,)
        Changed in place: where to go on (AT), and the rows and hard numbers so far. After a fault
        AT is behind the bad record, which starts at RECORD; FAULT is where the offending field
        starts, FIELD its position from 0. After UNCLOSED, AT is where the open record starts.
    values : ndarray of float64, shape (max_rows, n_values)
        Filled in place from row progress[ROW] on.
    spans : ndarray of int64, shape (max_rows, n_texts + 1, 2)
        Filled in place: start and stop of each text, its quotes included, and of the whole record.
    hard : ndarray of int64, shape (at least n_columns, 4)
        Filled in place: fields the caller has to resolve, as row, column in `values`, start and
        stop of the text, its quotes included.
    """
    row, n_hard, record, fault = progress[ROW], progress[HARD], progress[AT], DONE
    while record < text.shape[0] and fault == DONE:
        if n_hard + kinds.shape[0] > hard.shape[0]:
            fault = FULL
            break
        at = skip_blanks(text, record, delimiter)
        if text[at] != NEWLINE:
            progress[RECORD] = record
            fault, at, new_hard = parse_record(
                text, at, delimiter, kinds, targets, progress, row, n_hard, values, spans, hard
            )
            if fault == DONE:
                spans[row, -1, 0], spans[row, -1, 1] = record, at + 1
                n_hard = new_hard
                row += 1
        # The rest of an open record may come with the next text.
        if fault != UNCLOSED:
            record = at + 1
    progress[AT], progress[ROW], progress[HARD] = record, row, n_hard
    return fault
