"""An unforeseen error leaves out what it is about and nothing else, however the log is cut into batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alerts.outcome import AlarmTransition, DispatchChange, IncidentChange, Record, Refused
from models.bank import Bank
from rules import evaluation
from rules.evaluation import Evaluator
from sensors.site import SYSTEM
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.streams.test_engine import flat, play, same

CONTENT = Bundle(site=site(), rules=rules())
EVIL = 666.0


def values() -> list[bytes]:
    """A real alarm and its end on one point, an evil reading on another, in frames one after the other."""
    made = [published(CONTENT), tick(START)]
    for n, (height, other) in enumerate([(30.0, 1.0), (1.0, EVIL), (30.0, 30.0), (30.0, 1.0)]):
        now = START + n + 1
        made.append(frame_of([(0, now, height), (3, now, other), (1, now, 1.0)], now))
    return [*made, tick(START + 10)]


def by_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Bank.update

    def update(self: Bank, rows: Any, time: Any, value: Any) -> Any:
        if (value == EVIL).any():
            raise RuntimeError("evil")
        return real(self, rows, time, value)

    monkeypatch.setattr(Bank, "update", update)


def by_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Evaluator.readings

    def readings(self: Evaluator, rows: Any, time: Any, value: Any, *rest: Any) -> Any:
        if (value == EVIL).any():
            raise RuntimeError("evil")
        return real(self, rows, time, value, *rest)

    monkeypatch.setattr(Evaluator, "readings", readings)


def by_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Evaluator._hold

    def hold(self: Evaluator, programs: Any, chosen: Any, place: Any, *rest: Any, **named: Any) -> Any:
        if (rest[-1].column(("value",))[place] == EVIL).any():
            raise RuntimeError("evil")
        return real(self, programs, chosen, place, *rest, **named)

    monkeypatch.setattr(Evaluator, "_hold", hold)


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(one.scope, one.edge) for one in flat(records, AlarmTransition) if one.rule == "creep"]


@pytest.mark.parametrize("break_it", [by_bank, by_rules, by_condition])
def test_an_error_in_one_reading_loses_no_alarm_and_no_other_reading(
    monkeypatch: pytest.MonkeyPatch, break_it: Any
) -> None:
    break_it(monkeypatch)
    whole = Engine(0)
    records = play(values(), engine=whole)
    assert told(records) == [("p0", "alarm"), ("p0", "return"), ("p0", "realarm"), ("p3", "alarm"), ("p3", "return")]
    refused = flat(records, Refused)
    assert {one.reason.split(":")[0] for one in refused} == {"engine_error"}
    assert [one.id for one in refused] == ["r-0-3"]
    for cuts in ([3], [4], list(range(8))):
        other = Engine(0)
        assert same(play(values(), cuts, other)) == same(records)
        assert other.snapshot() == whole.snapshot()


def test_only_the_rule_at_fault_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Evaluator._advance

    def advance(self: Evaluator, instances: Any, *rest: Any) -> Any:
        if any(self.book.rules[self.book.rule[one]].id == "novel" for one in instances):
            raise RuntimeError("novel is broken")
        return real(self, instances, *rest)

    monkeypatch.setattr(Evaluator, "_advance", advance)
    made = values()
    records = play(made)
    assert ("p0", "alarm") in told(records)
    assert flat(records, Refused)[0].reason.startswith("engine_error: novel at p0: novel is broken")
    assert same(play(made, list(range(8)))) == same(records)


def test_an_alarm_that_cannot_say_why_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no reasons")

    monkeypatch.setattr(evaluation, "why_of", broken)
    made = values()
    records = play(made)
    assert ("p0", "alarm") in told(records)
    assert [one for one in flat(records, DispatchChange) if one.edge == "issued"]
    assert same(play(made, list(range(8)))) == same(records)


def test_silence_is_alarmed_and_deadlines_pass_whatever_befalls_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Evaluator._looked

    def looked(self: Evaluator, instances: Any) -> Any:
        if any(self.book.scope(int(one)) == "p3" for one in instances):
            raise RuntimeError("broken")
        return real(self, instances)

    monkeypatch.setattr(Evaluator, "_looked", looked)
    made = [published(CONTENT), tick(START), frame_of([(0, START + 1, 30.0), (1, START + 1, 1.0)], START + 1)]
    records = play([*made, *(tick(START + n) for n in range(2, 400))])
    assert {one.scope for one in flat(records, AlarmTransition) if one.rule == "silent"} == {"p0", "p1"}
    monkeypatch.setattr(Evaluator, "tick", lambda *_: 1 / 0)
    records = play([*made, *(tick(START + n) for n in range(2, 400))])
    assert [one.edge for one in flat(records, DispatchChange)][:2] == ["issued", "overdue"]


def test_the_engine_raises_an_alarm_on_itself_until_it_is_well_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    by_condition(monkeypatch)
    made = values()
    made += [tick(START + 10 + n) for n in range(1, 1000)]
    records = play(made)
    own = [one for one in flat(records, AlarmTransition) if one.rule == "@engine"]
    assert [(one.edge, one.level, one.area, one.kind) for one in own] == [
        ("alarm", "yellow", SYSTEM, "system"),
        ("return", "yellow", SYSTEM, "system"),
    ]
    assert own[0].explanation is not None and "evil" in own[0].explanation.clause
    assert own[1].time - own[0].time >= 900.0
    assert own[0].title["zh"] and own[0].rationale["response"]["en"]
    assert {one.kind for one in flat(records, IncidentChange) if one.area == SYSTEM} == {"system"}
    engine = Engine(0)
    before = play(made[:5], engine=engine)
    assert same(before + play(made[5:], engine=Engine.restore(engine.snapshot()))) == same(records)


def test_another_partitions_own_alarm_stands_where_its_commands_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    by_bank(monkeypatch)
    content = Bundle(site=site(partitions=7), rules=rules())
    for partition in range(1, 7):
        engine = Engine(partition)
        play([published(content), tick(START)], engine=engine)
        point = np.flatnonzero(engine.row_of >= 0)
        if not point.size:
            continue
        records = play([frame_of([(int(point[0]), START + 1, EVIL)], START + 1)], engine=engine)
        (own,) = flat(records, AlarmTransition)
        assert engine.registry is not None
        assert engine.registry.partition(own.area) == partition
        return
    pytest.fail("no partition but 0 has a point")


@pytest.mark.parametrize("restart", [False, True])
def test_what_the_desk_could_not_take_in_is_an_alarm_at_the_next_tick(
    monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    assert engine.desk is not None
    with monkeypatch.context() as patch:
        patch.setattr("alerts.grouping.apply", lambda book, change, *rest: 1 / 0)
        records = play([frame_of([(0, START + 1, 30.0)], START + 1)], engine=engine)
        records += play([tick(START + 2)], engine=engine)
    assert flat(records, AlarmTransition) == []
    if restart:
        engine = Engine.restore(engine.snapshot())
    records = play([tick(START + 3), tick(START + 4)], engine=engine)
    (alarm,) = [one for one in flat(records, AlarmTransition) if one.rule == "creep"]
    assert (alarm.scope, alarm.level, alarm.onset, alarm.time) == ("p0", "orange", START + 1, START + 3)
    assert alarm.explanation is not None
    assert [one.edge for one in flat(records, DispatchChange)] == ["issued"]


def test_a_newer_change_takes_the_place_of_one_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    with monkeypatch.context() as patch:
        patch.setattr("alerts.grouping.apply", lambda book, change, *rest: 1 / 0)
        play([frame_of([(0, START + 1, 30.0)], START + 1)], engine=engine)
    records = play([frame_of([(0, START + 2, 1.0)], START + 2), tick(START + 3)], engine=engine)
    assert told(records) == []


def test_what_was_decided_before_the_desk_broke_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    with monkeypatch.context() as patch:
        patch.setattr("alerts.cloudevent.dispatch_event", lambda **_: 1 / 0)
        records = play([frame_of([(0, START + 1, 30.0)], START + 1)], engine=engine)
    assert ("p0", "alarm") in told(records)
    assert len([one for one in flat(records, IncidentChange) if one.kind == "risk"]) == 2
    assert not flat(play([tick(START + 2)], engine=engine), Refused)
