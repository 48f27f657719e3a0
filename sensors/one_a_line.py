"""Files that a program writes for a site: YAML with one entry a line, as JSON, so that it is read a line at a time.

Through YAML's events an entry of six fields costs 48 µs, as a line of JSON 11 µs.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

MARK = "# foreshock import"
_KEY = re.compile(r"([a-z_]+):\Z")  # an empty list is YAML's to judge too
_LONG = re.compile(r"\d{30}")
_MOST_BRACKETS = 16  # deeper nesting is YAML's to judge


def document(content: dict[str, list[dict[str, Any]]], said: str) -> str:
    """Write lists of entries under their keys, with a comment that says where they are from."""
    lines = [
        f"{MARK} owns this file: what is changed here by hand is lost when the same id is imported again.",
        f"# {said}",
    ]
    for key, entries in content.items():
        lines.append(f"{key}:" if entries else f"{key}: []")
        lines += [f"  - {value(entry)}" for entry in entries]
    return "\n".join(lines) + "\n"


def value(what: Any) -> str:
    """Write one value as JSON, which YAML reads alike."""
    return json.dumps(what, ensure_ascii=False)


def read(text: str) -> tuple[dict[str, list[Any]], dict[int, Any]] | None:
    """Read what `document` wrote, with the lines of its parts by the id of what holds them.

    None for anything that `document` would not have written in just this way: that is for the YAML reader to judge.
    """
    if not text.startswith(MARK):
        return None
    content: dict[str, list[Any]] = {}
    marks: dict[int, Any] = {id(content): {}}
    entries: list[Any] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("  - {"):
            entry = _entry(line[4:])
            if entry is None or entries is None:
                return None
            entries.append(entry)
            marks[id(entries)].append(number)
        elif found := _KEY.match(line):
            if found[1] in content:
                return None
            entries = content[found[1]] = []
            marks[id(content)][found[1]] = number
            marks[id(entries)] = []
        elif line and not (line.startswith("#") and line.isprintable()):
            return None
    return (content, marks) if content and all(content.values()) else None


def _entry(line: str) -> Any:
    """Read one entry; None unless it is written as `value` does, each key once."""
    if line.count("{") + line.count("[") > _MOST_BRACKETS or not line.isprintable() or _LONG.search(line):
        return None
    try:
        entry = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    alike = msgspec.json.format(msgspec.json.encode(entry), indent=0).decode() == line  # all but some rare floats
    return entry if alike or value(entry) == line else None
