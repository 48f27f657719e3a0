from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from alerts.console import schema, viewing
from alerts.console.accounts import list_audit
from alerts.console.viewing import TooManyLive, Viewing, frames

from .conftest import Configure, Desktop, Engine

STILL, LIVE = "/api/v1/cameras/cam/still.jpg", "/api/v1/cameras/cam/live.mjpeg"


def giving(found: tuple[float, bytes] | str) -> Any:
    async def newest(camera: str) -> tuple[float, bytes] | str:
        return found

    return newest


def test_a_still_is_what_the_camera_shows_now_and_the_look_is_audited_once(configure: Configure) -> None:
    desktop = Desktop(configure(newest=giving((1e9, b"jpeg"))))
    with desktop.client() as client:
        headers = desktop.token("duty")
        for _ in range(3):
            answer = client.get(STILL, headers=headers)
            assert (answer.status_code, answer.content) == (200, b"jpeg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
        client.get(STILL, headers=desktop.token("administrator"))
        noted = list_audit(desktop.console.accounts, action="camera.still")
        assert [one.target for one in noted] == ["cam", "cam"]
        assert len({one.actor for one in noted}) == 2


@pytest.mark.parametrize(
    ("problem", "status"),
    [("cameras_away", 503), ("camera_no_picture", 503), ("camera_not_read", 409), ("not_found", 404)],
)
def test_why_there_is_no_picture_is_said_clearly(configure: Configure, problem: str, status: int) -> None:
    desktop = Desktop(configure(newest=giving(problem)))
    with desktop.client() as client:
        for path in (STILL, LIVE):
            answer = client.get(path, headers=desktop.token("duty"))
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, problem)
            assert answer.json()["error"]["message"] != problem, "there is a text for it"
        assert not list_audit(desktop.console.accounts, action="camera"), "nothing was seen"


def test_a_camera_that_the_site_has_not_is_not_found(configure: Configure) -> None:
    desktop = Desktop(configure(newest=giving((1e9, b"jpeg"))))
    with desktop.client() as client:
        for path in (STILL, LIVE):
            assert client.get(path.replace("/cam/", "/none/"), headers=desktop.token("duty")).status_code == 404


def test_who_asks_for_too_many_stills_is_told_to_wait(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MOST_STILLS", 2)
    desktop = Desktop(configure(newest=giving((1e9, b"jpeg"))))
    with desktop.client() as client:
        answers = [client.get(STILL, headers=desktop.token("duty")) for _ in range(20)]
        refused = [one for one in answers if one.status_code == 429]
        assert refused
        assert refused[0].json()["error"]["code"] == "too_many_looks"
        assert client.get(STILL, headers=desktop.token("administrator")).status_code == 200, "others are not held up"


def test_live_is_mjpeg_audited_and_ends_with_the_pictures(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewing, "EVERY", 0.001)
    shown: list[tuple[float, bytes] | str] = [(1.0, b"first"), (1.0, b"first"), (1.0, b"first"), (2.0, b"second")]

    async def newest(camera: str) -> tuple[float, bytes] | str:
        return shown.pop(0) if shown else "camera_no_picture"

    desktop = Desktop(configure(newest=newest))
    with desktop.client() as client:
        answer = client.get(LIVE, headers=desktop.token("duty"))
        assert answer.headers["content-type"] == f"multipart/x-mixed-replace; boundary={viewing.BOUNDARY}"
        parts = answer.content.split(f"--{viewing.BOUNDARY}\r\n".encode())[1:]
        assert [part.split(b"\r\n\r\n")[1].strip() for part in parts] == [b"first", b"second"], "none is sent twice"
        assert b"Content-Length: 5" in parts[0]
        assert [one.target for one in list_audit(desktop.console.accounts, action="camera.live")] == ["cam"]
        desktop.console.viewing.open("x")  # there is room again
        assert desktop.console.viewing._open.total() == 1


def test_live_pictures_are_limited_each_and_in_all(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    own, many = Viewing(), Viewing()
    for _ in range(viewing.MOST_LIVE_EACH):
        own.open("user:a")
    with pytest.raises(TooManyLive) as caught:
        own.open("user:a")
    assert caught.value.own
    for number in range(viewing.MOST_LIVE):
        many.open(f"user:{number}")
    with pytest.raises(TooManyLive) as caught:
        many.open("user:more")
    assert not caught.value.own
    many.leave("user:0")
    many.open("user:more")
    monkeypatch.setattr(viewing, "MOST_LIVE_EACH", 0)
    desktop = Desktop(configure(newest=giving((1e9, b"jpeg"))))
    with desktop.client() as client:
        answer = client.get(LIVE, headers=desktop.token("duty"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_of_yours")


def test_who_may_not_look_any_longer_sees_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "EVERY", 0.001)
    monkeypatch.setattr(viewing, "RECHECK", 0.0)
    allowed = [True, True, False]

    async def may() -> bool:
        return allowed.pop(0)

    async def newest(camera: str) -> tuple[float, bytes] | str:
        return time.monotonic(), b"jpeg"

    async def test() -> int:
        return len([part async for part in frames(newest, "cam", may)])

    assert asyncio.run(test()) == 2


def test_a_forgotten_live_picture_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "LONGEST_LIVE", 0.0)

    async def may() -> bool:
        return True

    async def test() -> list[bytes]:
        return [part async for part in frames(giving((1.0, b"jpeg")), "cam", may)]

    assert asyncio.run(test()) == []


def test_how_cameras_fare_comes_from_the_journal(configure: Configure, engine: Engine) -> None:
    site = engine.site
    renewed = msgspec.structs.replace(
        site,
        cameras=tuple(
            msgspec.structs.replace(one, supplier="acme", viewer="https://v.example/{camera}") for one in site.cameras
        ),
    )
    desktop = Desktop(configure(site=renewed))
    with desktop.client() as client:
        headers = desktop.token("viewer")
        engine.camera_trouble("cam", 1)
        told = client.get("/api/v1/cameras/operations", headers=headers).json()
        schema.CameraOperations.model_validate(told)
        [camera] = told["cameras"]
        assert (camera["camera"], camera["supplier"], camera["troubled"], camera["troubles"]) == (
            "cam",
            "acme",
            True,
            1,
        )
        engine.camera_trouble("cam", 0)
        [supplier] = client.get("/api/v1/cameras/operations?days=1", headers=headers).json()["suppliers"]
        assert (supplier["name"], supplier["troubled"], supplier["repairs"]) == ("acme", 0, 1)
        assert supplier["time_to_repair"] >= 0
        [shown] = client.get("/api/v1/site", headers=headers).json()["cameras"]
        assert shown["viewer"] == "https://v.example/cam"
        assert client.get("/api/v1/cameras/operations?days=0", headers=headers).status_code == 422
