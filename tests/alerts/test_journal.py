"""The journal: every change exactly once, and the lists that the API asks for."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from alerts import tables
from alerts.desk import Desk
from alerts.journal import LEAP, Journal, JournalMissing, JournalWentBack, Reader
from alerts.layout import changing, migrate
from alerts.outcome import (
    AlarmTransition,
    CandidateChange,
    CommandResult,
    DispatchChange,
    ExerciseChange,
    IncidentChange,
    ModeChange,
    Published,
    Record,
    SilenceChange,
    decode,
    encode,
)
from alerts.policy import Policy
from alerts.retention import DAY, OUTBOX_DAYS, keep
from tests.alerts.cases import SITE, change, command


def night(partition: int = 0) -> list[Record]:
    """Play a night from the first alarm to the closed case, one record an observation."""
    desk = Desk(SITE)
    steps = [
        desk.condition(change(2, rule="rain", scope="slope-1", time=1.0), 1.0),
        desk.condition(change(3, rule="creep", time=2.0), 2.0),
    ]
    issued = next(outcome for outcome in steps[1] if isinstance(outcome, DispatchChange))
    steps += [
        desk.command(command("acknowledge", issued.incident, f"{partition}-c1", actor="user:an"), 3.0),
        desk.command(command("snapshot", issued.incident, f"{partition}-c2", camera="k1", sha="a" * 64, time=3.5), 4.0),
        desk.condition(change(4, rule="creep", time=5.0), 5.0),
        desk.tick(400.0),
        desk.command(command("accept", issued.dispatch, f"{partition}-c3", actor="unit:u-s1"), 401.0),
        desk.command(command("accept", issued.dispatch, f"{partition}-c4", actor="unit:u-s1"), 402.0),
        desk.condition(change(1, rule="level", area="river-1", scope="p7", time=403.0), 403.0),
        desk.command(command("on_scene", issued.dispatch, f"{partition}-c5"), 500.0),
        desk.command(command("resolve", issued.dispatch, f"{partition}-c6"), 600.0),
        desk.command(command("close", issued.dispatch, f"{partition}-c7"), 700.0),
        desk.condition(change(0, rule="creep", time=800.0), 800.0),
        desk.condition(change(0, rule="rain", scope="slope-1", time=801.0), 801.0),
        desk.command(command("acknowledge", issued.incident, f"{partition}-c8"), 802.0),
        desk.command(command("close", issued.incident, f"{partition}-c9", disposition="real", reason="slid"), 900.0),
    ]
    return [Record(partition, offset, tuple(outcomes)) for offset, outcomes in enumerate(steps) if outcomes]


NIGHT = night()


def dump(journal: Journal) -> dict[str, list[tuple[object, ...]]]:
    with journal.engine.connect() as connection:
        return {
            table.name: sorted((tuple(map(str, row)) for row in connection.execute(sa.select(table))), key=repr)
            for table in tables.metadata.sorted_tables
            if table.name != "outbox"  # one telling of an area a call, however many changes it holds
        }


def told(journal: Journal) -> list[str]:
    return [row["id"] for row in journal.outbox(0, 1000) if row["kind"] == "dispatch"]


def test_the_whole_night_is_there(journal: Journal) -> None:
    last = journal.record(NIGHT)
    changes = journal.changes(0)
    assert [row["position"] for row in changes] == list(range(1, last + 1))
    assert {row["kind"] for row in changes} == {"alarm", "incident", "dispatch", "result"}
    assert sum(len(record.outcomes) for record in NIGHT) == last == journal.position()
    assert journal.changes(last - 2) == changes[-2:]
    assert journal.changes(3, limit=4) == changes[3:7]
    assert journal.positions() == {0: NIGHT[-1].offset}


def test_a_text_with_nul_from_an_older_log_does_not_stop_it(journal: Journal) -> None:
    changed = [
        replace(one, reason="nul\0here", explanation=None) if isinstance(one, AlarmTransition) else one
        for record in NIGHT[:3]
        for one in record.outcomes
    ]
    journal.record([Record(1, 0, tuple(changed))])
    reasons = {row["record"].get("reason", "") for row in journal.changes(0) if row["kind"] == "alarm"}
    assert {reason.replace("\0", "") for reason in reasons} == {"nulhere"}


@pytest.mark.parametrize("statement", range(1, 6))
def test_no_change_is_passed_over_though_one_is_written_between_two_reads(journal: Journal, statement: int) -> None:
    """A follower goes on from the last position it was given: what was left out before it, it never gets."""
    journal.record(NIGHT[:1])
    reader = Reader(journal.engine.url.render_as_string(hide_password=False))
    seen = 0

    @sa.event.listens_for(reader.engine, "before_cursor_execute")
    def meanwhile(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            journal.record(NIGHT)

    first = reader.changes(0)
    assert seen >= statement, "nothing was written between these reads"
    positions = [row["position"] for row in first + reader.changes(int(first[-1]["position"]) if first else 0)]
    assert positions == list(range(1, journal.position() + 1))
    reader.close()


def test_a_change_holds_its_whole_record(journal: Journal) -> None:
    journal.record(NIGHT[:1])
    first = journal.changes(0)[0]
    assert set(first["record"]) == {"type", *AlarmTransition.__struct_fields__}
    assert first["record"]["explanation"]["terms"][0]["value"] == 2400.0
    assert first["id"] == first["record"]["alarm"]


def test_repeats_change_nothing(journal: Journal) -> None:
    last = journal.record(NIGHT)
    before = dump(journal), told(journal)
    assert journal.record(NIGHT) == last
    assert journal.record([decode(encode(record)) for record in NIGHT[3:]]) == last
    assert (dump(journal), told(journal)) == before


def test_a_repeat_under_another_offset_is_known_by_its_id(journal: Journal) -> None:
    last = journal.record(NIGHT)
    again = [Record(record.partition, record.offset + 1000, record.outcomes) for record in NIGHT]
    assert journal.record(again) == last
    assert journal.positions() == {0: NIGHT[-1].offset + 1000}


def test_in_another_log_no_offset_is_skipped(journal: Journal) -> None:
    half = len(NIGHT) // 2
    old = [Record(record.partition, record.offset + 1000, record.outcomes) for record in NIGHT[:half]]
    journal.record(old, log="one")
    last = journal.record(NIGHT[half:], log="one")
    assert last == sum(len(record.outcomes) for record in old), "in the same log it was there before"
    assert journal.positions() == {0: old[-1].offset}
    open_then = sum(len(page.items) for page in (journal.alarms(), journal.incidents(), journal.dispatches()))
    whole = journal.record(NIGHT, log="two")
    expected = sum(len(record.outcomes) for record in NIGHT) + open_then  # what was open was closed first
    assert whole == expected, "new ones are taken, true repeats are not"
    assert journal.positions() == {0: NIGHT[-1].offset}
    assert journal.record(NIGHT[:2], log="two") == journal.record(NIGHT[:2]) == whole
    assert journal.positions() == {0: NIGHT[-1].offset}


def test_what_was_open_in_a_log_that_is_lost_is_closed(journal: Journal) -> None:
    desk = Desk(SITE)
    steps = [
        desk.condition(change(4, time=1000.0), 1000.0),
        desk.condition(change(2, rule="rain", scope="slope-1", time=1001.0), 1001.0),
        desk.condition(change(1, rule="calm", area="river-1", time=1002.0), 1002.0),
        desk.condition(change(0, rule="calm", area="river-1", time=1003.0), 1003.0),
    ]
    last = journal.record([Record(0, 90 + n, tuple(out)) for n, out in enumerate(steps)], log="one")
    assert journal.summary("slope-1")["level"] == "red"
    fresh = Desk(SITE).condition(change(1, rule="other", time=2000.0), 2000.0)
    records = [Record(0, 3, tuple(fresh))]
    whole = journal.record(records, log="two")
    assert [row["rule"] for row in journal.alarms().items] == ["other"]
    assert [row["id"] for row in journal.incidents().items] == [fresh[0].incident]
    assert journal.dispatches().items == []
    assert journal.summary("slope-1")["level"] == "blue"
    assert journal.summary("river-1")["returned"] == []
    closed = [row["record"] for row in journal.changes(last) if row["record"].get("reason") == "log.replaced"]
    assert [one["type"] for one in closed] == ["dispatch", "alarm", "alarm", "alarm", "incident", "incident"]
    assert {one["time"] for one in closed} == {2000.0}
    assert {one["actor"] for one in closed} == {"engine"}
    (event,) = [row["payload"] for row in journal.outbox(last) if row["kind"] == "dispatch"]
    assert (event["type"], event["data"]["leg"], event["data"]["reason"], event["data"]["deadline"]) == (
        "com.foreshock.dispatch.closed", "closed", "log.replaced", None,
    )  # fmt: skip
    assert {row["area"] for row in journal.outbox(last) if row["kind"] == "area"} == {"slope-1", "river-1"}
    # once, and never again
    assert journal.record(records, log="two") == journal.record([], log="two") == whole
    # should the lost one come back after all, its own changes are none of these
    more = desk.condition(change(0, time=3000.0), 3000.0)
    assert journal.record([Record(0, 94, tuple(more))], log="one") > whole


def test_what_an_engine_that_began_again_no_longer_knows_is_closed(journal: Journal) -> None:
    desks = [Desk(SITE), Desk(SITE)]
    outs = [
        desks[0].condition(change(4), 1.0),
        desks[0].condition(change(1, rule="kept", area="river-1"), 2.0),
        desks[1].condition(change(4, rule="else", area="river-1"), 3.0),
    ]
    journal.record([Record(0, 8, tuple(outs[0])), Record(0, 9, tuple(outs[1])), Record(1, 5, tuple(outs[2]))])
    again = Desk(SITE)
    anew = again.condition(change(2, rule="anew"), 4.0)
    kept = {outs[1][0].alarm, outs[1][0].incident}
    known = {*kept, *again.book.cases.alarms, *again.book.cases.incidents}
    gone = Desk(SITE).condition(change(2, rule="gone"), 4.0)
    known |= {f"a-{number}" for number in range(70_000)}  # more than a statement may have parameters
    last = journal.forget(0, known, [Record(0, 2, tuple(anew)), Record(0, 3, tuple(gone))], 10.0)
    assert {row["rule"] for row in journal.alarms().items} == {"kept", "else", "anew"}
    assert len(journal.incidents().items) == 3
    assert [row["area"] for row in journal.dispatches().items] == ["river-1"]
    assert journal.positions() == {0: 9, 1: 5}
    assert journal.forget(0, known, [Record(0, 2, tuple(anew))], 11.0) == last


def test_what_a_log_lost_and_hears_again_is_open_again_under_its_own_id(journal: Journal) -> None:
    desk = Desk(SITE)
    raised = desk.condition(change(4), 5.0)
    acked = desk.command(command("acknowledge", raised[0].alarm, "c-lost"), 6.0)
    lost = [Record(0, 5, tuple(raised)), Record(0, 6, tuple(acked))]
    journal.record(lost, log="one")
    first = [row["record"] for row in journal.changes(0)]
    assert journal.back_to(0, 3, "one") == 3
    journal.forget(0, set(), [], 10.0)
    assert journal.alarms().items == []
    # the sensor, told nothing, sends it once more; the same onset gives the same ids
    journal.record([Record(0, 4, tuple(raised))], log="one")
    assert [(row["id"], row["state"]) for row in journal.alarms().items] == [(raised[0].alarm, "UNACK")]
    last = journal.record([Record(0, 5, tuple(acked))], log="one")
    assert [row["state"] for row in journal.alarms().items] == ["ACKED"]
    assert len(journal.incidents().items) == len(journal.dispatches().items) == 1
    assert journal.record([Record(0, 5, tuple(acked))], log="one") == last, "and a repeat is one still"
    assert [row["record"] for row in journal.changes(0)][: len(first)] == first, "what was told stays on the record"


def test_what_was_done_in_what_a_log_lost_is_undone_and_can_be_done_again(journal: Journal) -> None:
    desk = Desk(SITE)
    raised = desk.condition(change(4), 5.0)
    alarm, incident = raised[0].alarm, raised[0].incident
    order = next(one.dispatch for one in raised if isinstance(one, DispatchChange))
    journal.record([Record(0, 3, tuple(raised))], log="one")

    def standing() -> tuple[Any, ...]:
        whole = journal.incident(incident)
        assert whole is not None
        return whole, journal.alarms().items, journal.dispatches().items

    before, lost = standing(), []
    for time, (kind, target, args) in enumerate(
        [
            ("snapshot", incident, {"camera": "cam", "sha": "a" * 64, "time": 5.0}),
            ("acknowledge", alarm, {}),
            ("accept", order, {}),
            ("close", order, {"reason": "a mistake"}),
            ("shelve", alarm, {"seconds": 60, "reason": "x"}),
        ]
    ):
        lost.append(
            Record(0, 4 + time, tuple(desk.command(command(kind, target, f"{kind}-{'c' * 80}", **args), 6.0 + time)))
        )
    journal.record(lost, log="one")
    after = standing()
    assert [row["state"] for row in after[1]] == ["SHLVD"]
    for _ in range(2):  # a power that fails and fails again
        assert journal.back_to(0, 3, "one") == 5
        alike = [{**now, "history": [], "snapshots": [], "dispatch_details": []} for now in (before[0], standing()[0])]
        assert alike[0] == alike[1], "the engine knows of none of it"
        assert standing()[1:] == before[1:]
        journal.forget(0, {alarm, incident, order}, [], 20.0)
        journal.record(lost, log="one")
        again = standing()
        assert [row["state"] for row in again[1]] == ["SHLVD"]
        assert [row["leg"] for row in again[0]["dispatch_details"]] == ["closed"]


def test_a_merge_that_a_log_lost_is_undone_also_for_what_was_over_by_then(journal: Journal) -> None:
    desk = Desk(SITE)

    def raise_at(area: str) -> tuple[str, str]:
        raised = desk.condition(change(3, area=area, scope=f"p-{area}"), 5.0)
        over = desk.condition(change(2, area=area, scope=f"q-{area}", rule="r2"), 5.0)
        ended = desk.condition(change(0, area=area, scope=f"q-{area}", rule="r2"), 6.0)
        ended += desk.command(command("acknowledge", over[0].alarm, f"ack {area}"), 7.0)
        picture = {"camera": "cam", "sha": "a" * 64, "time": 5.0}
        ended += desk.command(command("snapshot", raised[0].incident, f"s {area}", **picture), 7.0)
        journal.record([Record(0, desk_at.pop(), (*raised, *over, *ended))], log="one")
        return raised[0].incident, over[0].alarm

    desk_at = [3, 2, 1]
    (first, _), (second, over), (third, _) = raise_at("slope-1"), raise_at("river-1"), raise_at("nowhere")

    def merge(into: str, other: str, at: int) -> None:
        out = desk.command(command("merge", into, f"m{at}", incidents=[other], reason="one matter"), float(at))
        journal.record([Record(0, at, tuple(out))], log="one")

    def standing() -> dict[str, Any]:
        with journal.engine.connect() as connection:
            held = (tables.alarms, tables.dispatches, tables.snapshots)
            return {one.name: sorted(connection.execute(sa.select(one.c.id, one.c.incident)).all()) for one in held}

    merge(second, third, 8)
    before = standing()
    assert {row.incident for row in before["alarms"]} == {first, second}
    merge(first, second, 9)
    assert {row.incident for page in standing().values() for row in page} == {first}
    assert journal.back_to(0, 8, "one") == 1
    assert standing() == before and (over, second) in [tuple(row) for row in before["alarms"]]


def test_ids_from_elsewhere_that_begin_alike_are_lost_each_by_itself(journal: Journal) -> None:
    answers = [CommandResult(id="x" * 94 + f"{n:02}", ok=True, target="t", reason="", time=5.0) for n in range(12)]
    journal.record([Record(0, 3, ())], log="one")
    for _ in range(2):
        journal.record([Record(0, 4 + n, (one,)) for n, one in enumerate(answers)], log="one")
        assert journal.back_to(0, 3, "one") == 12


def test_what_another_log_held_is_not_lost_with_the_end_of_the_one_after_it(journal: Journal) -> None:
    journal.record(NIGHT, log="one")
    journal.record([Record(0, 0, tuple(Desk(SITE).condition(change(1, rule="new"), 2000.0)))], log="two")
    before = dump(journal)
    lost = Desk(SITE).condition(change(1, rule="newer", area="river-1"), 2001.0)
    journal.record([Record(0, 5, tuple(lost))], log="two")
    assert journal.back_to(0, 3, "two") == 2
    after = dump(journal)
    for table in ("transitions", "incident_changes", "dispatch_changes", "results", "incidents", "dispatches"):
        assert set(before[table]) <= set(after[table]), f"{table}: its cases are over, and stay so"


def test_all_is_found_that_a_log_lost_however_much_of_other_partitions_lies_between(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.journal._RECENT", 2)
    desk, busy = Desk(SITE), Desk(SITE)
    raised = desk.condition(change(4), 5.0)
    journal.record([Record(0, 3, tuple(raised))], log="one")
    order = next(one.dispatch for one in raised if isinstance(one, DispatchChange))
    lost = desk.command(command("accept", order, "c-lost"), 6.0)
    journal.record([Record(0, 4, tuple(lost))], log="one")
    for n in range(4):
        other = busy.condition(change(4, rule=f"r{n}", area="river-1"), 7.0 + n)
        journal.record([Record(1, n, tuple(other))], log="one")
    assert journal.back_to(0, 3, "one") == 1
    assert [row["leg"] for row in journal.dispatches(area="slope-1").items] == ["issued"]


def test_what_was_renamed_before_a_log_lost_its_end_keeps_its_name_and_its_place_in_lists(journal: Journal) -> None:
    desk = Desk(SITE)
    raised = desk.condition(change(4), 5.0)
    journal.record([Record(0, 3, tuple(raised))], log="one")
    renamed = {"points": {"p1": "q1"}, "areas": {"slope-1": "hill-1"}, "cameras": {}}
    journal.record([Record(0, 4, (Published(id="p-v2-0-4", version="v2", partition=0, time=6.0, renamed=renamed),))])

    def standing() -> list[Any]:
        return [page.items for page in (journal.alarms(), journal.incidents(), journal.dispatches())]

    before = standing()
    order = next(one.dispatch for one in raised if isinstance(one, DispatchChange))
    lost = [desk.command(command("acknowledge", raised[0].alarm, "c1"), 7.0)]
    lost.append(desk.command(command("accept", order, "c2"), 8.0))
    anew = [[one if isinstance(one, CommandResult) else replace(one, area="hill-1") for one in out] for out in lost]
    journal.record([Record(0, 5 + n, tuple(out)) for n, out in enumerate(anew)], log="one")
    assert standing() != before
    assert journal.back_to(0, 4, "one") == 2
    assert standing() == before
    assert {row["area"] for page in before for row in page} == {"hill-1"}


def test_what_ended_in_what_a_log_lost_lasts_in_the_journal_as_in_the_engine(journal: Journal) -> None:
    hushed = SilenceChange(
        id="s-0-began", silence="s", partition=0, edge="began", since=5.0, until=900.0, level="blue", time=5.0
    )
    mode = ModeChange(
        id="m-0-began",
        order="m",
        mode="works",
        area="slope-1",
        partition=0,
        edge="began",
        since=5.0,
        until=9.0,
        time=5.0,
    )
    drill = ExerciseChange(
        id="e-0-begin",
        exercise="e",
        edge="begin",
        areas=("slope-1",),
        units=(),
        time=5.0,
        title={"zh": "演练", "en": "drill"},
        actor="user:an",
    )
    elsewhere = replace(mode, area="river-1")
    thought = CandidateChange(
        id="k.1",
        candidate="k",
        partition=0,
        sequence=1,
        edge="suggested",
        place="s1",
        incidents=("i",),
        areas=(),
        time=5.0,
    )
    begun = (hushed, mode, elsewhere, drill, thought)
    ended = (
        replace(hushed, edge="ended", time=7.0, actor="user:bo", reason="done"),
        replace(mode, edge="ended", time=7.0, actor="user:bo", reason="done"),
        replace(drill, edge="end", time=7.0),
        replace(thought, id="k.2", sequence=2, edge="merged", time=7.0),
    )
    over = (replace(elsewhere, edge="ended", time=6.0),)  # of the same order, and the log has it
    journal.record([Record(0, 3, (*begun, *over)), Record(1, 8, (replace(hushed, partition=1),))], log="one")

    def lasting() -> list[list[Any]]:
        return [journal.silences(), journal.modes(), journal.exercises(running=True), journal.candidates()]

    before = lasting()
    journal.record([Record(0, 4, ended), Record(1, 9, (replace(ended[0], partition=1),))], log="one")
    assert lasting() == [[], [], [], []]
    assert journal.back_to(0, 3, "one") == 1
    journal.forget(0, {"s", "m", "e", "k"}, [], 20.0)
    assert [[row.get("state") for row in page] for page in lasting()] == [["on"], ["on"], [None], ["open"]]
    assert [row["area"] for row in lasting()[1]] == [row["area"] for row in before[1]] == ["slope-1"]
    assert lasting()[2] == before[2]
    with journal.engine.connect() as connection:
        rows = connection.execute(sa.select(tables.silences).order_by(tables.silences.c.partition)).all()
    assert [(row.state, row.ended_by) for row in rows] == [("on", ""), ("ended", "user:bo")], "of its partition alone"


def test_a_journal_from_before_logs_had_ids_takes_one(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.sqlite")
    last = first.record(NIGHT)
    with first.engine.begin() as connection:
        tables.logs.drop(connection)
    first.close()
    make_old(tmp_path / "journal.sqlite")
    again = Journal(tmp_path / "journal.sqlite")
    assert again.record(NIGHT, log="one") == last, "and what is open stays so"
    assert again.positions() == {0: NIGHT[-1].offset}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[tuple[object, ...]]], list[str]]:
    """What a journal that got the night in one call holds, and whom it has told what."""
    with closing(Journal(tmp_path_factory.mktemp("whole") / "journal.sqlite")) as made:
        made.record(NIGHT)
        return dump(made), told(made)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cut_into_calls_with_any_repeats_gives_the_same_journal(
    tmp_path_factory: pytest.TempPathFactory,
    empty: Path,
    at_once: tuple[dict[str, list[tuple[object, ...]]], list[str]],
    data: st.DataObject,
) -> None:
    cut = Journal(shutil.copy(empty, tmp_path_factory.mktemp("journals") / "cut.sqlite"))
    done = 0
    while done < len(NIGHT):
        start = data.draw(st.integers(0, done))
        end = data.draw(st.integers(done + 1, len(NIGHT)))
        cut.record(NIGHT[start:end])
        done = end
    assert (dump(cut), told(cut)) == at_once
    cut.close()


def test_a_failed_write_leaves_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.record(NIGHT[:1])
    before = dump(journal)
    from alerts import journal as module

    def full(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module._Batch, "write", full)
    with pytest.raises(OSError, match="disk full"):
        journal.record(NIGHT[1:])
    monkeypatch.undo()
    assert dump(journal) == before
    journal.record(NIGHT)
    assert journal.position() == sum(len(record.outcomes) for record in NIGHT)


def test_incidents_page_newest_first(journal: Journal) -> None:
    desk = Desk(SITE)
    for number in range(7):
        journal.record([Record(0, number, tuple(desk.condition(change(1, rule=f"r{number}", area=f"x{number}"), 1.0)))])
    pages = []
    before = None
    while True:
        page = journal.incidents(limit=3, before=before)
        pages.append([row["area"] for row in page.items])
        before = page.next
        if before is None:
            break
    assert pages == [["x6", "x5", "x4"], ["x3", "x2", "x1"], ["x0"]]


def test_an_incident_has_all_that_its_page_shows(journal: Journal) -> None:
    journal.record(NIGHT)
    (row,) = journal.incidents("closed").items
    assert set(row) == {
        "id", "area", "kind", "state", "level", "peak", "cause", "alarms", "opened", "time", "simulated",
        "acknowledged_by",
        "title", "sequence", "dispatches", "disposition", "reason", "plan", "ticks", "exercise", "sort", "subject",
    }  # fmt: skip
    assert (row["state"], row["disposition"], row["reason"], row["acknowledged_by"]) == (
        "closed", "real", "slid", "user:an",
    )  # fmt: skip
    assert row["title"] == {"zh": "slope 1区：位移（红色）", "en": "slope 1: creep (red)"}
    whole = journal.incident(row["id"])
    assert whole is not None
    assert [alarm["state"] for alarm in whole["alarm_details"]] == ["NORM", "NORM"]
    assert whole["dispatch_details"][0]["leg"] == "closed"
    assert len(whole["dispatch_details"][0]["history"]) == 8
    assert whole["history"][0]["edge"] == "opened"
    assert whole["snapshots"] == [
        {"camera": "k1", "time": 3.5, "sha": "a" * 64, "area": "slope-1", "url": f"/api/v1/snapshots/{'a' * 64}.jpg"}
    ]
    assert [one["area"] for one in journal.incidents("open").items] == ["river-1"]
    assert len(journal.incidents("all").items) == 2
    assert journal.incidents("all", area="slope-1").items == [row]
    assert journal.incident("i-none") is None


def test_an_incident_that_got_worse_under_way_is_acknowledged_by_nobody(journal: Journal) -> None:
    desk = Desk(SITE)
    steps = [desk.condition(change(3, time=1.0), 1.0)]
    id = next(outcome.incident for outcome in steps[0] if isinstance(outcome, IncidentChange))
    steps += [
        desk.command(command("acknowledge", id, "c1"), 2.0),
        desk.command(command("comment", id, "c2", text="seen"), 3.0),
        desk.condition(change(4, time=4.0), 4.0),
        desk.command(command("acknowledge", id, "c3", actor="user:li"), 5.0),
    ]
    seen = []
    for offset, outcomes in enumerate(steps):
        journal.record([Record(0, offset, tuple(outcomes))])
        (row,) = journal.incidents().items
        (alarm,) = journal.alarms().items
        seen.append((row["state"], alarm["state"], row["acknowledged_by"]))
    assert seen == [
        ("dispatched", "UNACK", None),
        ("dispatched", "ACKED", "user:an"),
        ("dispatched", "ACKED", "user:an"),
        ("dispatched", "UNACK", None),
        ("dispatched", "ACKED", "user:li"),
    ]


def test_a_picture_is_kept_and_a_closing_told_though_nobody_has_acknowledged(journal: Journal) -> None:
    desk = Desk(SITE)
    steps = [desk.condition(change(2, rule="rain", scope="slope-1", time=1.0), 1.0)]
    opened = next(outcome for outcome in steps[0] if isinstance(outcome, IncidentChange))
    steps.append(desk.command(command("snapshot", opened.incident, "c1", camera="k1", sha="a" * 64, time=1.5), 2.0))
    # as when the log that knew it was replaced: nobody is there to acknowledge it
    steps.append(
        [replace(opened, id=f"{opened.incident}.end", edge="closed", state="closed", disposition="test", reason="gone")]
    )
    for offset, outcomes in enumerate(steps):
        journal.record([Record(0, offset, tuple(outcomes))])
    assert [picture["camera"] for picture in journal.snapshots(opened.incident)] == ["k1"]
    (row,) = journal.incidents("closed").items
    assert (row["disposition"], row["reason"], row["acknowledged_by"]) == ("test", "gone", None)


def test_a_record_from_before_incidents_said_that_they_wait_is_read(journal: Journal) -> None:
    """Only its state tells: opened again means that nobody has acknowledged."""
    opened = next(outcome for outcome in NIGHT[0].outcomes if isinstance(outcome, IncidentChange))
    states = [("opened", "open"), ("acknowledged", "acknowledged"), ("level", "dispatched"), ("level", "open")]
    seen = []
    for offset, (edge, state) in enumerate(states):
        made = replace(
            opened,
            id=f"{opened.incident}.{offset + 1}",
            sequence=offset + 1,
            edge=edge,
            state=state,
            actor="user:an",
            unacknowledged=False,
        )
        stored = encode(Record(0, offset, (made,)))
        assert b"unacknowledged" not in stored
        journal.record([decode(stored)])
        seen.append(journal.incidents().items[0]["acknowledged_by"])
    assert seen == [None, "user:an", "user:an", None]


def test_an_alarm_has_its_transitions_and_its_reasons(journal: Journal) -> None:
    journal.record(NIGHT)
    (low,) = journal.alarms("open").items
    assert (low["area"], low["state"], low["rule_title"]) == ("river-1", "UNACK", {"zh": "位移", "en": "creep"})
    assert "transitions" not in low
    assert len(journal.alarms("NORM", area="slope-1").items) == 2
    assert journal.alarms("nonsense").items == []
    id = next(row["id"] for row in journal.alarms("NORM").items if row["rule"] == "creep")
    alarm = journal.alarm(id)
    assert alarm is not None
    assert [step["edge"] for step in alarm["transitions"]] == [
        "alarm",
        "acknowledge",
        "realarm",
        "return",
        "acknowledge",
    ]
    assert alarm["level"] == "red"
    assert alarm["explanation"]["clause"] == "eta('limit') < 3600"
    assert journal.alarm("a-none") is None


def test_dispatches_by_unit_and_state(journal: Journal) -> None:
    journal.record(NIGHT[:2])
    (row,) = journal.dispatches("u-c1").items
    assert (row["leg"], row["deadline"], row["issued"], row["overdue"]) == ("issued", 302.0, 2.0, False)
    journal.record(NIGHT)
    assert journal.dispatches("u-c1", state="all").items == []  # escalated to another unit
    assert journal.dispatches(["u-s1", "u-c1"], state="open").items == []
    (row,) = journal.dispatches("u-s1", state="all").items
    whole = journal.dispatch(row["id"])
    assert whole is not None
    assert [step["edge"] for step in whole["history"]] == [
        "issued", "raised", "overdue", "reassigned", "accepted", "on_scene", "resolved", "closed",
    ]  # fmt: skip


def test_results_are_found_by_command(journal: Journal) -> None:
    journal.record(NIGHT)
    assert journal.result("0-c1") == {
        "type": "result", "id": "0-c1", "ok": True, "target": NIGHT[2].outcomes[-1].target, "reason": "", "time": 3.0,
    }  # fmt: skip
    refused = journal.result("0-c4")
    assert refused is not None
    assert (refused["ok"], refused["reason"]) == (False, "dispatch.already_done")
    assert journal.result("never") is None


def test_counts_are_of_open_risk_incidents_with_an_active_alarm(journal: Journal) -> None:
    desk = Desk(SITE)
    steps = [
        desk.condition(change(3), 1.0),
        desk.condition(change(1, rule="low", area="river-1"), 1.0),
        desk.condition(change(4, rule="gap", kind="data_quality"), 1.0),
        desk.condition(change(2, rule="gone", area="nowhere"), 1.0),
        desk.condition(change(0, rule="gone", area="nowhere"), 2.0),
    ]
    journal.record([Record(0, offset, tuple(out)) for offset, out in enumerate(steps)])
    assert journal.counts() == {"red": 0, "orange": 1, "yellow": 0, "blue": 1}
    assert journal.counts("data_quality")["red"] == 1


def test_an_areas_summary_empties_when_calm(journal: Journal) -> None:
    journal.record(NIGHT[:2])
    summary = journal.summary("slope-1")
    assert (summary["level"], summary["count"], [one["level"] for one in summary["open"]]) == (
        "orange", 2, ["orange", "yellow"],
    )  # fmt: skip
    journal.record(NIGHT)
    assert (journal.summary("slope-1")["open"], journal.summary("slope-1")["level"]) == ([], None)


def test_another_process_reads_while_the_worker_writes(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with pytest.raises(JournalMissing):
        Reader(path)
    writer = Journal(path)
    reader = Reader(path)
    writer.record(NIGHT)
    assert reader.changes(0) == writer.changes(0)
    with pytest.raises(sa.exc.OperationalError), reader.engine.begin() as connection:
        connection.execute(sa.delete(tables.alarms))


def test_an_incident_that_nobody_is_on_is_in_the_outbox(journal: Journal) -> None:
    out = Desk(SITE).condition(change(3, area="nowhere", scope="p9"), 1.0)
    journal.record([Record(0, 0, tuple(out))])
    (row,) = [row for row in journal.outbox(0) if row["kind"] == "dispatch"]
    assert (row["area"], row["unit"], row["payload"]["type"]) == (
        "nowhere", "", "com.foreshock.incident.undispatched",
    )  # fmt: skip


def test_old_outbox_rows_are_pruned(journal: Journal) -> None:
    journal.record(NIGHT)
    count = len(journal.outbox(0, 1000))
    assert keep(journal.engine, Policy(), 500.0 + OUTBOX_DAYS * DAY).notices > 0
    left = journal.outbox(0, 1000)
    assert 0 < len(left) < count
    assert all(row["time"] >= 500.0 for row in left)
    assert journal.outbox_start(600.0) == min(row["position"] for row in left if row["time"] >= 600.0) - 1


def test_two_partitions_share_one_sequence(journal: Journal) -> None:
    desk = Desk(SITE)
    other = [Record(1, 0, tuple(desk.condition(change(1, rule="else", area="river-1"), 1.0)))]
    journal.record([*NIGHT[:1], *other])
    assert [row["position"] for row in journal.changes(0)] == [1, 2, 3, 4]
    assert journal.positions() == {0: 0, 1: 0}


def test_a_journal_that_has_forgotten_what_it_took_takes_nothing_before_that(journal: Journal) -> None:
    journal.record(NIGHT[:3], "log")
    with pytest.raises(JournalWentBack, match="partition 0"):
        journal.record(NIGHT[5:], "log", {0: NIGHT[4].offset})
    assert journal.positions() == {0: NIGHT[2].offset}
    journal.record(NIGHT[2:], "log", {0: NIGHT[2].offset})
    journal.record(NIGHT[-1:], "another", {0: NIGHT[-1].offset + 5})  # whose offsets are others
    assert journal.positions() == {0: NIGHT[-1].offset}


def test_no_position_that_a_server_may_have_forgotten_is_given_again(journal: Journal) -> None:
    """Whoever has read on to it, a notifier say, would pass over what gets it anew."""
    journal.record(NIGHT[:2])
    before = journal.position()
    journal.engine.dispose()  # as when the server fell over
    journal.record(NIGHT[2:3])
    first = journal.changes(before)[0]["position"]
    leapt = journal.engine.dialect.name != "sqlite"
    assert first - before == (LEAP + 1 if leapt else 1)
    journal.record(NIGHT[3:4])
    assert journal.position() < before + LEAP + 50, "once a connection"
    assert [row["position"] for row in journal.changes(0)] == sorted(row["position"] for row in journal.changes(0))


def test_incident_changes_keep_their_type(journal: Journal) -> None:
    journal.record(NIGHT)
    first = next(row["record"] for row in journal.changes(0) if row["kind"] == "incident")
    assert set(first) == {"type", *IncidentChange.__struct_fields__}


def test_the_tables_and_the_upsert_are_postgresqls_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in tables.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
    statement = postgresql.insert(tables.alarms).on_conflict_do_update(
        index_elements=["id"], set_={"level": sa.literal("red")}
    )
    assert "ON CONFLICT (id) DO UPDATE" in str(statement.compile(dialect=dialect))


def test_what_is_renamed_is_found_under_its_new_name_with_its_past(journal: Journal) -> None:
    dark = Desk(SITE).condition(change(2, rule="dark", scope="k1", kind="data_quality"), 950.0)
    last = journal.record([*NIGHT, Record(0, 50, tuple(dark))])
    renamed = {"points": {"p7": "q7"}, "areas": {"slope-1": "hill-1", "river-1": "brook-1"}, "cameras": {"k1": "eye"}}
    published = Published(id="p-v2-0-99", version="v2", partition=0, time=1000.0, renamed=renamed)
    before = {row["id"]: row for row in journal.alarms("all").items}
    after = journal.record([Record(0, 99, (published,))])
    found = {row["id"]: row for row in journal.alarms("all").items}
    assert found.keys() == before.keys()
    assert {row["area"] for row in found.values()} == {"hill-1", "brook-1"}
    assert {row["scope"] for row in found.values() if row["rule"] == "level"} == {"q7"}
    assert {row["scope"] for row in found.values() if row["rule"] == "rain"} == {"hill-1"}
    assert {row["scope"] for row in found.values() if row["rule"] == "dark"} == {"eye"}
    assert {row["area"] for row in journal.incidents("all").items} == {"hill-1", "brook-1"}
    told = [row["area"] for row in journal.outbox(last) if row["kind"] == "area"]
    assert told == ["slope-1", "hill-1", "river-1", "brook-1"]
    assert journal.record([Record(0, 99, (published,))]) == after  # once, and never again


SINCE = ("aside", "until", "assignee", "marks", "folded")
"""Columns of alarms that came after the first version."""


def make_old(path: Path) -> None:
    """Take from a journal what its first version did not have."""
    with changing(str(path)) as connection:
        migrate(connection, "0001")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP INDEX ix_alarms_until"))
        for column in SINCE:
            connection.execute(sa.text(f"ALTER TABLE alarms DROP COLUMN {column}"))
        connection.execute(sa.text("DROP TABLE alembic_version"))
    engine.dispose()


def test_a_journal_of_an_older_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    before = Journal(path)
    before.record(NIGHT[:6])
    known = [(row["id"], row["state"], row["marks"], row["aside"]) for row in before.alarms("all").items]
    before.close()
    make_old(path)
    with pytest.raises(JournalMissing, match="older version"):
        Reader(path)
    journal = Journal(path)
    assert [(row["id"], row["state"], row["marks"], row["aside"]) for row in Reader(path).alarms("all").items] == known
    journal.record(NIGHT)
    fresh = Journal(tmp_path / "fresh.sqlite")
    fresh.record(NIGHT)
    assert journal.alarms("all").items == fresh.alarms("all").items
    assert sa.inspect(journal.engine).get_indexes("alarms") == sa.inspect(fresh.engine).get_indexes("alarms")


def test_what_is_set_aside_is_listed_until_it_is_back(journal: Journal) -> None:
    desk = Desk(SITE)
    raised = desk.condition(change(2), 1.0)
    alarm = next(one.alarm for one in raised if isinstance(one, AlarmTransition))
    steps = [
        raised,
        desk.command(command("shelve", alarm, "1", seconds=600, reason="cleaning"), 2.0),
        desk.condition(change(0), 3.0),
        desk.condition(change(1), 4.0),
    ]
    journal.record(Record(0, offset, tuple(outcomes)) for offset, outcomes in enumerate(steps))
    (row,) = journal.set_aside()
    assert (row["state"], row["aside"]["hidden"]) == ("SHLVD", 1)
    assert (row["aside"]["by"], row["aside"]["reason"], row["aside"]["until"]) == ("user:an", "cleaning", 602.0)
    assert journal.set_aside("river-1") == []
    journal.record([Record(0, 9, tuple(desk.tick(602.0)))])
    assert journal.set_aside() == []
    back = journal.alarm(alarm)
    assert back is not None
    assert (back["state"], back["aside"]) == ("UNACK", None)
    assert [(step["edge"], step["offset"]) for step in back["transitions"]][-2:] == [("hide", 3), ("unshelve", 9)]
    assert back["transitions"][-1]["aside"]["hidden"] == 1


def test_marks_and_assignee_are_kept(journal: Journal) -> None:
    desk = Desk(SITE)
    steps = [desk.condition(change(number % 2), number * 30.0) for number in range(1, 13)]
    alarm = next(one.alarm for one in steps[0] if isinstance(one, AlarmTransition))
    steps.append(desk.command(command("assign", alarm, "1", to="user:bo"), 400.0))
    journal.record(Record(0, offset, tuple(outcomes)) for offset, outcomes in enumerate(steps))
    row = journal.alarms("open").items[0]
    assert (row["marks"], row["folded"], row["assignee"]) == (["chattering"], 1, "user:bo")


def test_the_spells_of_an_areas_alarms_begin_with_their_condition_and_end_with_the_return(journal: Journal) -> None:
    journal.record(NIGHT)
    reader = Reader(str(journal.engine.url))
    whole = reader.spells(["slope-1"], 0.0, 10_000.0)
    creep = next(one for one in whole if one["rule"] == "creep")
    assert (creep["end"], creep["kind"], creep["simulated"]) == (800.0, "risk", False)
    assert creep["begin"] < creep["end"]
    assert whole == sorted(whole, key=lambda one: (one["begin"], one["alarm"]))
    assert [one["rule"] for one in reader.spells(["slope-1"], 0.0, creep["begin"])] == ["rain"]
    assert reader.spells(["slope-1"], 802.0, 10_000.0) == []
    assert reader.spells(["elsewhere"], 0.0, 10_000.0) == []
    reader.close()


def test_a_spell_that_lasts_ends_with_the_time_asked_for(journal: Journal) -> None:
    opened = [record for record in NIGHT if record.offset == 0]
    journal.record(opened)
    reader = Reader(str(journal.engine.url))
    assert {one["end"] for one in reader.spells(["slope-1"], 0.0, 500.0)} == {500.0}
    reader.close()


def test_a_mode_and_a_silence_that_last_are_listed_however_many_are_over_since(journal: Journal) -> None:
    told: list[ModeChange | SilenceChange] = []
    for n in range(4):
        spell: dict[str, Any] = {"partition": 0, "edge": "began", "since": 5.0 + n, "until": 900.0, "time": 5.0 + n}
        over = {**spell, "edge": "ended", "time": 6.0 + n}
        for facts in [spell] if n == 0 else [spell, over]:
            named = f"{n}-{facts['edge']}"
            told.append(ModeChange(id=f"m-{named}", order=f"m{n}", mode="works", area="slope-1", **facts))
            told.append(SilenceChange(id=f"s-{named}", silence=f"s{n}", level="blue", **facts))
    journal.record([Record(0, 0, tuple(told))])
    assert [one["order"] for one in journal.modes(only_on=False, limit=2)] == ["m3", "m2", "m0"]
    assert [one["id"] for one in journal.silences(only_on=False, limit=2)] == ["s3", "s2", "s0"]
    assert [one["order"] for one in journal.modes(only_on=False)] == ["m3", "m2", "m1", "m0"]
    assert [one["order"] for one in journal.modes()] == ["m0"]
