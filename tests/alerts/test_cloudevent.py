"""Events against a JSON Schema of CloudEvents 1.0, and what they say."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import msgspec
import pytest

from alerts import cloudevent
from alerts.desk import Desk
from alerts.outcome import DispatchChange, IncidentChange
from tests.alerts.cases import SITE, change

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parent / "schemas" / "cloudevents-1.0.json").read_text(encoding="utf-8"))
)


def check(event: dict[str, Any]) -> None:
    """Hold an event against the schema, and see that it survives the wire."""
    SCHEMA.validate(event)
    assert urlsplit(event["source"]).path == event["source"]  # a URI reference
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert msgspec.json.decode(msgspec.json.encode(event)) == event


@pytest.mark.parametrize(
    "harm",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"type": None},
        {"time": "2026-01-01T00:00:00"},
        {"Simulation": True},
        {"simulation": {"very": True}},
        {"data": {"status": "Perhaps"}},
        {"datacontenttype": "text/xml"},
    ],
)
def test_the_schema_refuses_what_is_no_event_of_ours(harm: dict[str, Any]) -> None:
    event = cloudevent.test_event(id="e1", site="test", target="hook", time=1.7e9, data={})
    check(event)
    assert not SCHEMA.is_valid({**event, **harm})


@pytest.mark.parametrize("simulated", [False, True])
def test_every_leg_is_a_valid_event(simulated: bool) -> None:
    desk = Desk(SITE)
    out = [*desk.condition(change(3, simulated=simulated), 1.7e9), *desk.tick(1.7e9 + 301)]
    events = [outcome.event for outcome in out if isinstance(outcome, DispatchChange)]
    assert [event["type"] for event in events if event] == [
        "com.foreshock.dispatch.issued", "com.foreshock.dispatch.overdue", "com.foreshock.dispatch.reassigned",
    ]  # fmt: skip
    for event in events:
        assert event is not None
        check(event)
        assert event["source"] == "foreshock/test"


@pytest.mark.parametrize("simulated", [False, True])
def test_that_nobody_is_on_an_incident_is_a_valid_event(simulated: bool) -> None:
    out = Desk(SITE).condition(change(3, area="nowhere", simulated=simulated), 1.7e9)
    (event,) = [outcome.event for outcome in out if isinstance(outcome, IncidentChange) and outcome.event]
    check(event)
    assert event["type"] == "com.foreshock.incident.undispatched"
    assert (event["data"]["status"], "simulation" in event) == ("Exercise" if simulated else "Actual", simulated)


def test_it_says_where_why_who_and_by_when() -> None:
    out = Desk(SITE).condition(change(3), 1.7e9)
    issued = out[-1]
    assert isinstance(issued, DispatchChange) and issued.event is not None
    data = issued.event["data"]
    assert issued.event["subject"] == data["incident"] == issued.incident
    assert data["status"] == "Actual"
    assert data["area"] == {"id": "slope-1", "name": {"zh": "slope 1区", "en": "slope 1"}, "location": [22.7, 113.8]}
    assert (data["level"], data["leg"], data["unit"]["id"], data["unit"]["contact"]) == (
        "orange", "issued", "u-c1", "ext 1",
    )  # fmt: skip
    assert data["why"] == "eta('limit') < 3600 [eta('limit') = 2400 s]"
    assert data["deadline"] == cloudevent.timestamp(1.7e9 + 300)
    assert data["deadlines"] == {"accept": 300.0, "on_scene": 1800.0, "resolve": 14400.0}
    assert data["links"]["dispatch"].endswith(issued.dispatch)
