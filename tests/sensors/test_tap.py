"""A look at a real broker."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scripts.ports import free_port
from sensors import tap
from sensors.tap import Message, Tap, TapError
from tests.sensors.conftest import MOSQUITTO
from tests.sensors.secured import Certificates, broker
from tests.sensors.test_bridge import publisher
from tests.waiting import until

pytestmark = pytest.mark.server


def gather(listening: Tap, wanted: int) -> list[Message]:
    found: list[Message] = []

    def enough() -> bool:
        found.extend(listening.take(0.1))
        return len(found) >= wanted

    until(enough)
    return found


def test_it_hears_what_its_filters_match_and_nothing_else(broker_port: int) -> None:
    with Tap(["plant/+/level", "other/#"], port=broker_port) as listening, publisher(broker_port) as client:
        client.publish("plant/1/flow", "0")
        client.publish("plant/1/level", "1.5")
        client.publish("other/a/b", b"\xff")
        heard = gather(listening, 2)
    assert {(one.topic, one.payload, one.retained) for one in heard} == {
        ("plant/1/level", b"1.5", False),
        ("other/a/b", b"\xff", False),
    }


def test_what_nobody_looks_at_is_bounded_and_counted(broker_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "KEPT", 5)
    with Tap(["flood/#"], port=broker_port) as listening, publisher(broker_port) as client:
        for number in range(20):
            client.publish(f"flood/{number}", "1")
        until(lambda: listening.lost == 15)
        assert len(listening.take(1.0)) == 5


def test_a_broker_that_is_not_there_or_says_nothing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TapError, match="no MQTT broker answers"), Tap(["#"], port=free_port()):
        pass
    monkeypatch.setattr(tap, "CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(TapError, match="says nothing"), Tap(["#"], port=port):
            pass


@pytest.mark.parametrize("bad", ["a/#/b", "a+/b", ""])
def test_what_is_no_filter_is_a_sentence(broker_port: int, bad: str) -> None:
    with pytest.raises(TapError, match="topic filter"), Tap([bad], port=broker_port):
        pass


@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")
def test_it_listens_over_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with broker(tmp_path, certificates, certificates.issue("server", "127.0.0.1")) as port:
        with Tap(["a"], port=port, encrypted=certificates.client()) as listening:
            assert listening.take(0.0) == []
        stranger = Certificates(tmp_path / "others").client()
        with pytest.raises(TapError, match="authority that is not trusted"), Tap(["a"], port=port, encrypted=stranger):
            pass
        with pytest.raises(TapError, match="TLS may be on at one side only"), Tap(["a"], port=port):
            pass
