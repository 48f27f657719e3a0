"""A bridge's process: when it is ready, and when the absence of its broker is an alarm."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from sensors.bridge import Bridge as RealBridge
from sensors.bridge import BridgeSettings
from streams import bundle, publication
from streams.bundle import Bundle, version_of
from streams.following import Following
from streams.hub import HubProducer
from streams.processes import bridge as module
from streams.processes.bridge import AWAY, Watch, change
from tests.streams.small_site import rules, site
from tests.waiting import until


@dataclass
class Bridge:
    connected: bool = False
    trouble: str = ""
    turns: int = 0


class Told:
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def down(self, component: str, detail: str) -> None:
        self.said.append((component, detail))

    def back(self, component: str) -> None:
        self.said.append((component, ""))


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(module.child, "ready", lambda: said.append("ready"))
    return said


def test_a_broker_that_stays_away_is_an_alarm_until_it_is_back(ready: list[str]) -> None:
    bridge, told = Bridge(connected=True), Told()
    watch = Watch(bridge, told, "mqtt:north", needed=True)  # type: ignore[arg-type]
    watch.look(0.0)
    assert told.said == [("mqtt:north", "")], "what an earlier run left standing is over"
    bridge.connected, bridge.trouble = False, "lost the MQTT broker at h:1: nothing listens there"
    watch.look(1.0)
    watch.look(0.9 + AWAY)
    assert told.said[1:] == [], "a restart of the broker is none"
    watch.look(1.0 + AWAY)
    watch.look(100.0)
    assert told.said[1:] == [("mqtt:north", bridge.trouble)]
    bridge.connected = True
    watch.look(101.0)
    watch.look(102.0)
    assert told.said[2:] == [("mqtt:north", "")]


def test_a_short_absence_is_no_alarm_however_often(ready: list[str]) -> None:
    bridge, told = Bridge(connected=True), Told()
    watch = Watch(bridge, told, "mqtt:main", needed=True)  # type: ignore[arg-type]
    for turn in range(20):
        bridge.connected = bool(turn % 2)
        watch.look(turn * (AWAY - 1.0))
    assert told.said == [("mqtt:main", "")]


def test_the_main_bridge_is_ready_with_its_broker_a_further_one_without(ready: list[str]) -> None:
    bridge = Bridge()
    main = Watch(bridge, Told(), "mqtt:main", needed=True)  # type: ignore[arg-type]
    further = Watch(bridge, Told(), "mqtt:north", needed=False)  # type: ignore[arg-type]
    main.look(0.0)
    further.look(0.0)
    assert not ready, "neither before its loop turns"
    bridge.turns = 1
    main.look(1.0)
    assert not ready
    further.look(1.0)
    assert ready == ["ready"]
    bridge.connected = True
    main.look(2.0)
    assert ready == ["ready", "ready"]


def test_a_version_is_followed_only_once_the_loop_goes_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CHANGE_SECONDS", 0.01)
    before = bundle.pack(Bundle(site=site(), rules=rules()))
    after = bundle.pack(Bundle(site=site(points=9), rules=rules()))
    publication.write(tmp_path, after)
    producer = HubProducer(tmp_path / "hub")
    bridge = RealBridge(site(), producer, BridgeSettings(host="127.0.0.1", port=1))
    following = Following(tmp_path, version_of(before), lambda content: change(bridge, content.site))
    looking = threading.Thread(target=following.look, daemon=True)
    with caplog.at_level(logging.WARNING):
        looking.start()  # the loop does not turn yet
        assert until(lambda: "not gone by yet" in caplog.text)
    assert following.version == version_of(before)
    loop = threading.Thread(target=bridge.run, daemon=True)
    loop.start()
    looking.join(10)
    assert following.version == version_of(after)
    bridge.stop()
    loop.join(10)
    producer.close()
