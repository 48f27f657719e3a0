"""Quality of data by point: counted by flag and hour, ranked, remembered for charts."""

from __future__ import annotations

import msgspec
import numpy as np

from alerts.console.quality import MARKS, QualityStore
from sensors.flags import JUMP
from sensors.lookup import Registry
from sensors.observation import BAD, HISTORICAL, LATE, SIMULATED

from .conftest import make_site

NOW = 1_763_900_000.0
HOUR = 3600.0


def store() -> QualityStore:
    return QualityStore(Registry(make_site()))


def add(made: QualityStore, *readings: tuple[int, float, int], seen: float | None = None) -> None:
    point, time, flags = (np.array(column) for column in zip(*readings, strict=True))
    home = Registry(make_site()).partition("slope-1")
    count = len(readings)
    made.append(np.full(count, home), point.astype("u4"), time.astype("f8"), np.ones(count), flags.astype("u2"), seen)


def test_a_day_later_only_the_total_remembers() -> None:
    made = store()
    add(made, (0, NOW, BAD), (0, NOW + HOUR, BAD))
    [one] = made.worst(NOW + 24 * HOUR, {})
    assert (one["day"], one["total"]) == ({"bad": 1}, {"bad": 2})
    assert made.worst(NOW + 25 * HOUR, {}) == []
    add(made, (0, NOW + 24 * HOUR, LATE))
    [one] = made.worst(NOW + 24 * HOUR, {})
    assert one["day"] == {"bad": 1, "late": 1}, "the hour of yesterday has made room"


def test_what_is_merely_history_or_simulated_makes_no_point_worse() -> None:
    made = store()
    add(made, (0, NOW, HISTORICAL), (1, NOW, SIMULATED))
    assert made.worst(NOW, {}) == []
    assert made.totals()["historical"] == 1
    assert "simulated" not in made.totals()


def test_the_worst_come_first_and_ties_in_the_order_of_the_site() -> None:
    made = store()
    add(made, (2, NOW, BAD), (1, NOW, BAD), (1, NOW + 1, BAD), (0, NOW, BAD))
    assert [one["point"] for one in made.worst(NOW, {})] == ["p1", "p0", "p2"]
    assert [one["point"] for one in made.worst(NOW, {}, limit=1)] == ["p1"]


def test_what_came_late_is_counted_when_it_came() -> None:
    made = store()
    add(made, (0, NOW - 48 * HOUR, LATE), seen=NOW)
    assert made.worst(NOW, {})[0]["day"] == {"late": 1}


def test_the_latest_marks_of_a_point_are_kept_in_order_of_time() -> None:
    made = store()
    add(made, *((0, NOW + n, JUMP) for n in range(MARKS + 10)), (0, NOW + 1.5, BAD))
    marks = made.marks(0, NOW, NOW + 1e6)
    assert len(marks) == MARKS
    assert [mark.time for mark in marks] == sorted(mark.time for mark in marks)
    assert (marks[0].flags, marks[0].aside) == (("bad",), True)
    assert made.marks(0, NOW + 100, NOW + 101) == [mark for mark in marks if NOW + 100 <= mark.time <= NOW + 101]


def test_points_and_partitions_of_others_are_left_out() -> None:
    made = store()
    add(made, (99, NOW, BAD))
    home = Registry(make_site()).partition("slope-1")
    one = np.array([1 - home]), np.array([0], "u4"), np.array([NOW]), np.array([1.0]), np.array([BAD], "u2")
    made.append(*one, None)
    assert made.worst(NOW, {}) == []


def test_points_that_a_changed_site_has_more_are_counted_beside_those_of_before() -> None:
    made = store()
    add(made, (0, NOW, BAD))
    site = make_site()
    more = msgspec.structs.replace(site.points[0], id="p9", index=9)
    made.adopt(Registry(msgspec.structs.replace(site, points=(*site.points, more))))
    assert made.marks(9, 0.0, NOW) == []
    add(made, (9, NOW, LATE), (9, NOW + 1, LATE))
    assert [(one["point"], one["total"]) for one in made.worst(NOW, {})] == [("p9", {"late": 2}), ("p0", {"bad": 1})]
