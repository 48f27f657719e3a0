"""A trouble is an alarm when it lasts, and one of an earlier run's stands until all work again."""

from __future__ import annotations

import logging

import pytest

from streams.trouble import LASTS, Trouble
from tests.streams.processes.test_notifier import Told


class Scene:
    def __init__(self) -> None:
        self.now, self.heard = 0.0, Told()
        self.trouble = Trouble(self.heard, "part", lambda: self.now)

    def note(self, now: float, who: str, what: str) -> list[tuple[str, str]]:
        self.now = now
        self.trouble.note(who, what)
        return self.heard.said


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_lasts_is_an_alarm_once_until_all_work_again(scene: Scene) -> None:
    assert scene.note(0.0, "a", "the disk is full") == []
    assert scene.note(LASTS - 1, "a", "the disk is full") == []
    assert scene.note(LASTS, "a", "the disk is full") == [("part", "the disk is full")]
    assert len(scene.note(LASTS + 1, "b", "away")) == 1 and scene.trouble.text == "the disk is full; away"
    assert len(scene.note(LASTS + 2, "a", "")) == 1, "the other is in trouble still"
    assert scene.note(LASTS + 3, "b", "")[-1] == ("part", "") and scene.trouble.text == ""
    assert len(scene.note(LASTS + 4, "a", "")) == 2, "said once"


def test_an_alarm_of_an_earlier_run_is_taken_back_once_and_only_when_all_work(scene: Scene) -> None:
    assert scene.note(0.0, "a", "the disk is full") == []
    assert scene.note(1.0, "b", "") == [], "it may be about the very trouble that is there still"
    assert scene.note(2.0, "a", "") == [("part", "")]
    assert scene.note(3.0, "a", "") == [("part", "")]


def test_it_is_logged_when_it_begins_and_not_at_each_try(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for now in (0.0, 1.0):
            scene.note(now, "a", "the disk is full")
        scene.note(2.0, "a", "")
        scene.note(3.0, "a", "it is full again")
    assert [one.message for one in caplog.records] == ["the disk is full", "it is full again"]
