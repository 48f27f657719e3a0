"""Write entries as YAML, one a line, in a way that reads back as exactly what it was."""

from __future__ import annotations

import json
import re
from typing import Any

MARK = "# foreshock import"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off"))


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
    """Write one value in flow style; texts that are not plain words are quoted as JSON, which YAML reads alike."""
    if isinstance(what, dict):
        return "{" + ", ".join(f"{value(key)}: {value(item)}" for key, item in what.items()) + "}"
    if isinstance(what, list | tuple):
        return "[" + ", ".join(map(value, what)) + "]"
    if isinstance(what, str) and _PLAIN.match(what) and what.lower() not in _WORDS:
        return what
    return json.dumps(what, ensure_ascii=False)
