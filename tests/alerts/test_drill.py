"""A drill: what is part of it, whom it may send, that it is in no figure, its end and its report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.desk import Desk
from alerts.exercise import NOTHING, missed_id, missed_target, report
from alerts.journal import Journal
from alerts.load import Load
from alerts.outcome import AnyOutcome, DispatchChange, ExerciseChange, IncidentChange, Record
from alerts.queries import Reader
from sensors.observation import SIMULATED, Exercise, decode, encode
from sensors.renames import Renames
from tests.alerts.cases import SITE, change, command, edges
from tests.alerts.test_inhibition import PLACE
from tests.alerts.test_inhibition import change as quality
from tests.alerts.test_reported import CASES
from tests.alerts.test_reported import report as report_of
from tests.rules.stage import a_rule


def drill(edge: Any = "begin", id: str = "e1", **facts: Any) -> Exercise:
    facts = {
        "areas": ("slope-1",),
        "units": ("u-s1", "u-d"),
        "objectives": {"acknowledge": 60.0, "close": 600.0},
    } | facts
    return Exercise(id=id, edge=edge, actor="user:an", time=0.0, title={"zh": "演练", "en": "Drill"}, **facts)


def begun(**facts: Any) -> Desk:
    desk = Desk(SITE)
    assert edges(desk.exercise(drill(**facts), 900.0)) == ["exercise begin"]
    return desk


def records(outs: list[list[AnyOutcome]]) -> list[Record]:
    return [Record(0, offset, tuple(out)) for offset, out in enumerate(outs)]


def test_only_simulated_alarms_in_its_areas_are_part_of_it() -> None:
    desk = begun()
    inside = desk.condition(change(2, simulated=True), 1000.0)
    outside = desk.condition(change(2, area="river-1", scope="p2", simulated=True), 1001.0)
    real = desk.condition(change(2, rule="r2", scope="p3"), 1002.0)
    for out, wanted in ((inside, "e1"), (outside, ""), (real, "")):
        assert {one.exercise for one in out if hasattr(one, "exercise")} == {wanted}


def test_it_sends_those_alone_who_take_part_and_says_so_in_the_order() -> None:
    desk = begun()
    out = desk.condition(change(3, simulated=True), 1000.0)
    order = next(one for one in out if isinstance(one, DispatchChange))
    assert order.unit == "u-s1"  # the community's team would be nearer
    assert order.event is not None
    assert (order.event["data"]["status"], order.event["data"]["exercise"]) == ("Exercise", "e1")
    refused = desk.command(command("dispatch", order.incident, "c1", unit="u-c1"), 1001.0)
    assert edges(refused) == ["exercise.other_unit"]
    late = desk.tick(1000.0 + 400.0)
    assert [one.unit for one in late if isinstance(one, DispatchChange)] == ["u-s1", "u-d"]  # up, past who is not in it


def test_without_units_it_sends_nobody() -> None:
    out = begun(units=()).condition(change(3, simulated=True), 1000.0)
    assert not [one for one in out if isinstance(one, DispatchChange)]
    assert "incident undispatched" in edges(out)


def test_it_is_apart_from_a_simulation_that_runs_in_the_same_area() -> None:
    desk = Desk(SITE)
    before = desk.condition(change(2, simulated=True), 800.0)
    desk.exercise(drill(), 900.0)
    after = desk.condition(change(2, rule="r2", scope="p2", simulated=True), 1000.0)
    first, second = (next(one for one in out if isinstance(one, IncidentChange)) for out in (before, after))
    assert first.incident != second.incident
    assert (first.exercise, second.exercise) == ("", "e1")


def test_its_end_calls_back_who_is_under_way_and_closes_its_incidents_alone() -> None:
    desk = begun()
    desk.condition(change(3, simulated=True), 1000.0)
    desk.condition(change(3, rule="r2", scope="p3"), 1001.0)
    out = desk.exercise(drill("end"), 1100.0)
    assert edges(out)[-2:] == ["incident closed", "exercise end"]
    closed = next(one for one in out if isinstance(one, IncidentChange) and one.edge == "closed")
    assert (closed.disposition, closed.reason, closed.exercise) == ("test", "exercise.ended", "e1")
    assert [one.simulated for one in desk.book.cases.incidents.values()] == [False]
    assert [one.simulated for one in desk.book.cases.dispatches.values()] == [False]
    assert desk.exercise(drill("end"), 1101.0) == []
    again = desk.condition(change(2, rule="r4", scope="p4", simulated=True), 1200.0)
    assert {one.exercise for one in again if isinstance(one, IncidentChange)} == {""}


def test_its_end_calls_off_visits_to_come_and_neither_hand_over_nor_call_reaches_beyond_it() -> None:
    desk = begun()
    out = desk.condition(change(3, simulated=True), 1000.0)
    order = next(one for one in out if isinstance(one, DispatchChange))
    outside = [
        command("refer", order.dispatch, "c1", to="u-talk", reason="theirs"),
        command("call", order.dispatch, "c2", units=["u-c1"]),
    ]
    for one in outside:
        assert edges(desk.command(one, 1001.0)) == ["exercise.other_unit"]
    for at, (kind, args) in enumerate(
        [("accept", {}), ("on_scene", {}), ("resolve", {}), ("follow_up", {"seconds": 86400.0})]
    ):
        done = desk.command(command(kind, order.dispatch, f"d{at}", **args), 1010.0 + at)
        assert edges(done)[-1] == "ok", kind
    desk.command(command("close", order.incident, "c3", disposition="test"), 1020.0)
    assert [one.leg for one in desk.book.cases.dispatches.values()] == ["follow_up"]
    assert edges(desk.exercise(drill("end"), 1100.0)) == ["dispatch closed", "return", "exercise end"]
    assert not desk.book.cases.dispatches


@pytest.mark.parametrize("before", ["as it rang", "returned", "shelved", "acknowledged", "closed over"])
def test_its_end_leaves_nothing_behind_whatever_what_was_played_does_after_it(before: str) -> None:
    desk = begun()
    out = desk.condition(change(3, simulated=True, latch=True), 1000.0)
    alarm, case = next(iter(desk.book.cases.alarms)), next(one for one in out if isinstance(one, IncidentChange))
    if before == "returned":
        desk.condition(change(0, simulated=True, latch=True), 1010.0)
    elif before == "shelved":
        desk.command(command("shelve", alarm, "c1", seconds=600.0, reason="too loud"), 1010.0)
    elif before != "as it rang":
        desk.command(command("acknowledge", alarm, "c1"), 1010.0)
    if before == "closed over":
        for order in list(desk.book.cases.dispatches):
            desk.command(command("close", order, "c2", reason="over"), 1011.0)
        desk.command(command("close", case.incident, "c3", disposition="test"), 1012.0)
        desk.condition(change(4, simulated=True, latch=True), 1013.0)
    assert edges(desk.exercise(drill("end"), 1100.0))[-1] == "exercise end"
    cases = desk.book.cases
    assert (cases.alarms, cases.incidents, cases.dispatches, cases.current) == ({}, {}, {}, {})
    later = desk.condition(change(4, simulated=True, latch=True), 1200.0)
    assert {one.exercise for one in later if hasattr(one, "exercise")} <= {""}, "it is over"


def test_what_was_played_falls_after_its_end_without_a_sound_and_rises_as_a_new_case() -> None:
    desk = begun()
    desk.condition(change(4, simulated=True), 1000.0)
    desk.exercise(drill("end"), 1100.0)
    assert not desk.condition(replace(change(3, simulated=True), before=4), 1200.0)
    assert edges(desk.condition(change(3), 1201.0))[:2] == ["alarm", "incident opened"], "what is real is heard"
    desk.condition(change(0), 1300.0)
    assert not desk.any_settled
    assert edges(desk.condition(change(1, simulated=True), 1400.0)) == ["alarm", "incident opened"]


def test_what_is_real_is_heard_at_the_level_of_what_is_played_though_a_lower_one_was_closed() -> None:
    desk = begun()
    seen: Any = a_rule("seen", scope="area", when="seen('flood', '1 h')")
    out = desk.condition(replace(change(2), rule=seen), 1000.0)
    (case,) = {one.incident for one in out if isinstance(one, IncidentChange)}
    assert edges(desk.command(command("close", case, "c1", disposition="real", reason="seen to"), 1001.0))[-1] == "ok"
    desk.condition(replace(change(3, simulated=True), rule=seen, before=2), 1002.0)
    assert "alarm" not in edges(desk.condition(replace(change(2), rule=seen, before=3), 1003.0)), "it only falls"
    assert "alarm" in edges(desk.condition(replace(change(3), rule=seen, before=3), 1004.0))


def test_its_end_remembers_nothing_of_what_people_told() -> None:
    desk = Desk(CASES)
    desk.exercise(drill(), 900.0)
    assert "alarm" in edges(desk.report(report_of("r1", quality=SIMULATED), 1000.0))
    desk.exercise(drill("end"), 1100.0)
    assert not desk.book.cases.alarms and not desk.any_settled
    assert "alarm" in edges(desk.report(report_of("r2", quality=SIMULATED), 1200.0))


def test_its_end_sends_nobody_to_a_device_to_which_people_had_sent_somebody() -> None:
    desk = Desk(msgspec.structs.replace(PLACE, maintenance="red"))
    desk.exercise(drill(units=("u-mend",)), 900.0)

    def trouble(rule: str) -> list[AnyOutcome]:
        played = quality(1, rule=rule, scope="p1", kind="data_quality", simulated=True)
        return desk.condition(played, 1000.0)

    opened = next(one for one in trouble("stuck") if isinstance(one, IncidentChange))
    assert edges(desk.command(command("dispatch", opened.incident, "c1", unit="u-mend"), 1001.0))[-1] == "ok"
    desk.publish(msgspec.structs.replace(PLACE, maintenance="blue"))
    trouble("no-data")
    out = edges(desk.exercise(drill("end"), 1100.0))
    assert out.count("dispatch closed") == 1 and "dispatch issued" not in out
    assert not desk.book.cases.dispatches and not desk.book.cases.incidents


def test_a_drill_of_a_log_that_was_replaced_runs_no_more_and_its_cases_count_for_nobody(tmp_path: Path) -> None:
    journal, desk = Journal(tmp_path / "journal.sqlite"), Desk(SITE)
    outs = [desk.exercise(drill(), 900.0), desk.condition(change(3, simulated=True), 1000.0)]
    journal.record(records(outs), log="one")
    assert [one["id"] for one in journal.exercises(running=True)] == ["e1"]
    journal.record(records([Desk(SITE).condition(change(1, rule="other"), 2000.0)]), log="two")
    assert journal.exercises(running=True) == []
    found = journal.exercise("e1")
    assert found is not None and found["ended"] == 2000.0
    (incident,) = report(found)["incidents"]
    assert {leg["leg"] for leg in incident["legs"] if leg["seconds"] is not None} == {"dispatch"}
    journal.close()


@pytest.mark.parametrize(
    ("known", "elsewhere", "running"),
    [(set(), {"river-1"}, []), ({"e1"}, set(), ["e1"]), (set(), {"slope-1"}, ["e1"])],
    ids=["forgotten", "known still", "in another partition"],
)
def test_a_drill_that_an_engine_has_forgotten_runs_no_more(
    tmp_path: Path, known: set[str], elsewhere: set[str], running: list[str]
) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(records([Desk(SITE).exercise(drill(), 900.0)]))
    journal.forget(0, known, (), 1000.0, elsewhere)
    assert [one["id"] for one in journal.exercises(running=True)] == running
    journal.close()


def test_a_drill_that_all_its_partitions_have_forgotten_one_after_another_runs_no_more(tmp_path: Path) -> None:
    """Those that know of it still, or were never in it, do not count for those that were."""
    both = ("slope-1", "river-1")
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(records([Desk(SITE).exercise(drill(areas=both), 900.0)]))
    first = journal.exercise("e1")
    assert first is not None and set(first["areas"]) == set(both), "both are areas of the site"

    def forget(partition: int, known: set[str], elsewhere: set[str], time: float) -> list[str]:
        journal.forget(partition, known, (), time, elsewhere)
        return [one["id"] for one in journal.exercises(running=True)]

    assert forget(0, set(), {"river-1"}, 1000.0) == ["e1"], "the river's may know of it"
    assert forget(0, set(), {"river-1"}, 1001.0) == ["e1"], "said twice, it is one partition still"
    assert forget(2, set(), set(both), 1002.0) == ["e1"], "it has none of the areas"
    assert forget(1, {"e1"}, {"slope-1"}, 1003.0) == ["e1"], "the river's does know of it"
    assert forget(1, set(), {"slope-1"}, 1004.0) == []
    ended = journal.exercise("e1")
    assert ended is not None and ended["ended"] == 1004.0
    journal.close()


def test_it_ends_by_itself_when_nobody_does_after_a_restart_and_a_step_of_the_clock_too() -> None:
    before = begun(until=5000.0)
    before.condition(change(3, simulated=True), 1000.0)
    desk = Desk(SITE)
    desk.restore(before.state())
    desk.step(-500.0)
    assert "exercise end" not in edges(desk.tick(4499.0))
    out = desk.tick(4500.0)
    assert edges(out)[-2:] == ["incident closed", "exercise end"]
    cases = desk.book.cases
    assert (cases.drills, cases.alarms, cases.incidents, cases.dispatches) == ({}, {}, {}, {})
    assert desk.exercise(drill("end"), 4501.0) == [] and desk.tick(9999.0) == []


@pytest.mark.parametrize(
    "what",
    [drill(), drill(id="e2"), drill(id="e3", areas=("nowhere-at-all",)), drill("end", id="unknown")],
    ids=["known", "an area where one runs", "no area", "unknown end"],
)
def test_what_cannot_begin_or_end_changes_nothing(what: Exercise) -> None:
    desk = begun()
    state = desk.state()
    assert desk.exercise(what, 1000.0) == []
    assert desk.state() == state


def test_what_is_played_in_an_area_that_was_renamed_meanwhile_is_part_of_it() -> None:
    desk = begun()
    hill = msgspec.structs.replace(SITE.areas[0], id="hill-1")
    desk.publish(msgspec.structs.replace(SITE, areas=(hill, *SITE.areas[1:])))
    desk.rename(Renames(areas={"slope-1": "hill-1"}), {})
    out = desk.condition(change(3, area="hill-1", simulated=True), 1000.0)
    assert {one.exercise for one in out if isinstance(one, IncidentChange)} == {"e1"}


def test_a_restored_desk_goes_on_with_the_drill() -> None:
    desk = begun()
    other = Desk(SITE)
    other.restore(desk.state())
    signal = change(3, simulated=True)
    assert other.condition(signal, 1000.0) == desk.condition(signal, 1000.0)
    assert other.exercise(drill("end"), 1100.0) == desk.exercise(drill("end"), 1100.0)


def test_the_record_of_the_log_is_read_back() -> None:
    assert decode(encode(drill())) == drill()


def test_it_rings_in_no_load_figure() -> None:
    desk = begun()
    load = Load()
    for one in desk.condition(change(4, simulated=True), 1000.0):
        if edges([one]) == ["alarm"]:
            load.note([{name: getattr(one, name) for name in one.__struct_fields__}])
    assert load.whole().rings == 0


def played() -> list[list[AnyOutcome]]:
    desk = Desk(SITE)
    outs = [desk.exercise(drill(objectives={"acknowledge": 60.0, "accept": 60.0, "close": 600.0}), 900.0)]
    outs.append(desk.condition(change(3, simulated=True), 1000.0))
    order = next(one for one in outs[1] if isinstance(one, DispatchChange))
    outs += [
        desk.command(command("acknowledge", order.incident, "c1"), 1030.0),
        desk.command(command("accept", order.dispatch, "c2", f"unit:{order.unit}"), 1090.0),
        desk.command(command("on_scene", order.dispatch, "c3", f"unit:{order.unit}"), 1300.0),
        desk.exercise(drill("end"), 1400.0),
    ]
    return outs


def test_the_report_scores_each_leg_and_what_the_end_closed_counts_for_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(records(played()))
    assert journal.exercises()[0]["ended"] == 1400.0
    assert journal.exercises(running=True) == []
    found = journal.exercise("e1")
    assert found is not None
    told = report(found)
    (incident,) = told["incidents"]
    legs = {leg["leg"]: (leg["seconds"], leg["met"]) for leg in incident["legs"]}
    assert legs == {
        "acknowledge": (30.0, True),
        "dispatch": (0.0, None),
        "accept": (90.0, False),
        "on_scene": (300.0, None),
        "resolve": (None, None),
        "close": (None, False),
    }
    assert (told["met"], told["of"], told["score"]) == (1, 3, 1 / 3)
    assert {step["what"] for step in incident["course"][-2:]} == {"incident.edge.closed", "dispatch.edge.closed"}
    journal.close()


def test_an_act_of_the_script_that_came_to_nothing_is_kept_and_told_in_both_languages(tmp_path: Path) -> None:
    desk, journal = Desk(SITE), Journal(tmp_path / "journal.sqlite")
    outs = [desk.exercise(drill(), 900.0)]
    for number, (do, of, why) in enumerate([("accept", "u-s1", NOTHING), ("tick", "look", "plan.none")]):
        one = command("act", missed_target(do, of, why), missed_id("e1", 4 + number), "exercise:e1")
        outs.append(desk.command(one, 910.0 + number))
        assert desk.command(one, 911.0) == [], "said once"
    outs.append(desk.command(command("act", "accept|u-s1|x", missed_id("e10", 4), "exercise:e10"), 920.0))
    journal.record(records(outs))
    found = journal.exercise("e1")
    assert found is not None
    told = report(found)["missed"]
    assert [(one["time"], one["do"], one["of"], one["reason"]) for one in told] == [
        (910.0, "accept", "u-s1", NOTHING),
        (911.0, "tick", "look", "plan.none"),
    ]
    assert told[0]["said"] == {"zh": "没有可操作的事件或派单", "en": "There was no case or order to act on"}
    journal.close()


def test_a_drill_that_raised_nothing_has_met_nothing(tmp_path: Path) -> None:
    desk = Desk(SITE)
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(records([desk.exercise(drill(), 900.0), desk.exercise(drill("end"), 950.0)]))
    found = Reader(tmp_path / "journal.sqlite").exercise("e1")
    assert found is not None
    assert report(found)["score"] == 0.0
    journal.close()


def test_two_partitions_that_tell_of_it_are_one_drill(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for partition in (0, 1):
        for offset, edge in enumerate(("begin", "end")):
            one = ExerciseChange(id=f"e1.{edge}", exercise="e1", edge=edge, time=float(offset), actor="user:an")  # type: ignore[arg-type]
            journal.record([Record(partition, offset, (one,))])
    (row,) = journal.exercises()
    assert (row["began"], row["ended"]) == (0.0, 1.0)
    journal.close()
