"""Chats and gateways through Apprise, to a real HTTP receiver on the loopback."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec
import pytest

from alerts.notifiers.chat import SCHEMES, ChatSender
from alerts.notifiers.notice import Failed, Notice, Unavailable
from alerts.notifiers.targets import ChatTarget, TargetError
from alerts.notifiers.wording import Voice
from tests.alerts.notifiers.world import Receiver, receiver
from tests.waiting import reached

VOICE = Voice(site="test", name={"zh": "测试区", "en": "Test"})
SECRET = "t0psecret"


def notice(id: str = "d-1.1") -> Notice:
    data = {"title": {"zh": "边坡", "en": "Slope"}, "edge": "issued", "level": "red"}
    return Notice(
        id=id, kind="dispatch", area="a", unit="team", simulated=False, time=1795737600.0, payload={"data": data}
    )


def chat(monkeypatch: pytest.MonkeyPatch, url: str, **changes: Any) -> ChatSender:
    monkeypatch.setenv("CHAT", url)
    target = ChatTarget(name="group", url_env="CHAT", allow_private=True, timeout=5.0)
    return ChatSender(msgspec.structs.replace(target, **changes), VOICE, lambda _: "2345-6789-ABCD")


def url_of(hook: Receiver) -> str:
    return f"json://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}"


def test_a_message_has_both_languages_the_code_and_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as hook:
        asyncio.run(chat(monkeypatch, url_of(hook)).send(notice()))
    (request,) = hook.requests
    said = json.loads(request.body)["message"]
    assert "下发" in said and "State: issued" in said and "2345-6789-ABCD" in said and "d-1.1" in said


def test_a_refusal_is_tried_again_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiver() as hook:
        hook.answers = [500, 302]
        hook.headers = {"location": f"http://127.0.0.1:{hook.port}/elsewhere"}
        sender = chat(monkeypatch, url_of(hook))
        for _ in range(2):  # a redirect is no answer either
            with pytest.raises(Failed) as failure:
                asyncio.run(sender.send(notice()))
            assert SECRET not in str(failure.value)
    assert len(hook.requests) == 2 and SECRET not in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_private_address_is_refused_as_the_connection_is_made(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with receiver() as hook:
        sender = chat(monkeypatch, f"json://{host}:{hook.port}/x", allow_private=False)
        with pytest.raises(Failed, match="private"):
            asyncio.run(sender.send(notice()))
    assert hook.requests == []


def test_a_name_that_moves_into_a_private_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        asked.append(str(host))
        return (
            real("127.0.0.1", port, *rest, **named) if host == "chat.example.org" else real(host, port, *rest, **named)
        )

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiver() as hook:
        with pytest.raises(Failed):
            asyncio.run(chat(monkeypatch, f"json://chat.example.org:{hook.port}/x", allow_private=False).send(notice()))
        assert "chat.example.org" in asked and hook.requests == []
        asyncio.run(chat(monkeypatch, f"json://chat.example.org:{hook.port}/x").send(notice()))
        assert len(hook.requests) == 1


def test_a_service_that_hangs_is_given_up_and_what_it_took_after_all_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        go.wait(10)
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    async def scenario(hook: Receiver) -> None:
        sender = chat(monkeypatch, url_of(hook), timeout=0.2)
        with pytest.raises(Failed, match=r"no answer within 0\.2 s"):
            await sender.send(notice())
        with pytest.raises(Unavailable, match="under way"):
            await sender.send(notice("d-2.1"))
        go.set()
        await reached(lambda: sender._under_way is not None and sender._under_way[1].done())
        await sender.send(notice())
        await sender.send(notice("d-2.1"))

    with receiver() as hook:
        answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = [hang]
        hook.answers = answers
        asyncio.run(scenario(hook))
    assert len(hook.requests) == 2


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "mailto://u:p@example.org", "syslog://", "dbus://", "windows://", "custom://x", "x", ""],
)
def test_a_service_that_is_not_on_the_list_is_no_target(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(TargetError) as refusal:
        chat(monkeypatch, url)
    assert "passwd" not in str(refusal.value)


def test_two_addresses_or_a_wrong_one_are_no_target_and_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (f"json://a/{SECRET}, file:///x", "tgram://", "json://a/x y"):
        with pytest.raises(TargetError) as refusal:
            chat(monkeypatch, url)
        assert SECRET not in str(refusal.value)


def test_every_service_of_the_list_is_one_that_apprise_has() -> None:
    import apprise

    there: set[str] = set()
    for one in apprise.Apprise().details()["schemas"]:  # type: ignore[union-attr]
        there |= set(one["protocols"] or ()) | set(one["secure_protocols"] or ())
    assert there >= SCHEMES
