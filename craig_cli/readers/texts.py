"""What the text of a field may be: numbers, what stands for none, and what is wrong with a label, a
category, a weight or a cost.
"""

from __future__ import annotations

import re

from craig_cli.kernels.decimals import LARGEST
from craig_cli.readers.amounts import Amount
from craig_cli.readers.numbers import DIVIDE, TOO_LARGE

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MISSING = re.compile(r"(|[+-]?nan|n/?a|<na>|#n/a|null|none|missing|\?)", re.IGNORECASE)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
NO_TEXT = re.compile(r"[+-]?nan|n/?a", re.IGNORECASE)
"""Labels and categories that stand for none unless they are quoted: R writes NA bare where there is
none, and quotes a name.
"""
CONVERT = "iconv -f {} -t UTF-8 FILE > NEW"
TO_UTF8 = f"Convert the file to UTF-8: {CONVERT.format('WINDOWS-1252')}."
LINE_ENDS = "tr '\\r' '\\n' < FILE > NEW"
CORRECT = "Correct the row, or drop it with --on-error skip."
SCALED = f"{DIVIDE}, or drop the row with --on-error skip."


def text_problem(content: bytes, is_bare: bool, is_number: bool) -> tuple[str, str] | None:
    """Return what is wrong with a label or category and what to do; None if nothing is.

    `is_bare`: not quoted; `is_number`: a regression target.
    """
    text = content.decode(errors="backslashreplace")
    if b"\0" in content:
        return "holds a NUL byte", "Check that the file is not damaged."
    if "\ufffd" in content.decode(errors="replace"):
        return "is not UTF-8 text", TO_UTF8
    if is_bare and b"\r" in content:
        return "holds a bare carriage return", f"Convert the line ends: {LINE_ENDS}."
    if is_number and NUMBER.fullmatch(text):
        return (TOO_LARGE, SCALED) if abs(float(text)) > LARGEST else None
    quote = "" if is_number else " quote it if it is a name,"
    if (is_bare or is_number) and NO_TEXT.fullmatch(text):
        return "has no value in this row", (
            f"Fill it in,{quote} or drop the row with --on-error skip."
        )
    if (is_bare or is_number) and INFINITE.fullmatch(text):
        return "is not finite", f"Correct it,{quote} or drop the row with --on-error skip."
    if is_number:
        return "holds text, but regression needs numbers", (
            "Name another with --label COLUMN, or drop the row with --on-error skip."
        )
    return None


def amount_problem(content: bytes, amount: Amount) -> tuple[str, str] | None:
    """Return what is wrong with a weight or a cost and what to do; None if nothing is."""
    text = content.decode(errors="backslashreplace")
    if MISSING.fullmatch(text):
        return "has no value in this row", "Fill it in, or drop the row with --on-error skip."
    if INFINITE.fullmatch(text):
        return "is not finite", CORRECT
    if not NUMBER.fullmatch(text):
        return "holds text, not a number", CORRECT
    if abs(float(text)) > LARGEST:
        return TOO_LARGE, SCALED
    return (amount.problem, CORRECT) if amount.is_too_small(float(text)) else None
