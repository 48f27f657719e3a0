"""Shadow rules beside those in force: what they would have raised, told to nobody."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from alerts.outcome import AlarmTransition, AnyOutcome, Published, ShadowChange, ShadowVerdict
from rules.persistence import Notes
from rules.rule import Rule
from sensors import observation
from sensors.observation import Publication, Shadow
from streams.bundle import Bundle
from streams.embedded.store import Log
from streams.engine import Engine
from streams.shadow import ShadowError, pack, unpack
from streams.topics import OBSERVATIONS
from tests.streams.lived import POINTS, Life, every, grown
from tests.streams.small_site import RATIONALE, START, debris, frame_of, published, record, rules, site, tick
from tests.streams.test_station import TOPICS


def shadow(content: tuple[Rule, ...], time: float, id: str = "s-1") -> bytes:
    return record(Shadow(id=id, rules=pack(content), author="user:li", reason="quieter nights", time=time))


def end(time: float) -> bytes:
    return record(Shadow(id="", rules=b"", author="user:li", reason="enough seen", time=time))


def made(*said: dict[str, object]) -> tuple[Rule, ...]:
    return msgspec.convert(
        [{"title": {"zh": "试", "en": "test"}, "rationale": RATIONALE, **one} for one in said], tuple[Rule, ...]
    )


def over(limit: float, **level: object) -> tuple[Rule, ...]:
    """Make one rule with one level."""
    when = {"when": f"value > {limit}", **level}
    return made({"id": "over", "where": {"quantity": "displacement"}, "levels": {"orange": when}})


def run(engine: Engine, log: list[bytes]) -> list[AnyOutcome]:
    first = engine.offset + 1
    applied = engine.apply([(first + place, value) for place, value in enumerate(log)])
    return [one for entry in applied.records for one in entry.outcomes]


def rise(values: list[float], start: float = START + 10.0, point: int = 0, step: float = 10.0) -> list[bytes]:
    log = []
    for place, value in enumerate(values):
        now = start + step * place
        log += [tick(now), frame_of([(point, now, value)], now)]
    return log


def verdicts(outcomes: list[AnyOutcome]) -> dict[str, ShadowVerdict]:
    return {one.pair: one for one in outcomes if isinstance(one, ShadowVerdict)}


def begun(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> Engine:
    engine = Engine(0)
    run(engine, [published(Bundle(site=site(), rules=before)), tick(START), shadow(after, START + 1.0)])
    return engine


def test_alarms_are_gained_that_only_the_shadow_raises_and_nobody_is_told() -> None:
    engine = begun(over(20.0), over(5.0))
    found = run(engine, rise([1.0, 8.0, 9.0, 1.0, 1.0]))
    assert not [one for one in found if isinstance(one, AlarmTransition)]
    (one,) = verdicts(found).values()
    assert (one.how, one.open, one.rule, one.scope, one.area) == ("gained", False, "over", "p0", "a0")
    assert (one.before, one.after, one.begun) == ("", "orange", START + 20.0)


def test_an_alarm_that_is_up_is_told_before_it_is_over() -> None:
    engine = begun(over(20.0), over(5.0))
    (one,) = verdicts(run(engine, rise([1.0, 8.0]))).values()
    assert one.how == "gained" and one.open


@pytest.mark.parametrize(
    ("before", "after", "how", "seconds"),
    [(20.0, 5.0, "earlier", -10.0), (5.0, 20.0, "later", 10.0), (5.0, 5.5, "same", 0.0), (5.0, 99.0, "lost", None)],
)
def test_alarms_of_both_are_one_pair(before: float, after: float, how: str, seconds: float | None) -> None:
    engine = begun(over(before), over(after))
    found = run(engine, rise([1.0, 8.0, 30.0, 1.0, 1.0]))
    (one,) = verdicts(found).values()
    assert (one.how, one.seconds, one.open) == (how, seconds, False)
    assert [one for one in found if isinstance(one, AlarmTransition)]


def test_another_level_is_a_difference() -> None:
    levels = {"yellow": {"when": "value > 5"}, "red": {"when": "value > 25"}}
    calm = {"yellow": {"when": "value > 5"}}
    where = {"id": "over", "where": {"quantity": "displacement"}}
    engine = begun(made({**where, "levels": levels}), made({**where, "levels": calm}))
    (one,) = verdicts(run(engine, rise([1.0, 8.0, 30.0, 1.0, 1.0]))).values()
    assert (one.how, one.before, one.after) == ("level", "red", "yellow")


def test_what_is_up_when_it_begins_is_not_compared() -> None:
    engine = Engine(0)
    run(engine, [published(Bundle(site=site(), rules=over(5.0))), tick(START), *rise([9.0, 9.0])])
    run(engine, [shadow(over(50.0), START + 40.0)])
    assert not verdicts(run(engine, rise([9.0, 1.0, 1.0], START + 50.0)))
    assert [one.how for one in verdicts(run(engine, rise([9.0, 1.0, 1.0], START + 90.0))).values()] == ["lost"]


def test_the_published_alarms_are_bit_for_bit_what_they_are_without_it() -> None:
    log = [*rise([1.0, 12.0, 18.0, 25.0, 40.0, 2.0, 2.0]), debris(START + 100.0), *rise([35.0, 1.0], START + 110.0)]
    alone, beside = Engine(0), Engine(0)
    beginning = [published(Bundle(site=site(), rules=rules())), tick(START)]
    run(alone, [*beginning, tick(START + 0.5)])
    run(beside, [*beginning, shadow(rules(6.0), START + 1.0)])
    expected = run(alone, log)
    found = [one for one in run(beside, log) if not isinstance(one, ShadowVerdict)]
    assert [msgspec.msgpack.encode(one) for one in found] == [msgspec.msgpack.encode(one) for one in expected]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_batches_make_no_difference(size: int) -> None:
    log = [published(Bundle(site=site(), rules=rules())), tick(START), shadow(rules(6.0), START + 1.0)]
    for point in range(3):
        log += rise([1.0, 4.0, 7.0, 12.0, 25.0, 2.0, 1.0], START + 10.0 + point, point)
    whole, parts = Engine(0), Engine(0)
    expected = run(whole, log)
    found = [one for at in range(0, len(log), size) for one in run(parts, log[at : at + size])]
    assert [msgspec.msgpack.encode(one) for one in found] == [msgspec.msgpack.encode(one) for one in expected]
    assert any(isinstance(one, ShadowVerdict) for one in found)
    assert parts.snapshot() == whole.snapshot()


def test_it_goes_on_after_a_restart() -> None:
    log = rise([1.0, 4.0, 7.0, 12.0, 25.0, 2.0, 1.0, 9.0, 1.0, 1.0])
    whole = begun(rules(), rules(6.0))
    expected = run(whole, log)
    cut = begun(rules(), rules(6.0))
    found = run(cut, log[:7])
    again = Engine.restore(cut.snapshot())
    found += run(again, log[7:])
    assert [msgspec.msgpack.encode(one) for one in found] == [msgspec.msgpack.encode(one) for one in expected]
    assert again.snapshot() == whole.snapshot()


def test_a_set_that_breaks_ends_and_the_published_rules_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = begun(over(5.0), over(6.0))
    assert engine.shadow is not None

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("hostile")

    monkeypatch.setattr(engine.shadow.beside.second, "readings", broken)
    found = run(engine, rise([1.0, 9.0]))
    assert [one.edge for one in found if isinstance(one, AlarmTransition)] == ["alarm"]
    (change,) = [one for one in found if isinstance(one, ShadowChange)]
    assert change.edge == "broken" and "hostile" in change.reason
    assert engine.shadow is None
    assert [one.edge for one in run(engine, rise([1.0, 1.0], START + 40.0)) if isinstance(one, AlarmTransition)]


@pytest.mark.parametrize("packed", [b"nonsense", pack(over(1.0))[:-4]])
def test_a_set_that_cannot_be_read_never_begins(packed: bytes) -> None:
    engine = Engine(0)
    run(engine, [published(Bundle(site=site(), rules=over(5.0))), tick(START)])
    found = run(engine, [record(Shadow(id="s-1", rules=packed, author="x", reason="", time=START + 1.0))])
    assert [one.edge for one in found if isinstance(one, ShadowChange)] == ["broken"]
    assert engine.shadow is None
    with pytest.raises(ShadowError):
        unpack(packed)


def test_another_set_takes_its_place_and_it_is_dropped() -> None:
    engine = begun(over(5.0), over(6.0))
    found = run(engine, [shadow(over(7.0), START + 2.0, "s-2")])
    assert [(one.shadow, one.edge) for one in found if isinstance(one, ShadowChange)] == [
        ("s-1", "replaced"),
        ("s-2", "began"),
    ]
    (change,) = [one for one in run(engine, [end(START + 3.0)]) if isinstance(one, ShadowChange)]
    assert (change.shadow, change.edge, change.reason) == ("s-2", "ended", "enough seen")
    assert not verdicts(run(engine, rise([1.0, 9.0])))


def test_a_promoted_set_takes_its_windows_and_delays_with_it() -> None:
    wanted = made(
        {
            "id": "mean",
            "where": {"quantity": "displacement"},
            "levels": {"orange": {"when": "mean('1 h') > 5", "for": "10 min"}},
        }
    )
    log = rise([9.0] * 180, START + 5.0, step=5.0)  # as ticks more than five seconds apart were an outage
    promotion = published(Bundle(site=site(), rules=wanted), "v2", START + 902.0)
    engine = begun(over(50.0), wanted)
    run(engine, log)
    found = run(engine, [promotion])
    assert [one.edge for one in found if isinstance(one, ShadowChange)] == ["promoted"]
    assert any(isinstance(one, Published) for one in found)
    alarms = [one for one in run(engine, [tick(START + 903.0)]) if isinstance(one, AlarmTransition)]
    assert [(one.rule, one.edge, one.onset) for one in alarms] == [("mean", "alarm", START + 5.0)]
    anew = Engine(0)
    run(anew, [published(Bundle(site=site(), rules=over(50.0))), tick(START), tick(START + 1.0), *log])
    assert not [one for one in run(anew, [promotion, tick(START + 903.0)]) if isinstance(one, AlarmTransition)]


SEEN = [debris(START + 5.0), tick(START + 6.0), debris(START + 100.0), tick(START + 101.0)]
SWUNG = rise([9.0, 1.0, 9.0], START + 5.0)


@pytest.mark.parametrize(
    ("before", "scope", "level", "log"),
    [
        ({"when": "value > 50", "samples": "2 of 4"}, "point", {"when": "value > 5", "samples": "2 of 4"}, SWUNG),
        ({"when": "value > 50"}, "point", {"when": "value > 5", "samples": "2 of 4"}, SWUNG),
        ({"when": "mean('1 h') > 50"}, "point", {"when": "mean('1 h') > 6 and max('1 h') > 8"}, SWUNG),
        ({"when": "value > 50"}, "area", {"when": "count('debris', '10 min') >= 2"}, SEEN),
    ],
    ids=["samples of both", "samples", "figures of one window", "count"],
)
def test_a_promoted_set_goes_on_as_if_it_had_been_in_force(
    before: dict[str, object], scope: str, level: dict[str, object], log: list[bytes]
) -> None:
    rule: dict[str, object] = {"id": "new", "scope": scope, "levels": {"orange": level}}
    if scope == "point":
        rule["where"] = {"quantity": "displacement"}
    wanted = made(rule)
    here = made({"id": "old", "where": {"quantity": "displacement"}, "levels": {"orange": before}})
    engine, control = begun(here, wanted), Engine(0)
    run(control, [published(Bundle(site=site(), rules=wanted)), tick(START), tick(START + 1.0)])
    run(engine, log)
    run(control, log)
    now = engine.clock
    found = run(engine, [published(Bundle(site=site(), rules=wanted), "v2", now), tick(now + 1.0)])
    run(control, [tick(now), tick(now + 1.0)])
    assert [one.edge for one in found if isinstance(one, ShadowChange)] == ["promoted"]
    assert engine.evaluator is not None and control.evaluator is not None
    assert engine.evaluator.current.tolist() == control.evaluator.current.tolist()
    assert engine.evaluator.current.any()


@pytest.mark.parametrize("seed", [1, 3])
def test_all_that_a_promoted_set_remembers_is_what_it_would_be_in_force(tmp_path: Path, seed: int) -> None:
    """Over a log of all that can change an outcome, beside half of the rules that it has."""
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        life = Life(log, seed)
        life.live(25)
        values = [value for _, _, value in log.read(OBSERVATIONS, 0, 0, limit=10_000)]
    lived = [value for value in values if value[0] == observation.FRAME or not told_of_rules(value)]
    wanted, ground = every(20.0), grown("v1", POINTS)
    content = Bundle(site=ground, rules=wanted)
    engine, control = Engine(0), Engine(0)
    run(engine, [published(Bundle(site=ground, rules=every(15.0)[seed::2])), shadow(wanted, START)])
    run(control, [published(content)])
    for one in (engine, control):
        run(one, [tick(START), *lived])
    run(engine, [published(content, "v2", engine.clock)])
    assert engine.evaluator is not None and control.evaluator is not None
    found, expected = engine.evaluator.state(), control.evaluator.state()
    names = {name for name in expected if name != "notes" and not name.startswith("instance.")}
    assert names == {name for name in found if name != "notes" and not name.startswith("instance.")}
    for name in sorted(names):
        np.testing.assert_array_equal(found[name], expected[name], name)
    np.testing.assert_array_equal(engine.evaluator.held_since, control.evaluator.held_since)
    np.testing.assert_array_equal(engine.evaluator.sampled, control.evaluator.sampled)
    mine, theirs = (msgspec.msgpack.decode(state["notes"].tobytes(), type=Notes) for state in (found, expected))
    for name in ("sightings", "tallies", "heard", "rising", "cameras", "across", "surges"):
        assert getattr(mine, name) == getattr(theirs, name), name


def told_of_rules(value: bytes) -> bool:
    """Tell a publication or a shadow set from all else."""
    return isinstance(observation.decode(value), Publication | Shadow)


@pytest.mark.parametrize("begins", [START + 1.0, START + 35.0], ids=["beside from before", "begun under the alarm"])
@pytest.mark.parametrize("shadowed", [True, False])
def test_an_alarm_goes_on_where_another_level_of_its_rule_is_changed(shadowed: bool, begins: float) -> None:
    def two(red: float) -> tuple[Rule, ...]:
        levels = {"orange": {"when": "value > 20", "clear": "value < 15"}, "red": {"when": f"value > {red}"}}
        return made({"id": "two", "where": {"quantity": "displacement"}, "levels": levels})

    engine = Engine(0)
    run(engine, [published(Bundle(site=site(), rules=two(90.0))), tick(START)])
    begin = [shadow(two(40.0), begins)] if shadowed else []
    log = rise([1.0, 25.0])
    raised = run(engine, [*begin, *log] if begins < START + 10.0 else [*log, *begin])
    assert [one.edge for one in raised if isinstance(one, AlarmTransition)] == ["alarm"]
    log = [published(Bundle(site=site(), rules=two(40.0)), "v2", START + 40.0), *rise([18.0, 45.0], START + 41.0)]
    found = run(engine, log)
    assert [one.edge for one in found if isinstance(one, ShadowChange)] == (["promoted"] if shadowed else [])
    told = [(one.edge, one.level) for one in found if isinstance(one, AlarmTransition)]
    assert told == [("raise", "red")]  # one that rose, not one that began


def test_it_keeps_the_windows_that_the_published_rules_no_longer_need() -> None:
    def average(limit: float) -> tuple[Rule, ...]:
        level = {"when": f"mean('10 min') > {limit}"}
        return made({"id": "over", "where": {"quantity": "displacement"}, "levels": {"orange": level}})

    engine = begun(average(50.0), average(6.0))
    run(engine, rise([1.0, 1.0, 1.0, 1.0]))
    run(engine, [published(Bundle(site=site(), rules=over(50.0)), "v2", START + 45.0)])
    assert not verdicts(run(engine, rise([9.0], START + 50.0)))  # of five readings the mean is 2.6
    assert engine.shadow is not None and not engine.shadow.beside.broken


def test_it_goes_on_over_a_publication_of_other_rules() -> None:
    engine = begun(over(20.0), over(5.0))
    run(engine, rise([1.0, 9.0]))
    run(engine, [published(Bundle(site=site(), rules=over(8.0)), "v2", START + 35.0)])
    assert engine.shadow is not None
    (one,) = verdicts(run(engine, rise([9.0, 1.0, 1.0], START + 40.0))).values()
    assert (one.how, one.begun, one.seconds) == ("earlier", START + 20.0, -20.0)


def test_windows_that_both_need_are_kept_once() -> None:
    engine = begun(rules(), rules(6.0))
    assert engine.evaluator is not None and engine.shadow is not None
    assert engine.evaluator.windows.nbytes > 0
    assert engine.shadow.beside.second.windows.nbytes == 0


def test_medians_over_a_window_that_both_look_at_are_compared() -> None:
    def median(limit: float) -> tuple[Rule, ...]:
        level = {"when": f"median('1 min') > {limit} or quantile('1 min', 0.9) > {2 * limit}"}
        return made({"id": "over", "where": {"quantity": "displacement"}, "levels": {"orange": level}})

    engine = begun(median(20.0), median(5.0))
    (one,) = verdicts(run(engine, rise([1.0, 9.0, 9.0, 9.0, 9.0]))).values()
    assert one.how == "gained" and engine.shadow is not None and not engine.shadow.beside.broken


def test_that_little_came_is_known_by_windows_that_both_need() -> None:
    def quiet(limit: float) -> tuple[Rule, ...]:
        when = f"value > {limit} and spread('1 min') < 3 and count('1 min') < 60"
        return made({"id": "quiet", "where": {"quantity": "displacement"}, "levels": {"orange": {"when": when}}})

    engine = begun(quiet(20.0), quiet(5.0))
    found = run(engine, rise([6.0] * 18, step=4.0))
    (one,) = verdicts(found).values()
    assert (one.how, one.begun) == ("gained", START + 70.0)
