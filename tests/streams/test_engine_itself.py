"""The end of one of the product's processes is an alarm: of the system, seen, never sent out, and replayed alike."""

from __future__ import annotations

from typing import Literal

from alerts.outcome import AlarmTransition, CommandResult, DispatchChange, IncidentChange
from sensors.observation import SystemEvent
from sensors.site import SYSTEM
from streams.bundle import Bundle
from streams.engine import Engine
from streams.vitals import ARCHIVE, HISTORY_FOLDER, INFLUXDB
from tests.streams.small_site import START, command, frame_of, published, record, rules, site, tick
from tests.streams.test_engine import flat, play, same

CONTENT = Bundle(site=site(), rules=rules())


def event(component: str, state: Literal["down", "up"], time: float, detail: str = "") -> bytes:
    return record(SystemEvent(component=component, state=state, time=time, detail=detail))


def night() -> list[bytes]:
    """The bridge dies and comes back, the worker dies, the bridge dies again; readings go on."""
    return [
        published(CONTENT),
        tick(START),
        event("worker", "up", START + 0.5),
        event("bridge", "down", START + 1, "ended by SIGKILL, restart 1"),
        frame_of([(0, START + 1, 1.0)], START + 1),
        event("bridge", "down", START + 1.5, "ended with exit code 1, restart 2"),
        event("bridge", "up", START + 2),
        tick(START + 2),
        event("worker", "down", START + 3, "ended by SIGSEGV, restart 1"),
        event("worker", "up", START + 4),
        event("bridge", "down", START + 5, "ended by SIGKILL, restart 3"),
        tick(START + 6),
    ]


def test_a_process_that_ended_is_a_yellow_alarm_until_it_works_again() -> None:
    alarms = flat(play(night()), AlarmTransition)
    assert [(a.scope, a.edge, a.after) for a in alarms] == [
        ("bridge", "alarm", "UNACK"),
        ("bridge", "return", "RTNUN"),
        ("worker", "alarm", "UNACK"),
        ("worker", "return", "RTNUN"),
        ("bridge", "realarm", "UNACK"),
    ]
    assert {(a.kind, a.level, a.area, a.simulated) for a in alarms} == {("system", "yellow", SYSTEM, False)}
    first = alarms[0]
    assert first.onset == START + 1
    assert first.explanation is not None
    assert first.explanation.clause == "bridge: ended by SIGKILL, restart 1"
    assert first.title["en"] == "A process ended"
    assert first.rationale["response"]["zh"]


def test_what_is_not_kept_or_archived_is_called_so_whichever_run_tells_of_it() -> None:
    parts = {
        "influxdb": "@history",
        HISTORY_FOLDER: "@history",
        "archive@0a1b": "@archive",
        "archive:3@0a1b": "@archive",
    }
    values = [published(CONTENT), tick(START), *(event(part, "down", START + 1, "away") for part in parts)]
    alarms = flat(play(values), AlarmTransition)
    assert {alarm.scope: alarm.rule for alarm in alarms} == parts
    assert {INFLUXDB, ARCHIVE} < {part.split("@")[0] for part in parts}
    assert alarms[0].title == {"zh": "历史数据未能保存", "en": "The history is not kept"}


def test_it_is_one_incident_of_the_system_and_nobody_is_sent_out() -> None:
    records = play(night())
    changes = flat(records, IncidentChange)
    assert len({change.incident for change in changes}) == 1
    assert {change.kind for change in changes} == {"system"}
    assert changes[0].title["en"] == "Foreshock itself: A process ended (yellow)"
    assert not flat(records, DispatchChange)


def test_it_is_acknowledged_and_closed_like_any_other() -> None:
    values = night()
    incident = flat(play(values), IncidentChange)[0].incident
    values += [
        command("acknowledge", incident, SYSTEM, START + 7, "c1"),
        event("bridge", "up", START + 8),
        command("close", incident, SYSTEM, START + 9, "c2", disposition="real", reason="memory"),
    ]
    records = play(values)
    assert [one.ok for one in flat(records, CommandResult)] == [True, True]
    assert flat(records, IncidentChange)[-1].state == "closed"


def test_it_does_not_depend_on_batches_or_on_a_restart() -> None:
    values = night()
    whole = same(play(values))
    assert same(play(values, list(range(len(values))))) == whole
    first = Engine(0)
    found = play(values[:6], engine=first)
    found += play(values[6:], engine=Engine.restore(first.snapshot()))
    assert same(found) == whole


def test_a_run_that_begins_returns_what_an_earlier_one_left_down() -> None:
    records = play([*night(), event("bridge", "up", START + 90), event("camera", "up", START + 90)])
    assert flat(records, AlarmTransition)[-1].edge == "return"


def test_long_and_odd_names_are_bounded() -> None:
    odd = event("x" * 10_000, "down", START + 1, "y" * 10_000)
    (alarm,) = flat(play([published(CONTENT), tick(START), odd]), AlarmTransition)
    assert len(alarm.scope) == 200
    assert alarm.explanation is not None and len(alarm.explanation.clause) < 500


def test_orders_that_nobody_took_and_a_lost_memory_are_alarms_with_words_of_their_own() -> None:
    values = [
        published(CONTENT),
        tick(START),
        event("outbox", "down", START + 1, "webhook: 2 (answered 410)"),
        event("memory", "down", START + 2, "partition 3"),
        event("memory", "up", START + 2),
        event("outbox", "up", START + 3),
    ]
    alarms = flat(play(values), AlarmTransition)
    assert [(a.rule, a.scope, a.edge, a.after) for a in alarms] == [
        ("@outbox", "outbox", "alarm", "UNACK"),
        ("@memory", "memory", "alarm", "UNACK"),
        ("@memory", "memory", "return", "RTNUN"),
        ("@outbox", "outbox", "return", "RTNUN"),
    ]
    assert alarms[0].title == {"zh": "指令未能送达", "en": "Orders were not delivered"}
    assert alarms[0].explanation is not None and "answered 410" in alarms[0].explanation.clause
    assert all(one.rationale["response"][language] for one in alarms[:2] for language in ("zh", "en"))


def test_an_acknowledged_alarm_on_orders_asks_again_when_others_are_refused() -> None:
    values = [published(CONTENT), tick(START), event("outbox", "down", START + 1, "webhook: 1")]
    incident = flat(play(values), IncidentChange)[0].incident
    values += [
        command("acknowledge", incident, SYSTEM, START + 2, "c1"),
        event("outbox", "up", START + 3),
        event("outbox", "down", START + 3, "webhook: 2"),
    ]
    last = flat(play(values), AlarmTransition)[-1]
    assert last.after == "UNACK"
    assert last.explanation is not None and "webhook: 2" in last.explanation.clause
