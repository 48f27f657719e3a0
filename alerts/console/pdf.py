"""Whether a PDF is only to be read: its names are looked at, without trusting how it says that it is put together.

Names may be written with escapes (`/J#61vaScript`), and stand in compressed object streams (ISO 32000-1, 7.3.5 and
7.5.7): both are undone. An object stream that is packed in any other way than the common one is refused.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

ACTIVE = frozenset(
    b"JavaScript Launch EmbeddedFile EmbeddedFiles RichMedia Rendition Movie SubmitForm ImportData GoToR GoToE "
    b"XFA".split()
)
"""Names of what runs a program, sends, fetches, plays, or brings other files along (ISO 32000-1, 12.6.4 and 7.11.4)."""

_SHORT = frozenset([b"EF"])
"""One that also comes about by chance in the bytes of a picture: not looked for there."""

MOST_INFLATED = 64_000_000
"""Bytes of all object streams together."""

MOST_STREAMS = 100_000
"""Streams of one file."""

_TAIL = 1024
"""Bytes at the end in which the end mark stands (annex H.3)."""

_HEAD = 1024
"""Bytes of a stream by which one of objects is known: it begins with their numbers and places.

Deflated, the first hundred or so may only say how to read the others.
"""

_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]{1,127})")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_NUMBERS = re.compile(rb"[\x00\t\n\x0c\r ]*\d+[\x00\t\n\x0c\r ]+\d+")


class UnfitPdf(ValueError):
    """Say why a PDF cannot be taken: `reason` is malformed, locked, hidden or active; `name` is what it would do."""

    def __init__(self, reason: str, name: str = "") -> None:
        self.reason, self.name = reason, name
        super().__init__(f"{reason} {name}".strip())


def require_still(data: bytes) -> None:
    """Raise `UnfitPdf` on a PDF that does something by itself, or that cannot be looked into."""
    if b"%%EOF" not in data[-_TAIL:]:
        raise UnfitPdf("malformed")
    packed = 0
    for name in _names(data):
        _require({name} & ACTIVE)
        if name == b"Encrypt":
            raise UnfitPdf("locked")
        packed += name == b"ObjStm"
    _require(_SHORT & set(_names(_outside(data))))
    left = MOST_INFLATED
    for count, found in enumerate(_STREAM.finditer(data)):
        if count == MOST_STREAMS:
            raise UnfitPdf("hidden")
        objects = _objects(memoryview(data)[found.end() :], left)
        if objects is not None:
            left -= len(objects)
            packed -= 1
            _require(set(_names(objects)) & (ACTIVE | _SHORT))
    if packed > 0:
        raise UnfitPdf("hidden")


def _require(active: set[bytes] | frozenset[bytes]) -> None:
    if active:
        raise UnfitPdf("active", min(active).decode())


def _names(data: bytes) -> Iterator[bytes]:
    """Yield the names in some bytes, without their slash, their escapes undone."""
    for found in _NAME.finditer(data):
        name = found[1]
        yield _ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), name) if b"#" in name else name


def _outside(data: bytes) -> bytes:
    """Return what stands outside of streams."""
    parts, at = [], 0
    while (found := _STREAM.search(data, at)) is not None:
        end = data.find(b"endstream", found.end())
        if end < 0:
            break
        parts.append(data[at : found.start()])
        at = end
    return b" ".join([*parts, data[at:]])


def _objects(stream: memoryview, most: int) -> bytes | None:
    """Unpack the stream that begins here if it is one of objects; None for any other.

    Raise `UnfitPdf` when it is larger than `most` bytes.
    """
    head = bytes(stream[:_HEAD])
    if _NUMBERS.match(head):
        return head  # in plain: its names have been looked at
    try:
        head = zlib.decompressobj().decompress(head, _HEAD)
        if not _NUMBERS.match(head):
            return None
        unpacking = zlib.decompressobj()
        objects = unpacking.decompress(stream, most)
    except zlib.error:
        return None
    if unpacking.unconsumed_tail:
        raise UnfitPdf("hidden")
    return objects
