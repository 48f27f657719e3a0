"""Read YAML written by people: safely, with limits, and with the file, line and field of every mistake.

Plain scalars follow YAML 1.2's core schema, so that `no`, `20:00` and `2026-11-23` stay the text they look like. Tags,
merge keys and numbers that are not finite are refused. Keys are text. Aliases are allowed within the size limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeVar

import msgspec
import yaml

from sensors import one_a_line
from sensors.mistakes import mistakes
from sensors.problem import DocumentError, Path, Problem, field_name, suggest

__all__ = [
    "Document",
    "DocumentError",
    "Path",
    "Problem",
    "convert",
    "field_name",
    "parse_document",
    "read_document",
    "suggest",
]

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 4_000_000  # after aliases are expanded

T = TypeVar("T")


class Document:
    """Hold one file's plain data (dict, list, str, int, float, bool, None) and the lines its parts stand on."""

    __slots__ = ("_marks", "data", "file", "top")

    def __init__(self, file: str, data: Any, marks: dict[int, Any], top: int = 1) -> None:
        self.file = file
        self.data = data
        self.top = top
        self._marks = marks  # id of a container in data → lines of its entries

    def line(self, path: Path = ()) -> int:
        """Tell the line (from 1) of the entry at `path`, or of the nearest entry above it that exists."""
        line, node = self.top, self.data
        for step in path:
            marks = self._marks.get(id(node))
            try:
                line, node = marks[step], node[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return line

    def problem(self, path: Path, message: str) -> Problem:
        """Name a mistake at `path`."""
        return Problem(self.file, self.line(path), field_name(path), message)


def read_document(path: FilePath | str, *, max_bytes: int = MAX_BYTES, name: str | None = None) -> Document:
    """Read a YAML file of UTF-8 text, at most `max_bytes` long; `name` is what problems call it (default: its path).

    Raise `DocumentError` when it is missing, empty, too large, too deep, not UTF-8, not YAML, or repeats a key.
    """
    file = name or str(path)
    try:
        with FilePath(path).open("rb") as stream:
            source = stream.read(max_bytes + 1)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise DocumentError([Problem(file, 0, "", reason)]) from error
    if len(source) > max_bytes:
        raise DocumentError([Problem(file, 0, "", f"the file is larger than {max_bytes:,} bytes")])
    return parse_document(source, file)


def parse_document(source: bytes | str, file: str) -> Document:
    """Parse YAML text; `file` is what problems call it. Raise `DocumentError` as `read_document` does."""
    text = source if isinstance(source, str) else _decode(source, file)
    try:
        listed = one_a_line.read(text)
        return Document(file, *listed) if listed else _Builder(file).build(text)
    except UnicodeEncodeError as error:
        raise DocumentError([Problem(file, 0, "", f"not Unicode text: {error.reason}")]) from error
    except yaml.YAMLError as error:
        raise DocumentError([_syntax_problem(error, text, file)]) from error


def convert(document: Document, type: type[T], path: Path = ()) -> T:
    """Turn the part of a document at `path` into `type` (a msgspec Struct or any type msgspec knows).

    Raise `DocumentError` with every mistake in that part, each with its line and field.
    """
    node = document.data
    for step in path:
        node = node[step]
    try:
        return msgspec.convert(node, type)
    except msgspec.ValidationError as error:
        found = mistakes(node, type, str(error))
        raise DocumentError([document.problem(path + where, message) for where, message in found]) from error


def _decode(source: bytes, file: str) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{source[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        raise DocumentError([Problem(file, line, "", message)]) from error


_INT = re.compile(r"[-+]?[0-9]+\Z|0x[0-9a-fA-F]+\Z|0o[0-7]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_NUMBER_START = frozenset("0123456789+-.")
_MAX_DIGITS = 40  # longer plain numbers are mistakes, and costly to parse


class _Builder:
    """Build plain data from libyaml's events; no recursion, so depth cannot exhaust the stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[int, Any] = {}
        self.nodes = 0
        self.anchors: dict[str, tuple[Any, int, int]] = {}  # name → value, nodes in it, levels in it

    def build(self, source: str) -> Document:
        events = iter(yaml.CSafeLoader(source).get_event, None)
        top = self._start(events)
        data = self._document(events, top)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.fail(event, "a second document begins here; one file holds one (remove the '---')")
        return Document(self.file, data, self.marks, top.start_mark.line + 1)

    def _start(self, events: Iterator[yaml.Event]) -> Any:
        for event in events:
            if isinstance(event, yaml.StreamEndEvent):
                break
            if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
                if isinstance(event, yaml.ScalarEvent) and event.value == "" and event.implicit[0]:
                    break
                return event
        raise DocumentError([Problem(self.file, 0, "", "the file is empty")])

    def _document(self, events: Iterator[yaml.Event], event: Any) -> Any:
        # One frame per open container: container, its lines, pending key, its anchor, nodes before it, levels in it.
        root: list[Any] = []
        stack: list[list[Any]] = []
        frame: list[Any] = [root, [], None, None, 0, 1]
        while True:
            kind = type(event)
            container, lines = frame[0], frame[1]
            line = event.start_mark.line + 1
            if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                if frame[3]:
                    self.anchors[frame[3]] = (container, self.nodes - frame[4], frame[5])
                levels = frame[5] + 1
                frame = stack.pop()
                frame[5] = max(frame[5], levels)
            elif type(container) is dict and frame[2] is None:
                frame[2] = self._key(event, container, line)
                lines[frame[2]] = line
            else:
                self._count(event, 1)
                opens: Any = None
                try:
                    if kind is yaml.ScalarEvent:
                        value = self._scalar(event)
                        if event.anchor:
                            self.anchors[event.anchor] = (value, 1, 1)
                    elif kind is yaml.AliasEvent:
                        value = self._alias(event, len(stack), frame)
                    else:
                        self._plain_tag(event)
                except DocumentError as error:
                    field = field_name(_place([*stack, frame]))
                    raise DocumentError([msgspec.structs.replace(one, field=field) for one in error.problems]) from None
                if kind is not yaml.ScalarEvent and kind is not yaml.AliasEvent:
                    if len(stack) >= MAX_DEPTH:
                        self.fail(event, f"nested more than {MAX_DEPTH} levels deep")
                    inner: Any
                    value, inner = ({}, {}) if kind is yaml.MappingStartEvent else ([], [])
                    self.marks[id(value)] = inner
                    opens = [value, inner, None, event.anchor, self.nodes - 1, 1]
                if type(container) is dict:
                    container[frame[2]] = value
                    frame[2] = None
                else:
                    container.append(value)
                    lines.append(line)
                if opens:
                    stack.append(frame)
                    frame = opens
            if not stack:
                return root[0]
            event = next(events)

    def _key(self, event: Any, container: dict[str, Any], line: int) -> str:
        if type(event) is not yaml.ScalarEvent:
            self.fail(event, "a key must be a word, not a list, mapping or alias")
        key: str = event.value
        self._plain_tag(event)
        if key == "<<" and event.implicit[0]:
            self.fail(event, "merge keys ('<<') are not supported; write the fields out or use a template")
        if key in container:
            first = self.marks[id(container)][key]
            self.fail(event, f"'{key}' is already given on line {first}", key)
        self._count(event, 1)
        return key

    def _scalar(self, event: Any) -> Any:
        self._plain_tag(event)
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_START:
            return text
        if _NOT_FINITE.match(text):
            self.fail(event, f"{text} is not a finite number")
        if len(text) > _MAX_DIGITS:
            if _INT.match(text) or _FLOAT.match(text):
                self.fail(event, "the number is too long")
            return text
        if _INT.match(text):
            return int(text, 0 if text[:2] in ("0x", "0o") else 10)
        if _FLOAT.match(text):
            number = float(text)
            if not isfinite(number):
                self.fail(event, f"{text} is not a finite number")
            return number
        return text

    def _alias(self, event: Any, depth: int, frame: list[Any]) -> Any:
        if event.anchor not in self.anchors:
            self.fail(event, f"alias '*{event.anchor}' stands for nothing before it")
        value, nodes, levels = self.anchors[event.anchor]
        self._count(event, nodes)
        if depth + levels > MAX_DEPTH:
            self.fail(event, f"nested more than {MAX_DEPTH} levels deep through alias '*{event.anchor}'")
        frame[5] = max(frame[5], levels + 1)
        return value

    def _plain_tag(self, event: Any) -> None:
        if event.tag and event.tag != "!":
            self.fail(event, f"tag '{event.tag}' is not allowed; write plain values")

    def _count(self, event: Any, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.fail(event, f"more than {MAX_NODES:,} values (aliases counted out)")

    def fail(self, event: Any, message: str, field: str = "") -> NoReturn:
        raise DocumentError([Problem(self.file, event.start_mark.line + 1, field, message)])


def _place(frames: list[list[Any]]) -> Path:
    """Say where the next value would stand: its containers, the outermost first, hold all that came before it."""
    outer = [next(reversed(one[0])) if type(one[0]) is dict else len(one[0]) - 1 for one in frames[1:-1]]
    container, key = frames[-1][0], frames[-1][2]
    return (*outer, key if type(container) is dict else len(container)) if len(frames) > 1 else ()


def _syntax_problem(error: yaml.YAMLError, source: str, file: str) -> Problem:
    """Say a YAML error in one sentence, with the line it stands on."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        rows = source.splitlines()
        line = min(mark.line + 1, len(rows)) if mark else 0
        row = rows[line - 1] if 0 < line <= len(rows) else ""
        if row[: len(row) - len(row.lstrip())].count("\t") or "\\t" in (error.problem or ""):
            return Problem(file, line, "", "a tab stands where only spaces may: indent with spaces")
        message = error.problem or "not YAML"
        if error.context:
            message += f", {error.context}"
            if error.context_mark and error.context_mark.line != line - 1:
                message += f" that begins on line {error.context_mark.line + 1}"
        if mark and line == mark.line + 1:  # not where the text has ended
            message += f" (column {mark.column + 1})"
        return Problem(file, line, "", f"not YAML: {message}")
    if isinstance(error, yaml.reader.ReaderError):
        line = source.encode("utf-8", "surrogatepass").count(b"\n", 0, error.position) + 1
        return Problem(file, line, "", f"character U+{int(error.character):04X} is not allowed")
    return Problem(file, 0, "", f"not YAML: {error}")
