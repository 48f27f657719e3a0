"""Modes of the site, begun and ended from the console."""

from __future__ import annotations

from starlette.testclient import TestClient

from alerts.console import schema
from alerts.console.accounts import list_audit

from .conftest import Desktop, Engine

WORK = {"mode": "maintenance", "areas": ["slope-1"], "seconds": 3600, "reason": "pumps are exchanged"}


def test_a_mode_is_begun_listed_and_ended_in_ones_own_name(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("dispatcher")
    keyed = {**headers, "Idempotency-Key": "pumps-08"}
    begun, again = (client.post("/api/v1/modes", json=WORK, headers=keyed) for _ in range(2))
    assert begun.status_code == 200, begun.text
    assert again.json() == begun.json(), "the same order, done once"
    told = schema.Modes.model_validate(client.get("/api/v1/modes", headers=headers).json())
    assert [mode.id for mode in told.modes] == ["maintenance", "exercise"]
    (one,) = told.items
    assert (one.mode, one.area, one.state, one.reason) == ("maintenance", "slope-1", "on", "pumps are exchanged")
    assert one.order == begun.json()["id"] and one.until - one.since <= 3600.0
    ended = client.post("/api/v1/modes/end", json={"mode": "maintenance", "areas": ["slope-1"]}, headers=headers)
    assert ended.status_code == 200, ended.text
    assert client.get("/api/v1/modes", headers=headers).json()["items"] == []
    (past,) = client.get("/api/v1/modes?past=true", headers=headers).json()["items"]
    assert past["state"] == "ended" and past["ended_by"] == one.by
    actions = [(entry.action, entry.target) for entry in list_audit(desktop.console.accounts)]
    assert {("mode.begin", "maintenance"), ("mode.end", "maintenance")} <= set(actions)


def test_what_the_engine_refuses_is_said(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = desktop.token("analyst")
    unknown = client.post("/api/v1/modes", json={**WORK, "mode": "holiday"}, headers=headers)
    assert unknown.status_code == 409 and unknown.json()["error"]["code"] == "mode.unknown"
    long = client.post("/api/v1/modes", json={**WORK, "seconds": 29 * 86400}, headers=headers)
    assert long.json()["error"]["message"] == "That is longer than this mode may last"
    not_on = client.post("/api/v1/modes/end", json={"mode": "exercise"}, headers=headers)
    assert not_on.json()["error"]["code"] == "mode.not_on"


def test_a_place_that_is_not_there_and_a_missing_reason_never_reach_the_engine(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("analyst")
    assert client.post("/api/v1/modes", json={**WORK, "areas": ["moon"]}, headers=headers).status_code == 404
    for wrong in ({"reason": " "}, {"seconds": -1}, {"seconds": 1e300}, {"areas": ["slope-1"] * 1001}):
        assert client.post("/api/v1/modes", json={**WORK, **wrong}, headers=headers).status_code == 422
    assert client.get("/api/v1/modes", headers=headers).json()["items"] == []
