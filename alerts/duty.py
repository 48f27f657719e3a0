"""Who is on duty: the roster of a site, asked for a moment. Pure; times are unix seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sensors.roster import WRITTEN
from sensors.site import Duty, Seat, Shift, Site

AHEAD = 900.0
"""Seconds before a turn begins in which its people may take over already."""


class OnDuty(msgspec.Struct, frozen=True):
    """Who sits at a seat, and from when until when; `shift` is the daily one, "" of a dated duty."""

    seat: str
    account: str
    shift: str
    begin: float
    end: float


class Turn(msgspec.Struct, frozen=True):
    """What hands over and is taken over: all who sit from one change to the next. `key` names it for ever."""

    key: str
    shift: str
    begin: float
    end: float
    people: tuple[OnDuty, ...]

    @property
    def accounts(self) -> frozenset[str]:
        """Name the accounts that are on duty."""
        return frozenset(one.account for one in self.people)


class Roster:
    """Answer who is on duty at a moment. A dated duty goes before the daily shift of its seat."""

    def __init__(self, site: Site) -> None:
        self._zone = ZoneInfo(site.zone)
        self.seats: dict[str, Seat] = {seat.id: seat for seat in site.seats}
        self.shifts: dict[str, Shift] = {shift.id: shift for shift in site.shifts}
        self._duties = [_Dated(duty) for duty in site.duties]

    def at(self, time: float) -> list[OnDuty]:
        """List who sits where, in the order of the seats; where several do, the one who began last."""
        now = self._local(time)
        found: dict[str, OnDuty] = {}
        for shift in self.shifts.values():
            span = _span(shift, now)
            if span is not None:
                for seat, account in shift.staff.items():
                    self._take(found, OnDuty(seat, account, shift.id, *map(self._unix, span)))
        dated: dict[str, OnDuty] = {}
        for duty in self._duties:
            span = duty.around(now)
            if span is not None:
                self._take(dated, OnDuty(duty.duty.seat, duty.duty.account, "", *map(self._unix, span)))
        found |= dated
        return [found[seat] for seat in self.seats if seat in found]

    def on(self, time: float) -> frozenset[str]:
        """Name the accounts on duty; empty when the roster says nobody is."""
        return frozenset(one.account for one in self.at(time))

    def in_shifts(self, shifts: tuple[str, ...], time: float) -> bool:
        """Tell whether a moment is in one of some daily shifts."""
        now = self._local(time)
        return any(_span(self.shifts[id], now) is not None for id in shifts if id in self.shifts)

    def turn(self, time: float) -> Turn | None:
        """Give the turn that is on duty, or begins within `AHEAD`; None when nobody is on the roster."""
        people = tuple(self.at(time + AHEAD)) or tuple(self.at(time))
        if not people:
            return None
        begin, end = max(one.begin for one in people), min(one.end for one in people)
        latest = [one.shift for one in people if one.begin == begin]
        key = f"{self._local(begin):%Y-%m-%dT%H:%M}"
        return Turn(key, latest[0], begin, end, people)

    def turn_before(self, begin: float) -> Turn | None:
        """Give the turn that was on duty just before one begins."""
        people = tuple(self.at(begin - 1.0))
        if not people:
            return None
        first = max(one.begin for one in people)
        return Turn(f"{self._local(first):%Y-%m-%dT%H:%M}", "", first, begin, people)

    def _take(self, found: dict[str, OnDuty], one: OnDuty) -> None:
        if one.seat in self.seats and (one.seat not in found or found[one.seat].begin <= one.begin):
            found[one.seat] = one

    def _local(self, time: float) -> datetime:
        return datetime.fromtimestamp(time, self._zone).replace(tzinfo=None)

    def _unix(self, local: datetime) -> float:
        return local.replace(tzinfo=self._zone).timestamp()


class _Dated:
    """A dated duty with its times parsed."""

    def __init__(self, duty: Duty) -> None:
        self.duty = duty
        self._start = datetime.strptime(duty.start, WRITTEN)
        self._lasts = datetime.strptime(duty.end, WRITTEN) - self._start
        self._omit = set(duty.omit)
        self._rule: Any = None
        if duty.repeat:
            from dateutil.rrule import rrulestr  # here: few rosters repeat

            self._rule = rrulestr(duty.repeat, dtstart=self._start, cache=True)

    def around(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Return the occurrence that a local time lies in, None when it lies in none."""
        start: datetime | None = self._start
        if self._rule is not None:
            if now < self._start:
                return None
            start = self._rule.before(now, inc=True)
        if start is None or f"{start:{WRITTEN}}" in self._omit or not start <= now < start + self._lasts:
            return None
        return start, start + self._lasts


def _span(shift: Shift, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the span of a daily shift that a local time lies in; one that ends at its start lasts the whole day."""
    start, end = (_minutes(time) for time in (shift.start, shift.end))
    lasts = timedelta(minutes=(end - start) % 1440 or 1440)
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=start)
    if begin > now:
        begin -= timedelta(days=1)
    return (begin, begin + lasts) if now < begin + lasts else None


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)
