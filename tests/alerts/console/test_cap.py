"""CAP 1.2 of incidents: each message fits the schema and refers to those before it; the feed lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import msgspec
import xmlschema
from starlette.testclient import TestClient

from sensors.site import Link

from .conftest import Desktop, Engine

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[1] / "schemas" / "cap-1.2.xsd")
ATOM = "{http://www.w3.org/2005/Atom}"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def entries(client: TestClient, headers: dict[str, str]) -> list[Any]:
    answer = client.get("/api/v1/cap.atom", headers=headers)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/atom+xml")
    return fromstring(answer.content).findall(f"{ATOM}entry")


def messages(client: TestClient, headers: dict[str, str]) -> list[Any]:
    """Fetch every message that the feed links to, the oldest first, each checked against the schema."""
    found = []
    for entry in reversed(entries(client, headers)):
        link = entry.find(f"{ATOM}link")
        answer = client.get(link.get("href").partition("8700")[2], headers=headers)
        assert answer.headers["content-type"].startswith("application/cap+xml")
        SCHEMA.validate(answer.text)
        found.append(fromstring(answer.content))
    return found


def of(message: Any, name: str) -> str:
    return str(message.findtext(f"{CAP}{name}") or "")


def test_an_incident_is_a_chain_of_alert_updates_and_cancel(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("duty")
    engine.condition(level=2)
    engine.condition(level=4)
    id = engine.open_incident()["id"]
    client.post(f"/api/v1/incidents/{id}/comment", json={"text": "seen"}, headers=headers)  # no message of its own
    client.post(f"/api/v1/incidents/{id}/acknowledge", json={}, headers=headers)
    engine.condition(level=0)
    chain = messages(client, headers)
    assert [of(one, "msgType") for one in chain] == ["Alert", "Update", "Cancel"]
    sent = [f"{of(one, 'sender')},{of(one, 'identifier')},{of(one, 'sent')}" for one in chain]
    assert [of(one, "references") for one in chain] == ["", sent[0], " ".join(sent[:2])]
    assert [of(one.find(f"{CAP}info"), "severity") for one in chain] == ["Moderate", "Extreme", "Extreme"]
    assert {of(one, "status") for one in chain} == {"Actual"}
    infos = chain[0].findall(f"{CAP}info")
    assert [of(info, "language") for info in infos] == ["zh-CN", "en"] and of(infos[1], "event") == "slope"
    assert of(chain[2].find(f"{CAP}info"), "responseType") == "AllClear"
    engine.condition(level=3)
    again = messages(client, headers)[-1]
    assert (of(again, "msgType"), of(again, "references")) == ("Alert", ""), "nobody updates what was cancelled"


def test_what_is_only_hidden_is_not_said_to_be_over(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = desktop.token("duty")
    engine.condition(level=2)
    engine.condition(level=2, rule="other")
    id = engine.open_incident()["id"]
    first, second = client.get(f"/api/v1/incidents/{id}", headers=headers).json()["alarms"]
    order = {"seconds": 600, "reason": "being looked at"}
    assert client.post(f"/api/v1/alarms/{first}/shelve", json=order, headers=headers).status_code == 200
    assert client.post(f"/api/v1/alarms/{second}/shelve", json=order, headers=headers).status_code == 200
    assert engine.open_incident()["state"] == "calm"
    assert [of(one, "msgType") for one in messages(client, headers)] == ["Alert"]
    client.post(f"/api/v1/alarms/{second}/unshelve", json={}, headers=headers)
    engine.condition(level=0, rule="other")  # calm for the engine: the first alarm is shelved, and active behind that
    assert [of(one, "msgType") for one in messages(client, headers)] == ["Alert"]
    close = {"disposition": "test", "reason": "the sensor was being tried"}
    assert client.post(f"/api/v1/incidents/{id}/close", json=close, headers=headers).status_code == 200
    assert [of(one, "msgType") for one in messages(client, headers)] == ["Alert", "Cancel"]


def test_an_exercise_is_marked_in_the_message_and_in_the_feed(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2, simulated=True)
    headers = desktop.token("viewer")
    (message,) = messages(client, headers)
    assert of(message, "status") == "Exercise"
    (entry,) = entries(client, headers)
    assert "演练" in entry.findtext(f"{ATOM}title") and entry.find(f"{ATOM}category").get("term") == "Exercise"


def test_what_is_no_risk_is_not_published_and_what_is_not_there_is_not_found(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("viewer")
    engine.camera_trouble("cam", 1)
    assert entries(client, headers) == []
    incident = engine.open_incident()["id"]
    for id in (f"{incident}.1", "i-0.1", "x", "%00", "i-0." + "9" * 150):
        assert client.get(f"/api/v1/cap/{id}", headers=headers).status_code == 404


def test_a_feed_that_has_not_changed_is_not_sent_again(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    headers = desktop.token("viewer")
    tag = client.get("/api/v1/cap.atom", headers=headers).headers["etag"]
    assert client.get("/api/v1/cap.atom", headers={**headers, "If-None-Match": tag}).status_code == 304
    engine.condition(level=3)
    assert client.get("/api/v1/cap.atom", headers={**headers, "If-None-Match": tag}).status_code == 200


def codes(info: Any) -> list[str]:
    return [of(area.find(f"{CAP}geocode"), "value") for area in info.findall(f"{CAP}area")]


def test_linked_areas_are_all_told_that_of_the_cause_first(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    link = Link(areas=("slope-2", "slope-1"), kind="upstream")
    engine.desk.publish(msgspec.structs.replace(engine.site, links=(link,)))
    engine.condition(level=2)
    engine.condition(area="slope-2", level=2, rule="above")
    chain = messages(client, desktop.token("duty"))
    assert [of(one, "msgType") for one in chain] == ["Alert", "Update"], "another area is news"
    infos = [one.findall(f"{CAP}info")[1] for one in chain]
    assert [codes(info) for info in infos] == [["slope-1"], ["slope-2", "slope-1"]]
    assert of(infos[1], "headline").startswith("slope 2")
    id = engine.open_incident()["id"]
    found = client.get(f"/api/v1/incidents/{id}", headers=desktop.token("duty")).json()
    assert list(found["suggested_at"]) == ["slope-2", "slope-1"] and found["suggested_units"][0] == "team"
    sent = {"area": "slope-1", "unit": "team"}
    assert client.post(f"/api/v1/incidents/{id}/dispatch", json=sent, headers=desktop.token("duty")).status_code == 200
    (order,) = client.get("/api/v1/dispatches", headers=desktop.token("duty")).json()["items"]
    assert order["area"] == "slope-1"


def test_what_was_merged_is_cancelled_without_an_all_clear_and_names_what_goes_on(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("duty")
    engine.condition(level=2)
    one = engine.open_incident()["id"]
    engine.condition(area="slope-2", level=2, rule="other")
    other = next(id for id in engine.desk.book.cases.incidents if id != one)
    asked = client.post(f"/api/v1/incidents/{one}/merge", json={"incidents": [other]}, headers=headers)
    assert asked.status_code == 200
    found = {of(message, "msgType"): message for message in messages(client, headers)}
    cancel, update = found["Cancel"], found["Update"]
    assert of(cancel, "incidents") == f"{other} {one}"
    assert of(cancel, "note") == "并入另一事件 / merged into another" and of(cancel, "references").count(",") == 2
    info = cancel.find(f"{CAP}info")
    assert (of(info, "responseType"), of(info, "urgency")) == ("Assess", "Future")
    assert of(update, "incidents") == f"{one} {other}"
    assert codes(update.find(f"{CAP}info")) == ["slope-1", "slope-2"]
    again = client.post(f"/api/v1/incidents/{one}/merge", json={"incidents": [other]}, headers=headers)
    assert again.status_code == 409 and again.json()["error"]["code"] == "incident.merged", "two people at once"
