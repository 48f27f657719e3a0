"""Gateways in the engine: one alarm of the gateway, its points' silence a symptom, whatever the batches."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import grouping, inhibition
from alerts.casebook import Casebook
from alerts.condition import Change
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange, Refused
from sensors.lookup import Registry
from sensors.observation import SIMULATED
from sensors.site import GATEWAY_RULE, Gateway, Site
from streams.bundle import Bundle
from streams.engine import Engine
from streams.gateways import Gateways
from tests.streams.small_site import NAME, START, frame_of, published, rules, site, source, tick

CARRIED = (0, 2, 3)  # of the areas a0, a2, a0, all of the group s0; 5 is of a2 as well and has no gateway


def with_gateway(silent_after: float | None = 45.0, sources: tuple[str, ...] = ()) -> Site:
    """Make a site in which one gateway carries three points of two areas."""
    plain = site()
    points = tuple(
        msgspec.structs.replace(point, gateway="gw") if point.index in CARRIED else point for point in plain.points
    )
    gateway = Gateway(id="gw", name=NAME, silent_after=silent_after, sources=sources)
    return msgspec.structs.replace(plain, points=points, gateways=(gateway,))


def begin(place: Site, quality: int = 0) -> list[bytes]:
    """Read all points once."""
    told = frame_of([(k, START + 1, 1.0) for k in range(6)], START + 1, quality)
    return [published(Bundle(site=place, rules=rules())), tick(START), told]


def reads(now: float, *points: int) -> bytes:
    return frame_of([(k, START + now, 1.0) for k in points], START + now)


def ticks(first: int, last: int) -> list[bytes]:
    return [tick(START + n) for n in range(first, last)]


def run(engine: Engine, values: list[bytes]) -> list[AnyOutcome]:
    first = engine.offset + 1
    applied = engine.apply([(first + place, value) for place, value in enumerate(values)])
    return [one for entry in applied.records for one in entry.outcomes]


def edges(found: list[AnyOutcome]) -> list[tuple[str, str, str, float]]:
    """List (scope, edge, state after, seconds since the start)."""
    return [(one.scope, one.edge, one.after, one.time - START) for one in found if isinstance(one, AlarmTransition)]


def others_go_on(first: int, last: int) -> list[bytes]:
    """Read the points that have no gateway, every 10 s, and tick."""
    values = []
    for n in range(first, last):
        if n % 10 == 0:
            values.append(reads(n, 1, 4, 5))
        values.append(tick(START + n))
    return values


def outage() -> list[bytes]:
    """The gateway is gone for two minutes; of its three points two are heard of again."""
    values = [*begin(with_gateway()), *others_go_on(2, 120), reads(120, 0), *others_go_on(120, 125)]
    return [*values, reads(125, 3), *others_go_on(125, 155), reads(155, 0, 3), *others_go_on(155, 170)]


def test_the_silence_of_its_points_is_a_symptom_of_a_gateway_that_is_gone() -> None:
    found = run(Engine(0), outage())
    assert edges(found) == [
        ("gw", "alarm", "UNACK", 47),
        ("p0", "suppress", "DSUPR", 62),
        ("p2", "suppress", "DSUPR", 62),
        ("p3", "suppress", "DSUPR", 62),
        ("gw", "return", "RTNUN", 120),
        ("p0", "unsuppress", "NORM", 165),
        ("p2", "unsuppress", "UNACK", 165),
        ("p3", "unsuppress", "NORM", 165),
    ]
    alarms = [one for one in found if isinstance(one, AlarmTransition)]
    assert alarms[0].rule == GATEWAY_RULE and alarms[0].kind == "data_quality" and alarms[0].level == "yellow"
    assert alarms[1].aside is not None and (alarms[1].aside.gateway, alarms[1].aside.hidden) == ("gw", 1)


def test_all_are_one_incident_with_the_gateway_as_its_cause() -> None:
    found = [one for one in run(Engine(0), outage()) if isinstance(one, IncidentChange)]
    assert len({one.incident for one in found}) == 1
    alarms = [one for one in run(Engine(0), outage()) if isinstance(one, AlarmTransition)]
    assert found[-1].cause == alarms[0].alarm and set(found[-1].alarms) == {one.alarm for one in alarms}
    assert {one.incident for one in alarms} == {found[0].incident}


def test_one_point_that_is_heard_keeps_the_others_silence_their_own() -> None:
    values = begin(with_gateway())
    for n in range(2, 90):
        values += [reads(n, 0, 1, 4, 5)] * (n % 10 == 0) + [tick(START + n)]
    assert edges(run(Engine(0), values)) == [("p2", "alarm", "UNACK", 62), ("p3", "alarm", "UNACK", 62)]


def test_what_rang_before_the_gateway_was_known_to_be_gone_is_a_symptom_from_then_on() -> None:
    found = edges(run(Engine(0), [*begin(with_gateway(None)), *others_go_on(2, 110)]))
    assert found[:3] == [(point, "alarm", "UNACK", 62) for point in ("p0", "p2", "p3")]
    assert found[3] == ("gw", "alarm", "UNACK", 102), "four intervals, and 100 s at least"
    assert found[4:] == [(point, "suppress", "DSUPR", 102) for point in ("p0", "p2", "p3")]


def test_a_gateway_that_says_it_has_gone_is_gone_at_once_and_a_reading_brings_it_back() -> None:
    place = with_gateway(sources=("sparkplug:plant/edge",))
    dies = source("offline", START + 3, 0, 3)  # of the points of one area: the others' word comes later, or never
    values = [*begin(place), *ticks(2, 4), dies, *ticks(4, 6), reads(6, 0), *others_go_on(6, 54)]
    assert edges(run(Engine(0), values)) == [
        ("gw", "alarm", "UNACK", 3),
        ("p0", "suppress", "DSUPR", 3),
        ("p3", "suppress", "DSUPR", 3),
        ("gw", "return", "RTNUN", 6),
        ("p0", "unsuppress", "NORM", 51),
        ("p3", "unsuppress", "UNACK", 51),
        ("gw", "realarm", "UNACK", 52),
        ("p3", "suppress", "DSUPR", 52),
    ], "45 s to be heard of; then what is silent rings, and once all are the gateway is gone again"


def test_a_death_of_all_its_points_needs_no_name() -> None:
    dies = [source("offline", START + 3, 0, 3), source("offline", START + 3, 2, area="a2")]
    found = edges(run(Engine(0), [*begin(with_gateway()), *ticks(2, 4), *dies, *ticks(4, 6)]))
    assert ("gw", "alarm", "UNACK", 3) in found
    states = {scope: after for scope, _, after, _ in found}
    assert states == {"gw": "UNACK", "p0": "DSUPR", "p2": "DSUPR", "p3": "DSUPR"}


def test_what_is_played_of_a_gateway_is_simulated() -> None:
    values = [*begin(with_gateway(), SIMULATED), *ticks(2, 70)]
    found = [one for one in run(Engine(0), values) if isinstance(one, AlarmTransition)]
    assert found[0].rule == GATEWAY_RULE and all(one.simulated for one in found)
    assert {one.after for one in found if one.scope in ("p0", "p2", "p3")} == {"DSUPR"}


def test_a_gateway_that_the_site_no_longer_has_inhibits_nothing() -> None:
    engine = Engine(0)
    run(engine, [*begin(with_gateway()), *others_go_on(2, 70)])
    away = published(Bundle(site=msgspec.structs.replace(site(), version="v2"), rules=rules()), "v2", START + 70)
    found = edges(run(engine, [away, *others_go_on(71, 74)]))
    assert found[0][:3] == ("gw", "return", "RTNUN")
    assert found[1:] == [(point, "unsuppress", "UNACK", found[1][3]) for point in ("p0", "p2", "p3")]


@pytest.mark.parametrize("named", [(), ("sparkplug:plant/edge",)])
@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, 180)), stop=st.integers(3, 170))
def test_neither_batches_nor_a_restart_change_what_comes_of_it(
    named: tuple[str, ...], cuts: set[int], stop: int
) -> None:
    values = outage()
    if named:
        values = [*begin(with_gateway(sources=named)), source("offline", START + 2, 0, 3), *outage()[3:]]
    whole = run(Engine(0), values)
    engine, found, last = Engine(0), [], 0
    for cut in sorted({*(one for one in cuts if one < len(values)), stop, len(values)}):
        found += run(engine, values[last:cut])
        last = cut
        if cut == stop:
            engine = Engine.restore(engine.snapshot())
    assert found == whole


class TestSeveralPartitions:
    """A gateway whose points lie in several partitions: one alarm, and its symptoms wherever they are."""

    PARTITIONS = 3
    CARRIED = (0, 1, 3)  # of a0 (s0), a1 (s1) and a0

    def place(self, stands: str = "") -> Site:
        plain = site(partitions=self.PARTITIONS)
        points = tuple(
            msgspec.structs.replace(point, gateway="gw" if point.index in self.CARRIED else "")
            for point in plain.points
        )
        gateway = Gateway(id="gw", name=NAME, silent_after=45.0, area=stands)
        return msgspec.structs.replace(plain, points=points, gateways=(gateway,))

    def play(self, place: Site, heard: tuple[int, ...] = ()) -> dict[int, list[tuple[str, str, str, float]]]:
        """Read all points once, go on with those `heard`, let the gateway come back; give the edges by partition."""
        registry = Registry(place)
        found = {}
        for partition in sorted({registry.partition(area) for area in ("a0", "a1")}):
            mine = [k for k in range(6) if partition in registry.partitions_of(f"p{k}")]
            values = [published(Bundle(site=place, rules=rules())), tick(START)]
            for n in range(1, 110):
                due = [k for k in mine if n == 1 or n >= 90 or ((k not in self.CARRIED or k in heard) and n % 10 == 0)]
                if due and (n < 90 or n % 10 == 0):
                    values.append(frame_of([(k, START + n, 1.0) for k in due], START + n))
                values.append(tick(START + n))
            found[partition] = edges(run(Engine(partition), values))
        return found

    def test_each_partition_reads_all_its_points_and_one_alone_raises_its_alarm(self) -> None:
        place = self.place()
        registry = Registry(place)
        first, other = registry.partition("a0"), registry.partition("a1")
        assert first != other
        assert {registry.partitions_of(f"p{k}") for k in self.CARRIED} == {tuple(sorted((first, other)))}
        found = self.play(place)
        assert [one for one in found[first] if one[0] == "gw"] == [
            ("gw", "alarm", "UNACK", 47),
            ("gw", "return", "RTNUN", 90),
        ]
        assert [one for one in found[other] if one[0] == "gw"] == []
        assert ("p1", "suppress", "DSUPR", 62) in found[other], "what is silent there is its symptom too"
        assert not [one for edge in found.values() for one in edge if one[1] == "alarm" and one[0] != "gw"]

    def test_where_it_stands_its_alarm_is_raised(self) -> None:
        place = self.place(stands="a1")
        found = self.play(place)
        raised = {partition for partition, told in found.items() if ("gw", "alarm", "UNACK", 47) in told}
        assert raised == {Registry(place).partition("a1")}

    def test_a_point_that_is_heard_in_one_partition_keeps_the_silence_in_the_other_their_own(self) -> None:
        place = self.place()
        found = self.play(place, heard=(1,))
        assert not [one for told in found.values() for one in told if one[0] == "gw"]
        silent = found[Registry(place).partition("a0")]
        assert ("p0", "alarm", "UNACK", 62) in silent and ("p3", "alarm", "UNACK", 62) in silent


@pytest.mark.parametrize("broken", ["look", "gone", "back"])
def test_trouble_with_gateways_is_told_and_holds_up_no_deadline(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    real = inhibition.gone
    if broken == "look":
        monkeypatch.setattr(Gateways, "look", lambda *_: 1 / 0)
    else:
        monkeypatch.setattr(inhibition, broken, lambda *_: 1 / 0)
    engine = Engine(0)
    found = run(engine, [*begin(with_gateway()), frame_of([(0, START + 3, 30.0)], START + 3)])
    found += run(engine, ticks(4, 60))
    for n in range(60, 400, 30):
        found += run(engine, [*([reads(n, 3)] if broken == "back" else []), *ticks(n, n + 30)])
    assert [one.edge for one in found if isinstance(one, DispatchChange)][:2] == ["issued", "overdue"]
    assert any(isinstance(one, Refused) and "division by zero" in one.reason for one in found)
    assert ("engine/0", "alarm") in [each[:2] for each in edges(found)]
    if broken == "gone":  # it is tried again, and until then its points' silence stands for itself
        assert ("p0", "alarm") in [each[:2] for each in edges(found)]
        monkeypatch.setattr(inhibition, "gone", real)
        assert ("gw", "alarm") in [each[:2] for each in edges(run(engine, ticks(420, 422)))]


def test_an_alarm_of_a_gateway_whose_end_broke_is_ended_by_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    real = grouping.apply

    def broken(book: Casebook, what: Change, clock: float, out: list[AnyOutcome]) -> None:
        if isinstance(what, inhibition.GatewayChange) and not what.after:
            raise ZeroDivisionError
        real(book, what, clock, out)

    monkeypatch.setattr(grouping, "apply", broken)
    engine = Engine(0)
    found = run(engine, [*begin(with_gateway()), *ticks(2, 60), reads(60, *CARRIED), *ticks(61, 65)])
    assert [one[1] for one in edges(found) if one[0] == "gw"] == ["alarm"]
    monkeypatch.setattr(grouping, "apply", real)
    assert ("gw", "return") in [one[:2] for one in edges(run(engine, ticks(65, 67)))]
