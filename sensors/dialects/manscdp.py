"""Bodies of GB/T 28181 messages (MANSCDP): XML in UTF-8 or GB 18030, or a gateway's JSON of it, as one kind of tree.

A tree is a dictionary of names in small letters without `_`, so that `<AlarmMethod>`, `alarmMethod` and `alarm_method`
are one; a value is text, a dictionary, or a list of what was repeated. Documents with a DTD or entities are refused.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

Tree = dict[str, Any]

DEEPEST = 12
MOST_PARTS = 4096
LONGEST_TEXT = 4096

_ENVELOPES = ("notify", "response", "control", "query")
_DECLARED = re.compile(rb"\A<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"'][^>]*>")
_GB = ("gb2312", "gbk", "gb18030", "gb_2312", "gb_2312-80", "cp936", "hz-gb-2312")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"{\0")
"""How a body in UTF-16 begins: with a mark of byte order, or with every other byte zero (leading ones are stripped)."""

_CJK = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

_json = msgspec.json.Decoder().decode


def read(body: bytes) -> tuple[str, Tree]:
    """Read a body; give its envelope (notify, response, control, query, "" where JSON names none) and what it holds.

    Raise `ValueError` on what is neither XML nor JSON, is too deep or large, or declares a DTD or entities.
    """
    if body.lstrip(b" \t\r\n\0").startswith(_UTF_16):
        raise ValueError("it is UTF-16; GB/T 28181 is sent in GB 2312, GB 18030 or UTF-8: set the device's encoding so")
    text = decoded(body.strip()).lstrip("\ufeff").lstrip()
    if text.startswith("<"):
        return _xml(text)
    if not text.startswith("{"):
        raise ValueError("neither XML nor a JSON object")
    tree = _plain(_json(text), _Count(), 0)
    if len(tree) == 1:
        [(name, inner)] = tree.items()
        if name in _ENVELOPES and isinstance(inner, dict):
            return name, inner
    return "", tree


def decoded(body: bytes) -> str:
    """Decode a body by what it is rather than by what it declares: devices that declare GB 2312 often send UTF-8.

    What is UTF-8 and holds Chinese as such is that; else what is declared as GB, or is no UTF-8, is GB 18030.
    """
    head = _DECLARED.match(body[:200])
    declared = head[1].decode().lower() if head else ""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030")
    if declared in _GB and not text.isascii() and not _CJK.search(text):
        return body.decode("gb18030")
    return text


class _Count:
    """Counts the parts of a body, so that none has too many."""

    def __init__(self) -> None:
        self.parts = 0

    def one(self, depth: int) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS} parts")
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} deep")


class _Builder:
    """Builds the tree while the parser reads, and stops it where the document is too deep or large."""

    def __init__(self) -> None:
        self.name = ""
        self.root: Tree = {}
        self._count = _Count()
        self._open: list[tuple[str, Tree, list[str]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count.one(len(self._open))
        self._open.append((_name(tag), {}, []))

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def end(self, tag: str) -> None:
        name, inner, texts = self._open.pop()
        value: Any = inner or "".join(texts).strip()[:LONGEST_TEXT]
        if not self._open:
            self.name, self.root = name, inner
            return
        _put(self._open[-1][1], name, value)

    def close(self) -> None:
        """Be a target to the parser: the tree is in `root`."""


def _xml(text: str) -> tuple[str, Tree]:
    builder = _Builder()
    # What is text already is read as such, whatever encoding it declares.
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(_CONTROLS.sub(" ", text))
        parser.close()
    except DefusedXmlException as error:
        raise ValueError(f"a document with a DTD or entities: {type(error).__name__}") from error
    except ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    return builder.name, builder.root


def _plain(value: Any, count: _Count, depth: int) -> Any:
    count.one(depth)
    if isinstance(value, dict):
        tree: Tree = {}
        for name, inner in value.items():
            _put(tree, _name(name), _plain(inner, count, depth + 1))
        return tree
    if isinstance(value, list):
        return [_plain(inner, count, depth + 1) for inner in value]
    if value is None:
        return ""
    return str(value).strip()[:LONGEST_TEXT]


def _put(tree: Tree, name: str, value: Any) -> None:
    held = tree.get(name)
    if held is None:
        tree[name] = value
    elif isinstance(held, list):
        held.append(value)
    else:
        tree[name] = [held, value]


def _name(name: str) -> str:
    return name.rpartition("}")[2].replace("_", "").lower()[:64]
