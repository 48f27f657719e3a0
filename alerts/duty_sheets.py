"""Handovers and drill reports on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alerts.words import Words
from sensors.site import Site

Row = Mapping[str, Any]


def handover_pdf(handover: Row, site: Site, language: str, now: float, *, font: Path | None = None) -> bytes:
    """Print a handover: `turn`, `shift`, `begin`, `people`, `sheet`, and `actor`, `time`, `reason` once it is signed.

    Raise `paper.NoFont`.
    """
    say = Words(site, language)
    sheet = handover["sheet"]
    paper = say.paper(say("sheet.handover"), now, say("simulation") if _is_played(sheet) else "", font)
    people = say.listed(f"{say.name('seats', seat)} {who}" for seat, who in handover["people"].items())
    load = sheet["load"]
    paper.facts(
        [
            (
                say("sheet.handover.turn"),
                f"{say.name('shifts', handover['shift'])} {say.on(handover['begin'])}".strip(),
            ),
            (say("sheet.handover.people"), people),
            (say("sheet.handover.span"), f"{say.on(sheet['since'])} – {say.on(sheet['time'])}"),
            (
                say("sheet.handover.load"),
                say(
                    "sheet.handover.load.figures",
                    rings=str(load["rings"]),
                    peak=str(load["peak"]),
                    floods=str(load["floods"]),
                    closed=str(sheet["closed"]),
                ),
            ),
        ]
    )
    for part, head, line, widths in _PARTS:
        if part not in sheet:
            continue  # signed with an older version
        items, more = sheet[part]["items"], sheet[part]["more"]
        paper.heading(f"{say(f'sheet.handover.{part}')} ({len(items) + more})")
        if items:
            paper.table([say(f"sheet.{one}") for one in head], [line(say, one) for one in items], widths)
        else:
            paper.paragraph(say("sheet.none"), quiet=True)
        if more:
            paper.paragraph(say("notice.more", count=str(more)), quiet=True)
    if handover.get("actor"):
        paper.heading(say("sheet.handover.signed"))
        signed = (say("sheet.handover.by"), say.who(handover["actor"])), (say("sheet.time"), say.on(handover["time"]))
        paper.facts(list(signed))
        if handover["reason"]:
            paper.paragraph(handover["reason"])
    else:
        paper.signatures([say("sheet.handover.outgoing"), say("sheet.handover.incoming")])
    return paper.bytes()


def exercise_pdf(report: Row, site: Site, language: str, now: float, *, font: Path | None = None) -> bytes:
    """Print the report of a drill. Raise `paper.NoFont`."""
    say = Words(site, language)
    title = report["title"].get(say.tongue) or report["id"]
    paper = say.paper(say("sheet.exercise", title=title), now, say("exercise"), font)
    score = "—" if report["score"] is None else f"{report['score']:.0%} ({report['met']}/{report['of']})"
    paper.facts(
        [
            (say("sheet.exercise.score"), score),
            (say("sheet.exercise.span"), f"{say.on(report['began'])} – {say.on(report['ended'])}"),
            (say("sheet.place"), say.listed(say.name("areas", one) for one in report["areas"])),
            (say("sheet.exercise.units"), say.listed(say.name("units", one) for one in report["units"])),
        ]
    )
    if not report["incidents"]:
        paper.paragraph(say("sheet.exercise.nothing"))
    if report["missed"]:
        paper.heading(say("sheet.exercise.missed", count=str(len(report["missed"]))))
        lines = [
            (say.at(one["time"]), say(f"sheet.leg.{one['do']}"), say.name("units", one["of"]), say(one["reason"]))
            for one in report["missed"]
        ]
        heads = ("sheet.time", "sheet.exercise.act", "sheet.exercise.of", "sheet.reason")
        paper.table([say(head) for head in heads], lines, (3, 3, 3, 4))
    for one in report["incidents"]:
        paper.heading((one["title"] or {}).get(say.tongue, one["id"]))
        rows = [
            (
                say(f"sheet.leg.{leg['leg']}"),
                say.lasting(leg["seconds"]),
                say.lasting(leg["objective"]),
                "" if leg["met"] is None else say("sheet.met" if leg["met"] else "sheet.missed"),
            )
            for leg in one["legs"]
        ]
        heads = ("sheet.exercise.leg", "sheet.exercise.took", "sheet.exercise.objective", "sheet.exercise.result")
        paper.table([say(head) for head in heads], rows, (3, 2, 2, 2))
        if one["steps"]:
            done = say("sheet.exercise.steps", done=str(one["steps_done"]), steps=str(one["steps"]))
            paper.paragraph(done, quiet=True)
        lines = [
            (
                say.at(step["time"]),
                say(step["what"]),
                say.name("units", step["unit"]) if step["unit"] else "",
                say.who(step["who"]),
            )
            for step in one["course"]
        ]
        paper.table([say(f"sheet.{head}") for head in ("time", "what", "unit", "who")], lines, (3, 3, 3, 3))
    return paper.bytes()


def _is_played(sheet: Row) -> bool:
    """Tell whether all that stands open on a sheet was simulated: one line that is real makes it a real handover."""
    parts = (sheet.get(part, {}).get("items", ()) for part in ("open", "outside", "overdue", "shelved", "degraded"))
    lines = [bool(row.get("simulated")) for part in parts for row in part]
    return bool(lines) and all(lines)


def _marked(say: Words, row: Row, text: str) -> str:
    """Mark what the simulator raised: the sheet is read by people who were not there."""
    return (
        f"{text} [{say('simulation.short')}]" if row.get("simulated") else text
    )  # absent: signed with an older version


def _open(say: Words, row: Row) -> tuple[str, ...]:
    title = str((row["title"] or {}).get(say.tongue, row["id"]))
    return (
        say.at(row["opened"]),
        _marked(say, row, title),
        say(f"sheet.state.{row['state']}"),
        say.who(row["acknowledged_by"]),
    )


def _outside(say: Words, row: Row) -> tuple[str, ...]:
    since, about, alarm, place = _degraded(say, row)
    return since, about, f"{say('level.' + row['level'])} {alarm}", place


def _overdue(say: Words, row: Row) -> tuple[str, ...]:
    where = say.name("areas", row["area"])
    return say.at(row["deadline"]), _marked(say, row, where), say.name("units", row["unit"]), say(f"leg.{row['leg']}")


def _shelved(say: Words, row: Row) -> tuple[str, ...]:
    title = (row["rule_title"] or {}).get(say.tongue, row["scope"])
    return (
        say.at(row["until"]),
        _marked(say, row, f"{title} {_about(say, row['scope'])}"),
        say(row["reason"] or ""),
        say.who(row["by"]),
    )


def _silences(say: Words, row: Row) -> tuple[str, ...]:
    titles = row.get("rule_titles") or {}  # absent: signed with an older version
    rules = [str(titles.get(id, {}).get(say.tongue) or id) for id in row["rules"]]
    what = [*(say.name("areas", id) for id in row["areas"]), *(_about(say, id) for id in row["scopes"]), *rules]
    return _until(say, row), say.listed(what), row["reason"], say.who(row["by"])


def _about(say: Words, scope: str) -> str:
    """Name what an alarm is about: a point, a camera or an area."""
    names = (say.name(kind, scope) for kind in ("points", "cameras", "areas"))
    return next((name for name in names if name != scope), scope)


def _modes(say: Words, row: Row) -> tuple[str, ...]:
    where = say.name("areas", row["area"]) if row["area"] else say("sheet.handover.everywhere")
    return _until(say, row), f"{say.name('modes', row['mode'])} ({where})", row["reason"], say.who(row["by"])


def _until(say: Words, row: Row) -> str:
    return f"{say.at(row['until'])} {say('sheet.handover.soon') if row['soon'] else ''}".strip()


def _degraded(say: Words, row: Row) -> tuple[str, ...]:
    title = str((row["title"] or {}).get(say.tongue, row["scope"]))
    return say.at(row["onset"]), _about(say, row["scope"]), _marked(say, row, title), say.name("areas", row["area"])


def _comments(say: Words, row: Row) -> tuple[str, ...]:
    return say.at(row["time"]), say.name("areas", row["area"]), row["text"], say.who(row["actor"])


_PARTS: tuple[tuple[str, tuple[str, ...], Callable[[Words, Row], tuple[str, ...]], tuple[int, ...]], ...] = (
    ("open", ("opened", "incident", "state", "who"), _open, (3, 6, 2, 2)),
    ("outside", ("since", "point", "alarm", "place"), _outside, (3, 4, 3, 4)),
    ("overdue", ("due", "place", "unit", "state"), _overdue, (3, 4, 4, 2)),
    ("shelved", ("until", "alarm", "reason", "who"), _shelved, (3, 5, 4, 2)),
    ("silences", ("until", "covers", "reason", "who"), _silences, (3, 5, 4, 2)),
    ("modes", ("until", "mode", "reason", "who"), _modes, (3, 5, 4, 2)),
    ("degraded", ("since", "point", "alarm", "place"), _degraded, (3, 4, 3, 4)),
    ("comments", ("time", "place", "comment", "who"), _comments, (3, 3, 6, 2)),
)
