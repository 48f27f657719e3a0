"""Spells: when alarms were active, and how long dispatches were open."""

from __future__ import annotations

from alerts.desk import Desk
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange
from alerts.spells import Sending, Spell, sendings, spells
from tests.alerts.cases import SITE, change, command

START = 1_700_000_000.0


def alarms(*outs: list[AnyOutcome]) -> list[Spell]:
    found = [one for out in outs for one in out if isinstance(one, AlarmTransition)]
    return spells(found, range(len(found)))


def sent(*outs: list[AnyOutcome]) -> list[Sending]:
    found = [one for out in outs for one in out if isinstance(one, DispatchChange)]
    return sendings(found, range(len(found)))


def test_a_spell_lasts_from_the_alarm_to_its_return_and_keeps_its_highest_level() -> None:
    desk = Desk(SITE)
    [one] = alarms(
        desk.condition(change(1), START),
        desk.condition(change(3), START + 10),
        desk.condition(change(2), START + 20),
        desk.condition(change(0), START + 30),
    )
    assert (one.raised, one.end, one.level) == (START, START + 30, "orange")
    assert one.reached == {"blue": START, "yellow": START + 10, "orange": START + 10}
    assert one.points


def test_what_comes_back_unacknowledged_is_a_spell_of_its_own_under_the_same_alarm() -> None:
    desk = Desk(SITE)
    first, second = alarms(*(desk.condition(change(rank), START + 10 * place) for place, rank in enumerate((2, 0, 2))))
    assert first.alarm == second.alarm
    assert (first.end, second.raised, second.end) == (START + 10, START + 20, None)


def test_an_alarm_that_is_set_aside_goes_on() -> None:
    desk = Desk(SITE)
    raised = desk.condition(change(2), START)
    alarm = next(one.alarm for one in raised if isinstance(one, AlarmTransition))
    shelved = desk.command(command("shelve", alarm, "c1", seconds=600.0, reason="works"), START + 10)
    [one] = alarms(raised, shelved)
    assert one.end is None
    [one] = alarms(raised, shelved, desk.condition(change(0), START + 20), desk.tick(START + 700))
    assert one.end == START + 700, "its return is told when the shelf ends"


def test_a_dispatch_is_open_until_it_is_closed() -> None:
    desk = Desk(SITE)
    issued = desk.condition(change(3), START)
    [one] = sent(issued)
    assert (one.issued, one.end, one.level) == (START, None, "orange")
    recalled = desk.command(command("close", one.dispatch, "c1", reason="false alarm"), START + 60)
    [one] = sent(issued, recalled)
    assert one.end == START + 60
