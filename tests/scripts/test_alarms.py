"""`foreshock alarms shelve` and its kin, through a socket to a desk and a journal as the worker has them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from rules.explanation import Term, Why
from scripts.cli import application
from sensors.observation import Command, Silence, decode
from sensors.registry import load_site
from streams import bundle, publication, settings
from streams.hub import HubServer
from tests.alerts.cases import change

DISTRICT = Path("examples/district")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(application("alarms"), ["alarms", *map(str, arguments)])


@pytest.fixture
def desk() -> Desk:
    return Desk(load_site(DISTRICT))


@pytest.fixture
def data(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve commands at a data folder with one yellow alarm of slope-01."""
    monkeypatch.setenv("FORESHOCK_DATA", str(tmp_path))
    found = settings.load(None, data=str(tmp_path))
    publication.write(tmp_path, bundle.pack(bundle.Bundle(site=desk.book.site)))
    now = time.time()
    journal = Journal(found.journal_url)
    journal.record([Record(0, 1, tuple(desk.condition(change(2, area="slope-01", time=now), now)))])
    loop, stop, begun, offset = asyncio.new_event_loop(), asyncio.Event(), threading.Event(), 1

    async def produce(records: Sequence[Any]) -> list[int]:
        nonlocal offset
        for record in records:
            command = decode(record[3])
            offset += 1
            if isinstance(command, Silence):
                if record[1] == 0:
                    known = [area.id for area in desk.book.site.areas]
                    journal.record([Record(0, offset, tuple(desk.silence(command, known, time.time())))])
                continue
            assert isinstance(command, Command)
            journal.record([Record(0, offset, tuple(desk.command(command, time.time())))])
        return [offset]

    async def serve() -> None:
        server = HubServer(found.hub_path, produce)
        await server.start()
        begun.set()
        await stop.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert begun.wait(10)
    yield tmp_path
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()
    journal.close()


def test_an_alarm_is_shelved_listed_and_taken_off_again(data: Path, desk: Desk) -> None:
    (alarm,) = desk.book.cases.alarms
    done = run("shelve", alarm, "--for", "2 h", "--reason", "the gauge is [being] cleaned", "--language", "en")
    assert (done.exit_code, done.output.split()[-4:]) == (0, ["shelved", "for", "2", "h"]), done.output
    (row,) = json.loads(run("shelved", "--json").stdout)
    assert (row["id"], row["state"], row["aside"]["reason"]) == (alarm, "SHLVD", "the gauge is [being] cleaned")
    assert row["aside"]["by"].endswith("@terminal")
    assert row["aside"]["until"] - row["aside"]["since"] == 7200
    shown = run("shelved").output
    assert "剩余" in shown and "操作人" in shown and "黄" in shown, "in the site's language"
    assert "1:59:5" in shown or "2:00:00" in shown
    assert "[being] cleaned" in shown
    refused = run("shelve", alarm, "--reason", "again", "--language", "en")
    assert (refused.exit_code, "already shelved" in refused.stderr) == (1, True)
    assert "已取消搁置" in run("unshelve", alarm).output
    assert "nothing is set aside" in run("shelved", "--language", "en").output
    history = run("show", alarm, "--language", "en").output
    assert "UNACK → SHLVD  shelved  yellow" in history
    assert "(v1, log 0:2)" in history
    told = run("show", alarm).output
    assert "UNACK → SHLVD  搁置  黄" in told and "（v1）" in told, "in the site's own"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--for", "a while", "--reason", "x"), "--for: 'a while' is no duration"),
        (("--for", "9 h", "--reason", "x"), "longer than the site allows"),
        (("--reason", "  "), "--reason: say why"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(data: Path, desk: Desk, options: tuple[str, ...], said: str) -> None:
    (alarm,) = desk.book.cases.alarms
    refused = run("shelve", alarm, *options, "--language", "en")
    assert refused.exit_code == 1
    assert said in refused.stderr.replace("\n", " ")
    assert desk.book.cases.alarms[alarm].state == "UNACK"


def test_an_alarm_that_is_not_there_is_said_so(data: Path) -> None:
    assert "there is no alarm a-none" in run("unshelve", "a-none", "--language", "en").stderr
    assert "没有报警或事件 a-none" in run("ack", "a-none").stderr
    assert "--for: “a while”不是时长" in run("shelve", "a-none", "--for", "a while", "--reason", "x").stderr


def test_the_load_that_alarms_are_is_told(data: Path) -> None:
    told = run("load", "--data", data, "--language", "en")
    assert told.exit_code == 0 and "1 in ten minutes (acceptable)" in told.stdout
    chinese = run("load", "--data", data).stdout
    assert "近十分钟响铃 1 次（可接受）" in chinese and "黄 1" in chinese and "占比" in chinese
    found = json.loads(run("load", "--data", data, "--json").stdout)
    assert (found["day"], found["levels"]["yellow"], found["flood"]) == (1, 1, False)
    assert [actor["rings"] for actor in found["actors"]] == [1]


def test_among_alarms_of_a_level_those_of_high_priority_lead(data: Path, desk: Desk) -> None:
    found = settings.load(None, data=str(data))
    journal, now = Journal(found.journal_url), time.time()
    for number, priority in enumerate(["high", "normal", "low"]):
        alarm = change(2, area="slope-02", rule=priority, time=now)
        rule = SimpleNamespace(**vars(alarm.rule), priority=priority)
        told = desk.condition(dataclasses.replace(alarm, rule=rule), now)  # type: ignore[arg-type]
        journal.record([Record(0, 100 + number, tuple(told))])
    journal.close()
    listed = json.loads(run("list", "--data", data, "--area", "slope-02", "--json").stdout)
    assert [one["rule"] for one in listed] == ["high", "normal", "low"]


def test_a_list_that_is_cut_has_the_most_severe_and_says_so(data: Path, desk: Desk) -> None:
    found = settings.load(None, data=str(data))
    journal, now = Journal(found.journal_url), time.time()
    for number, (area, rank) in enumerate([("slope-02", 4), ("slope-03", 1), ("slope-04", 1)]):
        alarm = change(rank, area=area, rule=f"other-{number}", time=now)
        journal.record([Record(0, 100 + number, tuple(desk.condition(alarm, now)))])
    journal.close()
    told = json.loads(run("list", "--data", data, "--limit", "2", "--json").stdout)
    assert [one["level"] for one in told] == ["red", "yellow"]
    assert "2 more are left out" in run("list", "--data", data, "--limit", "2", "--language", "en").stdout
    assert "只列出前 2 条，另有 2 条未列出" in run("list", "--data", data, "--limit", "2").stdout
    assert "未列出" not in run("list", "--data", data).stdout


def test_incidents_are_listed_shown_merged_and_split(data: Path, desk: Desk) -> None:
    def told(*arguments: str) -> Result:
        return CliRunner().invoke(application("incidents"), ["incidents", *arguments])

    journal = Journal(settings.load(None, data=str(data)).journal_url)
    now = time.time()
    for area, scope in (("slope-01", "p8"), ("slope-02", "p9")):
        out = desk.condition(change(2, rule="r2", scope=scope, area=area, time=now), now)
        journal.record([Record(0, 1, tuple(out))])
    journal.close()
    first, other = (one for one in desk.book.cases.incidents)
    assert len(json.loads(told("list", "--json").output)) == 2
    merged = told("merge", first, other, "--reason", "one slide")
    assert merged.exit_code == 0, merged.output
    assert "并入其他事件" in told("show", first).output
    assert "took others in" in told("show", first, "--language", "en").output
    alarm = next(one.id for one in desk.book.cases.alarms.values() if one.scope == "p9")
    split = told("split", first, alarm)
    assert split.exit_code == 0 and desk.book.cases.alarms[alarm].incident in split.output
    again = told("merge", first, other)
    assert (again.exit_code, "事件已并入另一事件" in again.output + again.stderr) == (1, True)
    assert json.loads(told("together", "--json").output) == []
    assert "没有名为 k-none 的" in told("join", "k-none").stderr
    unknown = told("show", "i-none", "--language", "en")
    assert unknown.exit_code == 1 and "there is no incident i-none" in unknown.stderr
    assert "是否想写 open" in told("list", "--state", "opne").stderr


def test_a_silence_is_begun_listed_prolonged_and_ended(data: Path, desk: Desk) -> None:
    def told(*arguments: str) -> Result:
        return CliRunner().invoke(application("silence"), ["silence", *arguments])

    begun = told("begin", "--area", "slope-01", "--for", "2 h", "--reason", "blasting")
    assert begun.exit_code == 0, begun.output
    (one,) = json.loads(told("list", "--json").output)
    assert (one["areas"], one["level"], one["reason"]) == (["slope-01"], "yellow", "blasting")
    (alarm,) = desk.book.cases.alarms.values()
    assert (alarm.state, alarm.silence) == ("UNACK", one["id"])
    assert told("prolong", one["id"], "--for", "3 h", "--reason", "late").exit_code == 0
    assert "blasting" in told("list").output
    assert told("end", one["id"]).exit_code == 0 and not alarm.silence
    for arguments, words in (
        (("begin", "--reason", "x"), "不能静默全部"),
        (("begin", "--area", "slope-1", "--reason", "x"), "slope-01"),
        (("begin", "--area", "slope-01", "--reason", "x", "--level", "red"), "红色预警不可静默"),
        (("begin", "--area", "slope-01", "--reason", "x", "--for", "2 d"), "静默时间超过上限"),
        (("end", one["id"]), "没有生效的静默"),
    ):
        refused = told(*arguments)
        assert refused.exit_code == 1 and words in refused.stderr, refused.stderr


def test_an_alarms_terms_are_marked_by_whether_they_hold(data: Path, desk: Desk) -> None:
    found = settings.load(None, data=str(data))
    journal, now = Journal(found.journal_url), time.time()
    why = Why(
        clause="value >= 40 or rate('1h') > 20",
        terms=(
            Term(name="value", value=6.7, op=">=", threshold=40.0, unit="mm", holds=False),
            Term(name="rate('1h')", value=25.0, op=">", threshold=20.0, unit="mm/h", holds=True),
        ),
        clear="not alarm",
        clear_terms=(Term(name="alarm", value=None),),
    )
    told = desk.condition(dataclasses.replace(change(2, area="slope-02", rule="rain", time=now), why=why), now)
    journal.record([Record(0, 200, tuple(told))])
    journal.close()
    (alarm,) = json.loads(run("list", "--data", data, "--area", "slope-02", "--json").stdout)
    shown = " ".join(run("show", alarm["id"], "--language", "en").output.split())
    assert "✗ value >= 40 mm: it is 6.7, 33.3 away ✓ rate('1h') > 20 mm/h: it is 25" in shown
    assert "clears: not alarm ? alarm" in shown
