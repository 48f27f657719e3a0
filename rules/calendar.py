"""The site's own clock and calendar: hour, day of the week, night, holidays, in its time zone, over summer time too."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from rules.expression import CALENDAR, CLOCK
from sensors.holidays_of import holidays_of

Array = npt.NDArray[np.float64]

NAMES = (*CLOCK, *CALENDAR, "between")
"""What is asked of the calendar."""

NIGHT = "22:00-06:00"
"""Night as GB 3096-2008 has it for noise, unless a condition says its own hours with between(…)."""

_QUARTER = 900.0
"""Zones change their offset at quarters of an hour only."""

_DAY = 1440
_KNOWN = 4096
_LAST = 253_000_000_000.0  # in the year 9987: beyond, dates end


class Calendar:
    """Tell what the site's clock shows at unix times. `country` is a code as `holidays` knows it: CN, DE-BW, or ""."""

    def __init__(self, zone: str, country: str = "") -> None:
        self._zone = ZoneInfo(zone)
        self._country = country
        self._offset: dict[float, float] = {}
        self._day: dict[tuple[str, int], float] = {}

    def column(self, name: str, now: Array, argument: str = "") -> Array:
        """Return what is asked for at each of `now` (unix s); true is 1, false 0, NaN where there is no such date."""
        with np.errstate(invalid="ignore"):
            known = np.abs(now) < _LAST
        if not known.all():
            found = np.full(len(now), np.nan)
            found[known] = self.column(name, now[known], argument)
            return found
        local = now + self._offsets(now)
        day = np.floor(local / 86400.0)
        minute = np.floor((local - day * 86400.0) / 60.0)
        match name:
            case "hour":
                return np.floor(minute / 60.0)
            case "weekday":
                return (day + 3.0) % 7.0 + 1.0  # day 0 was a Thursday
            case "night":
                return _within(minute, NIGHT)
            case "between":
                return _within(minute, argument)
        return self._of_days(name, day)

    def _offsets(self, now: Array) -> Array:
        quarters, place = np.unique(np.floor(now / _QUARTER), return_inverse=True)
        return np.array([self._offset_of(quarter) for quarter in quarters.tolist()], np.float64)[place]

    def _offset_of(self, quarter: float) -> float:
        found = self._offset.get(quarter)
        if found is None:
            if len(self._offset) >= _KNOWN:
                self._offset.clear()
            moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=quarter * _QUARTER)
            offset = moment.astimezone(self._zone).utcoffset()
            found = self._offset[quarter] = offset.total_seconds() if offset else 0.0
        return found

    def _of_days(self, name: str, day: Array) -> Array:
        days, place = np.unique(day, return_inverse=True)
        return np.array([self._of_day(name, int(one)) for one in days.tolist()], np.float64)[place]

    def _of_day(self, name: str, day: int) -> float:
        found = self._day.get((name, day))
        if found is None:
            if len(self._day) >= _KNOWN:
                self._day.clear()
            dates, date = holidays_of(self._country), datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
            told = date in dates if name == "holiday" else dates.is_working_day(date)
            found = self._day[name, day] = float(told)
        return found


def _within(minute: Array, span: str) -> Array:
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in span.split("-"))
    after, before = minute >= begin, minute < end
    found: Array = (after & before if begin < end else after | before).astype(np.float64)
    return found
