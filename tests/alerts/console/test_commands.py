from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from starlette.testclient import TestClient

from alerts.console import schema
from alerts.console.accounts import list_audit
from sensors.lookup import Registry
from sensors.observation import Report
from sensors.partition import partition_of
from sensors.site import ReportKind, Site

from .conftest import Configure, Desktop, Engine, make_site, named


@pytest.fixture
def site() -> Site:
    told = ReportKind(category="quarrel", name=named("quarrel"), type="dispute", units=("other",))
    return msgspec.structs.replace(make_site(), reports=(told,))


def test_an_acknowledgement_is_done_by_the_engine_and_told(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2)
    id = engine.open_incident()["id"]
    headers = desktop.log_in(client, "duty")
    answer = client.post(f"/api/v1/incidents/{id}/acknowledge", json={}, headers=headers)
    assert answer.status_code == 200, answer.text
    done = schema.Done.model_validate(answer.json())
    assert done.ok
    assert done.result.id == done.id == engine.commands[0].id
    assert engine.commands[0].actor == "user:duty"
    assert client.get(f"/api/v1/incidents/{id}").json()["acknowledged_by"] == "user:duty"
    wait = time.monotonic() + 5
    while not [entry for entry in list_audit(desktop.console.accounts) if entry.action == "command.acknowledge"]:
        assert time.monotonic() < wait
    entry = list_audit(desktop.console.accounts)[0]
    assert (entry.actor, entry.target, entry.detail) == ("user:duty", id, {"command": done.id})


def test_a_command_goes_where_the_readings_of_its_area_go(configure: Configure, site: Site, engine: Engine) -> None:
    """An area without a group of its own is alone, also where its place lies in a subdistrict."""
    areas = tuple(msgspec.structs.replace(area, group="") for area in site.areas)
    lone = msgspec.structs.replace(site, areas=areas, partitions=64)
    engine.partition = Registry(lone).partition("slope-1")  # the engine takes no command from another one
    assert engine.partition != partition_of("s", 64)
    engine.condition(level=2)
    desktop = Desktop(configure(site=lone))
    with desktop.client() as client:
        path = f"/api/v1/incidents/{engine.open_incident()['id']}/acknowledge"
        assert client.post(path, json={}, headers=desktop.token("duty")).status_code == 200


def test_what_the_engine_refuses_is_said_in_the_readers_language(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2)
    id = engine.open_incident()["id"]
    headers = desktop.token("duty")
    assert client.post(f"/api/v1/incidents/{id}/acknowledge", json={}, headers=headers).status_code == 200
    again = client.post(f"/api/v1/incidents/{id}/acknowledge", json={}, headers=headers)
    assert again.status_code == 409
    assert again.json()["error"] == {
        "code": "incident.already_acknowledged",
        "message": "The incident is already acknowledged",
    }
    chinese = client.post(
        f"/api/v1/incidents/{id}/acknowledge", json={}, headers={**headers, "Accept-Language": "zh-CN"}
    )
    assert chinese.json()["error"]["message"] == "事件已被确认"
    stale = client.post(f"/api/v1/incidents/{id}/comment", json={"text": "x", "sequence": 1}, headers=headers)
    assert stale.json()["error"]["code"] == "stale"


def test_a_repeated_key_is_one_command(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    id = engine.open_incident()["id"]
    headers = {**desktop.token("duty"), "Idempotency-Key": "0b6f5a3e-7d1c"}
    answers = [
        client.post(f"/api/v1/incidents/{id}/comment", json={"text": "on my way"}, headers=headers) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    history = client.get(f"/api/v1/incidents/{id}", headers=headers).json()["history"]
    assert [change["edge"] for change in history].count("commented") == 1
    said = client.post(f"/api/v1/incidents/{id}/comment", json={"text": "not on my way"}, headers=headers)
    assert (said.status_code, said.json()["error"]["code"]) == (422, "key_used"), "it was not done: nobody may think so"
    # another's key, and the same key elsewhere, are other commands
    other = {**desktop.token("dispatcher"), "Idempotency-Key": "0b6f5a3e-7d1c"}
    assert client.post(f"/api/v1/incidents/{id}/comment", json={"text": "so am I"}, headers=other).status_code == 200
    alarm = engine.open_incident()["alarms"][0]
    assert client.post(f"/api/v1/alarms/{alarm}/acknowledge", json={}, headers=headers).status_code == 200
    assert len({command.id for command in engine.commands}) == 3


def test_a_key_used_twice_at_once_is_one_command(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    id = engine.open_incident()["id"]
    headers = {**desktop.token("duty"), "Idempotency-Key": "twice-at-once"}

    def give(_: int) -> int:
        return client.post(f"/api/v1/incidents/{id}/comment", json={"text": "x"}, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(give, range(8))) == [200] * 8
    history = client.get(f"/api/v1/incidents/{id}", headers=headers).json()["history"]
    assert [change["edge"] for change in history].count("commented") == 1


def test_what_was_asked_again_in_other_words_while_no_answer_came_is_answered_each_by_its_own(
    configure: Configure, engine: Engine
) -> None:
    desktop = Desktop(configure(command_wait=0.1))
    engine.condition()
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/close"
    bodies = [{"disposition": "nuisance", "reason": reason} for reason in ("a dog", "a dog (told late)")]
    with desktop.client() as client:
        headers = {**desktop.token("duty"), "Idempotency-Key": "0b6f5a3e-7d1d"}
        engine.silent = True
        assert {client.post(path, json=body, headers=headers).status_code for body in bodies} == {504}
        for command in engine.commands:
            engine.record(engine.desk.command(command, time.time()))
        assert [client.post(path, json=body, headers=headers).status_code for body in bodies] == [200, 409]


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space and more", "tab\tinside"])
def test_a_key_that_is_none_is_refused(client: TestClient, desktop: Desktop, engine: Engine, key: str) -> None:
    engine.condition()
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/acknowledge"
    answer = client.post(path, json={}, headers={**desktop.token("duty"), "Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_key")


def test_an_engine_that_is_silent_or_away_is_said_to_be(configure: Configure, engine: Engine) -> None:
    desktop = Desktop(configure(command_wait=0.1))
    engine.condition()
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/acknowledge"
    with desktop.client() as client:
        engine.silent = True
        answer = client.post(path, json={}, headers=desktop.token("duty"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "no_answer")
        engine.down = True
        answer = client.post(path, json={}, headers=desktop.token("duty"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_engine")


def test_a_lost_poke_only_delays_the_answer(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition()
    engine.publish = lambda *_, **__: None  # type: ignore[method-assign]
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/acknowledge"
    assert client.post(path, json={}, headers=desktop.token("duty")).status_code == 200


def test_who_answers_for_what_was_reported_is_the_first_to_be_sent(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    now = time.time()
    report = Report(id="r1", category="quarrel", area="slope-1", text="", time=now, received=now, actor="user:li")
    engine.record(engine.desk.report(report, now))
    id, duty = engine.open_incident()["id"], desktop.token("dispatcher")
    suggested = client.get(f"/api/v1/incidents/{id}", headers=duty).json()["suggested_units"]
    assert suggested == ["other", "team", "sub"]
    assert client.post(f"/api/v1/incidents/{id}/dispatch", json={}, headers=duty).status_code == 200
    (task,) = client.get("/api/v1/dispatches", headers=duty).json()["items"]
    assert task["unit"] == suggested[0], "the engine takes the same"


def test_an_incident_is_dispatched_worked_and_closed(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    id = engine.open_incident()["id"]
    duty, team = desktop.token("dispatcher"), desktop.token("field", "team")
    told = client.get(f"/api/v1/incidents/{id}", headers=duty)
    assert schema.Incident.model_validate(told.json()).suggested_units == ["team", "sub", "other"]
    sent = client.post(f"/api/v1/incidents/{id}/dispatch", json={"unit": "team", "note": "look"}, headers=duty)
    assert sent.status_code == 200
    task = client.get("/api/v1/dispatches", headers=team).json()["items"][0]
    assert (task["unit"], task["leg"], task["note"]) == ("team", "issued", "look")
    for verb, leg in (("accept", "accepted"), ("on-scene", "on_scene"), ("resolve", "resolved"), ("close", "closed")):
        answer = client.post(f"/api/v1/dispatches/{task['id']}/{verb}", json={"note": "done"}, headers=team)
        assert answer.status_code == 200, (verb, answer.text)
        assert client.get(f"/api/v1/dispatches/{task['id']}", headers=team).json()["leg"] == leg
    assert client.get("/api/v1/dispatches", headers=team).json()["items"] == []
    assert len(client.get("/api/v1/dispatches?state=all", headers=team).json()["items"]) == 1
    assert "team" in client.get(f"/api/v1/incidents/{id}", headers=duty).json()["suggested_units"]
    for verb in ("refuse", "close"):  # the next unit has it, and is called back
        if verb == "refuse":
            client.post(f"/api/v1/incidents/{id}/dispatch", json={"unit": "team"}, headers=duty)
        (task,) = client.get("/api/v1/dispatches", headers=duty).json()["items"]
        answer = client.post(f"/api/v1/dispatches/{task['id']}/{verb}", json={"reason": "no car"}, headers=duty)
        assert answer.status_code == 200, answer.text
    suggested = client.get(f"/api/v1/incidents/{id}", headers=duty).json()["suggested_units"]
    assert suggested == ["sub", "other", "team"], "who has refused comes last"
    closed = client.post(f"/api/v1/incidents/{id}/close", json={"disposition": "test", "reason": "drill"}, headers=duty)
    assert closed.status_code == 200, closed.text
    assert client.get("/api/v1/incidents", headers=duty).json()["items"] == []
    listed = client.get("/api/v1/incidents?state=closed", headers=duty).json()["items"]
    assert [item["disposition"] for item in listed] == ["test"]


def test_lists_page_and_alarms_carry_their_rule(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    for number in range(5):
        engine.condition(rule=f"rule-{number}", level=1)
    headers = desktop.token("viewer")
    first = client.get("/api/v1/alarms?limit=3", headers=headers).json()
    schema.Alarms.model_validate(first)
    rest = client.get(f"/api/v1/alarms?limit=3&before={first['next']}", headers=headers).json()
    rules = [item["rule"] for item in first["items"] + rest["items"]]
    assert rules == [f"rule-{number}" for number in (4, 3, 2, 1, 0)]
    assert rest["next"] is None
    alarm = client.get(f"/api/v1/alarms/{first['items'][0]['id']}", headers=headers).json()
    assert alarm["rule_title"] == {"zh": "蠕变", "en": "creep"}
    assert alarm["transitions"][0]["edge"] == "alarm"
    assert alarm["transitions"][0]["reason"] == ""
    assert json.dumps(alarm)


def test_incidents_are_merged_and_split_by_order(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=2)
    (first,) = engine.journal.incidents().items
    engine.condition(level=2, rule="creep-2", area="slope-2")
    other = next(one for one in engine.journal.incidents().items if one["id"] != first["id"])
    headers = desktop.token("duty")
    merged = client.post(f"/api/v1/incidents/{first['id']}/merge", json={"incidents": [other["id"]]}, headers=headers)
    assert merged.status_code == 200, merged.text
    found = client.get(f"/api/v1/incidents/{first['id']}", headers=headers).json()
    assert len(found["alarm_details"]) == 2
    alarm = next(one["id"] for one in found["alarm_details"] if one["id"] != found["cause"])
    split = client.post(f"/api/v1/incidents/{first['id']}/split", json={"alarms": [alarm]}, headers=headers)
    assert split.status_code == 200, split.text
    assert {one["state"] for one in engine.journal.incidents("all").items} == {"open", "closed"}
    none = client.post(f"/api/v1/incidents/{first['id']}/split", json={"alarms": []}, headers=headers)
    assert none.status_code == 422


def test_what_rose_together_is_listed_and_merged_or_dropped(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.desk.book.settings = msgspec.structs.replace(engine.desk.book.settings, candidate_areas=2)
    headers = desktop.token("duty")
    assert client.get("/api/v1/candidates", headers=headers).json() == {"items": []}
    engine.condition(level=2)
    engine.condition(level=2, rule="creep-2", area="slope-2")
    (one,) = schema.Candidates.model_validate(client.get("/api/v1/candidates", headers=headers).json()).items
    assert (one.place, set(one.areas), len(one.incidents)) == ("s", {"slope-1", "slope-2"}, 2)
    path = f"/api/v1/candidates/{one.id}"
    assert client.post(f"{path}/drop", json={"reason": "two roads"}, headers=headers).status_code == 200
    assert client.get("/api/v1/candidates", headers=headers).json() == {"items": []}
    assert client.get("/api/v1/candidates?state=dropped", headers=headers).json()["items"][0]["by"].startswith("token:")
    merged = client.post(f"{path}/merge", json={}, headers=headers)
    assert merged.status_code == 200, merged.text
    assert len(engine.journal.incidents().items) == 1
    assert client.post(f"{path}/merge", json={}, headers=headers).status_code == 409
    assert client.post("/api/v1/candidates/k-none/merge", json={}, headers=headers).status_code == 404
