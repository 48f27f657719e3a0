"""Which areas somebody may see: those of the places that the account is confined to, else the whole site's.

An incident that has alarms of several places, by a merger or a link, is shown to an account of one without what lies in
the others: their alarms, orders, files and pictures, and what was said with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from sensors.lookup import Registry


class Scope(msgspec.Struct, frozen=True):
    """The ids of areas that may be seen, those from before a renaming among them; None for all there are."""

    areas: frozenset[str] | None = None

    def sees(self, area: str) -> bool:
        """Say whether what lies in an area may be seen."""
        return self.areas is None or area in self.areas

    def sees_any(self, areas: Iterable[str]) -> bool:
        """Say whether one of some areas may be seen, as of a camera that looks at several."""
        return self.areas is None or not self.areas.isdisjoint(areas)

    def sees_all(self, areas: Iterable[str]) -> bool:
        """Say whether each of some areas may be seen."""
        return self.areas is None or self.areas.issuperset(areas)

    def asked(self, area: str | None) -> Collection[str] | None:
        """Return the areas that a list is asked for: all that may be seen, or of them one; None for no bound."""
        if area is None:
            return self.areas
        return (area,) if self.sees(area) else ()


WHOLE = Scope()
Row = dict[str, Any]


def areas_about(registry: Registry, id: str) -> tuple[str, ...]:
    """Return the areas of what an alarm may be about: a point, a camera or an area; of none else there are any."""
    found = registry.point(id) or registry.camera(id)
    if found is not None:
        return found.areas
    area = registry.area(id)
    return (area.id,) if area is not None else ()


def scope_of(registry: Registry, places: Iterable[str]) -> Scope:
    """Return what lies in places: districts, subdistricts, communities or single areas. Of none it is the whole site.

    A place that the site no longer has holds nothing.
    """
    named = tuple(places)
    if not named:
        return WHOLE
    found = [area for place in named for area in (registry.area(place), *registry.areas_of(place)) if area is not None]
    return Scope(frozenset(id for area in found for id in (area.id, *area.renamed_from)))


def cut(row: Row, seen: Collection[str], scope: Scope, title: Mapping[str, str]) -> Row:
    """Return an incident's row, or a change's record, without alarms that may not be `seen`, by their ids.

    Nor are there areas out of `scope`. Where its cause is none of those alarms it is named by `title` instead. What
    was said with a change is left out where that is about something that may not be seen: an alarm, order, incident
    or area; `seen` has the ids of all these, as `named_in` names them.
    """
    alarms = [id for id in row["alarms"] if id in seen]
    found = row if len(alarms) == len(row["alarms"]) else {**row, "alarms": alarms}
    areas = [area for area in row.get("areas") or () if scope.sees(area)]
    if len(areas) < len(row.get("areas") or ()):
        found = {**found, "areas": areas if areas != [row["area"]] else []}  # as of an incident that has no other
    if found["cause"] not in seen:
        found = {**found, "cause": alarms[0] if alarms else "", "title": dict(title)}
        if found.get("event"):
            found["event"] = None  # it has the title, too
    if "args" in found and not _is_in_sight(found, seen, scope):
        found = {**found, "args": {}, "reason": ""} | ({"event": None} if found.get("event") else {})
    return found


def named_in(record: Mapping[str, Any]) -> set[str]:
    """Name the alarms, orders and incidents that an incident's row, or a change's record, tells of, by their ids."""
    return {*record["alarms"], record["cause"], *_about(record, *_CASES)} - {""}


def is_of_others(record: Mapping[str, Any], seen: Collection[str]) -> bool:
    """Tell whether a change of an incident was about alarms none of which may be `seen`: a file was put with one."""
    about = _about(record, "alarm", "alarms")
    return bool(about) and not any(alarm in seen for alarm in about)


def cut_whole(row: Row, seen: Collection[str], scope: Scope, title: Mapping[str, str]) -> Row:
    """Return an incident as `alerts.queries.Reader.incident` gives it with what lies in a scope alone, as `cut` does.

    `seen` are ids of all that its changes name.
    """
    details = [one for one in row["alarm_details"] if scope.sees(one["area"])]
    orders = [one for one in row["dispatch_details"] if scope.sees(one["area"])]
    return {
        **cut(row, seen, scope, title),
        "alarm_details": details,
        "dispatch_details": orders,
        "dispatches": [one["id"] for one in orders],
        "attachments": [one for one in row["attachments"] if one["alarm"] in seen],
        "snapshots": [one for one in row["snapshots"] if scope.sees(one["area"])],
        "history": [cut(one, seen, scope, title) for one in row["history"] if not is_of_others(one, seen)],
    }


def cut_order(change: Row, areas: Collection[str], scope: Scope, title: Mapping[str, str]) -> Row:
    """Return a dispatch's change without what its event says of the cause, where not all `areas` may be seen.

    They are those that its incident has ever had: the cause may lie in any of them. `title` names where the order is.
    """
    event = change.get("event")
    if not event or (areas and scope.sees_all(areas)):
        return change
    return {**change, "event": {**event, "data": {**event["data"], "title": dict(title), "why": "", "rule": ""}}}


_CASES = ("alarm", "alarms", "dispatch", "incidents", "into", "from")
_PLACES = ("area", "to")


def _about(record: Mapping[str, Any], *names: str) -> list[str]:
    """List what a change's arguments of these names say: each has an id, or several."""
    args = record.get("args") or {}
    said = [args[name] for name in names if args.get(name)]
    return [id for one in said for id in ((one,) if isinstance(one, str) else one)]


def _is_in_sight(record: Mapping[str, Any], seen: Collection[str], scope: Scope) -> bool:
    """Tell whether all that a change of an incident was about may be seen: its alarms, orders, incidents and areas."""
    return all(id in seen for id in _about(record, *_CASES)) and scope.sees_all(_about(record, *_PLACES))
