"""Make rules from templates: the parameters' values written in, one rule for each area type and each area named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from rules.rule import Parameter, Rule, Template
from sensors.problem import Path, suggest
from sensors.site import Site

MAX_PARAMETERS = 50
MAX_RULES = 10_000
"""Rules that one template may make."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_PLACE = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:([-+*/])\s*([0-9]+(?:\.[0-9]+)?)\s*)?\}")
_SERIES = ("values", "score", "alarm", "eta", "deviation", "area_score")

Mistake = tuple[Path, str]
"""Where in the template, and what is wrong there."""


class Made(NamedTuple):
    """A rule that a template made, and the mistakes found on the way."""

    rule: Rule | None
    mistakes: list[Mistake]


def make(template: Template, site: Site) -> Iterator[Made]:
    """Make a template's rules. Ids are those of template and area type or area: `gas-limits.gas`, `gas-limits.gas-03`.

    An area that is named has a rule of its own, and that of its type leaves it out. Values are numbers and stand in
    texts only, so that nothing can be made to grow.
    """
    wrong = list(_unsound(template, site))
    if wrong:
        yield Made(None, wrong)
        return
    kind_of = {area.id: area.type for area in site.areas}
    alone = {area for use in template.uses for area in use.areas}
    for place, use in enumerate(template.uses):
        values, said = _values(template, use.values, place)
        if said:
            yield Made(None, said)
            continue
        scopes = [("types", one) for one in use.types] + [("areas", one) for one in use.areas]
        for field, name in scopes:
            without = sorted(area for area in alone if kind_of.get(area) == name) if field == "types" else []
            yield _made(template, values, field, name, without)


def _unsound(template: Template, site: Site) -> Iterator[Mistake]:
    """Find what is wrong with a template whatever its values are."""
    types, areas = {kind.id for kind in site.area_types}, {area.id for area in site.areas}
    if len(template.parameters) > MAX_PARAMETERS:
        yield ("parameters",), f"more than {MAX_PARAMETERS} parameters"
    for name, parameter in template.parameters.items():
        if not _NAME.match(name):
            yield ("parameters", name), f"'{name[:40]}' is no name: small letters, digits and '_', at most 32"
        if parameter.default is not None:
            problem = _beyond(parameter, parameter.default)
            if problem:
                yield ("parameters", name, "default"), problem
    for field in ("types", "areas", "without_areas"):
        if getattr(template.rule.where, field):
            yield ("rule", "where", field), "is said by `for` of the template"
    first: dict[tuple[str, str], int] = {}
    if sum(len(use.types) + len(use.areas) for use in template.uses) > MAX_RULES:
        yield ("for",), f"more than {MAX_RULES:,} area types and areas"
        return
    if not any(use.types or use.areas for use in template.uses):
        yield ("for",), "names no area type and no area: no rule comes of it"
    for place, use in enumerate(template.uses):
        for field, what, named, known in (
            ("types", "area type", use.types, types),
            ("areas", "area", use.areas, areas),
        ):
            for number, one in enumerate(named):
                at = ("for", place, field, number)
                if one not in known:
                    yield at, f"'{one[:80]}' is no {what}{suggest(one, known)}"
                if first.setdefault((field, one), place) != place or named.index(one) != number:
                    yield at, f"'{one[:80]}' is named twice"


def _values(template: Template, given: Mapping[str, float], place: int) -> tuple[dict[str, float], list[Mistake]]:
    """Take the values of one use, or the defaults."""
    wrong: list[Mistake] = []
    for name in given:
        if name not in template.parameters:
            at = ("for", place, "with", name)
            wrong.append((at, f"the template has no parameter '{name[:40]}'{suggest(name, set(template.parameters))}"))
    values: dict[str, float] = {}
    for name, parameter in template.parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            wrong.append((("for", place, "with"), f"'{name}' has no default: give it here"))
            continue
        problem = _beyond(parameter, value)
        if problem and name in given:
            wrong.append((("for", place, "with", name), problem))
        values[name] = value
    return values, wrong


def _beyond(parameter: Parameter, value: float) -> str:
    if parameter.min is not None and value < parameter.min:
        return f"{value:g} is below {parameter.min:g} {parameter.unit}".rstrip()
    if parameter.max is not None and value > parameter.max:
        return f"{value:g} is above {parameter.max:g} {parameter.unit}".rstrip()
    return ""


def _made(template: Template, values: dict[str, float], field: str, name: str, without: list[str]) -> Made:
    wrong: list[Mistake] = []
    plain: dict[str, Any] = msgspec.to_builtins(template.rule)
    found = _written(plain, (), template, values, wrong)
    where = found["where"] | {field: [name], "without_areas": without}
    made = found | {"id": f"{template.id}.{name}", "template": template.id, "where": where}
    return Made(None if wrong else msgspec.convert(made, Rule), wrong)


def _written(node: Any, path: Path, template: Template, values: dict[str, float], wrong: list[Mistake]) -> Any:
    """Write the values into the texts of a part."""
    if isinstance(node, dict):
        return {key: _written(item, (*path, key), template, values, wrong) for key, item in node.items()}
    if isinstance(node, list | tuple):
        return [_written(item, (*path, place), template, values, wrong) for place, item in enumerate(node)]
    if not isinstance(node, str) or "{" not in node:
        return node

    def value(found: re.Match[str]) -> str:
        name, operation, by = found[1], found[2], found[3]
        if name not in values:
            said = f"the template has no parameter '{name[:40]}'{suggest(name, set(values))}"
            wrong.append((("rule", *path), said))
            return found[0]
        number = _calculated(values[name], operation, float(by)) if operation else values[name]
        if number is None:
            wrong.append((("rule", *path), f"'{found[0]}' divides by zero"))
            return found[0]
        field = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
        unit = template.parameters[name].unit
        between = "" if "step" in path else " "
        return f"{number:.12g}" + (f"{between}{unit}" if unit and field not in _SERIES else "")

    return _PLACE.sub(value, node)


def _calculated(value: float, operation: str, by: float) -> float | None:
    match operation:
        case "+":
            return value + by
        case "-":
            return value - by
        case "*":
            return value * by
    return value / by if by else None
