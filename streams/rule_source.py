"""Where a rule stands in a site folder: its own lines, as somebody wrote them, and other lines in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rules.rule import Rule, RuleFile
from sensors.document import DocumentError, convert, parse_document
from streams.durable import replace

HEAD = "rules:\n"
MOST_BYTES = 1024 * 1024
"""Bytes of a file that is looked into; a longer one was written by a program."""


class MadeFrom(NamedTuple):
    """The template in a site folder that makes a rule: its id, its file under the folder, its line, counted from 1."""

    id: str
    file: str
    line: int


class Source(NamedTuple):
    """A rule's lines in a file: from `first` up to before `stop`, counted from 0, `indent` deep."""

    file: Path
    first: int
    stop: int
    indent: int
    text: str  # as a file of rules of its own


def find(folder: Path, rule: Rule) -> Source | None:
    """Find the lines in a site folder that say exactly `rule`; None where none do, or they cannot stand alone."""
    for file, written in _files(folder):
        found = _within(file, written, rule) if rule.id in written else None
        if found is not None:
            return found
    return None


def made_from(folder: Path, id: str) -> MadeFrom | None:
    """Find the template in a site folder that makes the rule of this id; None where none does."""
    for file, written in _files(folder):
        if "templates" not in written:
            continue
        try:
            document = parse_document(written, file.name)
            templates = convert(document, RuleFile).templates
        except DocumentError:
            continue
        for place, one in enumerate(templates):
            if any(id == f"{one.id}.{name}" for use in one.uses for name in (*use.types, *use.areas)):
                return MadeFrom(one.id, str(file.relative_to(folder)), document.line(("templates", place)))
    return None


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Read the folder's files of rules that somebody may have written."""
    for file in sorted((folder / "rules").rglob("*.yaml")):
        if file.name.startswith("."):
            continue
        try:
            written = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if len(written) <= MOST_BYTES:
            yield file, written


def write(source: Source, before: Rule, after: Rule, text: str) -> bool:
    """Put `text`, a file of the one rule `after`, in the place of `before`'s lines.

    False, and the file stays, where it no longer says `before` there or would come to say something else. Raise
    `OSError` when it cannot be written.
    """
    written = source.file.read_text(encoding="utf-8")
    found = _within(source.file, written, before)
    body = _body(text)
    if found is None or body is None:
        return False
    lines = written.splitlines(keepends=True)
    fresh = [f"{' ' * found.indent}{line}" if line.strip() else line for line in body]
    changed = "".join([*lines[: found.first], *fresh, *lines[found.stop :]])
    old, new = _rules(written), _rules(changed)
    if old is None or new is None or new.templates != old.templates:
        return False
    if new.rules != tuple(after if one == before else one for one in old.rules):
        return False
    replace(source.file, changed.encode())
    return True


def _within(file: Path, written: str, rule: Rule) -> Source | None:
    try:
        document = parse_document(written, file.name)
        rules = convert(document, RuleFile).rules
    except DocumentError:
        return None
    if rule not in rules:
        return None
    place = rules.index(rule)
    lines = written.splitlines(keepends=True)
    first = document.line(("rules", place)) - 1
    if not 0 <= first < len(lines) or not lines[first].lstrip().startswith("- "):
        return None
    indent = len(lines[first]) - len(lines[first].lstrip())
    stop = _end(lines, first, indent)
    text = HEAD + "".join(line[indent:] if line.strip() else line for line in lines[first:stop])
    alone = _rules(text)
    return Source(file, first, stop, indent, text) if alone is not None and alone.rules == (rule,) else None


def _end(lines: Sequence[str], first: int, indent: int) -> int:
    """Find where an entry's lines end; comments and empty lines before the next one belong to that."""
    stop = first + 1
    for place in range(first + 1, len(lines)):
        line = lines[place]
        deep = len(line) - len(line.lstrip())
        if not line.strip() or (deep <= indent and line.lstrip().startswith("#")):
            continue
        if deep <= indent:
            break
        stop = place + 1
    return stop


def _body(text: str) -> list[str] | None:
    """Give the lines of the one rule of a text, moved to the left edge; None where it does not stand in a list."""
    lines = text.splitlines()
    starts = [place for place, line in enumerate(lines) if line.lstrip().startswith("- ")]
    if not starts:
        return None
    first = starts[0]
    indent = len(lines[first]) - len(lines[first].lstrip())
    stop = _end(lines, first, indent)
    return [line[indent:] + "\n" if line.strip() else "\n" for line in lines[first:stop]]


def _rules(text: str) -> RuleFile | None:
    try:
        return convert(parse_document(text, "rules"), RuleFile)
    except DocumentError:
        return None
