"""Input that means harm, or none at all: an answer of 4xx, never of 500, and nothing reaches the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from .conftest import PASSWORD, Configure, Desktop, Engine

DEEP = b"[" * 20000 + b"]" * 20000


def test_a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes(client: TestClient) -> None:
    answer = client.post("/api/v1/session", json={"name": "x", "password": "y" * 70000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")

    def pieces() -> Iterator[bytes]:
        yield b'{"name": "'
        for _ in range(100):
            yield b"x" * 1000
        yield b'", "password": ""}'

    answer = client.post("/api/v1/session", content=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"text": 1}',
        b'{"text": null}',
        b'{"text": ""}',
        b'{"text": "x", "more": 1}',
        b'{"text": ["x"]}',
        b'{"text": "x", "sequence": "1"}',
        b'{"text": "x", "sequence": -1}',
        b'{"text": "x", "sequence": 1e400}',
        b'{"text": "x", "sequence": true}',
        b'{"text": "\\ud800"}',
        b'{"text": "' + b"x" * 4001 + b'"}',
        DEEP,
    ],
)
def test_a_body_of_another_shape_is_refused(client: TestClient, desktop: Desktop, engine: Engine, body: bytes) -> None:
    engine.condition()
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/comment"
    headers = {**desktop.token("duty"), "Content-Type": "application/json"}
    answer = client.post(path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()["error"]) <= {"code", "message", "field"}
    assert engine.commands == []


def test_a_comment_may_hold_any_text_and_comes_back_as_text(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition()
    id = engine.open_incident()["id"]
    text = "<script>alert(1)</script>'\"; DROP TABLE incidents; -- 🙈\u202e"
    headers = desktop.token("duty")
    assert client.post(f"/api/v1/incidents/{id}/comment", json={"text": text}, headers=headers).status_code == 200
    answer = client.get(f"/api/v1/incidents/{id}", headers=headers)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["history"][-1]["reason"] == text


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents?limit=0",
        "/api/v1/incidents?limit=x",
        "/api/v1/incidents?limit=99999999999999999999",
        "/api/v1/incidents?before=-1",
        "/api/v1/incidents?before=9223372036854775808",
        "/api/v1/incidents?area=" + "x" * 200,
        "/api/v1/alarms?state=" + "x" * 50,
        "/api/v1/dispatches?unit=" + "x" * 200,
        "/api/v1/points/p0/trace?from=nan",
        "/api/v1/points/p0/trace?to=inf",
        "/api/v1/points/p0/trace?from=1e300",
        "/api/v1/points/p0/trace?max=0",
        "/api/v1/points/p0/trace?max=1000000",
        "/api/v1/changes?since=-1",
        "/api/v1/changes?since=x",
        "/api/v1/quarantine?limit=100000",
        "/api/v1/incidents/" + "x" * 300,
    ],
)
def test_a_question_out_of_bounds_is_refused(client: TestClient, desktop: Desktop, path: str) -> None:
    answer = client.get(path, headers=desktop.token("administrator"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/incidents/%00",
        "/api/v1/incidents/..%2F..%2Fetc%2Fpasswd",
        "/api/v1/alarms/'%20OR%201=1--",
        "/api/v1/dispatches/%F0%9F%99%88",
        "/api/v1/points/..%2Fp0/trace",
        "/api/v1/points/%ff/trace",
        "/api/v1/areas/nowhere/status",
        "/api/v1/incidents/",
    ],
)
def test_an_id_that_is_none_is_not_found(client: TestClient, desktop: Desktop, path: str) -> None:
    answer = client.get(path, headers=desktop.token("administrator"))
    assert answer.status_code in (404, 422), answer.text


def test_a_picture_is_given_by_its_hash_and_nothing_else(
    client: TestClient, desktop: Desktop, configure: Configure
) -> None:
    folder = desktop.config.snapshots
    folder.mkdir()
    good, link = "a" * 64, "b" * 64
    (folder / f"{good}.jpg").write_bytes(b"\xff\xd8\xff picture")
    (desktop.config.data / "outside.jpg").write_bytes(b"no")
    (folder / f"{link}.jpg").symlink_to(desktop.config.data / "secret.key")
    headers = desktop.token("viewer")
    answer = client.get(f"/api/v1/snapshots/{good}.jpg", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in answer.headers["cache-control"]
    small = client.get(f"/api/v1/snapshots/{good}.jpg?width=160", headers=headers)
    assert (small.content, small.headers["content-type"]) == (answer.content, "image/jpeg"), "no picture, none smaller"
    seen = cv2.imencode(".jpg", np.zeros((90, 640, 3), np.uint8))[1].tobytes()
    (folder / f"{'d' * 64}.jpg").write_bytes(seen)
    small = client.get(f"/api/v1/snapshots/{'d' * 64}.jpg?width=320", headers=headers)
    assert (small.status_code, cv2.imdecode(np.frombuffer(small.content, np.uint8), 1).shape) == (200, (45, 320, 3))
    assert small.headers["cache-control"] == answer.headers["cache-control"]
    for width in (0, 161, 100_000, "wide"):
        refused = client.get(f"/api/v1/snapshots/{'d' * 64}.jpg?width={width}", headers=headers)
        assert refused.status_code == 422, width
    (folder / f"{good}.clip").write_bytes(b'{"frames": []}')
    clip = client.get(f"/api/v1/snapshots/{good}.clip", headers=headers)
    assert (clip.status_code, clip.headers["content-type"]) == (200, "application/octet-stream")
    (folder / f"{link}.clip").symlink_to(desktop.config.data / "secret.key")
    for name in (
        f"{link}.clip",
        f"{'c' * 64}.clip",
        good,
        f"{good}.png",
        f"{good.upper()}.jpg",
        f"{good}.jpg.jpg",
        f"{link}.jpg",
        "..%2Foutside.jpg",
        "..%2Fsecret.key",
        f"{good[:-1]}%0A.jpg",
        f"{'c' * 64}.jpg",
        "%00.jpg",
    ):
        for asked in (name, f"{name}?width=160"):
            assert client.get(f"/api/v1/snapshots/{asked}", headers=headers).status_code == 404, asked


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "Bearer " + "x" * 5000, "bearer fsk_x", "é"])
def test_a_token_that_is_none_opens_nothing(client: TestClient, header: str) -> None:
    assert client.get("/api/v1/me", headers={"Authorization": header.encode()}).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "\ud800"},
        {"name": 5},
        {"name": None},
        {"password": {"$ne": ""}},
        {"extra": True},
        {"name": "x" * 201},
        {"password": "x" * 1025},
    ],
)
def test_a_log_in_of_another_shape_is_refused(client: TestClient, desktop: Desktop, changes: dict[str, Any]) -> None:
    import json

    body = json.dumps({"name": "duty", "password": PASSWORD, **changes}).encode()
    answer = client.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert PASSWORD not in answer.text


def test_a_name_of_any_letters_only_fails(client: TestClient) -> None:
    for name in ("", "\u0000", "a\nb", "🙈" * 50, "' OR 1=1 --"):
        assert client.post("/api/v1/session", json={"name": name, "password": "x"}).status_code in (401, 422, 429)


def test_a_request_that_takes_too_long_is_given_up(configure: Configure, engine: Engine) -> None:
    desktop = Desktop(configure(command_wait=5.0, request_seconds=0.2))
    engine.condition()
    engine.silent = True
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/acknowledge"
    with desktop.client() as client:
        answer = client.post(path, json={}, headers=desktop.token("duty"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "too_slow")


def test_methods_that_a_path_does_not_have(client: TestClient, desktop: Desktop, tmp_path: Path) -> None:
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"):
        answer = client.request(method, "/api/v1/incidents", headers=desktop.token("administrator"))
        assert answer.status_code in (404, 405), method
    assert client.post("/", content=b"x").status_code == 405


@pytest.mark.parametrize("state", ["BOGUS", "'x"])
@pytest.mark.parametrize("path", ["alarms", "incidents", "dispatches"])
def test_a_state_that_there_is_not_is_refused_and_looks_not_like_calm(
    client: TestClient, desktop: Desktop, path: str, state: str
) -> None:
    answer = client.get(f"/api/v1/{path}?state={state}", headers=desktop.token("viewer"))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "state")
    assert client.get(f"/api/v1/{path}?state=all", headers=desktop.token("viewer")).status_code == 200


def test_a_body_that_is_no_json_is_called_so(client: TestClient, desktop: Desktop) -> None:
    headers = desktop.token("gateway") | {"Content-Type": "application/json"}
    answer = client.post("/api/v1/readings", content=b"{", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"] == {"code": "not_json", "message": "the body is not JSON"}


def test_a_full_disk_is_said_and_asks_to_come_again(
    client: TestClient, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = desktop.token("administrator")
    with desktop.console.accounts.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def full(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    desktop.console.accounts.engine.dispose()
    event.listen(desktop.console.accounts.engine, "connect", full)
    answers = [
        client.post("/api/v1/tokens", json={"name": f"token-{n}", "roles": ["viewer"]}, headers=headers)
        for n in range(60)
    ]
    refused = next(one for one in answers if one.status_code >= 500)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage")
    assert "retry-after" in refused.headers


def test_a_text_with_nul_is_refused_before_it_reaches_a_journal(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    engine.condition(level=2)
    path = f"/api/v1/incidents/{engine.open_incident()['id']}/comment"
    answer = client.post(path, json={"text": "nul\0here"}, headers=desktop.token("duty"))
    assert answer.status_code == 422
    assert engine.commands == []
