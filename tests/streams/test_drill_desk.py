"""The drills that the page starts: which there are, one at a time, and why one comes to nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.queries import Reader
from sensors.publisher import BrokerError
from streams.drill_desk import BusyError, DrillDesk, DrillError
from streams.drilling import Player, told
from streams.settings import Settings
from tests.streams.drilled_site import SCRIPT, SITE, Log
from tests.waiting import until


class Place:
    """A site folder with scripts, a log, and a desk that plays them fast, once `go` is set."""

    def __init__(self, folder: Path) -> None:
        self.log = Log(folder)
        (folder / "exercises").mkdir()
        (folder / "exercises" / "slide.yaml").write_text(SCRIPT, encoding="utf-8")
        (folder / "exercises" / "bad.yaml").write_text(SCRIPT.replace("[slope-1]", "[slope-9]"), encoding="utf-8")
        self.fault: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        found = Settings(data=str(folder), site=str(folder), journal=self.log.url)
        self.desk = DrillDesk(found, lambda: SITE, self.play)

    async def play(self, found: Any, site: Any, script: Any, id: str, actor: str, reader: Reader, heard: Any) -> None:
        def see(id: str, camera: str, kind: str) -> bool:
            if self.fault is not None:
                raise self.fault
            return False

        self.go.wait(20.0)
        await Player(site, script, id, actor, self.log.produce, reader, see, heard=heard, speed=120.0).play()

    def over(self) -> dict[str, Any]:
        def ended() -> Any:
            last = self.desk.last()
            return last if last is not None and last["over"] else None

        return until(ended, 20, "the end of the drill")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.log.journal.close()


def test_scripts_are_listed_with_their_mistakes(place: Place) -> None:
    bad, slide = place.desk.scripts()
    assert (bad["name"], bad["problems"][0]["field"]) == ("bad", "areas[0]")
    assert (slide["name"], slide["areas"], slide["lasts"], slide["acts"]) == ("slide", ["slope-1"], 60.0, 3)
    assert slide["problems"] == [] and slide["title"]["zh"] == "滑坡演练"


def test_one_is_played_at_a_time_and_followed_to_its_end(place: Place) -> None:
    assert place.desk.last() is None
    id = place.desk.begin("slide", "user:chen")
    with pytest.raises(BusyError):
        place.desk.begin("slide", "user:li")
    last = place.over()
    assert (last["id"], last["seconds"], last["error"], last["said"]["en"]) == (id, 60.0, "", "It is over")
    drill = Reader(place.log.url).exercise(id)
    assert drill is not None and drill["actor"] == "user:chen" and drill["ended"] is not None


def test_a_drill_that_was_begun_elsewhere_is_waited_for(place: Place) -> None:
    asyncio.run(place.log.produce([("observations", 0, None, told("e9", "begin", "user:an", areas=("slope-1",)))]))
    with pytest.raises(BusyError):
        place.desk.begin("slide", "user:chen")


def test_why_nothing_came_of_it_is_told_by_a_key(place: Place) -> None:
    with pytest.raises(KeyError):
        place.desk.begin("../slide", "user:chen")
    with pytest.raises(DrillError, match=r"exercise\.bad_script"):
        place.desk.begin("bad", "user:chen")
    place.fault = BrokerError("no MQTT broker at 127.0.0.1:1: refused")
    place.desk.begin("slide", "user:chen")
    assert place.over()["error"] == "exercise.no_broker"
    place.fault = ValueError("unforeseen")
    place.desk.begin("slide", "user:chen")
    assert place.over()["error"] == "exercise.broke_off"
    place.fault = None
    place.desk.begin("slide", "user:chen")  # what went wrong before holds nothing up
    assert place.over()["error"] == ""


def test_one_that_begins_when_whoever_asked_was_told_that_it_did_not_ends_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.drill_desk.BEGUN", 0.05)
    place.go.clear()
    with pytest.raises(DrillError, match="no_answer"):
        place.desk.begin("slide", "user:chen")
    place.go.set()
    last = place.over()
    assert (last["seconds"], last["error"]) == (0.0, "no_answer")
    drill = Reader(place.log.url).exercise(last["id"])
    assert drill is not None and drill["ended"] is not None
