"""Dispatch and incident events as CloudEvents 1.0 in structured JSON.

Source: CloudEvents specification 1.0.2, JSON format 1.0.2.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

SPECVERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json"
_TYPE = "com.foreshock."


def timestamp(time: float) -> str:
    """Write unix seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dispatch_event(
    *, id: str, site: str, edge: str, incident: str, time: float, data: dict[str, Any], simulated: bool
) -> dict[str, Any]:
    """Make the event of one dispatch change; `simulation` is an extension attribute, present when true.

    `data.status` is CAP's: Actual or Exercise.
    """
    return _event("dispatch", id, site, edge, incident, time, data, simulated)


def incident_event(
    *, id: str, site: str, edge: str, incident: str, time: float, data: dict[str, Any], simulated: bool
) -> dict[str, Any]:
    """Make the event of one change of an incident, as `dispatch_event` does."""
    return _event("incident", id, site, edge, incident, time, data, simulated)


def test_event(*, id: str, site: str, target: str, time: float, data: dict[str, Any]) -> dict[str, Any]:
    """Make the event that tries a target out: `data.status` is CAP's Test."""
    made = _event("notifier", id, site, "test", target, time, data, simulated=False)
    made["data"]["status"] = "Test"
    return made


def ending_event(kind: str, *, id: str, site: str, subject: str, time: float, data: dict[str, Any]) -> dict[str, Any]:
    """Make the event that says that a silence or a mode (`kind`) is nearly over."""
    return _event(kind, id, site, "ends", subject, time, data, simulated=False)


def report_event(*, id: str, site: str, place: str, time: float, data: dict[str, Any]) -> dict[str, Any]:
    """Make the event that carries a situation report of a place."""
    return _event("situation", id, site, "report", place, time, data, simulated=False)


def _event(
    what: str, id: str, site: str, edge: str, incident: str, time: float, data: dict[str, Any], simulated: bool
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": id,
        "source": f"foreshock/{site}",
        "type": f"{_TYPE}{what}.{edge}",
        "subject": incident,
        "time": timestamp(time),
        "datacontenttype": "application/json",
        "data": {"status": "Exercise" if simulated else "Actual", **data},
    }
    if simulated:
        event["simulation"] = True
    return event
