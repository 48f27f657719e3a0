"""Webhooks against a real HTTP server: signed, retried, never redirected, never into private ranges unasked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Failed, Notice, Rejected, Unavailable
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.targets import TargetError, WebhookTarget, read_targets
from alerts.notifiers.webhook import WebhookSender, is_public, secret_bytes, sign, verify
from scripts.ports import free_port
from tests.alerts.notifiers.world import Receiver, Town, receiver
from tests.waiting import reached

SECRET, DAY = "a secret of the tests", 86400.0


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as it:
        yield it


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(Journal(tmp_path / "journal.sqlite"))


def target(hook: Receiver, **settings: Any) -> WebhookTarget:
    values: dict[str, Any] = {
        "name": "hook", "url": hook.url, "secret_env": "HOOK_SECRET", "allow_private": True, "retry_first": 0.005,
        "retry_cap": 0.02, "timeout": 2.0, **settings,
    }  # fmt: skip
    return WebhookTarget(**values)


def notice(payload: dict[str, Any] | None = None) -> Notice:
    return Notice(
        id="d-1.1", kind="dispatch", area="a", unit="u", simulated=False, time=0.0, payload=payload or {"id": 1}
    )


async def send_once(to: WebhookTarget, what: Notice) -> None:
    sender = WebhookSender(to)
    await sender.open()
    try:
        await sender.send(what)
    finally:
        await sender.close()


def test_an_event_arrives_signed_and_as_it_is(hook: Receiver, town: Town, tmp_path: Path) -> None:
    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target(hook)])
        await notifier.start()
        id = town.dispatch()
        await notifier.notify()
        await reached(lambda: notifier.figures()["hook"].delivered == 1)
        await notifier.stop()
        (request,) = hook.requests
        assert request.path == "/hook?x=1"
        assert request.headers["content-type"] == "application/cloudevents+json"
        assert request.headers["host"] == f"127.0.0.1:{hook.port}"
        assert request.headers["webhook-id"] == id == msgspec.json.decode(request.body)["id"]
        assert verify(SECRET.encode(), request.headers, request.body, time.time())
        assert not verify(SECRET.encode(), request.headers, request.body + b" ", time.time())
        assert not verify(b"other", request.headers, request.body, time.time())
        assert not verify(SECRET.encode(), request.headers, request.body, time.time() + 1000)

    asyncio.run(scenario())


def test_a_failing_receiver_gets_it_again_with_the_same_id(hook: Receiver, town: Town, tmp_path: Path) -> None:
    async def scenario() -> None:
        hook.answers = [500, 503, 404]
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target(hook)])
        await notifier.start()
        id = town.dispatch()
        await notifier.notify()
        await reached(lambda: notifier.figures()["hook"].delivered == 1)
        await notifier.stop()
        assert [request.headers["webhook-id"] for request in hook.requests] == [id] * 4

    asyncio.run(scenario())


def test_after_enough_attempts_it_is_a_dead_letter_that_can_be_revived(
    hook: Receiver, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.02)

    async def scenario() -> None:
        hook.answers = [500] * 3
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target(hook, attempts=3)])
        await notifier.start()
        id = town.dispatch()
        await notifier.notify()
        await reached(lambda: notifier.figures()["hook"].dead == 1)
        (letter,) = notifier.dead_letters()["hook"]
        assert (letter.notice.id, letter.attempts, letter.error) == (id, 3, "answered 500")
        beside = Deliveries(tmp_path / "outbox.sqlite")  # as the command opens it, while the notifier runs
        assert beside.revive("hook", id)
        await reached(lambda: notifier.figures()["hook"].delivered == 1)
        assert notifier.figures()["hook"].dead == 0
        assert notifier.dead_letters() == {}
        assert not beside.revive("hook", id)
        beside.close()
        await notifier.stop()

    asyncio.run(scenario())


def test_what_fails_does_not_hold_up_what_follows(hook: Receiver, town: Town, tmp_path: Path) -> None:
    async def scenario() -> None:
        hook.answers = [500]
        slow = target(hook, retry_first=60.0, retry_cap=60.0)
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [slow])
        await notifier.start()
        town.dispatch()
        second = town.dispatch("level", area="river-1")
        await notifier.notify()
        await reached(lambda: notifier.figures()["hook"].delivered == 1)
        assert hook.requests[-1].headers["webhook-id"] == second
        assert notifier.figures()["hook"].waiting == 1
        await notifier.stop()

    asyncio.run(scenario())


def test_restarts_deliver_nothing_twice_and_lose_nothing(hook: Receiver, town: Town, tmp_path: Path) -> None:
    def came(id: str) -> bool:
        return bool(hook.requests) and hook.requests[-1].headers["webhook-id"] == id

    async def scenario() -> None:
        ids: list[str] = []
        for number in range(6):
            notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target(hook)])
            ids += [town.event(2 * number), town.event(2 * number + 1)]
            await notifier.start()
            if number % 2:
                await reached(partial(came, ids[-1]))
            await notifier.stop()
        assert [request.headers["webhook-id"] for request in hook.requests] == ids

    asyncio.run(scenario())


def test_a_journal_made_anew_repeats_no_event(hook: Receiver, town: Town, tmp_path: Path) -> None:
    async def play(town: Town, path: Path, events: int) -> None:
        notifier = Notifier(path, tmp_path / "outbox.sqlite", [target(hook)])
        await notifier.start()
        for number in range(events):
            town.event(number)
        await notifier.notify()
        await reached(lambda: len(hook.requests) == max(3, events))
        await notifier.stop()

    asyncio.run(play(town, tmp_path / "journal.sqlite", 3))
    # the new one stands at a lower position, then comes by the old events again and goes on
    again = Town(Journal(tmp_path / "again.sqlite"))
    asyncio.run(play(again, tmp_path / "again.sqlite", 5))
    ids = [request.headers["webhook-id"] for request in hook.requests]
    assert ids == [f"d-{number}.1" for number in range(5)]


def test_a_rebuilt_journal_repeats_no_order_however_old_and_loses_none_that_was_not_told(
    hook: Receiver, town: Town, tmp_path: Path
) -> None:
    """The ids of deliveries are kept for thirty days only."""
    now, again, outbox = town.now, Town(Journal(tmp_path / "again.sqlite")), tmp_path / "outbox.sqlite"
    again.now -= 41 * DAY
    again.dispatch(area="river-1", simulated=True)  # its positions are others

    def event(number: int, ago: float) -> None:
        for one in (town, again):
            one.now = now - ago
            one.event(number)

    async def deliver(path: Path, time: float, came: int) -> None:
        notifier = Notifier(path, outbox, [target(hook)], clock=lambda: time)
        await notifier.start()
        await reached(lambda: len(hook.requests) == came)
        done = Deliveries(outbox)  # who stops between the answer and the note of it tells it once more, by the same id
        await reached(lambda: done.is_delivered("hook", f"d-{came - 1}.1"))
        done.close()
        await notifier.stop()

    for number, (ago, came) in enumerate([(40 * DAY, 1), (2 * DAY, 2), (60.0, 3)]):
        event(number, ago)
        asyncio.run(deliver(tmp_path / "journal.sqlite", now - ago, came))  # which forgets what is long ago
    event(3, 50.0)  # told to nobody before the journal is made anew
    deliveries = Deliveries(outbox)
    assert not deliveries.is_delivered("hook", "d-0.1") and deliveries.is_delivered("hook", "d-1.1")
    deliveries.renumber()
    deliveries.close()
    asyncio.run(deliver(tmp_path / "again.sqlite", now, 4))
    assert [request.headers["webhook-id"] for request in hook.requests] == [f"d-{number}.1" for number in range(4)]


def test_simulations_reach_only_exercise_targets(hook: Receiver, town: Town, tmp_path: Path) -> None:
    async def scenario() -> None:
        notifier = Notifier(
            tmp_path / "journal.sqlite",
            tmp_path / "outbox.sqlite",
            [target(hook), target(hook, name="drill", exercise=True)],
        )
        await notifier.start()
        town.dispatch(simulated=True)
        real = town.dispatch("level", area="river-1")
        await notifier.notify()
        await reached(lambda: len(hook.requests) == 3)
        await notifier.stop()
        assert notifier_counts(hook, real) == (2, 1)

    asyncio.run(scenario())


def notifier_counts(hook: Receiver, real: str) -> tuple[int, int]:
    ids = [request.headers["webhook-id"] for request in hook.requests]
    return ids.count(real), len(ids) - ids.count(real)


@pytest.mark.parametrize("status", [400, 410, 413])
def test_final_refusals_are_not_tried_again(hook: Receiver, status: int) -> None:
    hook.answers = [status]
    with pytest.raises(Rejected, match=str(status)):
        asyncio.run(send_once(target(hook), notice()))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_what_it_met_is_tried_again_later(hook: Receiver, status: int) -> None:
    hook.answers = [status]
    hook.headers = {"location": hook.url}
    with pytest.raises(Failed, match=str(status)):
        asyncio.run(send_once(target(hook), notice()))
    assert len(hook.requests) == 1


def test_retry_after_is_heeded(hook: Receiver) -> None:
    hook.answers = [429]
    hook.headers = {"retry-after": "7"}
    with pytest.raises(Failed) as failed:
        asyncio.run(send_once(target(hook), notice()))
    assert failed.value.after == 7.0


def test_a_slow_receiver_is_cut_off(hook: Receiver) -> None:
    done = []

    def dawdle(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(1)  # until the client gives up
        done.append(True)

    hook.answers = [dawdle]
    with pytest.raises(Failed, match=r"no answer within 0\.2 s"):
        asyncio.run(send_once(target(hook, timeout=0.2), notice()))


def test_an_endless_answer_is_not_read(hook: Receiver) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    hook.answers = [endless]
    asyncio.run(send_once(target(hook), notice()))


def test_a_dead_port_is_a_target_out_of_reach(hook: Receiver) -> None:
    with pytest.raises(Unavailable, match="ConnectError"):
        asyncio.run(send_once(target(hook, url=f"http://127.0.0.1:{free_port()}/"), notice()))


def test_a_name_that_nobody_knows_is_a_target_out_of_reach(hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_args: Any, **_settings: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    with pytest.raises(Unavailable, match="gaierror"):
        asyncio.run(send_once(target(hook), notice()))


def test_a_connection_that_does_not_come_about_in_time_is_a_target_out_of_reach(hook: Receiver) -> None:
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # fill the queue of connections: later ones are left hanging
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        with pytest.raises(Unavailable, match=r"Timeout|no connection"):
            asyncio.run(send_once(target(hook, url=url, timeout=0.3), notice()))


def test_a_connection_that_is_cut_is_a_failure(hook: Receiver) -> None:
    hook.answers = [lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)]
    with pytest.raises(Failed, match="RemoteProtocolError"):
        asyncio.run(send_once(target(hook), notice()))


def test_what_a_target_out_of_reach_misses_waits_for_it(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    attempts: list[str] = []
    send = WebhookSender.send

    async def counted(sender: WebhookSender, notice: Notice) -> None:
        attempts.append(notice.id)
        await send(sender, notice)

    monkeypatch.setattr(WebhookSender, "send", counted)

    async def scenario() -> None:
        away = target(Receiver(port=port), attempts=2)
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [away])
        await notifier.start()
        ids = [town.event(0), town.event(1)]
        await notifier.notify()
        await reached(lambda: "ConnectError" in notifier.figures()["hook"].error)
        await reached(lambda: len(attempts) > 10)  # more than a notice has
        assert (notifier.figures()["hook"].waiting, notifier.figures()["hook"].dead) == (0, 0)
        with receiver(port) as back:
            await reached(lambda: len(back.requests) == 2)
            await reached(lambda: notifier.figures()["hook"].delivered == 2)
            await notifier.stop()
            assert [request.headers["webhook-id"] for request in back.requests] == ids

    asyncio.run(scenario())


def test_an_oversized_event_is_never_sent(hook: Receiver) -> None:
    with pytest.raises(Rejected, match="bytes"):
        asyncio.run(send_once(target(hook, max_bytes=100), notice({"text": "x" * 200})))
    assert hook.requests == []


def test_a_name_that_answers_with_a_private_address_is_asked_again_later(hook: Receiver) -> None:
    to = target(hook, url=f"http://localhost:{hook.port}/", allow_private=False)
    with pytest.raises(Failed, match="not a public address"):
        asyncio.run(send_once(to, notice()))
    assert hook.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_unless_allowed(hook: Receiver, host: str) -> None:
    to = target(hook, url=f"http://{host}:{hook.port}/", allow_private=False)
    with pytest.raises(Rejected, match="not a public address"):
        asyncio.run(send_once(to, notice()))
    assert hook.requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("192.168.1.1", False), ("172.16.0.1", False),
        ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::", False), ("fe80::1%eth0", False),
        ("fc00::1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False), ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_signature_is_the_standards_own_example() -> None:
    # Standard Webhooks 1.0.0, symmetric signatures: the vector of its reference libraries
    secret = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([{"kind": "webhook", "name": "a"}], "url"),
        ([{"kind": "pigeon", "name": "a"}], "pigeon"),
        ([{"kind": "mqtt", "name": "a", "hots": "x"}], "hots"),
        ([{"kind": "mqtt", "name": "a"}, {"kind": "mqtt", "name": "a"}], "two targets"),
        ("nonsense", "array"),
    ],
)
def test_a_wrong_target_is_named(data: Any, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        read_targets(data)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "ftp://x/"}, "http"),
        ({"url": "http://an:secret@x/"}, "without a name or password"),
        ({"secret_env": ""}, "secret_env or secret_file"),
        ({"secret_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"secret_env": "", "secret_file": "/nonexistent"}, "cannot read the secret"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_at_the_start(
    hook: Receiver, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(TargetError, match=said):
        WebhookSender(target(hook, **settings))
