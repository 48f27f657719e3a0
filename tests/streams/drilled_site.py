"""A site with a drill, and an engine's desk behind a log that takes what the drill does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AnyOutcome, Record
from sensors.observation import CameraEvent, Command, Exercise, Report, decode
from sensors.site import Camera, Site
from tests.alerts.cases import SITE as PLAIN
from tests.alerts.cases import change, name

SITE = msgspec.structs.replace(PLAIN, cameras=(Camera(id="cam", name=name("cam"), areas=("slope-1",)),))

SCRIPT = """
title: {zh: 滑坡演练, en: Slide drill}
areas: [slope-1]
units: [u-s1, u-d]
lasts: 60
objectives: {acknowledge: 1 min, close: 1 min}
steps:
  - {at: 0, say: {zh: 开始, en: It begins}, event: {camera: cam, kind: debris}}
  - {at: 5, act: {do: acknowledge}}
  - {at: 10, act: {do: on_scene, unit: u-s1}}
  - {at: 15, act: {do: accept, unit: u-d}}
  - {at: 30, report: {area: slope-1, category: noise, text: 有落石声}, say: {zh: 结束, en: It is over}}
"""


class Log:
    """A log with its engine and journal in this process. `deaf` begins no drill."""

    def __init__(self, folder: Path, site: Site = SITE) -> None:
        self.url = f"sqlite:///{folder / 'journal.sqlite'}"
        self.journal = Journal(self.url)
        self.desk = Desk(site)
        self.deaf = False
        self.seen: list[Any] = []
        self._offset = 0

    async def produce(self, records: Sequence[tuple[str, int, bytes | None, bytes]]) -> None:
        for _, _, _, value in records:
            what = decode(value)
            self.seen.append(what)
            if isinstance(what, Exercise) and not self.deaf:
                self.record(self.desk.exercise(what, time.time()))
            elif isinstance(what, CameraEvent):
                self.record(self.desk.condition(change(3, time=time.time(), simulated=True), time.time()))
            elif isinstance(what, Command):
                self.record(self.desk.command(what, time.time()))
            else:
                assert isinstance(what, Exercise | Report)

    def record(self, outcomes: list[AnyOutcome]) -> None:
        self._offset += 1
        self.journal.record([Record(0, self._offset, tuple(outcomes))])
