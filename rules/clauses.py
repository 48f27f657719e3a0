"""The clauses of a rule that say when its conditions count: schedule, corroboration; samples, deadband.

Schedule and corroboration are written as conditions of the language, so that they are checked, worked out and explained
as all others are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rules.expression import Compare, ExpressionError, Number, parse
from rules.rule import Corroboration, Level, Rule, Schedule
from sensors.duration import seconds

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = (*WEEK, "workdays", "holidays")
"""What a schedule's days are called."""

MOST_SAMPLES = 64
_SAMPLES = re.compile(r" *([0-9]{1,3}) +of +([0-9]{1,3}) *\Z")


class Joined(NamedTuple):
    """A condition as it is written, and what its rule's clauses join to it: `how` is and, or."""

    text: str
    extra: str = ""
    how: str = "and"
    negate: bool = False

    @property
    def shown(self) -> str:
        """Write it as one condition."""
        joined = f"({self.text}) {self.how} {self.extra}" if self.extra else self.text
        return f"not ({joined})" if self.negate else joined


def raising(rule: Rule, level: Level) -> Joined:
    """Say what must hold for a level: its `when`, corroborated, within the schedule."""
    parts = [f"({' or '.join(corroborates(one, rule) for one in rule.corroborated)})"] if rule.corroborated else []
    parts += [scheduled(rule.schedule)] if rule.schedule else []
    return Joined(level.when, " and ".join(parts))


def clearing(rule: Rule, level: Level) -> Joined:
    """Say what lets go of a level: that corroboration grows old does not, the end of the schedule does."""
    within = scheduled(rule.schedule) if rule.schedule else ""
    if level.clear is None:
        return Joined(level.when, within, negate=True)
    return Joined(level.clear, f"not ({within})" if within else "", "or")


def scheduled(schedule: Schedule) -> str:
    """Write a schedule as a condition."""
    parts = [f"between({schedule.begin!r}, {schedule.end!r})"] if schedule.begin or schedule.end else []
    if schedule.days:
        parts.append("(" + " or ".join(map(_day, schedule.days)) + ")")
    return " and ".join(parts)


def _day(name: str) -> str:
    return f"weekday == {WEEK.index(name) + 1}" if name in WEEK else name.removesuffix("s")


def corroborates(one: Corroboration, rule: Rule) -> str:
    """Write as a condition what corroborates a rule's: points of a rule's own quantity are those near by."""
    span = f"{seconds(one.within):.12g}s"
    if one.event or one.report:
        return f"seen({one.event or f'report-{one.report}'!r}, '{span}')"
    own = rule.where.quantities
    over = "neighbours" if rule.scope == "point" and (not own or one.quantity in own) else "area"
    if one.above is not None:
        return f"{over}.any({one.quantity}.max('{span}') > {one.above})"
    return f"{over}.any({one.quantity}.min('{span}') < {one.below})"


def quantity_of(written: float | str) -> Number:
    """Read a number with or without a unit. Raise `ExpressionError` on anything else."""
    node = parse(f"value > {written}")
    if isinstance(node, Compare) and isinstance(node.right, Number):
        return node.right
    raise ExpressionError(f"'{str(written)[:40]}' is no number with a unit, such as 0.2 m")


def samples_of(written: str) -> tuple[int, int]:
    """Read `3 of 5`; empty is (0, 0). Raise `ValueError` on anything else."""
    if not written:
        return 0, 0
    match = _SAMPLES.match(written)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= MOST_SAMPLES:
        raise ValueError(f"'{written[:40]}' is not so many of the last so many readings: write 3 of 5, at most of 64")
    return int(match[1]), int(match[2])
