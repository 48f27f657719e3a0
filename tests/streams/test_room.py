"""A disk that is getting full is an alarm before nothing is taken any more, and once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from streams import room
from streams.room import LEAST_FREE, Room
from tests.streams.processes.test_notifier import Told


def test_too_little_room_is_told_once_and_its_end_only_when_there_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [LEAST_FREE + 1]
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    heard = Told()
    one = Room(tmp_path, heard)  # type: ignore[arg-type]
    said = []
    for free[0] in (LEAST_FREE, LEAST_FREE - 1, 0, LEAST_FREE + 1, LEAST_FREE - 1, LEAST_FREE * 2):
        one.look()
        said.append(len(heard.said))
    assert said == [0, 1, 1, 1, 1, 2], "at the edge nothing flaps"
    assert heard.said == [("disk", f"2.0 GB free of {tmp_path}"), ("disk", "")]


def test_a_disk_that_is_away_is_told_by_others(tmp_path: Path) -> None:
    heard = Told()
    Room(tmp_path / "nowhere", heard).look()  # type: ignore[arg-type]
    assert heard.said == []
