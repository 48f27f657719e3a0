"""Reports that are cases of their own: one open incident for each subject, which every later report about it joins.

The site says of which categories that is so, whether they are reports or disputes, and to which level the first, the
second and further reports of one case raise it. The subject is a keyed hash. Nothing but a person ends such a case.
"""

from __future__ import annotations

from typing import Any

import msgspec

from alerts import grouping
from alerts.casebook import Casebook
from alerts.outcome import AnyOutcome, Explanation, Kind, Seen
from sensors.observation import SIMULATED, Report
from sensors.site import RANK, ReportKind

MOST = 2000
"""Cases by report that are open at once in one partition; further reports are kept, and rules hear of them."""


class CasesFullError(RuntimeError):
    """Say that a report has made no case, as so many are open: rules hear of it all the same."""


class ReportRule(msgspec.Struct, frozen=True, kw_only=True):
    """Stand beside the site's rules; no site can have one of this id."""

    id: str
    title: dict[str, str]
    kind: Kind = "risk"
    version: int = 1
    rationale: dict[str, Any] = {}


class ReportChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of condition, as `alerts.condition.Change` describes it, with what makes the case one of its own."""

    rule: ReportRule
    scope: str
    area: str
    before: int
    after: int
    onset: float
    time: float
    why: Explanation
    simulated: bool
    sort: str
    subject: str
    category: str
    report: str  # the first one's id, which names the alarm


def take(book: Casebook, report: Report, clock: float, out: list[AnyOutcome]) -> None:
    """Open a case by a report, or have the report join the open one of its subject (or area, where none is named).

    Raise `CasesFullError` where it would be one too many, changing nothing.
    """
    kind = book.report_kinds.get(report.category)
    if kind is None:
        return
    simulated = bool(report.quality & SIMULATED)
    rule, scope = _rule(kind, report)
    alarm = book.scopes.get((rule.id, scope, simulated))
    incident = book.cases.incidents.get(alarm.incident) if alarm is not None else None
    if incident is None and sum(bool(one.sort) for one in book.cases.incidents.values()) >= MOST:
        raise CasesFullError(f"no case was opened for the report {report.id} ({report.category}): {MOST} are open")
    count = alarm.told + 1 if alarm is not None and incident is not None else 1
    reached = RANK[kind.levels[min(count, len(kind.levels)) - 1]]
    before = alarm.process if alarm is not None else 0
    change = ReportChange(
        rule=rule,
        scope=scope,
        area=alarm.area if alarm is not None else report.area,
        before=before,
        after=max(reached, before if incident is not None else 0),
        onset=report.time,
        time=clock,
        why=_why(report, count),
        simulated=simulated,
        sort=kind.type,
        subject=report.subject or "",
        category=report.category,
        report=report.id,
    )
    if alarm is not None:
        alarm.category = report.category  # who answers for it is sent at what this report raises
        if incident is None:
            alarm.process, alarm.level = 0, 0  # its case was closed over it: this is a new one
    grouping.apply(book, change, clock, out)
    found = book.scopes[rule.id, scope, simulated]
    found.told = count
    joined = book.cases.incidents.get(found.incident)
    if joined is not None:
        args: dict[str, Any] = {"report": report.id, "count": count}
        if kind.units:
            args["category"] = report.category
        out.append(book.incident_record(joined, "reported", clock, actor=report.actor, args=args))


def _rule(kind: ReportKind, report: Report) -> tuple[ReportRule, str]:
    """Name the rule and the scope of a report's case: all of one subject are one, whatever their category."""
    title = {"zh": kind.name.zh, "en": kind.name.en}
    if report.subject:
        return ReportRule(id=f"@{kind.type}", title=title), report.subject
    return ReportRule(id=f"@{kind.type}-{kind.category}", title=title), report.area


def _why(report: Report, count: int) -> Explanation:
    about = "one subject" if report.subject else "this area"
    seen = Seen(
        kind=f"report-{report.category}",
        time=report.time,
        report=report.id,
        by=report.actor,
        photo=bool(report.photo),
    )
    return Explanation(
        clause=f"{count} report{'s' if count > 1 else ''} of {report.category} about {about}",
        clear="somebody closes the case",
        events=(seen,),
    )
