"""Value templates of Home Assistant's kind, the part of them that fetches a value: parsed here, never run as Jinja.

`{{ value_json.data['t'] | float * 0.1 }}`: `value` (the payload's text), `value_json` (the payload as JSON) with names
and places in it, numbers, texts, `+ - * /`, comparisons, `a if b else c`, and the filters of `FILTERS`; filters bind
tighter than arithmetic, as in Jinja. Everything else (blocks, loops, Home Assistant's own states) is refused when the
template is learnt. Jinja itself is not used, sandboxed or not: templates come from whoever may publish, and its sandbox
bounds neither time nor memory (`'a' * 10 ** 9`). This language has no loops, no names of its own and no powers: a
template costs what its length says.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sensors.dialects.filters import EXACT, FILTERS, TemplateError, bounded, default

LONGEST = 1024
"""Characters of the longest template."""

MOST_WORDS = 64
DEEPEST = 16
"""Brackets, conditions and signs within one another."""


class Missing(Exception):
    """Say that the payload has nothing at the place that a template names."""


class Payload(NamedTuple):
    """Hold what a template reads: the payload's text, and its JSON or the error that it is none."""

    value: str
    json: Any
    error: str = ""


Worked = Callable[[Payload], Any]
"""A parsed template. Raise `Missing`, or `TemplateError` where the payload is not what it expects."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<text>'[^'\\]*'|"[^"\\]*")
      | (?P<sign>==|!=|<=|>=|[-+*/<>|.,()\[\]])
    )""",
    re.VERBOSE | re.ASCII,
)
_WHOLE = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}


@lru_cache(maxsize=4096)
def parse(template: str) -> Worked:
    """Parse a template; an empty one gives the payload's text. Raise `TemplateError` naming what is not understood."""
    if not template:
        return _value
    if len(template) > LONGEST:
        raise TemplateError(f"the template is longer than {LONGEST} characters")
    whole = _WHOLE.fullmatch(template)
    if whole is None or "{{" in whole[1] or "}}" in whole[1] or "{%" in template:
        raise TemplateError(f"the template {template[:80]!r} is not one expression between {{{{ and }}}}")
    parser = _Parser(whole[1])
    worked = parser.condition()
    parser.end()
    return worked


def _value(payload: Payload) -> Any:
    return payload.value


def _json(payload: Payload) -> Any:
    if payload.error:
        raise TemplateError(payload.error)
    return payload.json


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise TemplateError(f"the template holds {text[at : at + 20]!r}, which is not understood")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        if len(self._tokens) > MOST_WORDS:
            raise TemplateError(f"the template has more than {MOST_WORDS} words and signs")
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise self._wrong()

    def condition(self) -> Worked:
        """`a if b else c`, or a comparison."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise TemplateError("the template is nested too deeply")
        found = self._comparison()
        if self._name("if"):
            test = self._comparison()
            if not self._name("else"):
                raise self._wrong()
            found = _choice(test, found, self.condition())
        self._depth -= 1
        return found

    def _comparison(self) -> Worked:
        left = self._sum()
        sign = self._sign(*_COMPARE)
        return left if sign is None else _compared(_COMPARE[sign], left, self._sum())

    def _sum(self) -> Worked:
        left = self._product()
        while sign := self._sign("+", "-"):
            left = _arithmetic(operator.add if sign == "+" else operator.sub, left, self._product())
        return left

    def _product(self) -> Worked:
        left = self._filtered()
        while sign := self._sign("*", "/"):
            left = _arithmetic(operator.mul if sign == "*" else operator.truediv, left, self._filtered())
        return left

    def _filtered(self) -> Worked:
        found = self._signed()
        while self._sign("|"):
            name = self._take("name")
            if name not in FILTERS:
                raise TemplateError(f"the filter '{name[:40]}' is not known; known are {', '.join(FILTERS)}")
            found = _call(FILTERS[name], found, self._arguments(most=2) if self._sign("(") else ())
        return found

    def _signed(self) -> Worked:
        if self._sign("-"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise TemplateError("the template is nested too deeply")
            found = _arithmetic(operator.sub, _constant(0), self._signed())
            self._depth -= 1
            return found
        return self._within(self._atom())

    def _atom(self) -> Worked:
        kind, word = self._next()
        if kind == "number":
            number = float(word)
            if not math.isfinite(number):
                raise TemplateError(f"{word[:40]} is too large a number")
            return _constant(int(word) if word.isdigit() and number < EXACT else number)
        if kind == "text":
            return _constant(word[1:-1])
        if word == "(":
            found = self.condition()
            self._expect(")")
            return found
        if kind != "name":
            raise self._wrong(-1)
        if word in _CONSTANTS:
            return _constant(_CONSTANTS[word])
        if word in ("float", "int") and self._sign("("):
            first, *rest = self._arguments(most=2) or (None,)
            if first is None:
                raise self._wrong(-1)
            return _call(FILTERS[word], first, tuple(rest))
        if word == "value":
            return _value
        if word == "value_json":
            return _json
        raise TemplateError(f"the template names '{word[:40]}'; only value and value_json are known")

    def _within(self, found: Worked) -> Worked:
        while sign := self._sign(".", "["):
            if sign == ".":
                found = _member(found, self._take("name"))
            else:
                kind, word = self._next()
                if kind == "text":
                    found = _member(found, word[1:-1])
                elif kind == "number" and word.isdigit() and len(word) <= 9:
                    found = _item(found, int(word))
                else:
                    raise self._wrong(-1)
                self._expect("]")
        return found

    def _arguments(self, most: int) -> tuple[Worked, ...]:
        found: list[Worked] = []
        while not self._sign(")"):
            if found:
                self._expect(",")
            found.append(self.condition())
            if len(found) > most:
                raise self._wrong()
        return tuple(found)

    # tokens

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise TemplateError("the template ends in the middle")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str) -> str:
        found, word = self._next()
        if found != kind:
            raise self._wrong(-1)
        return word

    def _expect(self, sign: str) -> None:
        if self._sign(sign) is None:
            raise self._wrong()

    def _sign(self, *signs: str) -> str | None:
        if self._at < len(self._tokens):
            kind, word = self._tokens[self._at]
            if kind == "sign" and word in signs:
                self._at += 1
                return word
        return None

    def _name(self, name: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("name", name):
            self._at += 1
            return True
        return False

    def _wrong(self, back: int = 0) -> TemplateError:
        place = self._at + back
        if place >= len(self._tokens):
            return TemplateError("the template ends in the middle")
        return TemplateError(f"'{self._tokens[place][1][:40]}' is not understood where it stands in the template")


# ── what the parts do ──


def _constant(value: Any) -> Worked:
    return lambda payload: value


def _member(of: Worked, name: str) -> Worked:
    def worked(payload: Payload) -> Any:
        whole = of(payload)
        if not isinstance(whole, dict) or name not in whole:
            raise Missing(name)
        return whole[name]

    return worked


def _item(of: Worked, place: int) -> Worked:
    def worked(payload: Payload) -> Any:
        whole = of(payload)
        if not isinstance(whole, list) or place >= len(whole):
            raise Missing(str(place))
        return whole[place]

    return worked


def _choice(test: Worked, yes: Worked, no: Worked) -> Worked:
    return lambda payload: yes(payload) if test(payload) else no(payload)


def _compared(compare: Callable[[Any, Any], Any], left: Worked, right: Worked) -> Worked:
    def worked(payload: Payload) -> Any:
        one, other = left(payload), right(payload)
        try:
            if isinstance(one, dict | list) or isinstance(other, dict | list):
                raise TypeError
            return bool(compare(one, other))
        except TypeError as error:
            raise TemplateError("the template compares what cannot be compared") from error

    return worked


def _arithmetic(operation: Callable[[Any, Any], Any], left: Worked, right: Worked) -> Worked:
    def worked(payload: Payload) -> Any:
        one, other = left(payload), right(payload)
        if not isinstance(one, int | float) or not isinstance(other, int | float):
            raise TemplateError("the template calculates with what is no number: it lacks a '| float'")
        try:
            return bounded(operation(bounded(one), bounded(other)))
        except (ZeroDivisionError, OverflowError) as error:
            raise TemplateError(f"the template cannot be worked out: {error}") from error

    return worked


def _call(function: Callable[..., Any], first: Worked, rest: tuple[Worked, ...]) -> Worked:
    if function is default:
        return _with_default(first, rest[0] if rest else _constant(""))

    def worked(payload: Payload) -> Any:
        try:
            return function(first(payload), *(one(payload) for one in rest))
        except (TypeError, ValueError, OverflowError) as error:
            raise TemplateError(f"the template cannot be worked out: {error}"[:200]) from error

    return worked


def _with_default(first: Worked, otherwise: Worked) -> Worked:
    def worked(payload: Payload) -> Any:
        try:
            return first(payload)
        except Missing:
            return otherwise(payload)

    return worked
