"""Reports that are sent by the calendar: when they are due, once each whatever ends in between, to whom and as what."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries, Letter
from alerts.notifiers.file import read
from alerts.notifiers.mail import letter
from alerts.notifiers.notice import Failed, Notice
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.scheduled import ReportPlan, Reports, due, mistakes
from alerts.notifiers.targets import MailTarget, MqttTarget
from alerts.notifiers.wording import Voice
from alerts.situation import span_of
from sensors.document import DocumentError
from tests.alerts.situation.played import MONDAY, watched, weeks
from tests.waiting import reached

DAY = 86400.0
SITE = watched()
PLAN = ReportPlan(name="weekly", period="week", at="07:30", targets=("duty",), language="en")
AT = MONDAY + 7 * DAY + 7.5 * 3600
ID = "report.test.weekly.week.2026-11-16"


def test_a_report_is_due_at_its_hour_on_the_day_after_its_span() -> None:
    week = span_of("week", date(2026, 11, 16), SITE.zone)
    assert due(PLAN, AT, SITE.zone) == (week, AT)
    assert due(PLAN, AT + 6 * DAY, SITE.zone) == (week, AT)
    earlier, at = due(PLAN, AT - 1, SITE.zone)
    assert (earlier.name, at) == ("2026-11-09", AT - 7 * DAY)


def test_the_hour_is_the_zones_also_where_clocks_are_changed() -> None:
    plan = ReportPlan(name="daily", period="day", at="07:30", targets=("x",))
    for day, hour in ((date(2026, 3, 29), 5), (date(2026, 3, 28), 6)):
        now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        span, at = due(plan, now, "Europe/Berlin")
        assert datetime.fromtimestamp(at, UTC) == datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
        assert span.end <= at


class Wire:
    def __init__(self) -> None:
        self.taken: list[Notice] = []
        self.failures: list[Exception] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    retained = False
    areas: tuple[str, ...] = ()

    def wants(self, kind: str, simulated: bool) -> bool:
        return False

    def take_stale(self) -> bool:
        return False

    async def send(self, notice: Notice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(notice)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty: Path) -> Iterator[Wire]:
    journal = Journal(shutil.copy(empty, tmp_path / "journal.sqlite"))
    journal.record(weeks())
    journal.close()
    it = Wire()
    monkeypatch.setattr(module, "MqttSender", lambda *_: it)
    yield it


def plans(outbox: Path) -> list[str]:
    """Name the plans that the target knows of."""
    with sqlite3.connect(outbox) as memory:
        return [name for (name,) in memory.execute("SELECT plan FROM planned")]


def test_it_is_sent_once_also_after_a_failure_and_a_new_start_and_not_for_the_time_before(
    wire: Wire, tmp_path: Path
) -> None:
    now = [AT - 60]

    async def run(until: Any) -> None:
        target = MqttTarget(name="duty", retry_first=0.01)
        reports = Reports([PLAN, replace(PLAN, name="daily", period="day")], SITE, font="/no/font")
        files = tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite"
        notifier = Notifier(*files, [target], clock=lambda: now[0], reports=reports)
        await notifier.start()
        try:
            await until(notifier)
        finally:
            await notifier.stop()

    async def nothing(_: Notifier) -> None:
        await reached(lambda: len(plans(tmp_path / "outbox.sqlite")) == 2)

    async def first(_: Notifier) -> None:
        await reached(lambda: not wire.failures)

    asyncio.run(run(nothing))
    assert not wire.taken, "what was due a week ago was asked for by nobody then"
    now[0] = AT + 1
    wire.failures = [Failed("busy"), Failed("busy")]
    asyncio.run(run(first))
    now[0] += 400
    for total in (2, 3):  # a day later there is the next one of the day, and nothing again

        async def then(_: Notifier, total: int = total) -> None:
            await reached(lambda: len(wire.taken) == total)

        asyncio.run(run(then))
        now[0] += DAY
    days = [f"report.test.daily.day.{day}" for day in ("2026-11-22", "2026-11-23")]
    assert sorted(one.id for one in wire.taken) == [*days, ID]
    notice = next(one for one in wire.taken if one.id == ID)
    assert notice.data["report"]["now"]["alarms"] == 7 and notice.level == "blue"
    assert "no font" in notice.data["lines"]["en"][-1], "without a font the figures go all the same"


def test_one_that_cannot_be_made_keeps_nothing_else_from_being_told(wire: Wire, tmp_path: Path) -> None:
    now, tries = [AT - 60], list[str]()

    class Broken(Reports):
        def notice(self, _reader: Any, plan: ReportPlan, *_rest: Any) -> Notice:
            tries.append(plan.name)
            raise ValueError("a figure of the week is none")

    def waits(number: int) -> Letter:
        notice = Notice(
            id=f"d-{number}.1", kind="dispatch", area="", unit="", simulated=False, time=AT, payload={"data": {}}
        )
        return Letter(notice, 1, AT, False, "busy")

    async def told(number: int) -> None:
        await reached(lambda: len(wire.taken) == number)

    async def run() -> None:
        files = tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite"
        reports = Broken([PLAN, replace(PLAN, name="daily", period="day")], SITE)
        notifier = Notifier(*files, [MqttTarget(name="duty")], clock=lambda: now[0], reports=reports)
        memory = Deliveries(files[1])
        await notifier.start()
        try:
            await reached(lambda: sorted(plans(files[1])) == ["daily", "weekly"])
            now[0] = AT + 1
            for number in (1, 2, 3):
                memory.put_off("duty", waits(number))
                await notifier.notify()
                await told(number)
        finally:
            await notifier.stop()
            memory.close()

    asyncio.run(run())
    assert tries == ["weekly", "daily"], "each is tried, and not again at every change"


def test_a_mail_has_the_figures_in_both_languages_and_the_sheet(tmp_path: Path, empty: Path) -> None:
    journal = Journal(shutil.copy(empty, tmp_path / "journal.sqlite"))
    journal.record(weeks())
    span, at = due(PLAN, AT, SITE.zone)
    notice = Reports([PLAN], SITE).notice(journal, PLAN, span, at, ID)
    journal.close()
    target = MailTarget(name="duty", host="x", sender="f@example.org", to=("li@example.org",))
    voice = Voice(site="test", zone=SITE.zone, console="https://desk.example.org")
    sent = message_from_bytes(letter(notice, target, voice).as_bytes(), policy=policy.default)
    parts = list(sent.iter_parts())  # type: ignore[attr-defined]
    assert "周报" in str(sent["Subject"])
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/plain", "application/pdf"]
    assert "报警：7 (1)" in parts[0].get_content()
    assert "https://desk.example.org/#/report/d?period=week&day=2026-11-16" in parts[1].get_content()
    assert parts[2].get_filename() == "situation-d-week-2026-11-16.pdf"
    assert parts[2].get_content().startswith(b"%PDF")
    assert "Importance" not in sent


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"at": "7:30"}, "at"),
        ({"at": "24:00"}, "at"),
        ({"at": "0a:00"}, "at"),
        ({"targets": ()}, "targets"),
        ({"targets": ("nobody",)}, "targets"),
        ({"place": "nowhere"}, "place"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named_by_its_field(change: dict[str, Any], field: str) -> None:
    assert [one for one, _ in mistakes(replace(PLAN, **change), {"duty"}, SITE)] == [field]
    assert not list(mistakes(PLAN, {"duty"}, SITE))


def test_mistakes_in_the_file_have_their_line(tmp_path: Path) -> None:
    file = tmp_path / "notify.yaml"
    file.write_text(
        "targets:\n  - {kind: chat, name: group, url_file: /x}\nreports:\n"
        "  - {name: weekly, period: week, targets: [group]}\n"
        "  - {name: weekly, period: day, at: '25:00', targets: [g]}\n"
    )
    with pytest.raises(DocumentError) as found:
        read(file)
    said = [str(one) for one in found.value.problems]
    assert len(said) == 3 and all("notify.yaml:5" in one for one in said)
