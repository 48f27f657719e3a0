"""A mail server, a webhook receiver and Mosquitto get each notification once, by its id, whatever is killed."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from alerts.journal import Journal
from alerts.notifiers.deliveries import Deliveries
from scripts.ports import free_port
from streams import bundle, publication
from streams.bundle import Bundle
from tests.alerts.notifiers.world import Listener, Town, receiver
from tests.streams.small_site import site
from tests.waiting import until

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
KILLS = 10
EACH = 8
"""Notices that are journalled between two kills."""


class Mailbox:
    """Keep the bytes of every mail by its Message-ID. It takes its time, so that a kill meets mails under way."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's own name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((str(mail["Message-ID"]), str(mail["X-Foreshock-Id"]), bytes(envelope.content)))
        return "250 OK"


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    port = free_port()
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen(["mosquitto", "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), 20, "Mosquitto")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="Mosquitto is not installed")
def test_each_notification_arrives_once_by_its_id_while_the_notifier_is_killed_ten_times(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    publication.write(data, bundle.pack(Bundle(site=site())))
    town = Town(Journal(data / "journal.sqlite"))
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    with receiver() as hook, mosquitto(tmp_path) as broker, mail_server() as (box, port):
        listener = Listener(broker)
        slow: list[int | Callable[[BaseHTTPRequestHandler], None]] = [slowly] * 10_000
        hook.answers = slow
        notify = tmp_path / "notify.yaml"
        notify.write_text(
            f"targets:\n  - {{kind: mail, name: duty, host: 127.0.0.1, port: {port}, tls: none, allow_private: true, "
            "sender: f@example.org, to: [li@example.org], per_minute: 0}\n"
        )
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")},
            "FORESHOCK_DATA": str(data),
            "FORESHOCK_NOTIFY": str(notify),
            "FORESHOCK_MQTT_HOST": "127.0.0.1",
            "FORESHOCK_MQTT_PORT": str(broker),
            "FORESHOCK_WEBHOOK_URL": hook.url,
            "FORESHOCK_WEBHOOK_SECRET": secret,
            "FORESHOCK_WEBHOOK_PRIVATE": "true",
        }

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-m", "streams.processes.notifier"], cwd=ROOT, env=environment)

        def posted() -> list[str]:
            return [request.headers["webhook-id"] for request in hook.requests]

        def published() -> list[str]:
            return [body["id"] for topic, body, _, _ in listener.messages if topic == "foreshock/dispatches/u-c1"]

        def mailed() -> list[str]:
            return [id for _, id, _ in box.mails]

        ids: list[str] = []
        kills = 0
        process = start()
        try:
            while kills < KILLS:
                before = len(posted())
                ids += [town.event(number) for number in range(len(ids), len(ids) + EACH)]
                until(lambda before=before: len(posted()) > before + 2, 30, "a notice under way")
                process.send_signal(signal.SIGKILL)
                process.wait(10)
                kills += 1
                process = start()
            for got in (posted, mailed, published):
                until(lambda got=got: set(got()) >= set(ids), 60, got.__name__)
            memory = Deliveries(data / "outbox.sqlite")
            targets = ("mqtt", "webhook", "duty:li@example.org")
            until(lambda: all(memory.is_delivered(name, id) for name in targets for id in ids), 30)
            assert [memory.counts(name) for name in targets] == [(0, 0)] * 3
            memory.close()
        finally:
            process.terminate()
            process.wait(15)
        listener.close()
    for got in (posted(), mailed(), published()):
        times = Counter(got)
        assert set(times) == set(ids), "every one, and no other"
        # what was under way at a kill comes again, under its id and no other: who drops repeats has each once
        assert sum(times.values()) - len(times) <= KILLS
    assert len({(name, id) for name, id, _ in box.mails}) == len(ids)
    assert len({content for _, _, content in box.mails}) == len(ids), "a repeat is the same mail, byte for byte"
    bodies = {(request.headers["webhook-id"], request.body) for request in hook.requests}
    assert len(bodies) == len(ids)


_pause = threading.Event()


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """Answer after a moment, so that a kill meets a request under way."""
    _pause.wait(0.02)
    with contextlib.suppress(OSError):
        handler.send_response(204)
        handler.send_header("content-length", "0")
        handler.end_headers()
