"""Signs of life go by a second way while the main one works; when it stands that is told once, and when it is back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from alerts.notifiers.notice import Failed, Notice
from streams.deadman import BEHIND, PATIENCE, DeadMan, standing
from streams.figures import read_figures

WANTED = frozenset({"worker", "bridge", "notifier"})
WELL: dict[str, dict[str, Any]] = {"worker": {"engine_lag": 0}, "bridge": {"connected": True}, "notifier": {}}


class Receiver:
    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.away = False

    async def open(self) -> None:
        pass

    async def send(self, notice: Notice) -> None:
        if self.away:
            raise Failed("503")
        assert notice.payload is not None
        self.heard.append(notice.payload)

    @property
    def states(self) -> list[str]:
        return [one["data"]["state"] for one in self.heard]


@pytest.mark.parametrize(
    ("processes", "said"),
    [
        (WELL, ""),
        ({**WELL, "camera": {}}, ""),
        ({**WELL, "bridge": {"connected": False, "holder": False}}, ""),
        ({name: told for name, told in WELL.items() if name != "notifier"}, "notifier: no sign of life"),
        ({**WELL, "worker": {"trouble": "the log takes nothing"}}, "worker: the log takes nothing"),
        ({**WELL, "worker": {"engine_lag": BEHIND + 1}}, f"worker: the engine is {BEHIND + 1} records behind the log"),
        ({**WELL, "bridge": {"connected": False, "trouble": "no way"}}, "bridge: no way"),
    ],
    ids=["well", "more than is wanted", "another listens", "silent", "log away", "behind", "broker away"],
)
def test_what_the_main_way_lacks_is_said(processes: dict[str, dict[str, Any]], said: str) -> None:
    assert standing(processes, WANTED) == said


def test_signs_of_life_stay_out_when_the_way_stands_and_that_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    now, receiver = [0.0], Receiver()
    dead_man = DeadMan(tmp_path, "bao-an", WANTED, receiver, 60.0, clock=lambda: now[0])

    def pass_time(seconds: int, processes: dict[str, dict[str, Any]]) -> None:
        for _ in range(seconds):
            asyncio.run(dead_man.look(processes))
            now[0] += 1.0

    pass_time(121, WELL)
    assert receiver.states == ["up", "up", "up"], "at once, then once a minute"
    ill = {**WELL, "worker": {"trouble": "the log takes nothing"}}
    pass_time(int(PATIENCE) - 1, ill)
    assert len(receiver.heard) == 3, "a process that is started again is no death"
    pass_time(600, ill)
    assert receiver.states[3:] == ["down"]
    last = receiver.heard[-1]
    assert last["data"]["detail"] == "worker: the log takes nothing"
    assert (last["specversion"], last["type"]) == ("1.0", "com.foreshock.heartbeat.down")
    assert read_figures(tmp_path)["run"] == {"heartbeats": 3, "trouble": 1}
    pass_time(1, WELL)
    assert receiver.states[4:] == ["up"], "that it is back is told at once"
    assert len({one["id"] for one in receiver.heard}) == len(receiver.heard)


def test_a_receiver_that_is_away_hears_of_the_death_when_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    now, receiver = [0.0], Receiver()
    dead_man = DeadMan(tmp_path, "s", WANTED, receiver, 60.0, clock=lambda: now[0])
    receiver.away = True
    for second in range(60):
        receiver.away = second < 50
        asyncio.run(dead_man.look({}))
        now[0] += 1.0
    assert receiver.states == ["down"]
