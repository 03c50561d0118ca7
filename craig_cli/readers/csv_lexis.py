"""How numbers and truth values are spelled in delimited text, and what else a field may be."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from craig_cli.kernels.decimals import LARGEST
from craig_cli.readers.texts import LINE_ENDS
from craig_cli.readers.texts import MISSING as NO_VALUE
from craig_cli.readers.texts import NUMBER as PLAIN
from craig_cli.settings import InputSettings

UNKNOWN, NUMBER, TRUE_FALSE, YES_NO, ON_OFF, MISSING, ODD, MIXED = range(-1, 7)
"""What a field of a column of numbers is. A column of truth values keeps to one kind of words;
MIXED is a field of another kind than those above it.
"""
WORDS = {
    **dict.fromkeys(("true", "t"), (TRUE_FALSE, 1.0)),
    **dict.fromkeys(("false", "f"), (TRUE_FALSE, 0.0)),
    **dict.fromkeys(("yes", "y"), (YES_NO, 1.0)),
    **dict.fromkeys(("no", "n"), (YES_NO, 0.0)),
    "on": (ON_OFF, 1.0),
    "off": (ON_OFF, 0.0),
}
ALIKE = {" ": " \u00a0\u2009\u202f", "\u00a0": " \u00a0\u2009\u202f", "'": "'\u2019"}
"""Separators of thousands that are written in several ways, which nobody sees."""

MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([ap]\.?m\.?)?"
DATE = re.compile(
    rf"(\d{{4}}([-/.])\d{{1,2}}(\2\d{{1,2}})?|\d{{1,2}}([-/.])\d{{1,2}}\4(\d{{4}}|\d\d)|"
    rf"\d{{1,2}}[ -]{MONTH}[ -]\d{{2,4}}|{MONTH} \d{{1,2}},? \d{{4}})"
    rf"([T ]+{CLOCK}\s*(z|utc|gmt|[+-]\d\d:?(\d\d)?)?)?|{CLOCK}",
    re.IGNORECASE | re.ASCII,
)
"""Days, with a time or without, and times of a day; years alone and 20240131 are numbers."""
MONEY = re.compile(
    r"[+-]?\s*[$€£¥₹₽₩]\s*[+-]?\d.*|[+-]?\d.*\s*([$€£¥₹₽₩]|\b(usd|eur|gbp|chf|jpy|inr|kr))|"
    r"(usd|eur|gbp|chf|jpy|inr)\s*\d.*",
    re.IGNORECASE,
)
PERCENT = re.compile(r"[+-]?[\d.,]+\s*%")
GROUPED = re.compile(r"[+-]?\d{1,3}([,._'\u2019 \u00a0\u2009\u202f])\d{3}(\1\d{3})*([.,]\d*)?")
COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


class Lexis(NamedTuple):
    """How numbers are spelled: the decimal point, and what stands between thousands."""

    decimal: str = "."
    thousands: str | None = None

    @classmethod
    def of(cls, settings: InputSettings) -> Lexis:
        return cls(settings.decimal, settings.thousands)

    def plain(self, text: str) -> str | None:
        """Return a number as Python spells it; None for what is no number."""
        if self.thousands is not None:
            text = without_groups(text, self.thousands, self.decimal)
        if self.decimal != ".":
            if "." in text:
                return None
            text = text.replace(self.decimal, ".")
        return text if PLAIN.fullmatch(text) else None

    def read(self, token: bytes) -> tuple[int, float]:
        """Return what a field is, of the kinds above, and its value."""
        text = unquoted(token).decode(errors="backslashreplace")
        number = self.plain(text)
        if number is not None:
            value = float(number)
            return (NUMBER, value) if abs(value) <= LARGEST else (ODD, value)
        word = WORDS.get(text.lower())
        if word is not None:
            return word
        return (MISSING if NO_VALUE.fullmatch(text) else ODD), 0.0

    def is_text(self, text: str) -> bool:
        """Return whether a field is neither a number nor a truth value nor missing."""
        return self.read(text.encode(errors="surrogateescape"))[0] == ODD

    def translated(self, text: bytes) -> bytes:
        """Return a text, byte for byte as long, with points where the kernel looks for them."""
        return text if self.decimal == "." else text.translate(SWAPPED)

    def normalised(self, content: bytes) -> bytes:
        """Return a number as Python spells it, and anything else as it is."""
        if self == PYTHON:
            return content
        plain = self.plain(content.decode(errors="backslashreplace"))
        return content if plain is None else plain.encode()


PYTHON = Lexis()
SWAPPED = bytes.maketrans(b",.", b".\x01")
"""A decimal comma becomes a point, and a point what is in no number."""


def unquoted(token: bytes) -> bytes:
    """Return the content of a field."""
    return token[1:-1].replace(b'""', b'"') if token[:1] == b'"' else token


def without_groups(text: str, thousands: str, decimal: str) -> str:
    """Return a number without what separates its thousands, where it stands between such."""
    separator = f"[{re.escape(ALIKE.get(thousands, thousands))}]"
    whole = re.match(
        rf"[+-]?\d{{1,3}}({separator}\d{{2,3}})*{separator}\d{{3}}(?=$|[{decimal}eE])", text
    )
    return text if whole is None else re.sub(separator, "", whole[0]) + text[whole.end() :]


def kind_of_text(value: str, lexis: Lexis, delimiter: str) -> tuple[str, str] | None:
    """Return what a field looks like that is no number, and what to do; None where that is just
    text. The remedy may end in "drop", for the option to drop the column.
    """
    if "\r" in value:
        return "holds a bare carriage return", f"Convert the line ends: {LINE_ENDS}."
    if DATE.fullmatch(value):
        return (
            "holds dates or times",
            "Turn them into numbers beforehand, such as days since a date, or drop the column "
            "with {drop}.",
        )
    if PERCENT.fullmatch(value):
        return "holds percent signs", "Take them out of the file, or drop the column with {drop}."
    if MONEY.fullmatch(value):
        return "holds currency signs", "Take them out of the file, or drop the column with {drop}."
    grouped = GROUPED.fullmatch(value)
    if grouped is not None:
        return grouped_problem(value, grouped, lexis, delimiter)
    if lexis.decimal == "." and delimiter != "," and COMMA.fullmatch(value):
        return "holds numbers with a decimal comma", "Read them with --decimal ,."
    if lexis.decimal == "," and PLAIN.fullmatch(value):
        return "holds numbers with a decimal point", "Leave out --decimal ,."
    if delimiter == "," and re.fullmatch(r"[^;\t|]+([;\t|])[^;\t|]+(\1[^;\t|]*)*", value):
        other = next(c for c in ";\t|" if c in value)
        shown = "$'\\t'" if other == "\t" else f"'{other}'"
        return (
            "holds text, not a number",
            f"Use {{drop}} or {{one_hot}}, or --delimiter {shown} if that separates the fields.",
        )
    return None


def grouped_problem(
    value: str, grouped: re.Match[str], lexis: Lexis, delimiter: str
) -> tuple[str, str] | None:
    """Return what to say of a number with separators between its thousands."""
    separator = grouped[1]
    shown = {
        "'": '"\'"', "\u2019": '"\'"', ",": ",", ".": ".", "_": "_"
    }.get(separator, "' '")  # fmt: skip
    if separator == lexis.decimal == "," or lexis.thousands is not None:
        return None
    options = f"--thousands {shown}"
    if separator == ".":
        options = f"--decimal , {options}"
    remedy = f"Read them with {options}."
    if separator == "," and delimiter != "," and value.count(",") == 1 and "." not in value:
        remedy = f"Read them with {options}, or with --decimal , if that is the decimal comma."
    return "holds numbers with separators between thousands", remedy


class Tokens:
    """Reads each different field once."""

    MOST_KNOWN = 1 << 20

    def __init__(self, lexis: Lexis) -> None:
        self.lexis = lexis
        self.clear()

    def clear(self) -> None:
        self._codes: dict[bytes, int] = {}
        self._kinds: list[int] = []
        self._values: list[float] = []

    def read(self, tokens: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return the kind and the value of each field."""
        if len(self._codes) > self.MOST_KNOWN:
            self.clear()
        for token in dict.fromkeys(tokens).keys() - self._codes.keys():
            kind, value = self.lexis.read(token)
            self._codes[token] = len(self._kinds)
            self._kinds.append(kind)
            self._values.append(value)
        codes = np.fromiter(map(self._codes.__getitem__, tokens), np.int64, len(tokens))
        return np.array(self._kinds, np.int8)[codes], np.array(self._values)[codes]
