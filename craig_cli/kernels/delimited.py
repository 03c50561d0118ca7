"""Delimited bytes (CSV, TSV) to numbers, correctly rounded, and to the places of texts.

Quotes are those of RFC 4180: a field that starts with one ends at the next that is not doubled, and may hold delimiters and newlines.
Blanks around a field do not count, unless they are quoted.
"""

from __future__ import annotations

from craig_cli.kernels import kernel
from craig_cli.kernels.libsvm import NEWLINE, NUMBER, NUMBER_HARD, NUMBER_TOO_LARGE, RETURN, SPACE, TAB, leading_number

DONE, UNCLOSED, EMPTY, UNREADABLE, TOO_LARGE, TOO_FEW, TOO_MANY, AFTER_QUOTE = range(8)
"""What `parse_records` returns."""

IGNORE, NUMERIC, TEXT = range(3)
"""Kinds of columns."""

AT, ROW, HARD, RECORD, FAULT, FIELD = range(6)
"""Slots of the `progress` of `parse_records`."""
N_SLOTS = 6

QUOTE = ord('"')


@kernel
def skip_blanks(text, at, delimiter):
    """Return where the next byte is that is no blank; a carriage return is one only before a newline."""
    while text[at] != delimiter and (text[at] == SPACE or text[at] == TAB or (text[at] == RETURN and text[at + 1] == NEWLINE)):
        at += 1
    return at


@kernel
def scan_field(text, at, delimiter):
    """Return where the content of a field starts and stops, whether it is quoted, where its delimiter or newline is, and DONE, UNCLOSED or AFTER_QUOTE.

    `at` is at the first byte that is no blank. After AFTER_QUOTE the place is where the unquoted rest of the field starts.
    """
    start = at
    if text[at] == QUOTE:
        at += 1
        while at < text.shape[0]:
            if text[at] == QUOTE:
                if text[at + 1] != QUOTE:
                    after = skip_blanks(text, at + 1, delimiter)
                    return start + 1, at, True, after, DONE if text[after] == delimiter or text[after] == NEWLINE else AFTER_QUOTE
                at += 1
            at += 1
        return start, start, True, at, UNCLOSED
    while text[at] != delimiter and text[at] != NEWLINE:
        at += 1
    stop = at
    while stop > start and (text[stop - 1] == SPACE or text[stop - 1] == TAB or (text[stop - 1] == RETURN and text[at] == NEWLINE)):
        stop -= 1
    return start, stop, False, at, DONE


@kernel
def scan_number(text, at, delimiter):
    """Return a NUMBER code, the value, where its digits start and stop, and where the field's delimiter or newline is (-1: none follows)."""
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
def parse_records(text, delimiter, targets, progress, numbers, spans, hard):
    """Return DONE after the last whole record of `text`, or the code of the first fault. Blank lines are passed over.

    Parameters
    ----------
    text : ndarray of uint8
        Some records, the last one perhaps without its end. Changed while a number is read, and then as before.
    delimiter : int
        The byte between fields.
    targets : ndarray of int64, shape (n_fields,)
        What each field is: a number for the column of `numbers` of this position, IGNORED, or text for column ``-2 - target`` of `spans`.
    progress : ndarray of int64, shape (N_SLOTS,)
        Changed in place: where to go on (AT), and the lines, rows and hard numbers so far. After a fault these are as at the start of the
        record, END is where the record ends, FIELD the offending field from 0 (the number of fields, if they are too few or too many) and
        FAULT where it starts.
    numbers, spans
        Filled in place from progress[ROW] on: float64 (rows, number columns), and start and stop of text fields, quotes included, int64
        (rows, text columns, 2).
    hard : ndarray of int64, shape (len(text) // HARD_BYTES + 1, 4)
        Filled in place: numbers the caller has to resolve, as row, column, start and stop of the text.
    """
    size, n_fields = text.shape[0], targets.shape[0]
    here, line, row, n_hard = progress[AT], progress[LINE], progress[ROW], progress[HARD]
    while here < size:
        at, field, code, new_hard, n_breaks = here, 0, DONE, n_hard, 1
        while True:
            stop, closed = field_end(text, at, delimiter)
            if stop == size:
                break
            left, right = at, content_end(text, at, stop)
            for position in range(at, closed):
                n_breaks += text[position] == NEWLINE
            if field == 0 and text[stop] == NEWLINE and not closed and is_blank(text, left, right):
                break
            if code == DONE and field < n_fields:
                target = targets[field]
                if closed and closed != right:
                    code = AFTER_QUOTE
                elif target >= 0:
                    shift = 1 if closed else 0
                    code, numbers[row, target], is_hard, start, end = parse_number(text, left + shift, right - shift)
                    if is_hard:
                        hard[new_hard, 0], hard[new_hard, 1], hard[new_hard, 2], hard[new_hard, 3] = row, target, start, end
                        new_hard += 1
                elif not is_text(text, left, right):
                    code = NOT_TEXT
                elif target != IGNORED:
                    spans[row, -2 - target, 0], spans[row, -2 - target, 1] = left, right
                    shift = 1 if closed else 0
                    if is_blank(text, left + shift, right - shift):
                        code = MISSING
                progress[FIELD], progress[FAULT] = field, at
            field += 1
            at = stop + 1
            if text[stop] == NEWLINE:
                break
        if stop == size:
            break
        if field:
            if field != n_fields:
                code = TOO_FEW if field < n_fields else TOO_MANY
                progress[FIELD], progress[FAULT] = field, here
            if code != DONE:
                progress[END] = stop + 1
                progress[AT], progress[LINE], progress[ROW], progress[HARD] = here, line, row, n_hard
                return code
            row += 1
            n_hard = new_hard
        line += n_breaks
        here = stop + 1
    progress[AT], progress[LINE], progress[ROW], progress[HARD] = here, line, row, n_hard
    return DONE
