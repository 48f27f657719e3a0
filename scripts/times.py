"""Times as people and loggers write them: read to unix seconds, one way of reading for a whole file."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import cast

from dateutil import parser

_LONGEST = 64
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_PARTS = re.compile(r"\s*(\d{1,2})([./-])(\d{1,2})[./-](?:\d{4}|\d{2})(?!\d)")
_ZONE = re.compile(r"\s*\(?\b(?!AM$|PM$)[A-Z]{3,5}\)?$")
_HAN = str.maketrans({"年": "-", "月": "-", "日": " ", "时": ":", "分": ":", "秒": " ", "号": " ", "，": " "})
_HALVES = re.compile(r"(上午|下午)\s*(\d{1,2}:[\d:.]*\d)")
_MIDNIGHT = re.compile(r"(?<![\d:])24:00(:00)?(?![\d:])")
_QUICK = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
"""What is tried before dateutil, which reads nearly all but takes thirty times as long."""
_SET = datetime(2000, 1, 1), datetime(2001, 2, 2)
"""What a text lacks is taken from these: a date is whole when it comes out the same."""


class Times:
    """Read the times of one file, those without a zone in `zone`.

    `first` are its first times: they tell whether days or months come first in 3/4/2026. A field beyond 12 does, or
    points between them (days first); otherwise the order in which they span less time, months when that is alike.
    """

    def __init__(self, zone: tzinfo = UTC, first: Iterable[str] = ()) -> None:
        self.zone = zone
        self._quick: list[str] = []
        self._day_first = self._learn([text for text in first if _PARTS.match(text)])
        self._quick = [f"{'%d/%m' if self._day_first else '%m/%d'}/%Y {form}" for form in _QUICK]

    def read(self, text: str) -> float:
        """Return unix seconds. Raise ValueError on what is no time.

        ISO 8601 (space or T, with or without zone, Z), also with `/` and without leading zeros; day, month and year in
        other orders, with names of months, AM and PM, 年月日; 24:00; YYYYMMDD with or without HHMM(SS); unix time, its
        unit told by its size: seconds, milliseconds, microseconds or nanoseconds. A name of a zone other than UTC and
        GMT is not heeded.
        """
        text = text.strip()
        if not text or len(text) > _LONGEST:
            raise ValueError(text[:_LONGEST])
        try:
            number = float(text)
        except ValueError:
            return self._moment(text).timestamp()
        form = _COMPACT.get(len(text)) if text.isdecimal() and text[:2] in ("19", "20") else None
        if form is not None:
            try:
                return datetime.strptime(text, form).replace(tzinfo=self.zone).timestamp()
            except ValueError:
                if len(text) == 8:
                    raise
        if not abs(number) <= 4e18:  # nanoseconds of the next century: no clock says more
            raise ValueError(text)
        size = abs(number)
        return number / (1.0 if size < 1e11 else 1e3 if size < 1e14 else 1e6 if size < 1e17 else 1e9)

    def _moment(self, text: str) -> datetime:
        """Return the moment that a text other than a number says."""
        try:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        except ValueError:
            moment = self._quickly(text) or self._loose(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)

    def _quickly(self, text: str) -> datetime | None:
        """Return the moment of a text in one of the usual forms of loggers; the last that fitted is tried first."""
        if not _PARTS.match(text):
            return None
        for form in self._quick:
            try:
                moment = datetime.strptime(text, form)
            except ValueError:
                continue
            if form != self._quick[0]:
                self._quick = [form, *(each for each in self._quick if each != form)]
            return moment
        return None

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
            moment = _whole(plain, self._day_first)
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
            moments = [self._try(text) for text in texts]
            spans.append(max(moments, default=0.0) - min(moments, default=0.0))
        return math.isfinite(spans[1]) and spans[1] < spans[0]

    def _try(self, text: str) -> float:
        try:
            return self.read(text)
        except ValueError:
            return math.nan


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
