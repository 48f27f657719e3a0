"""Alarm load: rings by the minute, floods after EEMUA 191, and who rings most."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.desk import Desk
from alerts.load import DAY_MINUTES, MINUTE, TOP, Load, band, floods
from alerts.outcome import AlarmTransition
from tests.alerts.cases import SITE, change

NOON = 1_700_000_000.0 // 3600 * 3600


def ring(time: float, level: str = "yellow", *, rule: str = "r", scope: str = "p", **more: Any) -> dict[str, Any]:
    return {"edge": "alarm", "after": "UNACK", "kind": "risk", "level": level, "time": time, "rule": rule,
            "scope": scope, **more}  # fmt: skip


def load_of(*records: dict[str, Any]) -> Load:
    load = Load()
    load.note(records)
    return load


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (ring(NOON), True),
        (ring(NOON, edge="realarm"), True),
        (ring(NOON, edge="raise"), True),
        (ring(NOON, edge="unshelve"), True),
        (ring(NOON, edge="unshelve", after="NORM"), False),
        (ring(NOON, edge="lower"), False),
        (ring(NOON, edge="acknowledge", after="ACKED"), False),
        (ring(NOON, kind="data_quality"), False),
        (ring(NOON, kind="system"), True),
        (ring(NOON, marks=["chattering"]), True),
        (ring(NOON, marks=["chattering", "folded"]), False),
    ],
)
def test_what_asks_a_person_for_something_counts(record: dict[str, Any], counts: bool) -> None:
    assert load_of(record).figures(NOON).day == int(counts)


def test_rings_leave_the_ten_minutes_the_hour_and_the_day() -> None:
    load = load_of(*(ring(NOON, level) for level in ("red", "yellow", "yellow")))
    found = [load.figures(NOON + minutes * MINUTE) for minutes in (0, 9, 10, 59, 60, DAY_MINUTES - 1, DAY_MINUTES)]
    assert [one.ten_minutes for one in found] == [3, 3, 0, 0, 0, 0, 0]
    assert [one.hour for one in found] == [3, 3, 3, 3, 0, 0, 0]
    assert [one.day for one in found] == [3] * 6 + [0]
    assert found[0].levels == {"blue": 0, "yellow": 2, "orange": 0, "red": 1}
    load.forget(NOON + 2 * DAY_MINUTES * MINUTE)
    assert load.figures(NOON).day == 0


def test_a_flood_begins_with_the_eleventh_ring_in_ten_minutes_and_ends_below_five() -> None:
    load = load_of(*(ring(NOON + 5 * n) for n in range(10)))
    assert not load.figures(NOON + 50).flood
    load.note([ring(NOON + 50)])
    found = load.figures(NOON + 50)
    assert found.flood and found.flood_since == NOON and found.band == "unacceptable"
    load.note(ring(NOON + 5 * MINUTE, rule="late") for _ in range(5))
    assert load.figures(NOON + 14 * MINUTE).flood, "five in ten minutes: still"
    over = load.figures(NOON + 15 * MINUTE)
    assert not over.flood and over.flood_since is None
    assert (over.peak, over.floods, over.flood_minutes) == (16, 1, 15)


def test_between_the_limits_a_minute_is_what_the_one_before_was() -> None:
    assert floods([10, 11, 5, 4, 5, 10, 11]) == [False, True, True, False, False, False, True]


@pytest.mark.parametrize(
    ("count", "name"), [(0, "acceptable"), (1, "acceptable"), (2, "manageable"), (5, "demanding"), (6, "unacceptable")]
)
def test_bands_are_those_of_eemua_191(count: int, name: str) -> None:
    assert band(count) == name


def test_who_rings_most_is_named_with_its_share() -> None:
    load = load_of(*(ring(NOON, scope=f"p{n}") for n in range(TOP + 3) for _ in range(n)))
    actors = load.figures(NOON).actors
    assert len(actors) == TOP
    assert [one.scope for one in actors[:2]] == [f"p{TOP + 2}", f"p{TOP + 1}"]
    assert actors[0].share == pytest.approx(actors[0].rings / sum(range(TOP + 3)))


def test_who_chatters_and_who_goes_stale_is_named_apart_for_a_day() -> None:
    folded = [ring(NOON, scope="p1", marks=["chattering", "folded"]) for _ in range(3)]
    stale = ring(NOON, scope="p2", edge="stale", marks=["stale"])
    load = load_of(*folded, stale, ring(NOON), ring(NOON, edge="stale", exercise="e1"))
    for found in (load.figures(NOON), load.whole()):
        assert [(one.scope, one.rings, one.share) for one in found.chattering] == [("p1", 3, 1.0)]
        assert [(one.scope, one.rings) for one in found.stale] == [("p2", 1)]
        assert [one.scope for one in found.actors] == ["p"], "what is folded asks nobody for anything"
    load.forget(NOON + 3 * DAY_MINUTES * MINUTE)
    assert load.whole().chattering == load.figures(NOON).stale == ()


@given(st.lists(st.tuples(st.integers(0, 3 * 3600), st.sampled_from(["red", "blue"])), max_size=60), st.randoms())
def test_figures_do_not_depend_on_the_order_in_which_rings_are_told(
    told: list[tuple[int, str]], mixer: random.Random
) -> None:
    records = [ring(NOON + seconds, level) for seconds, level in told]
    other = list(records)
    mixer.shuffle(other)
    now = NOON + 4 * 3600
    whole = load_of(*records).figures(now)
    assert whole == load_of(*other).figures(now)
    assert msgspec.structs.asdict(load_of(*other).now(now)).items() <= msgspec.structs.asdict(whole).items()


def test_a_desk_s_own_rings_are_counted() -> None:
    desk, load = Desk(SITE), Load()
    for number in range(7):
        out = desk.condition(change(1), NOON + 60.0 * number) + desk.condition(change(0), NOON + 60.0 * number + 20)
        load.note(msgspec.to_builtins(one) for one in out if isinstance(one, AlarmTransition))
    assert load.figures(NOON + 420).ten_minutes == 5, "the fifth is heard, the sixth and seventh are folded"


def test_a_replayed_stretch_is_told_as_a_whole() -> None:
    load = load_of(*(ring(NOON + 5 * n) for n in range(12)), ring(NOON + 100 * DAY_MINUTES, "red"))
    found = load.whole()
    assert (found.rings, found.peak, found.peak_at, found.floods) == (13, 12, NOON + MINUTE, 1)
    assert found.flood_minutes == 10 and found.levels["red"] == 1
    assert Load().whole().rings == 0 and Load().whole().peak_at is None
