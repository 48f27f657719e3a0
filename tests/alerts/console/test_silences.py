"""Silences, begun, prolonged and ended from the console."""

from __future__ import annotations

import dataclasses

import pytest
from starlette.testclient import TestClient

from alerts.console import schema
from alerts.console.accounts import add_token, list_audit

from .conftest import Desktop, Engine

WORK = {"areas": ["slope-1"], "level": "orange", "seconds": 3600, "reason": "blasting"}


def test_a_silence_is_begun_prolonged_listed_and_ended(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = desktop.token("duty")
    begun = client.post("/api/v1/silences", json=WORK, headers=headers)
    assert begun.status_code == 200, begun.text
    engine.condition(level=3)
    assert engine.journal.dispatches().items == [], "orange is silent"
    (one,) = schema.Silences.model_validate(client.get("/api/v1/silences", headers=headers).json()).items
    assert (one.id, one.areas, one.level, one.reason) == (begun.json()["id"], ["slope-1"], "orange", "blasting")
    path = f"/api/v1/silences/{one.id}"
    longer = client.post(f"{path}/prolong", json={"seconds": 7200, "reason": "late"}, headers=headers)
    assert longer.status_code == 200, longer.text
    (now,) = client.get("/api/v1/silences", headers=headers).json()["items"]
    assert now["until"] > one.until + 3000 and now["by"] == one.by
    assert client.post(f"{path}/end", json={}, headers=headers).status_code == 200
    assert client.get("/api/v1/silences", headers=headers).json()["items"] == []
    assert len(engine.journal.dispatches().items) == 1, "what is active calls at its end"
    again = client.post(f"{path}/end", json={}, headers=headers)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "silence.not_on")
    actions = [entry.action for entry in list_audit(desktop.console.accounts)]
    assert {"silence.begin", "silence.prolong", "silence.end"} <= set(actions)


def test_a_silence_asked_for_twice_under_one_key_is_one(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    headers = {**desktop.token("duty"), "Idempotency-Key": "blasting-1"}
    begun, again = (client.post("/api/v1/silences", json=WORK, headers=headers) for _ in range(2))
    assert (begun.status_code, again.json()) == (200, begun.json())
    assert len(client.get("/api/v1/silences", headers=headers).json()["items"]) == 1
    other = client.post("/api/v1/silences", json={**WORK, "seconds": 60}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_used")
    path = f"/api/v1/silences/{begun.json()['id']}/end"
    ended, again = (client.post(path, json={}, headers=headers) for _ in range(2))
    assert (ended.status_code, again.json()) == (200, ended.json()), "not that there is none any more"


def test_who_is_confined_to_a_place_is_told_what_is_silent_there_and_no_more(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("duty")
    for more in ({"areas": ["slope-1", "slope-2"]}, {"areas": [], "scopes": ["p0"]}, {"areas": [], "rules": ["creep"]}):
        assert client.post("/api/v1/silences", json={**WORK, **more}, headers=headers).status_code == 200
    _, secret = add_token(desktop.console.accounts, "there", ["duty"], places=["slope-2"])
    named = {"creep": {"title": {"zh": "边坡蠕变", "en": "Slope creep"}}}
    desktop.console.config = dataclasses.replace(desktop.console.config, rules=named)
    told = client.get("/api/v1/silences", headers={"Authorization": f"Bearer {secret}"}).json()["items"]
    covered = [(one["areas"], one["scopes"], one["rules"]) for one in told]
    assert sorted(covered) == [([], [], ["creep"]), (["slope-2"], [], [])]
    assert {name: text["zh"] for one in told for name, text in one["rule_titles"].items()} == {"creep": "边坡蠕变"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"areas": []}, 409),
        ({"areas": ["moon"]}, 404),
        ({"level": "red"}, 422),
        ({"seconds": 86401}, 422),
        ({"seconds": -1}, 422),
        ({"reason": " "}, 422),
        ({"rules": ["r"] * 201}, 422),
        ({"scopes": ["p" * 129]}, 422),
    ],
)
def test_what_cannot_be_is_refused(
    client: TestClient, desktop: Desktop, change: dict[str, object], status: int
) -> None:
    answer = client.post("/api/v1/silences", json={**WORK, **change}, headers=desktop.token("duty"))
    assert answer.status_code == status, answer.text
