"""Incidents as messages of the Common Alerting Protocol 1.2 (OASIS), and a feed of them in Atom (RFC 4287).

An incident's messages are a chain: Alert when it opens, Update when its level, state or areas change or it takes others
in, Cancel when it is over, each with references to all before it; what rises after that begins a chain anew. One that
was merged into another ends with a Cancel that gives no all-clear and names the incident that goes on. Where an alarm
was set aside, or some were split off, calm is no all-clear, for what is hidden may last: the Cancel comes when the
incident is closed. A message is made from the journal's changes alone, so it is the same each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from alerts.messages import text
from sensors.site import Site

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
TYPE = "application/cap+xml"

SEVERITY = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}
URGENCY = {"red": "Immediate", "orange": "Expected", "yellow": "Future", "blue": "Future"}
CATEGORY = {"lifelines": "Infra", "public": "Safety", "production": "CBRNE", "nature": "Geo"}
"""Of a risk field, by the ids that the example district gives them."""

CATEGORY_OF_TYPE = {"river": "Met", "drainage": "Met", "forest": "Fire", "gas": "Fire", "construction": "Safety"}
"""Of an area type, where its field's is not the best."""

_LANGUAGES = (("zh", "zh-CN"), ("en", "en"))
_LATIN1 = str.maketrans({" ": "_", ",": "_", "<": "_", "&": "_"})
_CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}

register_namespace("", CAP)


class Feed:
    """The words of a site that messages are made with."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sender = f"foreshock@{site.id}".translate(_LATIN1)
        self._areas = {area.id: area for area in site.areas}
        self._types = {kind.id: kind for kind in site.area_types}

    def messages(self, history: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield (identifier, msgType, change) of an incident's history (its records, oldest first)."""
        last: tuple[str, bool, frozenset[str]] | None = None
        hides = False
        for change in history:
            hides = hides or change["edge"] in ("set_aside", "split")
            over = change["state"] == "closed" or (change["state"] == "calm" and not hides)
            stands = (change["level"], over, frozenset(areas_of(change)))
            if last is None or (last[1] and not over):
                kind = "Alert"
            elif (last == stands and change["edge"] != "took_in") or (over and last[1]):
                continue
            else:
                kind = "Cancel" if over else "Update"
            last = stands
            yield identifier(change), kind, change

    def message(self, history: Sequence[Mapping[str, Any]], id: str) -> bytes | None:
        """Write one message of an incident as XML; None when its history has none of this identifier."""
        before: list[str] = []
        for name, kind, change in self.messages(history):
            if kind == "Alert":
                before = []
            if name == id:
                return self._write(name, kind, change, before, _related(history, change))
            before.append(f"{self.sender},{name},{_time(change['time'])}")
        return None

    def _write(
        self, id: str, kind: str, change: Mapping[str, Any], before: Sequence[str], related: Sequence[str]
    ) -> bytes:
        alert = Element(f"{{{CAP}}}alert")
        _add(alert, "identifier", id)
        _add(alert, "sender", self.sender)
        _add(alert, "sent", _time(change["time"]))
        _add(alert, "status", "Exercise" if change.get("simulated") else "Actual")
        _add(alert, "msgType", kind)
        _add(alert, "scope", "Restricted")
        _add(alert, "restriction", f"Those who have an account at {self.site.name.en}")
        notes = ["exercise"] if change.get("simulated") else []
        notes += ["incident.edge.merged"] if change["edge"] == "merged" else []
        if notes:
            _add(alert, "note", " · ".join(f"{text(one, 'zh')} / {text(one, 'en')}" for one in notes))
        if before:
            _add(alert, "references", " ".join(before))
        _add(alert, "incidents", " ".join(one.translate(_LATIN1) for one in related))
        for language, tag in _LANGUAGES:
            self._inform(alert, language, tag, kind, change)
        return bytes(tostring(alert, encoding="utf-8", xml_declaration=True))

    def _inform(self, alert: Element, language: str, tag: str, kind: str, change: Mapping[str, Any]) -> None:
        areas = areas_of(change)
        area = self._areas.get(areas[0])
        merged = change["edge"] == "merged"
        over = kind == "Cancel" and not merged  # what was merged goes on elsewhere
        title = (change.get("title") or {}).get(language) or areas[0]
        state = "incident.edge.merged" if merged else f"incident.state.{change['state']}"
        info = _add(alert, "info")
        _add(info, "language", tag)
        _add(info, "category", self.category(areas[0]))
        named = self._types.get(area.type) if area is not None else None
        _add(
            info,
            "event",
            getattr(named.name, language) if named is not None else text(f"kind.{change['kind']}", language),
        )
        _add(info, "responseType", "AllClear" if over else "Assess")
        _add(info, "urgency", "Past" if over else URGENCY[change["level"]])
        _add(info, "severity", SEVERITY[change["level"]])
        _add(info, "certainty", "Observed")
        _add(info, "onset", _time(change["opened"]))
        _add(info, "headline", title[:160])
        _add(info, "description", f"{title} · {text(state, language)}")
        if self.site.console.startswith(("http://", "https://")):
            _add(info, "web", f"{self.site.console.rstrip('/')}/#/incidents/{change['incident']}")
        parameter = _add(info, "parameter")
        _add(parameter, "valueName", "level")
        _add(parameter, "value", change["level"])
        for one in areas:
            self._place(info, language, one)

    def _place(self, info: Element, language: str, id: str) -> None:
        area = self._areas.get(id)
        place = _add(info, "area")
        _add(place, "areaDesc", getattr(area.name, language) if area is not None else text("area.system", language))
        if area is not None and area.location is not None:
            _add(place, "circle", f"{area.location[0]:.6f},{area.location[1]:.6f} 0")
        geocode = _add(place, "geocode")
        _add(geocode, "valueName", "foreshock-area")
        _add(geocode, "value", id)

    def category(self, area: str) -> str:
        """Name the category of what may happen in an area."""
        found = self._areas.get(area)
        kind = self._types.get(found.type) if found is not None else None
        if kind is None:
            return "Other"
        return CATEGORY_OF_TYPE.get(kind.id) or CATEGORY.get(kind.field, "Safety")

    def atom(self, histories: Sequence[Sequence[Mapping[str, Any]]], root: str, most: int = 200) -> bytes:
        """Write the feed of these incidents' messages, the newest first; `root` is where the API is served."""
        entries = [
            (change["time"], id, kind, change) for history in histories for id, kind, change in self.messages(history)
        ]
        entries.sort(key=lambda entry: (-entry[0], entry[3]["incident"], -entry[3]["sequence"]))
        feed = Element("feed", xmlns=ATOM)
        base = f"urn:foreshock:{self.site.id}"
        SubElement(feed, "id").text = f"{base}:cap"
        SubElement(feed, "title").text = _clean(self.site.name.zh)
        SubElement(feed, "updated").text = _time(entries[0][0] if entries else 0.0)
        author = SubElement(feed, "author")
        SubElement(author, "name").text = self.sender
        SubElement(feed, "link", rel="self", href=f"{root}/api/v1/cap.atom")
        for time, id, kind, change in entries[:most]:
            entry = SubElement(feed, "entry")
            SubElement(entry, "id").text = f"{base}:{id}"
            title = (change.get("title") or {}).get("zh") or change["area"]
            mark = f"【{text('exercise', 'zh')}】" if change.get("simulated") else ""
            SubElement(entry, "title").text = _clean(f"{mark}{title} ({kind})")
            SubElement(entry, "updated").text = _time(time)
            SubElement(entry, "link", rel="alternate", type=TYPE, href=f"{root}/api/v1/cap/{id}")
            SubElement(entry, "category", term="Exercise" if change.get("simulated") else "Actual")
            SubElement(entry, "summary").text = _clean((change.get("title") or {}).get("en") or change["area"])
        return bytes(tostring(feed, encoding="utf-8", xml_declaration=True))


def identifier(change: Mapping[str, Any]) -> str:
    """Name the message of an incident's change: without spaces, commas, < and &, as CAP asks."""
    return f"{change['incident']}.{change['sequence']}".translate(_LATIN1)


def areas_of(change: Mapping[str, Any]) -> Sequence[str]:
    """List the areas of an incident at a change, that of its cause first."""
    return change.get("areas") or (change["area"],)


def _related(history: Sequence[Mapping[str, Any]], change: Mapping[str, Any]) -> list[str]:
    """Name the incident of a change, and what it came of, has taken in by then or goes on in."""
    found = {str(change["incident"]): None}
    for one in history:
        if one["sequence"] > change["sequence"]:
            break
        args = one.get("args") or {}
        named = {"took_in": args.get("incidents"), "opened": [args.get("from")], "merged": [args.get("into")]}
        found |= {str(id): None for id in named.get(one["edge"]) or () if id}
    return [*found]


def _time(time: float) -> str:
    """Write unix seconds as CAP has it: to the second, with an offset and never Z."""
    return datetime.fromtimestamp(int(time), UTC).isoformat(timespec="seconds").replace("+00:00", "-00:00")


def _clean(value: str) -> str:
    return str(value).translate(_CONTROL)


def _add(parent: Element, name: str, value: str | None = None) -> Element:
    made = SubElement(parent, f"{{{CAP}}}{name}")
    made.text = None if value is None else _clean(value)
    return made
