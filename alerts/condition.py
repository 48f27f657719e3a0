"""What the desk needs of a rule's change of condition, and how its reasons become an `Explanation`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Protocol

import msgspec

from alerts.outcome import Explanation, Kind, Seen, Term
from rules import rule as of_site
from rules.occurrences import goes_by_events
from sensors.duration import seconds
from sensors.site import LEVELS, RANK

_AGE = re.compile(r"\bage\b")


class Rule(Protocol):
    """The part of a rule that alarms carry on. `title` is a text, or one in `zh` and `en`."""

    @property
    def id(self) -> str:
        """Name the rule."""

    @property
    def title(self) -> Any:
        """Title the rule."""

    @property
    def kind(self) -> Kind:
        """Say what it is about."""

    @property
    def version(self) -> int | str:
        """Name the version that decided."""


class Change(Protocol):
    """A rule's condition on a scope moved from one rank to another (0 none … 4 red), or became real at the same one.

    See `rules.evaluation`.
    """

    @property
    def rule(self) -> Rule:
        """The rule."""

    @property
    def scope(self) -> str:
        """The id of the point, or of the area or camera for a rule on those."""

    @property
    def area(self) -> str:
        """The area id."""

    @property
    def before(self) -> int:
        """The rank before."""

    @property
    def after(self) -> int:
        """The rank after."""

    @property
    def onset(self) -> float:
        """When the condition began, event time."""

    @property
    def time(self) -> float:
        """When the engine knew, arrival clock."""

    @property
    def why(self) -> Any:
        """The reasons (`rules.evaluation.Why`), or None."""

    @property
    def simulated(self) -> bool:
        """Whether simulated readings are among its reasons."""


def explanation(why: Any) -> Explanation | None:
    """Turn a rule's reasons into the explanation that outcomes carry, field by field of the same name."""
    if why is None or isinstance(why, Explanation):
        return why
    values = {name: getattr(why, name) for name in Explanation.__struct_fields__ if hasattr(why, name)}
    for name in ("terms", "clear_terms"):
        values[name] = tuple(_term(term) for term in values.get(name, ()))
    values["events"] = tuple(_seen(one) for one in values.get("events", ()))
    for name in ("points", "cameras", "unconfirmed"):
        values[name] = tuple(values.get(name, ()))
    return Explanation(**values)


def _seen(told: Any) -> Seen:
    """Turn an event of a rule's reasons into evidence, field by field of the same name."""
    return told if isinstance(told, Seen) else Seen(**{name: getattr(told, name) for name in Seen.__struct_fields__})


def _term(term: Any) -> Term:
    """Turn one comparison of a rule's reasons into a term."""
    if isinstance(term, Term):
        return term
    return Term(**{name: getattr(term, name) for name in Term.__struct_fields__ if hasattr(term, name)})


def in_short(reasons: Explanation | None) -> str:
    """Say why in one line: the clause, and the values it saw."""
    if reasons is None:
        return ""
    known = [term for term in reasons.terms if term.value is not None]
    parts = [f"{term.name} = {term.value:.4g} {term.unit}".rstrip() for term in known]
    if reasons.gone:
        parts.append(f"{reasons.gone} offline")
    if reasons.unconfirmed:
        parts.append(f"{', '.join(reasons.unconfirmed)} not confirmed by neighbours")
    seen = ", ".join(parts)
    return f"{reasons.clause} [{seen}]" if seen else reasons.clause


def latches(rule: Rule) -> bool:
    """Tell whether an alarm of a rule stays until a person resets it."""
    return bool(getattr(rule, "latch", False))


def yields(rule: Rule) -> tuple[tuple[str, ...], int]:
    """Return the modes of the site that suppress a rule's alarms, and the highest rank that they do."""
    found = getattr(rule, "suppress", None)
    return (tuple(found.modes), RANK[found.up_to]) if found is not None else ((), 0)


def chatters(rule: Rule) -> tuple[int, float] | None:
    """Return from how many rings, within how many seconds, a rule's alarms chatter; None where it does not say."""
    found = getattr(rule, "flapping", None)
    return (found.rings, seconds(found.within)) if found is not None else None


class Carried(NamedTuple):
    """What an alarm takes over from its rule."""

    rule: Rule
    title: dict[str, str]
    rationale: dict[str, Any]
    latch: bool
    yields: tuple[str, ...]
    yields_to: int
    chatters: tuple[int, float] | None
    of_silence: bool
    of_events: bool


def carried(rule: Rule) -> Carried:
    """Gather what an alarm takes over from its rule: the same for all its alarms."""
    return Carried(
        rule,
        titles(rule.title),
        rationale(rule),
        latches(rule),
        *yields(rule),
        chatters(rule),
        of_silence(rule),
        of_events(rule),
    )


def of_silence(rule: Rule) -> bool:
    """Tell whether a rule on the quality of data asks how long nothing was heard of a point."""
    levels = getattr(rule, "levels", None)
    if rule.kind != "data_quality" or levels is None:
        return False
    told = (getattr(levels, level) for level in LEVELS)
    return any(_AGE.search(level.when) for level in told if level is not None)


def of_events(rule: Rule) -> bool:
    """Tell whether a rule on a risk goes by events alone, so that a person may end its alarm before it forgets them."""
    return isinstance(rule, of_site.Rule) and rule.kind == "risk" and not rule.latch and goes_by_events(rule)


def titles(title: Any) -> dict[str, str]:
    """Return a title in both languages, from a text, a mapping, or an object with `zh` and `en`."""
    if isinstance(title, str):
        return {"zh": title, "en": title}
    if isinstance(title, dict):
        zh, en = title.get("zh"), title.get("en")
    else:
        zh, en = getattr(title, "zh", None), getattr(title, "en", None)
    return {"zh": str(zh or en or ""), "en": str(en or zh or "")}


def rationale(rule: Rule) -> dict[str, Any]:
    """Return a rule's rationale as plain data, empty when it has none; its checklist is under `plan`."""
    found = getattr(rule, "rationale", None)
    plain = msgspec.to_builtins(found) if found is not None else {}
    plain = plain if isinstance(plain, dict) else {"text": plain}
    plan = getattr(rule, "plan", None)
    priority = getattr(rule, "priority", "normal")
    plain |= {"priority": priority} if priority != "normal" else {}
    return {**plain, "plan": list(msgspec.to_builtins(plan))} if plan else plain
