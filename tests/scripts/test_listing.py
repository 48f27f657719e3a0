"""What the commands list: whole ids in a table, JSON for programs, a sentence where there is nothing."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from scripts.cli import application
from sensors.observation import Exercise, Silence, SiteMode
from sensors.registry import load_site
from streams import bundle, publication, settings
from tests.alerts.cases import change


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application(arguments[0]), [*arguments])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder in which nothing has happened, and one of a busy day."""
    found = []
    for busy in (False, True):
        folder = tmp_path_factory.mktemp("data")
        desk, now = Desk(load_site("examples/district")), time.time()
        publication.write(folder, bundle.pack(bundle.Bundle(site=desk.book.site)))
        with closing(Journal(settings.load({}, data=str(folder)).journal_url)) as journal:
            if busy:
                areas = [area.id for area in desk.book.site.areas]
                until, who = now + 7200.0, {"actor": "user:li", "reason": "works [today]", "time": now}
                turns = [
                    desk.condition(change(2, area="slope-01", time=now, simulated=True), now),
                    desk.condition(change(1, area="slope-02", time=now), now),
                    desk.mode(
                        SiteMode(id="m1", mode="maintenance", until=until, areas=("slope-02",), **who), areas, now
                    ),  # type: ignore[arg-type]
                    desk.silence(Silence(id="quiet-1", until=until, areas=("slope-02",), **who), areas, now),  # type: ignore[arg-type]
                    desk.exercise(
                        Exercise(id="exercise-1", edge="begin", actor="user:li", time=now, areas=("slope-03",)), now
                    ),
                ]
                for offset, out in enumerate(turns):
                    journal.record([Record(0, offset, tuple(out))])
        found.append(folder)
    return found[0], found[1]


@pytest.mark.parametrize(
    ("command", "nothing", "words"),
    [
        (("alarms", "list"), "没有报警", ("黄", "模拟 SIM", "slope-01", "UNACK")),
        (("incidents", "list"), "没有事件", ("黄", "待处理", "slope-02")),
        (("incidents", "together"), "没有同时发生的事件", ()),
        (("alarms", "shelved"), "没有搁置、抑制或停用的报警", ()),
        (("mode", "list"), "没有生效的模式", ("maintenance", "生效", "slope-02", "works [today]", "1:59:")),
        (("silence", "list"), "没有静默", ("quiet-1", "生效", "works [today]", "1:59:")),
        (("exercise", "list"), "尚未进行过演练", ("exercise-1", "进行中")),
    ],
)
def test_a_list_is_a_table_json_or_a_sentence(
    folders: tuple[Path, Path], command: tuple[str, str], nothing: str, words: tuple[str, ...]
) -> None:
    empty, busy = map(str, folders)
    told = run(*command, "--data", empty)
    assert (told.exit_code, told.stdout.strip()) == (0, nothing)
    assert json.loads(run(*command, "--data", empty, "--json").stdout) == []
    told = run(*command, "--data", busy)
    rows = json.loads(run(*command, "--data", busy, "--json").stdout)
    assert told.exit_code == 0 and bool(rows) == bool(words)
    assert [word for word in words if word not in told.stdout] == []
    assert [row["id"] for row in rows if "id" in row and row["id"] not in told.stdout] == [], "whole, to be copied"
