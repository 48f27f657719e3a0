"""A scripted drill, played against a desk: its steps, its end by itself and by others, and what comes to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.drill_script import Act, Script, read_script
from alerts.exercise import NOTHING, report
from alerts.queries import Reader
from sensors.observation import SIMULATED, CameraEvent, Exercise, Report
from sensors.publisher import BrokerError
from sensors.site import Text
from streams import drilling
from streams.drilling import Heard, NotBegunError, Player
from tests.streams.drilled_site import SCRIPT, SITE, Log


class Noted(Heard):
    def __init__(self) -> None:
        self.at: list[float] = []
        self.words: list[str] = []
        self.nothing: list[tuple[str, str]] = []

    def moved(self, seconds: float) -> None:
        self.at.append(seconds)

    def said(self, text: Text) -> None:
        self.words.append(text.en)

    def missed(self, act: Act, reason: str) -> None:
        self.nothing.append((act.do, reason))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    file = tmp_path / "drill.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    return read_script(file, SITE)


def unseen(id: str, camera: str, kind: str) -> bool:
    """Take no events of cameras: the site has no broker for them."""
    return False


def played(log: Log, script: Script, speed: float = 600.0, see: Any = unseen, heard: Heard | None = None) -> Reader:
    reader = Reader(log.url)
    player = Player(SITE, script, "e1", "user:an", log.produce, reader, see, heard=heard, speed=speed)
    asyncio.run(player.play())
    return reader


def test_it_begins_acts_and_ends_and_the_report_has_what_it_did(log: Log, script: Script) -> None:
    noted = Noted()
    drill = played(log, script, heard=noted).exercise("e1")
    assert drill is not None and drill["ended"] is not None and drill["actor"] == "user:an"
    (incident,) = drill["incidents"]
    assert (incident["state"], incident["exercise"]) == ("closed", "e1")
    assert {one["unit"] for one in incident["dispatch_details"]} <= {"u-s1", "u-d"}
    told = report(drill)
    assert [leg["leg"] for leg in told["incidents"][0]["legs"] if leg["met"]] == ["acknowledge"]
    assert [one["reason"] for one in told["missed"]] == [reason for _, reason in noted.nothing]
    assert noted.nothing[-1] == ("accept", NOTHING)  # that unit has no order
    assert noted.words == ["It begins", "It is over"]
    assert noted.at == sorted(noted.at) and noted.at[-1] == 60.0
    for kind in (CameraEvent, Report):  # what it makes people see is marked as simulated
        assert [one.quality for one in log.seen if isinstance(one, kind)] == [SIMULATED]


def test_what_a_camera_sees_is_published_where_the_site_takes_it_from_a_broker(log: Log, script: Script) -> None:
    seen: list[tuple[str, str]] = []

    def see(id: str, camera: str, kind: str) -> bool:
        seen.append((camera, kind))
        return True

    played(log, script, see=see)
    assert seen == [("cam", "debris")]
    assert not [one for one in log.seen if isinstance(one, CameraEvent)]


def test_it_stops_when_somebody_else_ends_it(log: Log, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drilling, "LOOK", 0.02)

    class Ends(Noted):
        def said(self, text: Text) -> None:
            super().said(text)
            log.record(log.desk.exercise(Exercise(id="e1", edge="end", actor="user:li", time=0.0), 0.0))

    noted = Ends()
    assert played(log, script, speed=60.0, heard=noted).exercise("e1")["ended"] is not None  # type: ignore[index]
    assert noted.words == ["It begins"] and noted.at[-1] < 30.0  # half its time is never reached


def test_a_drill_that_the_engine_does_not_begin_is_said_and_ended(
    log: Log, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "BEGUN", 0.05)
    log.deaf = True
    with pytest.raises(NotBegunError):
        played(log, script)
    assert [one.edge for one in log.seen if isinstance(one, Exercise)] == ["begin", "end"]


def test_a_fault_on_the_way_ends_it_all_the_same(log: Log, script: Script) -> None:
    def away(id: str, camera: str, kind: str) -> bool:
        raise BrokerError("no MQTT broker")

    with pytest.raises(BrokerError):
        played(log, script, see=away)
    (drill,) = Reader(log.url).exercises()
    assert drill["ended"] is not None
