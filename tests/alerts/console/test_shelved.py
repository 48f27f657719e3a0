"""Shelving through the API: what is listed, what is refused, and what old journals have to say."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from .conftest import Desktop, Engine

REASON = "the gauge is being cleaned"


def shelve(client: TestClient, engine: Engine, headers: dict[str, str], **body: Any) -> Any:
    alarm = engine.open_incident()["alarms"][0]
    order = {"seconds": 3600, "reason": REASON, **body}
    return client.post(f"/api/v1/alarms/{alarm}/shelve", json=order, headers=headers)


def test_a_shelved_alarm_is_listed_with_the_time_left(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    headers = desktop.token("duty")
    assert shelve(client, engine, headers).status_code == 200
    (one,) = client.get("/api/v1/shelved", headers=headers).json()["items"]
    assert (one["state"], one["rule_title"]["en"]) == ("SHLVD", "creep")
    assert (one["aside"]["reason"], one["aside"]["level"], one["aside"]["hidden"]) == (REASON, "yellow", 0)
    assert one["aside"]["by"].startswith("token:duty")
    assert 3590 < one["left"] <= 3600
    assert [row["id"] for row in client.get("/api/v1/alarms?state=SHLVD", headers=headers).json()["items"]] == [
        one["id"]
    ]
    assert client.get("/api/v1/shelved?area=slope-2", headers=headers).json()["items"] == []


def test_what_it_hid_is_counted_and_stands_in_its_history(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    headers = desktop.token("duty")
    shelve(client, engine, headers)
    engine.condition(level=0)
    engine.condition(level=1)
    (one,) = client.get("/api/v1/shelved", headers=headers).json()["items"]
    assert one["aside"]["hidden"] == 1
    history = client.get(f"/api/v1/alarms/{one['id']}", headers=headers).json()["transitions"]
    assert [step["edge"] for step in history] == ["alarm", "shelve", "hide"]
    assert [(step["partition"], step["offset"]) for step in history] == [(engine.partition, n) for n in (1, 2, 4)]
    answer = client.post(f"/api/v1/alarms/{one['id']}/unshelve", json={}, headers=headers)
    assert answer.status_code == 200
    assert client.get("/api/v1/shelved", headers=headers).json()["items"] == []
    alarm = client.get(f"/api/v1/alarms/{one['id']}", headers=headers).json()
    assert (alarm["state"], alarm["level"], alarm["aside"]) == ("UNACK", "blue", None)


def test_those_that_come_back_first_lead(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = desktop.token("administrator")
    for rule in ("one", "two", "three"):
        engine.condition(rule=rule)
    alarms = {row["rule"]: row["id"] for row in client.get("/api/v1/alarms", headers=headers).json()["items"]}
    for rule, verb, seconds in (("one", "shelve", 900), ("two", "out-of-service", 90_000), ("three", "suppress", 60)):
        path = f"/api/v1/alarms/{alarms[rule]}/{verb}"
        assert client.post(path, json={"seconds": seconds, "reason": REASON}, headers=headers).status_code == 200
    listed = client.get("/api/v1/shelved", headers=headers).json()["items"]
    assert [(row["rule"], row["state"]) for row in listed] == [("three", "DSUPR"), ("one", "SHLVD"), ("two", "OOSRV")]
    assert client.get("/api/v1/incidents", headers=headers).json()["items"][0]["state"] == "calm"


@pytest.mark.parametrize(
    "body",
    [
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": 1e300},
        {"seconds": "an hour"},
        {"seconds": True},
        {"seconds": "60"},
        {"seconds": None},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "x" * 4001},
        {"more": 1},
    ],
)
def test_what_is_asked_wrongly_never_reaches_the_engine(
    client: TestClient, desktop: Desktop, engine: Engine, body: dict[str, Any]
) -> None:
    engine.condition(level=2)
    assert shelve(client, engine, desktop.token("duty"), **body).status_code == 422
    assert engine.commands == []


def test_the_engine_says_why_it_refuses(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    headers = {**desktop.token("duty"), "Accept-Language": "en"}
    long = shelve(client, engine, headers, seconds=8 * 3600 + 1)
    assert (long.status_code, long.json()["error"]["code"]) == (409, "alarm.aside_too_long")
    assert shelve(client, engine, headers).status_code == 200
    again = shelve(client, engine, headers)
    assert (again.status_code, again.json()["error"]["message"]) == (409, "The alarm is already shelved")


def test_an_alarm_is_assigned_and_commented_on(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    headers = desktop.token("duty")
    path = f"/api/v1/alarms/{engine.open_incident()['alarms'][0]}"
    desktop.user("dispatcher", name="bo")
    for nobody in ("", " ", "user:", "user:ba", "unit:team"):
        answer = client.post(f"{path}/assign", json={"to": nobody}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unknown_person"), nobody
    assert client.post(f"{path}/assign", json={"to": " Bo "}, headers=headers).status_code == 200
    assert client.post(f"{path}/comment", json={"text": "bo is on it"}, headers=headers).status_code == 200
    alarm = client.get(path, headers=headers).json()
    assert alarm["assignee"] == "user:bo"
    assert (alarm["transitions"][-1]["edge"], alarm["transitions"][-1]["reason"]) == ("comment", "bo is on it")
    assert alarm["time"] <= time.time()
