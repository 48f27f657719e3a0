"""Dispatch events against the CloudEvents 1.0 JSON schema's required parts and its naming of attributes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from alerts import cloudevent
from alerts.desk import Desk
from alerts.outcome import DispatchChange, IncidentChange
from tests.alerts.cases import SITE, change

ATTRIBUTES = {"id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "data"}


def check(event: dict[str, Any]) -> None:
    """Check what https://github.com/cloudevents/spec (v1.0.2, formats/cloudevents.json) requires."""
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(event[name], str) and event[name]
    assert event["specversion"] == "1.0"
    assert urlsplit(event["source"]).path == event["source"]  # a URI reference
    assert event["datacontenttype"] == "application/json"
    assert isinstance(event["subject"], str) and event["subject"]
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    for name in event.keys() - ATTRIBUTES:
        assert re.fullmatch(r"[a-z0-9]{1,20}", name), "an extension attribute is lower-case letters and digits"
        assert isinstance(event[name], str | bool | int)
    assert msgspec.json.decode(msgspec.json.encode(event)) == event


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
