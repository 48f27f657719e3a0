"""Days, weeks (from Monday, ISO 8601) and months of the site's calendar, and the hours or days in them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)


class Span(msgspec.Struct, frozen=True):
    """One period of the calendar. `marks` are its edges and those of its hours or days: unix seconds, ascending."""

    period: Period
    first: date
    marks: tuple[float, ...]

    @property
    def begin(self) -> float:
        """Return when it begins, unix seconds."""
        return self.marks[0]

    @property
    def end(self) -> float:
        """Return when it ends, unix seconds."""
        return self.marks[-1]

    @property
    def name(self) -> str:
        """Name it so that it can be asked for again: its first day."""
        return self.first.isoformat()

    def until(self, now: float) -> Span:
        """Cut it off at `now`, where it is not over yet; it has one mark more than parts in any case."""
        if now >= self.end:
            return self
        kept = tuple(mark for mark in self.marks if mark < now)
        return Span(self.period, self.first, (*(kept or self.marks[:1]), max(now, self.begin + 1.0)))

    def before(self, zone: str) -> Span:
        """Return the same period before; of one that was cut off, as much of it."""
        whole = span_of(self.period, _first(self.period, self.first - timedelta(days=1)), zone)
        lasted = self.end - self.begin
        if self.end == span_of(self.period, self.first, zone).end:
            return whole
        return whole.until(whole.begin + lasted)


def span_of(period: Period, day: date, zone: str) -> Span:
    """Return the period that a day is in. A day has 23 to 25 hours where clocks are changed."""
    place, first = ZoneInfo(zone), _first(period, day)
    if period == "day":
        begin, end = _midnight(first, place), _midnight(first + timedelta(days=1), place)
        hours = tuple(begin + 3600.0 * n for n in range(round((end - begin) / 3600.0)))
        return Span(period, first, (*hours, end))
    days = 7 if period == "week" else ((first + timedelta(days=31)).replace(day=1) - first).days
    return Span(period, first, tuple(_midnight(first + timedelta(days=n), place) for n in range(days + 1)))


def latest(period: Period, now: float, zone: str) -> Span:
    """Return the period that was over last at `now`, unix seconds."""
    today = _first(period, datetime.fromtimestamp(now, ZoneInfo(zone)).date())
    return span_of(period, today - timedelta(days=1), zone)


def parts(span: Span) -> list[tuple[float, float]]:
    """List its hours or days: begin and end."""
    return list(pairwise(span.marks))


def _first(period: Period, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _midnight(day: date, place: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=place).timestamp()
