"""The text of a delimited file as UTF-8, whatever its byte order mark tells."""

from __future__ import annotations

import codecs
import io
from typing import Any, BinaryIO, cast

from craig_cli.errors import InputError
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import CHUNK_BYTES
from craig_cli.readers.texts import CONVERT
from craig_cli.storage.remote import Wrapped

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order marks to encodings; the longer ones first, as one begins like another."""
SAMPLE_BYTES = 400


def open_text(source: Source) -> BinaryIO:
    """Return a new stream of the text of a file as UTF-8; a mark of UTF-8 stays in front.

    Raises `InputError` for UTF-16 that has no mark.
    """
    stream = cast(io.BufferedReader, source.open())
    head = stream.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            stream.read(len(mark))
            return io.BufferedReader(Recoded(source.name, stream, encoding), CHUNK_BYTES)
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) > len(head) // 4 and min(zeros) == 0:
        encoding = "UTF-16BE" if zeros[0] else "UTF-16LE"
        stream.close()
        raise InputError(
            source.name,
            "this looks like UTF-16 text without a byte order mark",
            remedy=f"Check --format, or convert the file: {CONVERT.format(encoding)}.",
        )
    return stream


class Recoded(Wrapped):
    """The text of a stream as UTF-8."""

    def __init__(self, name: str, stream: BinaryIO, encoding: str) -> None:
        super().__init__(stream)
        self.name, self.encoding = name, encoding
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.waiting = b""

    def readinto(self, buffer: Any) -> int:
        while not self.waiting:
            data = self.stream.read(CHUNK_BYTES)
            try:
                self.waiting = self.decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise InputError(
                    self.name,
                    f"its byte order mark tells {self.encoding.upper()}, but the text is not, or "
                    f"is cut short",
                    remedy="Copy or write the file again.",
                ) from error
            if not data:
                break
        piece, self.waiting = self.waiting[: len(buffer)], self.waiting[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)
