"""Times as people and loggers write them: read to unix seconds, one way of reading for a whole file."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import cast

from dateutil import parser

_LONGEST = 64
_COMPACT = (8, 12, 14)  # digits of YYYYMMDD, with HHMM, with HHMMSS
_PARTS = re.compile(r"\s*(\d{1,2})([./-])(\d{1,2})[./-](?:\d{4}|\d{2})(?!\d)")
_ZONE = re.compile(r"\s*\(?\b(?!AM$|PM$)[A-Z]{3,5}\)?$")
_HAN = str.maketrans({"年": "-", "月": "-", "日": " ", "时": ":", "分": ":", "秒": " ", "号": " ", "，": " "})
_HALVES = re.compile(r"(上午|下午)\s*(\d{1,2}:[\d:.]*\d)")
_MIDNIGHT = re.compile(r"(?<![\d:])24:00(:00)?(?![\d:])")
_CLOCK = re.compile(
    r"(\S.{4,24}?)(?:T|,?\s+)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?", re.A
)
"""A day, and the time of it: of rows that follow each other the day is the same, and dateutil is slow."""
_MOST_DAYS = 1000
_ONE_HOUR = 3600.0
_SET = datetime(2000, 1, 1), datetime(2001, 2, 2)
"""What a text lacks is taken from these: a date is whole when it comes out the same."""


class Times:
    """Read the times of one file, those without a zone in `zone`.

    `first` are its first times: they tell whether days or months come first in 3/4/2026, and whether the newest row
    does. A field beyond 12 tells it, or points between them (days first); otherwise the order in which they span less
    time, months when that is alike.
    """

    def __init__(self, zone: tzinfo = UTC, first: Iterable[str] = ()) -> None:
        self.zone = zone
        self._days: dict[str, datetime | None] = {}
        first = list(first)
        self._day_first = self._learn([text for text in first if _PARTS.match(text)])
        self._days.clear()
        times = [time for time in map(self._try, first) if not math.isnan(time)]
        self._falls = falls(times)
        self._twice = zone.utcoffset(None) is None  # its clock is set back once a year
        self._last = math.nan
        self._steps = 0.0, 0.0  # from row to row, the last two: of a pause the other one tells the pace

    def read(self, text: str, fold: int = 0) -> float:
        """Return unix seconds. Raise ValueError on what is no time.

        ISO 8601 (space or T, with or without zone, Z), also with `/` and without leading zeros; day, month and year in
        other orders, with names of months, AM and PM, 年月日; 24:00; YYYYMMDD with or without HHMM(SS); unix time, its
        unit told by its size: seconds, milliseconds, microseconds or nanoseconds. A name of a zone other than UTC and
        GMT is not heeded. Of an hour that the zone has twice it is the first, with `fold` 1 the second.
        """
        text = text.strip()
        if not text or len(text) > _LONGEST:
            raise ValueError(text[:_LONGEST])
        try:
            number = float(text)
        except ValueError:
            return self._moment(text, fold).timestamp()
        if len(text) in _COMPACT and text[:2] in ("19", "20") and text.isdecimal():
            try:
                moment = datetime.fromisoformat(text if len(text) == 8 else f"{text[:8]}T{text[8:]}")
                return moment.replace(tzinfo=self.zone, fold=fold).timestamp()
            except ValueError:
                if len(text) == 8:
                    raise
        if not abs(number) <= 4e18:  # nanoseconds of the next century: no clock says more
            raise ValueError(text)
        size = abs(number)
        return number / (1.0 if size < 1e11 else 1e3 if size < 1e14 else 1e6 if size < 1e17 else 1e9)

    def following(self, text: str) -> float:
        """Return unix seconds of the row after the one that was asked for before. Raise ValueError as `read` does.

        An hour that the zone has twice, as clocks are set back, is the one that goes on from there at the file's pace:
        a row that stands twice, or a second late, is no reason to be an hour on.
        """
        time = self.read(text)
        if not self._twice:
            return time
        ahead = self._last - time if self._falls else time - self._last
        if not 0.0 < ahead <= _ONE_HOUR:
            again = self.read(text, fold=1)
            if again > time:
                due = self._last + (-min(self._steps) if self._falls else min(self._steps))
                time = again if abs(again - due) < abs(time - due) else time
                ahead = self._last - time if self._falls else time - self._last
        if ahead > 0.0:
            self._steps = self._steps[1], ahead
        self._last = time
        return time

    def tells(self, text: str) -> bool:
        """Return whether a text is a time."""
        return not math.isnan(self._try(text))

    def _moment(self, text: str, fold: int) -> datetime:
        """Return the moment that a text other than a number says."""
        try:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        except ValueError:
            moment = self._by_day(text) or self._loose(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone, fold=fold)

    def _by_day(self, text: str) -> datetime | None:
        """Return the moment of a day, which is looked up, and a time of it; None where it is said otherwise."""
        told = _CLOCK.fullmatch(text)
        if told is None:
            return None
        written, hour, minute, second, part, half = told.groups()
        if written not in self._days:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            self._days[written] = self._day(written)
        day, hours = self._days[written], int(hour)
        if day is None or (half and hours > 12):
            return None
        if half:
            hours = hours % 12 + (12 if half in ("PM", "pm", "Pm", "pM") else 0)
        if hours > 23:
            return None
        return day.replace(
            hour=hours, minute=int(minute), second=int(second or 0), microsecond=int((part or "0")[:6].ljust(6, "0"))
        )

    def _day(self, text: str) -> datetime | None:
        """Return the beginning of a day, None where a text says none, or more."""
        try:
            day = self._loose(text)
        except ValueError:
            return None
        return day if day.tzinfo is None and day == datetime(day.year, day.month, day.day) else None

    def _loose(self, text: str) -> datetime:
        """Return the moment of a text that is not ISO 8601."""
        plain = _HALVES.sub(lambda told: told[2] + (" AM" if told[1] == "上午" else " PM"), text.translate(_HAN))
        plain = plain.strip(" :-")
        universal = plain.endswith((" UTC", " GMT"))
        plain = _ZONE.sub("", plain)
        late = _MIDNIGHT.search(plain)
        plain = _MIDNIGHT.sub("00:00", plain)
        try:
            moment = datetime.fromisoformat(plain.replace("/", "-"))
        except ValueError:
            moment = (self._by_day(plain) if plain != text else None) or _whole(plain, self._day_first)
        moment += timedelta(days=1.0 if late else 0.0)
        return moment.replace(tzinfo=UTC) if universal and moment.tzinfo is None else moment

    def _learn(self, texts: list[str]) -> bool:
        """Return whether days come before months."""
        parts = [told for told in map(_PARTS.match, texts) if told]
        days = any(int(told[1]) > 12 for told in parts)
        if days or any(int(told[3]) > 12 for told in parts):
            return days
        if parts and all(told[2] == "." for told in parts):
            return True
        spans = []
        for day_first in (False, True):
            self._day_first = day_first
            self._days.clear()
            moments = [self._try(text) for text in texts]
            spans.append(max(moments, default=0.0) - min(moments, default=0.0))
        return math.isfinite(spans[1]) and spans[1] < spans[0]

    def _try(self, text: str) -> float:
        try:
            return self.read(text)
        except ValueError:
            return math.nan


def falls(times: Sequence[float]) -> bool:
    """Return whether times (unix seconds) are those of a file that begins with its newest row."""
    down = sum(later < sooner for sooner, later in pairwise(times))
    return len(times) >= 3 and down > 0.9 * (len(times) - 1)


def _whole(text: str, day_first: bool) -> datetime:
    """Return the moment that dateutil makes of a text, if it tells year, month and day."""
    if sum(each.isdigit() for each in text) < 4:  # a year at least
        raise ValueError(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            year_first = text[:4].isdecimal()
            one, other = (
                parser.parse(text, dayfirst=day_first and not year_first, yearfirst=year_first, default=each)
                for each in _SET
            )
    except (OverflowError, TypeError, AttributeError, ArithmeticError, LookupError) as error:
        raise ValueError(text) from error
    if one != other:
        raise ValueError(text)
    return cast(datetime, one)
