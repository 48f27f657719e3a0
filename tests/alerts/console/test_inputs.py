"""Readings pushed over HTTP, and what people report."""

from __future__ import annotations

import base64
import json
import time
import types
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from alerts.console.routes import inputs
from alerts.console.throttle import REPORTS
from sensors import frame, observation, quarantine
from sensors.observation import Report

from .conftest import Desktop, Engine


def pushed(**changes: object) -> dict[str, object]:
    return {"id": "push-0001", "readings": [{"point": "p0", "value": 1.5}, {"point": "p1", "value": 2}], **changes}


def frames(engine: Engine) -> list[frame.Frame]:
    return [frame.decode(value) for topic, value in engine.others if topic == "observations"]


def told(engine: Engine) -> list[Report]:
    found = [observation.decode(value) for topic, value in engine.others if topic == "observations"]
    return [one for one in found if isinstance(one, Report)]


def test_readings_are_durable_once_answered_and_say_who_brought_them(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    answer = client.post("/api/v1/readings", json=pushed(), headers=desktop.token("gateway"))
    assert answer.status_code == 200
    assert answer.json() == {"id": "push-0001", "accepted": 2, "refused": []}
    assert frames(engine)[0].value.tolist() == [1.5, 2.0]
    assert frames(engine)[0].header.source.startswith("token:gateway")


def test_a_push_that_is_sent_again_has_the_times_of_the_first(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("gateway")
    for _ in range(2):
        assert client.post("/api/v1/readings", json=pushed(), headers=headers).json()["accepted"] == 2
    first, again = frames(engine)
    assert first.time.tolist() == again.time.tolist()
    client.post("/api/v1/readings", json=pushed(id="push-0002"), headers=headers)
    assert frames(engine)[2].time[0] > first.time[0]


def test_each_reading_that_is_refused_is_told_by_its_place(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    body = pushed(readings=[{"point": "none", "value": 1}, {"point": "p0", "value": 1}])
    answer = client.post("/api/v1/readings", json=body, headers=desktop.token("gateway")).json()
    assert answer["accepted"] == 1
    assert answer["refused"] == [{"place": 0, "reason": "unknown_point", "detail": "no point 'none'"}]
    assert [topic for topic, _ in engine.others] == ["observations", "quarantine"]


@pytest.mark.parametrize("sent", ["NaN", "-Infinity", "1e999", "null"])
def test_a_value_that_is_not_finite_is_refused_alone_and_kept_as_it_was_sent(
    client: TestClient, desktop: Desktop, engine: Engine, sent: str
) -> None:
    body = f'{{"id": "push-0009", "readings": [{{"point": "p0", "value": {sent}}}, {{"point": "p1", "value": 2}}]}}'
    headers = {**desktop.token("gateway"), "content-type": "application/json"}
    answer = client.post("/api/v1/readings", content=body, headers=headers).json()
    assert (answer["accepted"], [one["reason"] for one in answer["refused"]]) == (1, ["not_finite"])
    (kept,) = [quarantine.decode(value) for topic, value in engine.others if topic == "quarantine"]
    assert (b"null" in kept.raw) == (sent == "null")


@pytest.mark.parametrize(
    "body",
    [
        pushed(id="short"),
        pushed(readings=[]),
        pushed(readings=[{"point": "p0", "value": 1}] * 10_001),
    ],
)
def test_a_push_that_is_not_as_it_should_be_is_refused_whole(
    client: TestClient, desktop: Desktop, engine: Engine, body: dict[str, object]
) -> None:
    assert client.post("/api/v1/readings", json=body, headers=desktop.token("gateway")).status_code == 422
    assert not engine.others


def test_a_push_may_be_larger_than_other_bodies_but_not_without_end(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("gateway")
    many = pushed(readings=[{"point": "p0", "value": k, "time": 1e9} for k in range(5000)])
    assert client.post("/api/v1/readings", json=many, headers=headers).status_code == 200
    assert client.post("/api/v1/readings", content=b" " * 2_100_000, headers=headers).status_code == 413


def test_without_an_engine_a_push_is_to_be_sent_again(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.down = True
    answer = client.post("/api/v1/readings", json=pushed(), headers=desktop.token("gateway"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_what_is_no_reading_is_refused_by_itself(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    odd = [
        {"point": "p0"},
        {"point": "\ud800"},
        {"point": "p0", "value": 1, "\ud800": 1},
        {"point": 7, "value": 1},
        "x",
        None,
        {"point": "p0", "value": 1, "colour": "red"},
    ]
    far = {"point": "p1", "value": 2.5, "unit": "m"}
    wrong = {"point": "p2", "value": 1, "unit": "kg"}
    wrong_too = {"point": "p2", "value": 1, "unit": "dB/m"}
    body = json.dumps(pushed(readings=[{"point": "p0", "value": 1.5}, *odd, far, wrong, wrong_too]))
    headers = {**desktop.token("gateway"), "content-type": "application/json"}
    answer = client.post("/api/v1/readings", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 2
    values = sorted(value for one in frames(engine) for value in one.value.tolist())
    assert values == [1.5, 2500.0], "metres become the point's millimetres"
    refused = {one["place"]: one["reason"] for one in answer.json()["refused"]}
    assert refused == {**dict.fromkeys(range(1, 8), "malformed"), 9: "wrong_unit", 10: "wrong_unit"}
    assert "value" in answer.json()["refused"][0]["detail"]
    again = client.post("/api/v1/readings", content=body, headers=headers)
    assert again.json()["accepted"] == 2, "the same push, the same digest"


def test_a_report_names_no_person_and_keeps_a_clean_photo(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    picture = cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    body = {
        "category": "smoke",
        "area": "slope-1",
        "text": "white smoke",
        "subject": " Li Lei ",
        "photo": base64.b64encode(picture).decode(),
    }
    answer = client.post("/api/v1/reports", json=body, headers=desktop.token("field")).json()
    report = told(engine)[0]
    assert (report.area, report.category, report.text) == ("slope-1", "smoke", "white smoke")
    assert report.subject and "li" not in report.subject
    assert report.actor.startswith("token:field")
    assert answer == {"id": report.id, "area": "slope-1", "photo": report.photo}
    kept = client.get(f"/api/v1/snapshots/{report.photo}.jpg", headers=desktop.token("duty"))
    assert kept.content.startswith(b"\xff\xd8")
    client.post("/api/v1/reports", json={**body, "subject": "li lei"}, headers=desktop.token("field"))
    assert told(engine)[1].subject == report.subject, "the same person, written otherwise"


def test_a_report_s_time_may_be_written_as_a_reading_s(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    at = int(time.time()) - 3600
    written = datetime.fromtimestamp(at, UTC).isoformat()
    body = {"category": "smoke", "area": "slope-1", "time": written}
    assert client.post("/api/v1/reports", json=body, headers=desktop.token("duty")).status_code == 200
    assert told(engine)[0].time == at


def test_a_report_of_an_area_by_its_former_id_is_of_the_area(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    body = {"category": "smoke", "area": "old-slope"}
    answer = client.post("/api/v1/reports", json=body, headers=desktop.token("duty"))
    assert answer.json()["area"] == told(engine)[0].area == "slope-2", "rules look for its areas by their ids"


def test_a_report_that_is_sent_again_is_the_same_one(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    body = {"id": "report-0001", "category": "flood", "area": "slope-2"}
    headers = desktop.token("duty")
    ids = {client.post("/api/v1/reports", json=body, headers=headers).json()["id"] for _ in range(2)}
    first, again = told(engine)
    assert ids == {first.id} == {again.id}
    assert first.time == again.time


def test_more_photos_than_can_be_made_anew_are_asked_to_come_again_and_hold_up_nobody(
    client: TestClient, desktop: Desktop, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = {"category": "smoke", "area": "slope-1"}
    full = types.SimpleNamespace(statistics=lambda: types.SimpleNamespace(tasks_waiting=inputs.MOST_PHOTOS))
    monkeypatch.setattr(desktop.console, "photographing", full)
    token = desktop.token("duty")
    answer = client.post("/api/v1/reports", json={**report, "photo": "AAAA"}, headers=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_many_photos")
    assert answer.headers["Retry-After"] == "10"
    assert client.post("/api/v1/reports", json=report, headers=token).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"area": "none"}, "area"),
        ({"area": None}, "area"),
        ({"area": None, "location": [0.0, 0.0]}, "area"),
        ({"category": "Not One"}, "category"),
        ({"time": "yesterday"}, "time"),
        ({"time": 1.0}, "time"),
        ({"photo": "!!!"}, "photo"),
        ({"photo": base64.b64encode(b"GIF89a").decode()}, "photo"),
    ],
)
def test_a_wrong_report_is_refused_by_its_field(
    client: TestClient, desktop: Desktop, engine: Engine, change: dict[str, object], field: str
) -> None:
    answer = client.post(
        "/api/v1/reports", json={"category": "smoke", "area": "slope-1", **change}, headers=desktop.token("duty")
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field
    assert not engine.others


def test_reports_of_one_account_are_held_to_a_number_a_minute(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    body = {"category": "smoke", "area": "slope-1"}
    answers = [client.post("/api/v1/reports", json=body, headers=desktop.token("duty")) for _ in range(REPORTS + 1)]
    assert {one.status_code for one in answers[:-1]} == {200}
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 0
    assert client.post("/api/v1/reports", json=body, headers=desktop.token("field")).status_code == 200


def test_a_value_that_is_no_number_is_refused_alone(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    values: list[object] = [None, "1", True, 0.5]
    body = pushed(readings=[{"point": "p0", "value": one} for one in values])
    answer = client.post("/api/v1/readings", json=body, headers=desktop.token("gateway")).json()
    assert answer["accepted"] == 1
    assert [(one["place"], one["reason"]) for one in answer["refused"]] == [
        (0, "not_finite"),
        (1, "malformed"),
        (2, "malformed"),
    ]


def test_an_id_that_was_used_for_something_else_is_refused(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    headers = desktop.token("gateway")
    client.post("/api/v1/readings", json=pushed(), headers=headers)
    other = client.post("/api/v1/readings", json=pushed(readings=[{"point": "p0", "value": 9}]), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "other_push")
    assert len(frames(engine)) == 1
    report = {"id": "report-0001", "category": "flood", "area": "slope-2"}
    client.post("/api/v1/reports", json=report, headers=headers)
    assert client.post("/api/v1/reports", json={**report, "area": "slope-1"}, headers=headers).status_code == 409
