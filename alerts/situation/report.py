"""The report of a place: what its areas came to in a span, against the span before. Pure but for `reported`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import quantiles
from typing import Any

from alerts.operations import covered
from alerts.precision import DISPOSITIONS, wilson
from alerts.queries import Reader
from alerts.situation.facts import LEGS, Facts, gather, limits_of
from alerts.situation.period import Span, parts
from sensors.site import LEVELS, SYSTEM, Site

Row = dict[str, Any]

TOP = 8
"""Entries of lists that name the first so many."""

WORSE = 1.2
"""By how much more a figure has to be, to be called worse; and it must not be of too few, as each line says."""


def reported(reader: Reader, site: Site, place: str, span: Span, never: Collection[str] = ()) -> Row:
    """Read the journal and report a place. `never` are points and cameras of which nothing was ever heard."""
    limits = limits_of(site.points)
    before = span.before(site.zone)
    return report(site, place, gather(reader, span, limits), gather(reader, before, limits), never)


def places_of(site: Site) -> dict[str, set[str]]:
    """Name the areas of each place, also those of places below it; the top has those of the system itself."""
    parents = {place.id: place.parent for place in site.places}
    found: dict[str, set[str]] = {place.id: set() for place in site.places}
    for area in site.areas:
        at: str | None = area.place
        for _ in range(8):
            if at is None or at not in found:
                break
            found[at].add(area.id)
            at = parents[at]
    for place in site.places:
        if place.parent is None:
            found[place.id].add(SYSTEM)
    return found


def top_place(site: Site) -> str:
    """Name the place that all others lie in; empty where the site has none."""
    return next((place.id for place in site.places if place.parent is None), "")


def report(site: Site, place: str, now: Facts, before: Facts, never: Collection[str] = ()) -> Row:
    """Report a place. Shares are 0..1, times seconds, None where there was nothing to tell it of.

    `known_from` is when the journal begins: of what was before it nothing is known, and no number means calm.
    `compared` says whether the journal has the span before as well: without it nothing is called worse.
    `availability` is the share of time for which points and cameras had no alarm about their data; one that was never
    heard of is in none of it, and counted as `never`. Raise `KeyError` when there is no such place.
    """
    within = places_of(site)
    areas = within[place]
    mine, past = _figures(site, areas, now, never), _figures(site, areas, before, never)
    compared = _is_known(before)
    children = [one for one in site.places if one.parent == place and within[one.id]]
    return {
        "place": place,
        "period": now.span.period,
        "first": now.span.name,
        "begin": now.span.begin,
        "end": now.span.end,
        "before": {"begin": before.span.begin, "end": before.span.end},
        "marks": list(now.span.marks),
        "now": mine,
        "past": past,
        "types": _types(site, areas, now, before),
        "places": [_place(site, one.id, within[one.id], now, before, never) for one in children],
        "rules": _rules(areas, now),
        "actors": _actors(areas, now),
        "leads": [
            {"area": one.area, "incident": one.incident, "title": one.title, "point": one.point, "seconds": one.seconds}
            for one in now.leads
            if one.area in areas and one.seconds > 0
        ][:TOP],
        "poor": _poor(site, areas, now),
        "drills": [_drill(one) for one in now.drills if not areas.isdisjoint(one["areas"])],
        "known_from": now.since,
        "compared": compared,
        "worse": worse(mine, past) + _worse_types(site, areas, now, before) if compared else [],
        "left_out": now.left_out,
        "cut": now.cut or before.cut,
    }


def _is_known(facts: Facts) -> bool:
    """Tell whether the journal has a span, but for a tenth of it: what it does not have is no calm."""
    span = facts.span
    return facts.since is not None and facts.since <= span.begin + 0.1 * (span.end - span.begin)


def _figures(site: Site, areas: Collection[str], facts: Facts, never: Collection[str]) -> Row:
    alarms, series = Counter[str](), {level: [0] * len(parts(facts.span)) for level in _down()}
    for (area, level, part), count in facts.alarms.items():
        if area in areas:
            alarms[level] += count
            series[level][part] += count
    opened = Counter[str]()
    for (area, peak, _), count in facts.opened.items():
        if area in areas:
            opened[peak] += count
    closed = Counter[str]()
    for (area, disposition), count in facts.closed.items():
        if area in areas:
            closed[disposition or "none"] += count
    judged = closed["real"] + closed["nuisance"]
    orders = sum(count for area, count in facts.orders.items() if area in areas)
    overdue = sum(count for area, count in facts.overdue.items() if area in areas)
    leads = [one.seconds for one in facts.leads if one.area in areas]
    share = wilson(closed["nuisance"], judged)
    return {
        "alarms": sum(alarms.values()),
        "levels": {level: alarms[level] for level in _down()},
        "series": series,
        "incidents": sum(opened.values()),
        "peaks": {level: opened[level] for level in _down()},
        "closed": sum(closed.values()),
        "dispositions": {name: closed[name] for name in (*DISPOSITIONS, "none")},
        "nuisance": {"of": judged, "share": share.value, "low": share.low, "high": share.high},
        "times": {leg: spread(seconds for area, seconds in facts.times[leg] if area in areas) for leg in LEGS},
        "orders": orders,
        "overdue": overdue,
        "lead": {**spread(one for one in leads if one > 0), "limits": len(leads)},
        "availability": {
            "points": _availability((one.id for one in site.points if _in(one.areas, areas)), facts, never),
            "cameras": _availability((one.id for one in site.cameras if _in(one.areas, areas)), facts, never),
        },
    }


def spread(seconds: Iterable[float]) -> Row:
    """Sum up times: how many, their median, and what nine in ten of them keep within."""
    found = sorted(seconds)
    if not found:
        return {"count": 0, "median": None, "most": None}
    if len(found) == 1:
        return {"count": 1, "median": found[0], "most": found[0]}
    tenths = quantiles(found, n=10, method="inclusive")
    return {"count": len(found), "median": tenths[4], "most": tenths[8]}


def _in(some: Sequence[str], areas: Collection[str]) -> bool:
    return any(area in areas for area in some)


def _down() -> tuple[str, ...]:
    return tuple(reversed(LEVELS))


def _availability(ids: Iterable[str], facts: Facts, never: Collection[str]) -> Row:
    """Give the share of time without trouble, over all and of each hour or day."""
    every = list(ids)
    heard = [id for id in every if id not in never]
    spans = parts(facts.span)
    lost = [0.0] * len(spans)
    for id in heard:
        for start, stop in merged(facts.troubles.get(id, ())):
            for n, (begin, end) in enumerate(spans):
                lost[n] += max(min(stop, end) - max(start, begin), 0.0)
    since = float("inf") if facts.since is None else facts.since
    told = [bool(heard) and end > since for _, end in spans]  # before the journal nobody knows
    total = len(heard) * sum(end - begin for (begin, end), known in zip(spans, told, strict=True) if known)
    return {
        "total": len(every),
        "never": len(every) - len(heard),
        "share": 1.0 - sum(lost) / total if total else None,
        "series": [
            1.0 - gone / (len(heard) * (end - begin)) if known else None
            for gone, (begin, end), known in zip(lost, spans, told, strict=True)
        ],
    }


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join spans that overlap: several alarms may tell of one trouble."""
    found: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((start, stop))
    return found


def _types(site: Site, areas: Collection[str], now: Facts, before: Facts) -> list[Row]:
    """Count alarms by field and type of area, those with most first; types without any are left out."""
    kinds = {area.id: area.type for area in site.areas}
    rows: dict[str, Row] = {}
    for one in site.area_types:
        rows[one.id] = {"type": one.id, "field": one.field, **dict.fromkeys(_down(), 0), "alarms": 0, "before": 0}
    for (area, level, _), count in now.alarms.items():
        if area in areas and kinds.get(area) in rows:
            rows[kinds[area]][level] += count
            rows[kinds[area]]["alarms"] += count
    for (area, _, _), count in before.alarms.items():
        if area in areas and kinds.get(area) in rows:
            rows[kinds[area]]["before"] += count
    kept = [row for row in rows.values() if row["alarms"] or row["before"]]
    order = {field.id: n for n, field in enumerate(site.fields)}
    return sorted(kept, key=lambda row: (order.get(row["field"], 0), -row["alarms"], row["type"]))


def _place(site: Site, id: str, areas: Collection[str], now: Facts, before: Facts, never: Collection[str]) -> Row:
    mine, past = _figures(site, areas, now, never), _figures(site, areas, before, never)
    return {
        "place": id,
        "alarms": mine["alarms"],
        "before": past["alarms"],
        "peaks": mine["peaks"],
        "accept": mine["times"]["accept"],
        "close": mine["times"]["close"],
        "orders": mine["orders"],
        "overdue": mine["overdue"],
        "points": mine["availability"]["points"]["share"],
        "cameras": mine["availability"]["cameras"]["share"],
    }


def _rules(areas: Collection[str], facts: Facts) -> list[Row]:
    counted = Counter[str]()
    for (area, rule), count in facts.rules.items():
        if area in areas:
            counted[rule] += count
    return [
        {"rule": rule, "title": facts.titles.get(rule, {"zh": rule, "en": rule}), "alarms": count}
        for rule, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    ]


def _actors(areas: Collection[str], facts: Facts) -> list[Row]:
    """Name the bad actors: who rang most, was folded as it chattered, or went stale."""
    counted: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for (area, rule, scope, what), count in facts.actors.items():
        if area in areas:
            counted[area, rule, scope][what] += count
    rings = sum(one["rang"] for one in counted.values())

    def bad(item: tuple[tuple[str, str, str], Counter[str]]) -> tuple[Any, ...]:
        return -item[1]["rang"] - item[1]["chattered"], -item[1]["stale"], item[0]

    return [
        {
            "area": area,
            "rule": rule,
            "title": facts.titles.get(rule, {"zh": rule, "en": rule}),
            "scope": scope,
            "rings": one["rang"],
            "share": one["rang"] / rings if rings else 0.0,
            "chattered": one["chattered"],
            "stale": one["stale"],
        }
        for (area, rule, scope), one in sorted(counted.items(), key=bad)[:TOP]
    ]


def _poor(site: Site, areas: Collection[str], facts: Facts) -> list[Row]:
    """Name the points and cameras whose data were bad for longest."""
    homes: dict[str, tuple[str, Any]] = defaultdict(lambda: ("", None))
    homes |= {one.id: (next((area for area in one.areas if area in areas), ""), one.name) for one in site.points}
    homes |= {one.id: (next((area for area in one.areas if area in areas), ""), one.name) for one in site.cameras}
    whole = facts.span.end - facts.span.begin
    rows = [
        {
            "id": id,
            "area": homes[id][0],
            "name": {"zh": homes[id][1].zh, "en": homes[id][1].en},
            "share": 1.0 - covered(spans) / whole,
            "troubles": len(merged(spans)),
        }
        for id, spans in facts.troubles.items()
        if homes[id][0]
    ]
    return sorted(rows, key=lambda row: (row["share"], row["id"]))[:TOP]


def _drill(one: Mapping[str, Any]) -> Row:
    return {name: one[name] for name in ("id", "title", "areas", "began", "ended", "met", "of", "score")}


def worse(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Row]:
    """List what got worse by more than chance would easily do: what, the figure now and before."""
    found: list[Row] = []

    def add(what: str, mine: float, past: float) -> None:
        found.append({"what": what, "type": "", "now": mine, "before": past})

    serious = [sum(one["peaks"][level] for level in ("red", "orange")) for one in (now, before)]
    if serious[0] > serious[1]:
        add("serious", *serious)
    if now["alarms"] >= before["alarms"] * WORSE and now["alarms"] - before["alarms"] >= 5:
        add("alarms", now["alarms"], before["alarms"])
    for leg in LEGS:
        mine, past = now["times"][leg], before["times"][leg]
        few = min(mine["count"], past["count"]) < 3
        if not few and mine["median"] > past["median"] * WORSE and mine["median"] - past["median"] >= 30.0:
            add(leg, mine["median"], past["median"])
    shares = [one["overdue"] / one["orders"] if one["orders"] else 0.0 for one in (now, before)]
    if now["overdue"] >= 2 and shares[0] - shares[1] >= 0.05:
        add("overdue", *shares)
    mine, past = now["nuisance"], before["nuisance"]
    if min(mine["of"], past["of"]) >= 5 and mine["share"] - past["share"] >= 0.1:
        add("nuisance", mine["share"], past["share"])
    for what in ("points", "cameras"):
        mine, past = now["availability"][what]["share"], before["availability"][what]["share"]
        if mine is not None and past is not None and past - mine >= 0.01:
            add(what, mine, past)
    return found


def _worse_types(site: Site, areas: Collection[str], now: Facts, before: Facts) -> list[Row]:
    """List the types of area whose alarms doubled."""
    return [
        {"what": "type", "type": row["type"], "now": row["alarms"], "before": row["before"]}
        for row in _types(site, areas, now, before)
        if row["alarms"] >= 2 * row["before"] and row["alarms"] - row["before"] >= 5
    ][:TOP]
