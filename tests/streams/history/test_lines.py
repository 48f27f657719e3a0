"""Lines of InfluxDB's protocol: one for each reading and edge, the same each time, with what is known."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.outcome import AlarmTransition
from sensors.site import Site
from streams.history.columns import Scored
from streams.history.lines import Naming, alarm_lines, nanoseconds, seconds
from tests.streams.small_site import START, site

NAN = math.nan


def scored(rows: list[tuple[int, float, float, float, int]]) -> Scored:
    point, time, value, score, flags = zip(*rows, strict=True)
    return Scored(
        np.array(point, np.uint32),
        np.array(time, np.float64),
        np.array(value, np.float64),
        np.array(score, np.float32),
        np.array(flags, np.uint16),
    )


@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=50))
def test_times_come_back_as_they_were(times: list[float]) -> None:
    given = np.array(times)
    known = given[given > 2**23]  # below, a float tells more than nanoseconds
    assert seconds(nanoseconds(known)).tolist() == known.tolist()


def test_what_is_not_known_of_a_reading_is_left_out() -> None:
    rows = [
        (0, START, 1.5, 0.25, 0),
        (1, START + 0.1, -2.0, NAN, 4),
        (2, START, NAN, NAN, 1),
        (3, START, math.inf, 1, 0),
    ]
    naming = Naming(site())
    mine, unknown = naming.at_home(scored(rows), 0)
    assert (naming.lines(mine), unknown) == (
        [
            "readings,area=a0,point=p0,quantity=displacement value=1.5,score=0.25 1767225600000000000",
            "readings,area=a1,point=p1,quantity=displacement value=-2.0,flags=4i 1767225600099999905",
            "readings,area=a2,point=p2,quantity=displacement flags=1i 1767225600000000000",
            "readings,area=a0,point=p3,quantity=displacement score=1,flags=0i 1767225600000000000",
        ],
        0,
    )


def test_a_point_of_several_partitions_is_told_of_once_and_one_that_is_gone_is_counted() -> None:
    content: Site = site(points=3, partitions=16)
    shared = msgspec.structs.replace(content.points[0], areas=("a0", "a1"))
    naming = Naming(msgspec.structs.replace(content, points=(shared, *content.points[1:])))
    told = [naming.at_home(scored([(0, START, 1, 0, 0), (9, START, 1, 0, 0)]), partition) for partition in range(16)]
    assert sum(len(mine.time) for mine, _ in told) == 1
    assert [unknown for _, unknown in told] == [1] * 16


def transition(**more: object) -> AlarmTransition:
    given: dict[str, object] = {
        "id": "x.1",
        "alarm": "x",
        "sequence": 1,
        "rule": "creep",
        "rule_version": "1",
        "kind": "risk",
        "area": "a0",
        "scope": "p 0",
        "incident": None,
        "edge": "alarm",
        "before": "NORM",
        "after": "UNACK",
        "level": "yellow",
        "time": START,
        "onset": START - 5.0,
        "actor": "user:ann",
        "reason": 'Ann said "go"',
    }
    return msgspec.convert({**given, **more}, AlarmTransition)


def test_edges_of_one_moment_stand_side_by_side_and_name_nobody() -> None:
    one, two = alarm_lines([transition(), transition(id="x.2", sequence=2, after="ACKED", level='a "b"\\'), object()])
    assert one.startswith(r"alarms,area=a0,rule=creep,scope=p\ 0 alarm=" + '"x",edge="alarm",before="NORM"')
    assert (one.rsplit(" ", 1)[1], two.rsplit(" ", 1)[1]) == ("1767225600000000001", "1767225600000000002")
    assert r'level="a \"b\"\\"' in two
    assert "ann" not in (one + two).lower()


@given(st.text(max_size=20))
def test_no_name_breaks_out_of_its_tag(name: str) -> None:
    (line,) = alarm_lines([transition(scope=name)])
    assert "\n" not in line
    rest = line.replace("\\,", "").replace("\\ ", "").replace("\\=", "")
    assert rest.split(" ")[0].count(",") == 3 and len(rest.split("=")) >= 3
