"""The worked receivers: each event counts once, however often it comes and whoever dies in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from alerts.notifiers.notice import Failed, Notice
from alerts.notifiers.signature import sign
from alerts.notifiers.targets import WebhookTarget
from alerts.notifiers.webhook import WebhookSender
from tests.integration.test_outbound import mosquitto
from tests.waiting import until

RECEIVERS = Path(__file__).resolve().parents[2] / "examples" / "receivers"
SECRET = "whsec_a2tra2tra2tra2tra2tra2tra2tra2tr"
EVENT = {
    "id": "d-1.1",
    "data": {"status": "Actual", "edge": "issued", "unit": {"id": "team"}, "title": {"en": "creep"}},
}


@pytest.fixture(autouse=True)
def receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(RECEIVERS))


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Any]:
    from inbox import Inbox

    made = Inbox(tmp_path / "inbox.sqlite")
    yield made
    made.close()


@pytest.fixture
def server(inbox: Any) -> Iterator[Any]:
    from webhook import Server, key_of

    made = Server(inbox, key_of(SECRET))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def acted(inbox: Any) -> list[str]:
    found: list[str] = []
    inbox.work(lambda event: found.append(event["id"]))
    return found


def test_an_event_counts_once_by_its_id_and_is_acted_on_again_only_where_that_failed(
    inbox: Any, tmp_path: Path
) -> None:
    from inbox import Inbox

    assert [inbox.take("a", {"id": "a"}), inbox.take("a", {"id": "a"}), inbox.take("b", {"id": "b"})] == [
        True,
        False,
        True,
    ]

    def fail(event: dict[str, Any]) -> None:
        if event["id"] == "b":
            raise OSError("the printer is out of paper")

    with pytest.raises(OSError, match="paper"):
        inbox.work(fail)
    after = Inbox(tmp_path / "inbox.sqlite")  # as after a restart
    assert not after.take("a", {"id": "a"})
    assert (acted(after), acted(after)) == (["b"], [])
    after.forget(2e10)
    assert after.take("a", {"id": "a"}), "what is forgotten is new again"
    after.close()
    assert inbox.repeats == 1


def test_of_many_who_bring_the_same_event_at_once_one_is_first(inbox: Any) -> None:
    new: list[bool] = []
    threads = [threading.Thread(target=lambda: new.append(inbox.take("a", {"id": "a"}))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 7 + [True]


def test_what_foreshock_posts_is_taken_once_and_a_repeat_is_answered_as_well(
    inbox: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    notice = Notice(id="d-1.1", kind="dispatch", area="slope-1", unit="team", simulated=False, time=1.0, payload=EVENT)

    async def post(clock: float | None, secret: str = "SECRET") -> None:
        target = WebhookTarget(name="hook", url=url, secret_env=secret, allow_private=True)
        sender = WebhookSender(target, *([] if clock is None else [lambda: clock]))
        await sender.open()
        try:
            await sender.send(notice)
        finally:
            await sender.close()

    async def scenario() -> None:
        await post(None)
        await post(None)
        with pytest.raises(Failed, match="401"):
            await post(1.0)  # somebody kept it for years
        monkeypatch.setenv("OTHER", "another secret")
        with pytest.raises(Failed, match="401"):
            await post(None, "OTHER")

    asyncio.run(scenario())
    assert inbox.repeats == 1
    assert acted(inbox) == ["d-1.1"]
    assert server.wake.is_set()


@pytest.mark.parametrize(
    ("body", "id", "status"),
    [
        (b"[]", "d-1.1", 400),
        (b"not json", "d-1.1", 400),
        (b'{"id": "another"}', "d-1.1", 400),
        (b'{"id": 1}', "1", 400),
        (b"[" * 100_000, "d-1.1", 400),
        (b"x" * 1_000_001, "d-1.1", 413),
    ],
)
def test_what_is_signed_and_yet_no_event_is_refused(inbox: Any, server: Any, body: bytes, id: str, status: int) -> None:
    from webhook import key_of

    stamp = int(time.time())
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(key_of(SECRET), id, stamp, body),
    }
    with contextlib.suppress(httpx.WriteError):  # one that is too large is not read
        answer = httpx.post(f"http://127.0.0.1:{server.server_address[1]}/", content=body, headers=headers)
        assert answer.status_code == status
    assert acted(inbox) == []


def test_only_what_is_real_and_sends_a_unit_is_an_order() -> None:
    from inbox import is_order

    def event(**data: Any) -> dict[str, Any]:
        return {**EVENT, "data": {**EVENT["data"], **data}}  # type: ignore[dict-item]

    assert is_order(EVENT)
    assert is_order(EVENT, "team")
    assert not is_order(EVENT, "other"), "a copy for those above is no order"
    assert not is_order(event(status="Exercise"))
    assert not is_order(event(edge="overdue"))
    assert not is_order({"id": "x"})


@pytest.mark.server
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="Mosquitto is not installed")
def test_the_listener_takes_each_event_once_also_what_came_while_it_was_away(inbox: Any, tmp_path: Path) -> None:
    from listener import Listener

    with mosquitto(tmp_path) as port:
        talker = paho.Client(CallbackAPIVersion.VERSION2)
        talker.connect("127.0.0.1", port)
        talker.loop_start()

        def publish(*bodies: bytes) -> None:
            for body in bodies:
                talker.publish("foreshock/dispatches/team", body, qos=1).wait_for_publish(10)

        def event(number: int) -> bytes:
            return json.dumps({"id": f"d-1.{number}"}).encode()

        done: list[str] = []

        def gathered() -> list[str]:
            done.extend(acted(inbox))
            return done

        first = Listener(inbox, "127.0.0.1", port, "team")
        assert first.listening.wait(10)
        publish(event(1), b"\xff", event(1), b'{"id": 7}', event(2))
        until(lambda: "d-1.2" in gathered(), 10, "all that was published")
        assert (inbox.repeats, first.refused) == (1, 2)
        first.close()
        publish(event(2), event(3))
        second = Listener(inbox, "127.0.0.1", port, "team")
        until(lambda: "d-1.3" in gathered(), 10, "what was published while nobody listened")
        second.close()
        talker.disconnect()
        talker.loop_stop()
    assert done == ["d-1.1", "d-1.2", "d-1.3"]
    assert inbox.repeats >= 2, "one that was not acknowledged in time comes once more"


def test_a_newcomer_who_leaves_something_out_is_told_what() -> None:
    for script, word in (("webhook.py", "WEBHOOK_SECRET"), ("listener.py", "UNIT")):
        run = subprocess.run([sys.executable, RECEIVERS / script, "x", "9"], capture_output=True, text=True, env={})
        assert run.returncode == 1
        assert word in run.stderr
