"""What differs between two versions of a rule, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from rules.rule import Rule, encode_decision


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule differs: `how` is added, removed or changed; `decides` where another alarm may come of it."""

    rule: str
    how: str
    decides: bool = True
    fields: tuple[tuple[str, str, str], ...] = ()  # field, before, after; empty text: not there


def changes(before: Sequence[Rule], after: Sequence[Rule]) -> list[RuleChange]:
    """Compare two sets of rules, by id; those that are the same are left out."""
    old, new = {rule.id: rule for rule in before}, {rule.id: rule for rule in after}
    found = [RuleChange(rule=id, how="removed") for id in old if id not in new]
    for id, rule in new.items():
        if id not in old:
            found.append(RuleChange(rule=id, how="added"))
        elif rule != old[id]:
            found.append(
                RuleChange(
                    rule=id,
                    how="changed",
                    decides=encode_decision(rule) != encode_decision(old[id]),
                    fields=tuple(_differing("", msgspec.to_builtins(old[id]), msgspec.to_builtins(rule))),
                )
            )
    return sorted(found, key=lambda change: change.rule)


def unraised(before: Rule, after: Rule) -> bool:
    """Tell whether a rule decides otherwise than before and its version is not raised: alarms of both would name it."""
    return after.version <= before.version and encode_decision(after) != encode_decision(before)


def _differing(path: str, before: Any, after: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _differing(f"{path}.{name}" if path else name, before.get(name), after.get(name))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        for place in range(max(len(before), len(after))):
            one = before[place] if place < len(before) else None
            other = after[place] if place < len(after) else None
            yield from _differing(f"{path}[{place + 1}]", one, other)
    elif before != after:
        yield path, _text(before), _text(after)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(_said(value)).decode()


def _said(value: Any) -> Any:
    """Leave out of what is new or gone as a whole, such as a test, the fields that say nothing."""
    if isinstance(value, dict):
        return {name: _said(one) for name, one in value.items() if one not in (None, "", {}, [], ())}
    return [_said(one) for one in value] if isinstance(value, list | tuple) else value
