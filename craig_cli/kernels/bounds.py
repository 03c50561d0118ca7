"""Where each row of a text begins and ends, for rows to be copied as they stand."""

from __future__ import annotations

from craig_cli.kernels import kernel
from craig_cli.kernels.csv import AFTER_QUOTE, UNCLOSED, scan_field, skip_blanks
from craig_cli.kernels.libsvm import NEWLINE, is_blank, is_end


@kernel
def line_bounds(text, starts, stops):
    """Return the number of rows among the lines of LIBSVM text, each with its newline; lines
    without any, or with a comment only, are none.

    `text` uint8; `starts` and `stops` int64, as many as lines, are filled in: the first byte of
    each row's line and that after its newline.
    """
    here = n = 0
    while here < text.shape[0]:
        at = here
        while is_blank(text[at]):
            at += 1
        is_row = not is_end(text[at])
        while text[at] != NEWLINE:
            at += 1
        if is_row:
            starts[n], stops[n] = here, at + 1
            n += 1
        here = at + 1
    return n


@kernel
def record_bounds(text, delimiter, starts, stops):
    """Return the number of rows in some lines of delimited text, and how many bytes they take: the
    last may be open, within quotes.

    `text`, `starts` and `stops` as those of `line_bounds`; fields are found as `parse_records`
    finds them.
    """
    here = n = 0
    while here < text.shape[0]:
        at = skip_blanks(text, here, delimiter)
        if text[at] == NEWLINE:
            here = at + 1
            continue
        while True:
            at = skip_blanks(text, at, delimiter)
            _, _, _, at, state = scan_field(text, at, delimiter)
            while state == AFTER_QUOTE:
                _, _, _, at, state = scan_field(text, at, delimiter)
            if state == UNCLOSED:
                return n, here
            if text[at] == NEWLINE:
                break
            at += 1
        starts[n], stops[n] = here, at + 1
        n += 1
        here = at + 1
    return n, here
