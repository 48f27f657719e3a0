"""What the journal keeps for how long: cases that are over go whole, persons are taken out of those that stay."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from alerts import retention
from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import (
    AlarmTransition,
    CandidateChange,
    DispatchChange,
    HandoverSigned,
    IncidentChange,
    ModeChange,
    Record,
    SilenceChange,
)
from alerts.policy import Policy
from alerts.retention import DAY, keep, look, sweep
from alerts.tables import metadata
from tests.alerts.cases import SITE, change, command
from tests.alerts.test_journal import dump, told

NAMES = re.compile("lee|wang|ext 1|telephoned|came by|mudslide")
"""What persons are called and have written in the cases below."""


FILE = {"sha": "a" * 64, "type": "image/jpeg", "name": "wang at the gate.jpg", "bytes": 9}


def case(rule: str, begin: float, *, closed: bool = True) -> list[Record]:
    """Play a case of two partitions' worth of people: who did what, and what they wrote."""
    desk = Desk(SITE)
    steps = [desk.condition(change(3, rule=rule, time=begin), begin)]
    sent = next(one for one in steps[0] if isinstance(one, DispatchChange))
    alarm = next(one for one in steps[0] if isinstance(one, AlarmTransition)).alarm
    person = {"actor": "user:lee"}
    steps += [
        desk.command(command("assign", alarm, f"{rule}1", to="user:wang", **person), begin + 1),
        desk.command(command("acknowledge", sent.incident, f"{rule}2", **person), begin + 2),
        desk.command(command("attach", alarm, f"{rule}9", **FILE, **person), begin + 2),
        desk.command(command("comment", sent.incident, f"{rule}3", text="telephoned 138", **person), begin + 3),
        desk.command(command("accept", sent.dispatch, f"{rule}4", note="came by", **person), begin + 4),
        desk.command(command("on_scene", sent.dispatch, f"{rule}5", **person), begin + 5),
        desk.command(command("resolve", sent.dispatch, f"{rule}6", note="came by", **person), begin + 6),
        desk.command(command("close", sent.dispatch, f"{rule}7", **person), begin + 7),
        desk.condition(change(0, rule=rule, time=begin + 8), begin + 8),
    ]
    if closed:
        close = command("close", sent.incident, f"{rule}8", disposition="real", reason="mudslide", **person)
        steps.append(desk.command(close, begin + 9))
    return [Record(0, int(begin) + offset, tuple(out)) for offset, out in enumerate(steps) if out]


OLD, YOUNG, LASTING = case("old", 1000.0), case("young", 3 * DAY), case("lasting", 2000.0, closed=False)
NOW = 4 * DAY


SIGNED = HandoverSigned(
    id="handover-1", turn="1", shift="day", begin=0.0, time=1500.0, actor="user:lee", reason="telephoned",
    people={"seat": "user:wang"}, sheet={"comments": {"items": [{"actor": "user:lee", "text": "came by"}]}},
)  # fmt: skip
MODE = ModeChange(
    id="m1", order="o1", mode="holiday", area="slope-1", partition=0, edge="ended", since=1.0, until=9.0, time=9.0,
    actor="user:lee", reason="telephoned",
)  # fmt: skip


BEGAN = SilenceChange(
    id="s1.1", silence="s1", partition=0, edge="began", since=1.0, until=9.0, level="red", time=1.0,
    actor="user:lee", reason="telephoned", areas=("slope-1",),
)  # fmt: skip
STILL = msgspec.structs.replace(BEGAN, id="s2.1", silence="s2", until=9 * DAY, actor="user:ito", reason="works")
DROPPED = CandidateChange(
    id="c1.1", candidate="c1", partition=0, sequence=1, edge="merged", place="town-1", incidents=("i", "j"),
    areas=("slope-1", "slope-2"), time=9.0, actor="user:lee", reason="came by",
)  # fmt: skip
OPEN = msgspec.structs.replace(DROPPED, id="c2.1", candidate="c2", edge="dropped", actor="user:ito", reason="two")
SPELLS = (MODE, BEGAN, msgspec.structs.replace(BEGAN, id="s1.2", edge="over", time=9.0), STILL, DROPPED, OPEN)


@pytest.fixture(autouse=True)
def filled(journal: Journal) -> None:
    journal.record([*OLD, *LASTING, Record(0, 9000, (SIGNED, *SPELLS)), *YOUNG])


def text(journal: Journal, table: str, where: str = "1 = 1") -> str:
    with journal.engine.connect() as connection:
        return repr(connection.execute(sa.text(f'SELECT * FROM "{table}" WHERE {where}')).all())


def test_a_case_goes_whole_when_all_of_it_is_over_and_old(journal: Journal) -> None:
    policy = Policy(cases=1.0)
    assert look(journal.engine, policy, NOW).cases == 1
    kept = keep(journal.engine, policy, NOW)
    assert (kept.cases, kept.redacted) == (1, 0)
    assert {row["rule"] for row in journal.alarms("all").items} == {"lasting", "young"}
    for name, column in (("transitions", "alarm"), ("incident_changes", "incident"), ("dispatch_changes", "dispatch")):
        left = re.findall(rf"'({column[0]}-[0-9a-f]+)'", text(journal, name))
        known = text(journal, {"alarm": "alarms", "incident": "incidents", "dispatch": "dispatches"}[column])
        assert left and all(id in known for id in left), f"{name} without what they are about"
    assert text(journal, "handovers") == text(journal, "modes") == "[]"
    assert [row["id"] for row in rows(journal, "silences")] == ["s2"], "what lasts stays"
    assert [row["id"] for row in rows(journal, "candidates")] == ["c2"], "what may still be merged stays"
    assert journal.result("old1") is None and journal.result("young1") is not None
    assert keep(journal.engine, policy, NOW) == retention.Kept()


def test_what_was_removed_does_not_come_again_from_the_log(journal: Journal) -> None:
    keep(journal.engine, Policy(cases=1.0), NOW)
    before = dump(journal)
    journal.record([*OLD, *LASTING])
    assert dump(journal) == before


def test_persons_are_taken_out_of_what_is_over_and_old_and_of_nothing_else(journal: Journal) -> None:
    young = journal.changes(journal.position() - 5)
    whole = [row["record"] for row in journal.changes(0)]
    notices = told(journal)
    assert look(journal.engine, Policy(personal=1.0), NOW).redacted == 1
    done = keep(journal.engine, Policy(personal=1.0), NOW)
    assert done.redacted > len(OLD) and done.cases == 0
    assert journal.changes(journal.position() - 5) == young
    old = {row["id"] for row in journal.alarms("all").items + journal.incidents("all").items if row["opened"] < 1500}
    old |= {row["id"] for row in journal.dispatches(state="all").items if row["issued"] < 1500}
    for before, row in zip(whole, journal.changes(0), strict=True):
        mine, after = row["id"] in old, row["record"]
        assert ("redacted" in after) == mine
        assert bool(NAMES.search(repr(after))) == (not mine and bool(NAMES.search(repr(before))))
        kept = ("type", "id", "time", "edge", "level", "before", "after", "leg", "state", "disposition", "deadline")
        assert [after.get(name) for name in kept] == [before.get(name) for name in kept]
    for table in ("handovers", "modes", "silences", "candidates"):
        assert not NAMES.search(text(journal, table)), table
    for table in ("silences", "candidates"):
        assert any(row["by"] == "user:ito" for row in rows(journal, table)), f"{table}: who has to do with it now"
    assert {row["alarm"] for row in rows(journal, "attachments")}.isdisjoint(old), "what a file shows is personal"
    assert "a" * 64 not in text(journal, "transitions", f"alarm IN ({', '.join(map(repr, sorted(map(str, old))))})")
    for table in ("alarms", "incidents", "dispatches"):
        assert not any(NAMES.search(repr(row)) for row in rows(journal, table) if row["id"] in old), table
    closed = next(row for row in journal.incidents("closed").items if row["opened"] < 1500)
    assert (closed["disposition"], closed["reason"]) == ("real", "redacted"), "the verdict is no person's"
    assert told(journal) == notices
    late, lately = text(journal, "outbox", f"time < {3 * DAY}"), text(journal, "outbox", f"time >= {3 * DAY}")
    assert "redacted" in late and not NAMES.search(late), "nor is who was away told of it late"
    assert NAMES.search(lately)
    assert keep(journal.engine, Policy(personal=1.0), NOW).redacted == 0, "done once"


def rows(journal: Journal, table: str) -> list[dict[str, object]]:
    with journal.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(metadata.tables[table])).mappings()]


def test_a_case_that_closes_later_is_redacted_in_its_turn(journal: Journal) -> None:
    keep(journal.engine, Policy(personal=1.0), NOW)
    lasting = next(row for row in journal.incidents("all").items if row["opened"] == 2000.0)
    assert any(NAMES.search(repr(row)) for row in rows(journal, "incident_changes") if row["incident"] == lasting["id"])
    whole = journal.incident(lasting["id"])
    assert whole is not None
    last = {**whole["history"][-1], "edge": "closed", "state": "closed", "time": NOW}
    end = msgspec.convert({**last, "id": f"{lasting['id']}.99", "sequence": 99}, IncidentChange)
    journal.record([Record(0, 10**6, (end,))])
    keep(journal.engine, Policy(personal=1.0), NOW + 2 * DAY)
    for table in ("incident_changes", "transitions", "dispatch_changes"):
        assert not any(NAMES.search(repr(row)) for row in rows(journal, table)), table


def test_what_comes_late_is_redacted_in_what_is_yet_to_be_told_though_its_time_was_done(journal: Journal) -> None:
    keep(journal.engine, Policy(personal=1.0), NOW)
    journal.record([msgspec.structs.replace(one, offset=10**6 + one.offset) for one in case("late", 50_000.0)])
    assert NAMES.search(text(journal, "outbox", "time >= 50000 AND time < 60000"))
    assert keep(journal.engine, Policy(personal=1.0), NOW).redacted > 0
    assert not NAMES.search(text(journal, "outbox", f"time < {3 * DAY}"))
    assert keep(journal.engine, Policy(personal=1.0), NOW).redacted == 0, "done once"


def test_nothing_is_done_where_the_policy_says_nothing(journal: Journal) -> None:
    before = dump(journal)
    assert not keep(journal.engine, Policy(), NOW)
    assert dump(journal) == before


def test_files_that_no_alarm_has_any_more_are_removed_and_new_ones_are_left_alone(
    journal: Journal, tmp_path: Path
) -> None:
    kept, gone, fresh = (tmp_path / f"{letter * 64}.jpg" for letter in "abc")
    for file, age in ((kept, 2 * DAY), (gone, 2 * DAY), (fresh, 60.0)):
        file.write_bytes(b"x")
        os.utime(file, (NOW - age, NOW - age))
    assert sweep(journal.engine, tmp_path, NOW) == 1
    assert (kept.exists(), gone.exists(), fresh.exists()) == (True, False, True)
    keep(journal.engine, Policy(cases=0.001), NOW + 9 * DAY)
    assert sweep(journal.engine, tmp_path / "nowhere", NOW) == 0
