"""Whether a PDF is only to be read: its names are looked at, without trusting how it says that it is put together.

Names may be written with escapes (`/J#61vaScript`), and stand in compressed object streams (ISO 32000-1, 7.3.5 and
7.5.7): both are undone. An object stream that is packed in any other way than the common one is refused.
"""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

ACTIVE = frozenset(
    b"JavaScript Launch EmbeddedFile EmbeddedFiles RichMedia Rendition Movie SubmitForm ImportData GoToR GoToE "
    b"XFA".split()
)
"""Names of what runs a program, sends, fetches, plays, or brings other files along (ISO 32000-1, 12.6.4 and 7.11.4)."""

_SHORT = frozenset([b"EF"])
"""One that also comes about by chance in the bytes of a picture: not looked for there."""

MOST_INFLATED = 4_000_000
"""Bytes of all object streams together."""

MOST_STREAMS = 10_000
"""Streams of one file."""

MOST_SECONDS = 3.0
"""Seconds of the processor's time that one file may take."""

_TAIL = 1024
"""Bytes at the end in which the end mark stands (annex H.3)."""

_HEAD = 1024
"""Bytes of a stream by which one of objects is known: it begins with their numbers and places.

Deflated, the first hundred or so may only say how to read the others.
"""

_SLICE = 65_536
"""Bytes that are unpacked, or searched, at once: whatever follows a short stream is not copied for it."""

_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]{1,127})")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_NUMBERS = re.compile(rb"[\x00\t\n\x0c\r ]*\d+[\x00\t\n\x0c\r ]+\d+")

_FLAT = re.compile(rb"obj[\x00\t\n\x0c\r ]{0,64}<<([^()<>%]{1,1024})>>[\x00\t\n\x0c\r ]{0,64}\Z")
"""The dictionary of a stream without strings, comments and others within, as every writer makes that of objects."""

_KEYS = frozenset(b"Type ObjStm N First Length DL Extends Filter FlateDecode".split())
"""All names that stand in such a one: none of them says that it is packed twice, foretold (`DecodeParms`) or a file."""


class UnfitPdf(ValueError):
    """Say why a PDF cannot be taken: `reason` is malformed, locked, hidden or active; `name` is what it would do."""

    def __init__(self, reason: str, name: str = "") -> None:
        self.reason, self.name = reason, name
        super().__init__(f"{reason} {name}".strip())


def require_still(data: bytes) -> None:
    """Raise `UnfitPdf` on a PDF that does something by itself, or that cannot be looked into, in bounded time."""
    if b"%%EOF" not in data[-_TAIL:]:
        raise UnfitPdf("malformed")
    _Look(data).require()


def _spelled(names: Iterable[bytes]) -> re.Pattern[bytes]:
    """Make the pattern of names, each letter as it is or escaped.

    It finds them among millions of others without making an object of each.
    """
    ways = [b"".join(b"(?:%c|#%x%s)" % (one, one >> 4, _digit(one & 15)) for one in name) for name in sorted(names)]
    return re.compile(rb"/(" + b"|".join(ways) + rb")(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)")


def _digit(value: int) -> bytes:
    return b"%d" % value if value < 10 else b"[%x%X]" % (value, value)


_OBJECTS = b"ObjStm"
_ANYWHERE = _spelled(ACTIVE | {b"Encrypt", _OBJECTS})
_OUTSIDE = _spelled(_SHORT)
_WITHIN = _spelled(ACTIVE | _SHORT | {_OBJECTS})
_LONGEST = 128
"""More bytes than any of these takes, all of it escaped."""


class _Look:
    """One look through a PDF, and what of its bounds is left."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MOST_INFLATED
        self.until = time.thread_time() + MOST_SECONDS

    def require(self) -> None:
        packed = 0
        for name in self.names(_ANYWHERE, self.data):
            if name == b"Encrypt":
                raise UnfitPdf("locked")
            if name != _OBJECTS:
                raise UnfitPdf("active", name.decode())
            packed += 1
        self.require_none(_OUTSIDE, _outside(self.data))
        before = 0
        for count, found in enumerate(_STREAM.finditer(self.data)):
            if count == MOST_STREAMS:
                raise UnfitPdf("hidden")
            self.require_time()
            said = _FLAT.search(self.data[max(before, found.start() - 1300) : found.start()])
            before = found.start()
            names = Counter(_names(said[1])) if said is not None else Counter()
            if _OBJECTS in names:
                packed -= 1
                self.require_objects(found.end(), names)
            else:
                self.require_other(found.end())
        if packed > 0:
            raise UnfitPdf("hidden")

    def require_objects(self, start: int, names: Counter[bytes]) -> None:
        """Look into the stream of objects that begins at `start`; its dictionary has these names."""
        twice = max(names.values()) > 1
        if twice or not names.keys() <= _KEYS or (b"Filter" in names) != (b"FlateDecode" in names):
            raise UnfitPdf("hidden")
        if b"Filter" in names:
            objects, whole = self.unpacked(start)
        else:
            end = self.data.find(b"endstream", start)
            objects, whole = self.data[start:end], end >= 0
        if not whole:
            raise UnfitPdf("hidden")
        self.require_none(_WITHIN, objects)

    def require_other(self, start: int) -> None:
        """Look into a stream that does not say that it is one of objects, where it looks like one."""
        try:
            head = zlib.decompressobj().decompress(self.data[start : start + _HEAD], _HEAD)
        except zlib.error:
            return
        if _NUMBERS.match(head):
            self.require_none(_WITHIN, self.unpacked(start)[0])

    def unpacked(self, start: int) -> tuple[bytes, bool]:
        """Unpack what begins at `start` as far as it goes, and say whether it came to its end."""
        unpacking, parts = zlib.decompressobj(), []
        for at in range(start, len(self.data), _SLICE):
            self.require_time()
            try:
                parts.append(unpacking.decompress(self.data[at : at + _SLICE], self.left + 1))
            except zlib.error:
                break
            self.left -= len(parts[-1])
            if self.left < 0:
                raise UnfitPdf("hidden")
            if unpacking.eof:
                break
        return b"".join(parts), unpacking.eof

    def require_none(self, pattern: re.Pattern[bytes], data: bytes) -> None:
        for name in self.names(pattern, data):
            raise UnfitPdf("hidden") if name == _OBJECTS else UnfitPdf("active", name.decode())

    def names(self, pattern: re.Pattern[bytes], data: bytes) -> Iterator[bytes]:
        """Yield the names of a pattern in some bytes, without their slash, their escapes undone."""
        for start in range(0, len(data), _SLICE):
            self.require_time()
            for found in pattern.finditer(data, start, start + _SLICE + _LONGEST):
                if found.start() < start + _SLICE:
                    yield _plain(found[1])

    def require_time(self) -> None:
        if time.thread_time() > self.until:
            raise UnfitPdf("hidden")


def _names(data: bytes) -> Iterator[bytes]:
    """Yield all names in some bytes, without their slash, their escapes undone."""
    return (_plain(found[1]) for found in _NAME.finditer(data))


def _plain(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), name) if b"#" in name else name


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
