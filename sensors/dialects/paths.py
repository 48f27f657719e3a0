"""Dotted paths into JSON: `data.value`, `items.0.v`; an empty one is the payload itself."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

Getter = Callable[[Any], Any]


def is_place(step: str) -> bool:
    """Tell whether a step of a path is a place in a list: plain digits, few enough for a number."""
    return step.isdecimal() and step.isascii() and len(step) <= 9


@lru_cache(maxsize=1024)
def parser(value: str, time: str | None) -> tuple[Callable[[bytes], Any], Getter, Getter | None]:
    """Make a decoder that keeps only the two paths, and what takes value and time out of its result."""
    paths = [value] if time is None else [value, time]
    nested = any(one != other and f"{other}.".startswith(f"{one}.") for one in paths for other in paths)
    if not value or nested or any(is_place(step) or not step for path in paths for step in path.split(".")):
        getters = [walker(path) for path in paths]
        return anything, getters[0], getters[1] if time is not None else None
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        steps = path.split(".")
        for step in steps[:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = None
    leaf = float | bool | str | None
    names = {step: f"f{place}" for place, step in enumerate(sorted({s for path in paths for s in path.split(".")}))}
    decoder = msgspec.json.Decoder(_struct(tree, names, value.split("."), leaf))
    return decoder.decode, _attributes(value, names), _attributes(time, names) if time is not None else None


anything = msgspec.json.Decoder().decode
"""Decode JSON of any shape."""


def _struct(tree: dict[str, Any], names: dict[str, str], required: list[str] | None, leaf: Any) -> Any:
    fields: list[Any] = []
    for step, below in tree.items():
        needed = required is not None and required[0] == step
        rest = required[1:] if needed and required is not None else None
        kind = leaf if below is None else _struct(below, names, rest or None, leaf)
        if needed:
            fields.append((names[step], kind))
        else:
            fields.append((names[step], kind if below is None else kind | None, None))
    renamed = {names[step]: step for step in tree}
    return msgspec.defstruct("Mapped", fields, kw_only=True, gc=False, rename=renamed)


def _attributes(path: str, names: dict[str, str]) -> Getter:
    """Take a path's value out of nested structs; None where an optional part is missing."""
    steps = [names[step] for step in path.split(".")]
    if len(steps) == 1:
        return operator.attrgetter(steps[0])

    def get(item: Any) -> Any:
        for step in steps:
            if item is None:
                return None
            item = getattr(item, step)
        return item

    return get


def walker(path: str, absent: Any = None) -> Getter:
    """Take a path's value out of plain lists and dictionaries; `absent` where it is missing."""
    steps = path.split(".") if path else []

    def get(item: Any) -> Any:
        for step in steps:
            if isinstance(item, dict):
                item = item.get(step, absent)
            elif isinstance(item, list) and is_place(step) and int(step) < len(item):
                item = item[int(step)]
            else:
                return absent
        return item

    return get
