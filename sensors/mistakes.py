"""Find every mistake in plain data that should be a type, where msgspec stops at the first."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from sensors.problem import Path, suggest

Mistake = tuple[Path, str]

_MAX_MISTAKES = 200  # nobody reads on, and a wrong file must not cost minutes
_AT = re.compile(r" - at `(?:key in )?(\$[^`]*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`\Z")
_LENGTH = re.compile(r"Expected `array` of length (\d+), got (\d+)\Z")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping of fields",
    "null": "nothing",
}


def mistakes(node: Any, type: Any, error: str) -> list[Mistake]:
    """List where and how `node` fails to be `type`; `error` is what msgspec said of the whole.

    Structs, lists, tuples, dicts and optional types are looked into; of anything else msgspec's word is taken.
    """
    found: list[Mistake] = []
    for mistake in _search(node, type):
        found.append(mistake)
        if len(found) >= _MAX_MISTAKES:
            break
    return found or [_of_message(error, node)]


def _search(node: Any, type: Any) -> Iterator[Mistake]:
    """Yield the mistakes of a node, as deep as they can be found; nothing when it is sound."""
    try:
        msgspec.convert(node, type)
        return
    except msgspec.ValidationError as error:
        message = str(error)
    empty = True
    for mistake in _parts(node, type):
        empty = False
        yield mistake
    if empty:
        yield _of_message(message, node)


def _parts(node: Any, type: Any) -> Iterator[Mistake]:
    origin, arguments = typing.get_origin(type), typing.get_args(type)
    if origin is typing.Annotated:
        yield from _parts(node, arguments[0])
    elif origin in (typing.Union, types.UnionType):
        sides = [side for side in arguments if _fits(node, side)]
        if len(sides) == 1:
            yield from _parts(node, sides[0])
    elif origin is typing.Literal and isinstance(node, str):
        choices = [str(choice) for choice in arguments]
        yield (), f"'{node}' is none of {', '.join(choices)}{suggest(node, choices)}"
    elif isinstance(node, dict) and inspect.isclass(type) and issubclass(type, msgspec.Struct):
        yield from _fields(node, type)
    elif isinstance(node, dict) and origin is dict:
        for key, value in node.items():
            for path, message in _search(key, arguments[0]):
                yield (key, *path), f"as a key: {message}"
            for path, message in _search(value, arguments[1]):
                yield (key, *path), message
    elif isinstance(node, list) and origin in (list, tuple, set, frozenset):
        endless = origin is not tuple or arguments[-1] is Ellipsis
        if endless or len(arguments) == len(node):
            for place, value in enumerate(node):
                for path, message in _search(value, arguments[0 if endless else place]):
                    yield (place, *path), message


def _fits(node: Any, side: Any) -> bool:
    """Tell whether a side of a union is the one that a mapping or a list was meant for."""
    origin = typing.get_origin(side) or side
    if isinstance(node, dict):
        return origin is dict or (inspect.isclass(origin) and issubclass(origin, msgspec.Struct))
    return isinstance(node, list) and origin in (list, tuple, set, frozenset)


def _fields(node: dict[str, Any], struct: Any) -> Iterator[Mistake]:
    if struct.__struct_config__.tag is not None:
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for key, value in node.items():
        if key in fields:
            for path, message in _search(value, fields[key].type):
                yield (key, *path), message
        elif struct.__struct_config__.forbid_unknown_fields:
            near = suggest(key, fields.keys() - node.keys())
            yield (key,), f"unknown field{near}" if near else f"unknown field; known are {', '.join(fields)}"
    for name, field in fields.items():
        if field.required and name not in node:
            yield (), f"the field '{name}' is missing"


def _of_message(message: str, node: Any) -> Mistake:
    """Split msgspec's message into the path it names and words for a person."""
    path: list[str | int] = []
    if at := _AT.search(message):
        message = message[: at.start()]
        for step in _STEP.finditer(at[1]):
            if step[1] is None and step[2] is None:
                break  # the key of a dict, which msgspec does not tell
            path.append(step[1] if step[1] is not None else int(step[2]))
    for step_ in path:
        try:
            node = node[step_]
        except (KeyError, IndexError, TypeError):
            break
    if expected := _EXPECTED.match(message):
        wanted = " or ".join(_WORDS.get(word.strip(), word.strip()) for word in expected[1].split("|"))
        message = f"expected {wanted}, got {_show(node)}"
    elif length := _LENGTH.match(message):
        message = f"expected a list of {length[1]}, got {length[2]}"
    elif message:
        message = message.replace("`", "'")
        message = message[0].lower() + message[1:]
    return tuple(path), message


def _show(node: Any) -> str:
    if isinstance(node, dict):
        return "a mapping of fields"
    if isinstance(node, list):
        return f"a list of {len(node)}"
    if node is None:
        return "nothing"
    if isinstance(node, bool):
        return str(node).lower()
    text = str(node)
    text = text if len(text) <= 40 else text[:37] + "..."
    return f"the text '{text}'" if isinstance(node, str) else text
