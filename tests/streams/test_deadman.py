"""Signs of life go by a second way while the main one works; when it stands that is told once, and when it is back."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from alerts.console.figures import BEHIND
from alerts.notifiers.mail import letter
from alerts.notifiers.notice import Failed, Notice
from alerts.notifiers.targets import MailTarget
from alerts.notifiers.wording import Voice
from streams import deadman
from streams.deadman import PATIENCE, DeadMan, Way, standing
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
    dead_man = DeadMan(tmp_path, "bao-an", WANTED, [Way(receiver, 60.0)], clock=lambda: now[0])

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
    dead_man = DeadMan(tmp_path, "s", WANTED, [Way(receiver, 60.0)], clock=lambda: now[0])
    receiver.away = True
    for second in range(60):
        receiver.away = second < 50
        asyncio.run(dead_man.look({}))
        now[0] += 1.0
    assert receiver.states == ["down"]


class Hanging:
    """Stand in for a mail server that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def open(self) -> None:
        pass

    async def send(self, notice: Notice) -> None:
        self.asked += 1
        await asyncio.Event().wait()


def test_a_way_that_hangs_holds_up_no_other_and_is_not_asked_twice_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadman, "LOOK", 0.01)
    (tmp_path / "run").mkdir()
    now, receiver, hanging = [0.0], Receiver(), Hanging()
    ways = [Way(hanging, 600.0), Way(receiver, 60.0)]
    dead_man = DeadMan(tmp_path, "s", WANTED, ways, clock=lambda: now[0])

    async def scenario() -> None:
        for _ in range(13):
            await dead_man.look(WELL)
            now[0] += 60.0

    asyncio.run(scenario())
    assert (len(receiver.heard), hanging.asked) == (13, 1)


def test_a_sign_of_life_by_mail_says_in_both_languages_what_stands(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    now, box = [0.0], Letters()
    dead_man = DeadMan(tmp_path, "bao-an", WANTED, [Way(box, 86400.0, pause=60.0)], clock=lambda: now[0])
    for processes, seconds in (
        (WELL, 3600),
        ({**WELL, "worker": {"trouble": "the log takes nothing"}}, 300),
        (WELL, 1),
    ):
        for _ in range(0, seconds, 10):
            asyncio.run(dead_man.look(processes))
            now[0] += 10.0
    well, ill, again = box.mails
    assert well["Subject"] == again["Subject"] == "bao-an：监测系统运行正常 · 运行信号"
    assert well["Message-ID"] != again["Message-ID"] and ill["Importance"] == "high" and well["Importance"] is None
    zh, en = [part.get_content() for part in ill.iter_parts()]
    assert "监测系统主链路中断" in zh and "the main path of Foreshock stands still" in en
    assert all("worker: the log takes nothing" in body for body in (zh, en))
    assert "$" not in zh + en and "acknowledge" not in en.lower(), "there is nothing to answer"


class Letters(Receiver):
    """Write each notice as mail does."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    async def send(self, notice: Notice) -> None:
        target = MailTarget(name="duty", host="h", sender="f@example.org", to=("a@example.org",))
        self.mails.append(letter(notice, target, Voice(site="bao-an")))
