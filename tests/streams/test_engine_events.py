"""Cases of what was told: a person closes one over a figure that still stands, and the next report opens another."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, IncidentChange
from rules.rule import Rule
from sensors.observation import SIMULATED, Report
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, command, published, record, site, tick

DAY = 86400.0
LEVELS = {"yellow": {"when": "repeat('dispute', 2, '14 d')"}, "orange": {"when": "repeat('dispute', 3, '14 d')"}}
DISPUTES = a_rule("disputes", scope="area", levels=LEVELS, where={"areas": ["a0"]})


class Street:
    """An engine that hears reports, and two engines that hear the same: one restored at each step, one at the end."""

    def __init__(self, *rules: Rule) -> None:
        self.engine, self.log, self.now = Engine(0), list[bytes](), 0.0
        self.told: list[bytes] = []
        self.hear(published(Bundle(site=site(), rules=rules or (DISPUTES,))), tick(START))

    def hear(self, *records: bytes) -> list[AnyOutcome]:
        self.log += records
        first = self.engine.offset + 1
        found = self.engine.apply(list(enumerate(records, first))).records
        self.told += [msgspec.msgpack.encode(one) for one in found]
        self.engine = Engine.restore(self.engine.snapshot())
        return [one for record in found for one in record.outcomes]

    def wait(self, days: float) -> list[str]:
        self.now += days * DAY
        return edges(self.hear(tick(START + self.now)))

    def watch(self, minutes: float) -> list[str]:
        """Wait without an outage: what was not watched for says nothing of how little came."""
        begun, self.now = self.now, self.now + minutes * 60.0
        steps = int(minutes * 15)
        return edges(self.hear(*[tick(START + begun + 4.0 * step) for step in range(1, steps + 1)]))

    def report(self, subject: str = "a1", **other: Any) -> list[str]:
        self.now += 60.0
        at = START + self.now
        one = Report(id=f"r{at}", area="a0", category="dispute", subject=subject, time=at, received=at, **other)
        return edges(self.hear(record(one), tick(at + 1.0)))

    def close(self, disposition: str = "real") -> list[AnyOutcome]:
        assert self.engine.desk is not None
        (incident,) = self.engine.desk.book.cases.incidents.values()
        for order in [*incident.dispatches]:
            self.hear(command("close", order, "a0", START + self.now, f"o{self.now}", reason="both came"))
        args = {"disposition": disposition, "reason": "they talk again"}
        return self.hear(command("close", incident.id, "a0", START + self.now, f"c{self.now}", **args))


def edges(found: list[AnyOutcome]) -> list[str]:
    words = [f"{one.edge} {one.level}" for one in found if isinstance(one, AlarmTransition)]
    return words + [one.edge for one in found if isinstance(one, IncidentChange) and one.edge in ("opened", "closed")]


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    """Have three reports about one person, so that the level stands at orange for a fortnight, which is watched."""
    monkeypatch.setattr("streams.engine.BLIND", math.inf)
    street = Street()
    assert not street.report()
    assert street.report() == ["alarm yellow", "opened"]
    assert street.report() == ["raise orange"]
    return street


@pytest.mark.parametrize("disposition", ["real", "nuisance"])
def test_a_case_is_closed_with_its_disposition_while_its_figure_stands_and_a_new_report_opens_another(
    street: Street, disposition: str
) -> None:
    closed = street.close(disposition)
    assert edges(closed) == ["acknowledge orange", "return orange", "closed"]
    (ended,) = [one for one in closed if isinstance(one, AlarmTransition) and one.edge == "return"]
    assert (ended.before, ended.after, ended.actor, ended.reason) == ("ACKED", "NORM", "user:li", "they talk again")
    assert isinstance(closed[-1], CommandResult) and closed[-1].ok
    assert not street.wait(3.0), "the figure stands, and nothing new happened"
    assert not street.report("b2"), "a first report about somebody else is no repetition"
    assert street.report() == ["alarm orange", "opened"]
    whole = Engine(0).apply(list(enumerate(street.log))).records
    assert [msgspec.msgpack.encode(one) for one in whole] == street.told, "replayed as it was lived, restarts and all"


def test_another_person_of_the_same_area_opens_a_case_of_its_own_while_the_first_ones_figure_stands(
    street: Street,
) -> None:
    street.close()
    assert not street.report("b2")
    assert street.report("b2") == ["alarm orange", "opened"]


def test_a_figure_that_runs_out_raises_nothing_on_its_way_and_is_then_as_if_it_had_never_been() -> None:
    levels = {
        "yellow": {"when": "repeat('dispute', 2, '14 min')"},
        "orange": {"when": "repeat('dispute', 3, '14 min')"},
    }
    street = Street(a_rule("disputes", scope="area", levels=levels, where={"areas": ["a0"]}))
    for _ in range(3):
        street.report()
    street.watch(1.0)
    street.report()  # stands longer than the others
    assert edges(street.close())[-1] == "closed"
    assert not street.watch(13.0), "orange falls to none by yellow"
    assert street.engine.desk is not None and not street.watch(1.0) and not street.engine.desk.any_settled
    assert not street.report()
    assert street.report() == ["alarm yellow", "opened"]


def test_a_case_of_before_cases_of_events_could_be_closed_is_closed_like_any(street: Street) -> None:
    """A snapshot of then does not say which alarms are of events, nor does one know of what was closed."""
    assert street.engine.desk is not None
    for alarm in street.engine.desk.book.cases.alarms.values():
        alarm.of_events = False
    assert edges(street.close()) == ["acknowledge orange", "return orange", "closed"]
    assert street.report() == ["alarm orange", "opened"]


def test_what_is_played_opens_no_real_case_again(street: Street) -> None:
    street.close()
    assert not street.report(quality=SIMULATED)
    assert street.report() == ["alarm orange", "opened"]


def test_a_case_of_a_standing_measurement_is_closed_as_real_only_once_it_is_calm() -> None:
    fed = a_rule("fed", scope="area", when="seen('report-dispute', '14 d') or area.max(value) > 3")
    street = Street(fed)
    assert "alarm yellow" in street.report()
    (refused,) = street.close()
    assert isinstance(refused, CommandResult) and refused.reason == "incident.active"


def test_a_rule_that_is_changed_forgets_what_was_closed_over_it(street: Street) -> None:
    street.close()
    lower = {"yellow": {"when": "repeat('dispute', 2, '28 d')"}}
    changed = a_rule("disputes", scope="area", levels=lower, where={"areas": ["a0"]})
    street.hear(published(Bundle(site=site(), rules=(changed,)), version="v2", time=START + street.now))
    assert street.wait(0.001) == ["alarm yellow", "opened"]
    assert street.engine.desk is not None and not street.engine.desk.any_settled
