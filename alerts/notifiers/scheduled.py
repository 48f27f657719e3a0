"""Situation reports that a site sends by itself: which, of where, to whom, and on the day after, from when on.

A report of a span has one id for ever, so that a target gets it once; what it holds is made when it is first due.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from alerts import cloudevent
from alerts.notifiers.notice import Notice
from alerts.queries import Reader
from alerts.situation.period import PERIODS, Period, Span, latest
from sensors.site import SYSTEM, Site

MOST = 50
LATE = 7 * 86400.0
"""Seconds after which a report that could not be made is left out: deliveries are remembered for longer."""


class ReportPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report to send. It is of the `period` that is over, and due `at` (HH:MM, the site's zone) on the day after."""

    name: str
    period: Period
    at: str = "07:30"
    place: str = ""  # empty is the whole site
    targets: tuple[str, ...]
    language: Literal["", "zh-CN", "en"] = ""  # of the PDF; empty is the site's


def mistakes(plan: ReportPlan, targets: Collection[str], site: Site | None) -> Iterator[tuple[str, str]]:
    """Yield (field, message) for what is wrong with a plan; places are looked up where the site is given."""
    hours, _, minutes = plan.at.partition(":")
    if not (len(plan.at) == 5 and hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        yield "at", f"{plan.at} is no time of day: write HH:MM"
    if not plan.targets:
        yield "targets", "names at least one target of this file"
    for one in plan.targets:
        if one not in targets:
            yield "targets", f"there is no target {one} in this file"
    if plan.place and site is not None and plan.place not in {place.id for place in site.places}:
        yield "place", f"the site has no place {plan.place}"
    if plan.period not in PERIODS:
        yield "period", f"is one of {', '.join(PERIODS)}"


def due(plan: ReportPlan, now: float, zone: str) -> tuple[Span, float]:
    """Return the latest span whose report is due at `now`, and since when (unix seconds)."""
    span = latest(plan.period, now, zone)
    at = _at(plan, span, zone)
    if at > now:
        span = span.before(zone)
        at = _at(plan, span, zone)
    return span, at


def _at(plan: ReportPlan, span: Span, zone: str) -> float:
    """Return when a span's report is due: that time of day on the first day after it."""
    day = datetime.fromtimestamp(span.end + 1.0, ZoneInfo(zone))
    hours, minutes = (int(part) for part in plan.at.split(":"))
    return datetime(day.year, day.month, day.day, hours, minutes, tzinfo=ZoneInfo(zone)).timestamp()


class Reports:
    """Make the notices of a site's reports. `never` names points and cameras of which nothing was ever heard."""

    def __init__(
        self,
        plans: Sequence[ReportPlan],
        site: Site,
        *,
        font: str = "",
        never: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._plans, self._site, self._font, self._never = tuple(plans), site, font, never
        self._made: dict[str, Notice] = {}

    def due(self, target: str, now: float) -> list[tuple[ReportPlan, Span, float, str]]:
        """List what is due to a target: the plan, the span, since when, and the notice's id."""
        name = target.partition(":")[0]  # a recipient of mail is a target of its own
        found = []
        for plan in self._plans:
            if name in plan.targets:
                span, at = due(plan, now, self._site.zone)
                found.append((plan, span, at, f"report.{self._site.id}.{plan.name}.{plan.period}.{span.name}"))
        return found

    def notice(self, reader: Reader, plan: ReportPlan, span: Span, at: float, id: str) -> Notice:
        """Make a notice, once for all targets: figures for machines, lines for people, and the PDF.

        Without a font for Chinese there is no PDF, and the lines say so.
        """
        if id not in self._made:
            self._made = {id: self._make(reader, plan, span, at, id)}
        return self._made[id]

    def _make(self, reader: Reader, plan: ReportPlan, span: Span, at: float, id: str) -> Notice:
        from alerts import messages, paper  # here: it is made once a day, and takes what nothing else needs
        from alerts.situation.report import reported, top_place
        from alerts.situation.sheet import situation_pdf, summary, title_of

        site = self._site
        place = plan.place or top_place(site)
        found = reported(reader, site, place, span, set(self._never()))
        lines = {tongue: summary(found, site, tongue) for tongue in ("zh", "en")}
        file = b""
        try:
            font = paper.find_font(self._font)
            with paper.printing():
                file = situation_pdf(found, site, plan.language or site.language, at, font=font)
        except paper.NoFont:
            lines = {tongue: [*said, messages.text("situation.no_pdf", tongue)] for tongue, said in lines.items()}
        data: dict[str, Any] = {
            "edge": "report",
            "status": "Actual",
            "level": "blue",  # it may wait
            "title": {tongue: title_of(found, site, tongue) for tongue in ("zh", "en")},
            "lines": lines,
            "link": f"/#/report/{place}?period={plan.period}&day={span.name}",
            "report": found,
        }
        event = cloudevent.report_event(id=id, site=site.id, place=place, time=at, data=data)
        name = f"situation-{place}-{plan.period}-{span.name}.pdf" if file else ""
        return Notice(
            id=id, kind="report", area=SYSTEM, unit="", simulated=False, time=at, payload=event, file=file, name=name
        )
