"""A situation report on paper, and the line that says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alerts import messages
from alerts.situation.facts import LEGS
from alerts.situation.plots import bars, lines
from alerts.words import Words
from sensors.site import Site

Row = Mapping[str, Any]
_SHARES = ("overdue", "nuisance", "points", "cameras")
_LEVELS = ("red", "orange", "yellow", "blue")


def situation_pdf(found: Row, site: Site, language: str, now: float, *, font: Path | None = None) -> bytes:
    """Print a report. Raise `paper.NoFont`."""
    say = Words(site, language)
    names = _names(site, say.tongue)
    paper = say.paper(title_of(found, site, language), now, "", font)
    mine, past = found["now"], found["past"]
    rows: list[tuple[str, ...]]
    paper.facts(
        [
            (say("situation.span"), _span(found, site.zone)),
            (say("situation.before"), _span({**found["before"], "period": found["period"]}, site.zone)),
        ]
    )
    if _is_unknown(found):
        paper.paragraph(say("situation.unknown"))  # no number means calm here
        return paper.bytes()
    if (partly := _partly(found, say)) is not None:
        paper.paragraph(partly)
    paper.paragraph(say("situation.scope"), quiet=True)
    paper.heading(say("situation.worse"))
    if found["worse"]:
        rows = [
            (
                _what(say, one, names),
                _figure(one["what"], one["now"], say.tongue),
                _figure(one["what"], one["before"], say.tongue),
            )
            for one in found["worse"]
        ]
        paper.table([say(f"situation.{one}") for one in ("figure", "now", "past")], rows, (5, 2, 2))
    else:
        paper.paragraph(say("situation.worse.none" if found["compared"] else "situation.worse.unknown"))
    paper.heading(say("situation.figures"))
    rows = [
        (say(f"situation.{what}"), *(value if found["compared"] or not n else "—" for n, value in enumerate(values)))
        for what, values in _figures(mine, past, say.tongue).items()
    ]
    paper.table([say(f"situation.{one}") for one in ("figure", "now", "past")], rows, (5, 2, 2))
    labels = _labels(found, site.zone)
    paper.heading(say("situation.series"))
    paper.plot(bars(mine["series"], {level: say(f"level.{level}") for level in _LEVELS}, labels), 46)
    paper.heading(say("situation.available"))
    heard = mine["availability"]
    shares = {
        say("situation.sensors"): heard["points"]["series"],
        say("situation.all_cameras"): heard["cameras"]["series"],
    }
    paper.plot(lines(shares, labels), 40)
    never = [(say("situation.sensors"), heard["points"]), (say("situation.all_cameras"), heard["cameras"])]
    said = [f"{name}: {one['never']}/{one['total']} {say('situation.never')}" for name, one in never if one["never"]]
    if said:
        paper.paragraph("; ".join(said), quiet=True)
    _times(paper, say, found)
    if found["types"]:
        paper.heading(say("situation.types"))
        fields = [one["field"] for one in found["types"]]
        first = {fields.index(field) for field in fields}
        head = [say("situation.field"), say("situation.areatype"), *(say(f"level.{level}") for level in _LEVELS)]
        rows = [
            (
                names["field"].get(one["field"], one["field"]) if n in first else "",
                names["type"].get(one["type"], one["type"]),
                *(str(one[level] or "") for level in _LEVELS),
                str(one["alarms"]),
                str(one["before"]) if found["compared"] else "—",
            )
            for n, one in enumerate(found["types"])
        ]
        paper.table([*head, say("situation.alarms"), say("situation.past")], rows, (5, 5, 2, 2, 2, 2, 2, 2))
    if found["places"]:
        paper.heading(say("situation.places"))
        columns = ("sheet.place", "situation.alarms", "situation.past", "situation.orders", "situation.overdue")
        rows = [
            (
                names["place"].get(one["place"], one["place"]),
                str(one["alarms"]),
                str(one["before"]) if found["compared"] else "—",
                str(one["orders"]),
                str(one["overdue"]),
                _share(one["points"]),
                _share(one["cameras"]),
            )
            for one in found["places"]
        ]
        titles = [*(say(one) for one in columns), say("situation.points"), say("situation.cameras")]
        paper.table(titles, rows, (4, 2, 2, 2, 2, 3, 3))
    _lists(paper, say, found)
    if found["left_out"]:
        paper.paragraph(say("situation.left_out", count=str(found["left_out"])), quiet=True)
    if found["cut"]:
        paper.paragraph(say("situation.cut"), quiet=True)
    return paper.bytes()


def title_of(found: Row, site: Site, language: str) -> str:
    """Say in one line what a report is: which, of where, of when."""
    tongue = "en" if language.startswith("en") else "zh"
    place = _names(site, tongue)["place"].get(found["place"], str(found["place"]))
    kind = messages.text(f"situation.{found['period']}", tongue)
    return messages.text("situation.subject", tongue, kind=kind, place=place, span=_span(found, site.zone))


def summary(found: Row, site: Site, language: str) -> list[str]:
    """Say in a few lines what a report comes to."""
    say = Words(site, language)
    tongue = say.tongue
    colon = "：" if tongue == "zh" else ": "
    if _is_unknown(found):
        return [messages.text("situation.unknown", tongue)]
    said = [
        f"{messages.text(f'situation.{what}', tongue)}{colon}{values[0]}"
        + (f" ({values[1]})" if found["compared"] else "")
        for what, values in _figures(found["now"], found["past"], tongue).items()
    ]
    if found["worse"]:
        worse = [messages.text(f"situation.{one['what']}", tongue) for one in found["worse"] if one["what"] != "type"]
        if worse:
            said.append(f"{messages.text('situation.worse', tongue)}{colon}{', '.join(worse)}")
    partly = _partly(found, say)
    return said if partly is None else [partly, *said]  # first: what follows is not of the whole span


def _figures(mine: Row, past: Row, tongue: str) -> dict[str, tuple[str, str]]:
    def both(of: Any) -> tuple[str, str]:
        return of(mine), of(past)

    return {
        "alarms": both(lambda one: str(one["alarms"])),
        "incidents": both(lambda one: str(one["incidents"])),
        "serious": both(lambda one: str(one["peaks"]["red"] + one["peaks"]["orange"])),
        "closed": both(lambda one: str(one["closed"])),
        "orders": both(lambda one: str(one["orders"])),
        "overdue": both(lambda one: str(one["overdue"])),
        "nuisance": both(lambda one: _of(_share(one["nuisance"]["share"]), one["nuisance"]["of"])),
        "lead": both(lambda one: _of(lasting(one["lead"]["median"], tongue), one["lead"]["count"])),
        "points": both(lambda one: _share(one["availability"]["points"]["share"])),
        "cameras": both(lambda one: _share(one["availability"]["cameras"]["share"])),
    }


def _times(paper: Any, say: Words, found: Row) -> None:
    paper.heading(say("situation.times"))
    rows = []
    for leg in LEGS:
        mine, past = found["now"]["times"][leg], found["past"]["times"][leg]
        before = lasting(past["median"], say.tongue) if found["compared"] else "—"
        rows.append(
            (
                say(f"sheet.leg.{leg}"),
                str(mine["count"]),
                lasting(mine["median"], say.tongue),
                lasting(mine["most"], say.tongue),
                before,
            )
        )
    head = ("sheet.exercise.leg", "situation.count", "situation.median", "situation.most")
    paper.table(
        [*(say(one) for one in head), f"{say('situation.past')} ({say('situation.median')})"], rows, (3, 2, 2, 3, 3)
    )


def _lists(paper: Any, say: Words, found: Row) -> None:
    tongue = say.tongue
    rows: list[tuple[str, ...]]
    if found["rules"]:
        paper.heading(say("situation.rules"))
        rows = [(one["title"].get(tongue) or one["rule"], str(one["alarms"])) for one in found["rules"]]
        paper.table([say("situation.rule"), say("situation.alarms")], rows, (6, 2))
    if found["actors"]:
        paper.heading(say("situation.actors"))
        rows = [
            (
                one["title"].get(tongue) or one["rule"],
                one["scope"],
                f"{one['rings']} ({one['share']:.0%})",
                str(one["chattered"]),
                str(one["stale"]),
            )
            for one in found["actors"]
        ]
        heads = ("situation.rule", "sheet.point", "situation.rings", "situation.chattered", "situation.stale")
        paper.table([say(head) for head in heads], rows, (5, 4, 2, 2, 2))
    if found["leads"]:
        paper.heading(say("situation.leads"))
        rows = [
            ((one["title"] or {}).get(tongue, one["incident"]), one["point"], lasting(one["seconds"], tongue))
            for one in found["leads"]
        ]
        paper.table([say("sheet.incident"), say("sheet.point"), say("situation.seconds")], rows, (6, 4, 2))
    if found["poor"]:
        paper.heading(say("situation.poor"))
        rows = [
            (one["name"][tongue], say.name("areas", one["area"]), _share(one["share"]), str(one["troubles"]))
            for one in found["poor"]
        ]
        head = ("sheet.point", "sheet.place", "situation.share", "situation.troubles")
        paper.table([say(one) for one in head], rows, (5, 4, 2, 2))
    if found["drills"]:
        paper.heading(say("situation.drills"))
        rows = [
            (
                one["title"].get(tongue) or one["id"],
                say.at(one["began"]),
                f"{_share(one['score'])} ({one['met']}/{one['of']})",
            )
            for one in found["drills"]
        ]
        paper.table([say("situation.drills"), say("sheet.time"), say("situation.score")], rows, (5, 3, 3))


_UNITS = {"zh": ("天", "小时", "分", "秒"), "en": ("d", "h", "min", "s")}


def lasting(seconds: float | None, tongue: str) -> str:
    """Write how long something took: minutes and seconds, hours and minutes, or days."""
    if seconds is None:
        return "—"
    day, hour, minute, second = _UNITS[tongue]
    if seconds < 3600:
        return f"{int(seconds) // 60} {minute} {int(seconds) % 60:02d} {second}"
    if seconds < 48 * 3600:
        return f"{int(seconds) // 3600} {hour} {int(seconds) % 3600 // 60:02d} {minute}"
    return f"{seconds / 86400:.1f} {day}"


def _of(share: str, count: int) -> str:
    return f"{share} / {count}" if count else share


def _share(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f} %"


def _figure(what: str, value: float, tongue: str) -> str:
    if what in _SHARES:
        return _share(value)
    return lasting(value, tongue) if what in LEGS else f"{value:.0f}"


def _what(say: Words, one: Row, names: Mapping[str, Mapping[str, str]]) -> str:
    if one["what"] == "type":
        return say("situation.type", type=names["type"].get(one["type"], one["type"]))
    return say(f"situation.{one['what']}")


def _is_unknown(found: Row) -> bool:
    """Tell whether the journal begins only after the span: then no number means calm."""
    return found["known_from"] is None or bool(found["known_from"] >= found["end"])


def _partly(found: Row, say: Words) -> str | None:
    """Say since when there is a record, where that is within the span; None where it is whole."""
    known = found["known_from"]
    return say("situation.partly", time=say.on(known)) if known > found["begin"] else None


def _names(site: Site, tongue: str) -> dict[str, dict[str, str]]:
    return {
        "place": {one.id: getattr(one.name, tongue) for one in site.places},
        "field": {one.id: getattr(one.name, tongue) for one in site.fields},
        "type": {one.id: getattr(one.name, tongue) for one in site.area_types},
    }


def _span(found: Row, zone: str) -> str:
    """Write a span by its first and last day, or with the time where it is not over."""
    begin, end = (datetime.fromtimestamp(found[name], ZoneInfo(zone)) for name in ("begin", "end"))
    whole = end.hour == end.minute == 0
    last = datetime.fromtimestamp(found["end"] - 1, ZoneInfo(zone))
    if whole and found["period"] == "day":
        return f"{begin:%Y-%m-%d}"
    return f"{begin:%Y-%m-%d} – {last:%Y-%m-%d}" if whole else f"{begin:%Y-%m-%d} – {end:%Y-%m-%d %H:%M}"


def _labels(found: Row, zone: str) -> list[str]:
    shape = "%H" if found["period"] == "day" else "%m-%d"
    return [datetime.fromtimestamp(mark, ZoneInfo(zone)).strftime(shape) for mark in found["marks"][:-1]]
