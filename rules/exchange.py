"""Rules as one file that another site can take: written as people write them, without what is as it is by default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from rules.layout import laid_out
from rules.rule import Rule

HEAD = "# Rules, as `foreshock rules export` wrote them.\n\n"


def as_written(value: Any) -> Any:
    """Turn a rule or a part of it into plain data, leaving out fields that are at their default."""
    if isinstance(value, msgspec.Struct):
        found = {}
        for field in msgspec.structs.fields(value):
            mine = getattr(value, field.name)
            if field.default is not msgspec.NODEFAULT and mine == field.default:
                continue
            if field.default_factory is not msgspec.NODEFAULT and mine == field.default_factory():
                continue
            found[field.encode_name] = as_written(mine)
        return found
    if isinstance(value, dict):
        return {key: as_written(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_written(item) for item in value]
    return value


def as_yaml(rules: Sequence[Rule]) -> str:
    """Write rules out as YAML."""
    content = {"rules": [as_written(rule) for rule in rules]}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1_000_000)


def write(file: Path, rules: Sequence[Rule]) -> None:
    """Write rules to a .json or .yaml file, YAML laid out as `foreshock rules format` does.

    Raise `ValueError` on another ending, `OSError` when it cannot be written.
    """
    if file.suffix == ".json":
        content = {"rules": [as_written(rule) for rule in rules]}
        text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
    elif file.suffix in (".yaml", ".yml"):
        text = laid_out(HEAD + as_yaml(rules), file.name)
    else:
        raise ValueError(f"{file.name} ends neither in .json nor in .yaml")
    file.write_text(text, encoding="utf-8")
