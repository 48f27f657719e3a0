"""Figures of a process: what keeps them from being made does not end its signs of life."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from streams import figures
from streams.figures import FiguresWriter, keep_writing, read_figures, silent, write_figures
from tests.waiting import reached, until


class Process:
    """A process whose figures cannot be made three times, and that counts its signs of life."""

    def __init__(self) -> None:
        self.signs = self.asked = 0

    def alive(self) -> None:
        self.signs += 1

    def figures(self) -> dict[str, int]:
        self.asked += 1
        if self.asked <= 3:
            raise sqlite3.OperationalError("database is locked")
        return {"delivered": 7}


def test_signs_of_life_outlast_figures_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").mkdir()
    process = Process()

    async def scenario() -> None:
        nap = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", lambda _: nap(0.001))
        task = asyncio.create_task(keep_writing(tmp_path, "notifier", process.figures, process.alive))
        await reached(lambda: task.done() or process.asked > 4)
        assert not task.done()
        assert read_figures(tmp_path) == {"notifier": {"delivered": 7}}
        task.cancel()

    asyncio.run(scenario())
    assert process.signs >= process.asked
    assert [one.getMessage() for one in caplog.records] == ["no figures, process=notifier"]  # said once


def test_so_do_those_of_a_thread(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    process = Process()
    writer = FiguresWriter(tmp_path, "bridge", process.figures, process.alive)
    writer.start()
    until(lambda: read_figures(tmp_path))
    writer.stop()
    assert process.signs >= 4


def test_who_wrote_long_ago_is_silent_and_its_figures_are_not_taken_for_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    for name in ("bridge", "console"):
        write_figures(tmp_path, name, {"messages": 1})
    later = time.time() + 60
    monkeypatch.setattr(figures.time, "time", lambda: later)
    write_figures(tmp_path, "console", {"messages": 2})
    assert read_figures(tmp_path) == {"console": {"messages": 2}}
    assert {name: round(age) for name, age in silent(tmp_path).items()} == {"bridge": 60}


def test_the_first_sign_of_life_comes_before_the_first_second_is_over(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    process = Process()
    writer = FiguresWriter(tmp_path, "bridge", process.figures, process.alive)
    writer.start()
    until(lambda: process.signs, 0.9, "a sign of life")
    assert process.asked == 0
    writer.stop()

    async def scenario() -> None:
        writing = asyncio.create_task(keep_writing(tmp_path, "notifier", process.figures, process.alive))
        await reached(lambda: process.signs >= 2, 0.9)
        writing.cancel()

    asyncio.run(scenario())
    assert process.asked == 0
