"""The Sparkplug B dialect: births, aliases, numbers of messages, deaths."""

from __future__ import annotations

import math
import time
from typing import Any

import msgspec
import numpy as np
import pytest

from scripts import generate_proto
from sensors import observation, packing
from sensors.claimed_units import LONGEST, MOST_NEW, MOST_TOGETHER, TOO_MANY, ClaimedUnits
from sensors.dialects import sparkplug, sparkplug_node
from sensors.dialects.dialect import Inherited, Lane, Refusal, Route
from sensors.dialects.sparkplug_b_pb2 import Payload
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.observation import BAD, HISTORICAL, UNCERTAIN, SourceState
from sensors.reader import Arrivals
from sensors.redecoding import arrivals_of
from sensors.site import Site, Sparkplug
from tests.sensors.dialects.sparkplug_edge import (
    BOOLEAN,
    CONFIG,
    DATETIME,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Host,
    Message,
    a_site,
    asked,
    bdseq,
    birth,
    data,
    metric,
    node_birth,
    node_death,
    payload,
    readings,
    refused,
    states,
    tags,
)
from tests.sensors.dialects.suite import RECEIVED, DialectSuite

ASK = "spBv1.0/plant/NCMD/edge"
HEADLESS = b"\x12\x05\x08"  # a metric that is cut short


class SparkplugSuite(DialectSuite):
    dialect = sparkplug
    config = CONFIG
    bad = {  # noqa: RUF012
        HEADLESS: "malformed",
        b"\xff\xff\xff": "malformed",
        b"{}": "malformed",
        payload(seq=256): "malformed",
        b"\x12\x00" * 8_193: "oversized",
        b"\x12\x00" * 400_000: "oversized",
        b"\x08\x01" * 400_000: "oversized",
        b"\x08\x01" + b"\x12\x00" * 8_193: "oversized",
    }

    def registry(self) -> Registry:
        return Registry(a_site())

    def lane(self) -> tuple[Lane, int]:
        registry = self.registry()
        route = self.dialect.resolve(self.topic, self.config, registry)
        assert isinstance(route, Route)
        return Lane(route.kind, self.config, registry, [route.subject]), 0


class TestSparkplugNodeBirths(SparkplugSuite):
    may_be_silent = True
    topic = "spBv1.0/plant/NBIRTH/edge"
    good = (
        payload(metric("Load", 2.5, datatype=DOUBLE, alias=7), seq=0),
        payload(metric("Load", 25, "int", datatype=INT32, unit="cm"), seq=0),
        payload(metric("Load", 0xFFFF, "int", datatype=INT16, timestamp=int(RECEIVED * 1000) - 5000), seq=0),
        payload(metric("Load", is_null=True, datatype=FLOAT), seq=3, time=None),
    )


class TestSparkplugDeviceData(SparkplugSuite):
    topic = "spBv1.0/plant/DDATA/edge/rtu"
    good = (
        payload(metric("M1", 2.5), metric("M2", True), metric("M3", 1.5, "float"), seq=9),
        payload(metric("M1", 7, "int", datatype=UINT32), metric("M5", 2**40, "long", datatype=INT64), seq=10),
        payload(metric("M1", 2.5, is_historical=True, timestamp=int(RECEIVED * 1000) - 90_000), seq=11),
    )


# what a metric says


@pytest.mark.parametrize(
    ("datatype", "field", "sent", "value"),
    [
        (INT8, "int", 0x80, -128),
        (INT8, "int", 0xFFFFFFFF, -1),
        (INT8, "int", 127, 127),
        (INT16, "int", 0xFFFE, -2),
        (INT16, "int", 0xFFFF8000, -32768),
        (INT32, "int", 0xFFFFFFFF, -1),
        (INT32, "int", 0x7FFFFFFF, 2147483647),
        (INT32, "long", 2**64 - 5, -5),
        (INT64, "long", 2**64 - 3, -3),
        (INT64, "long", 2**62, 2**62),
        (UINT8, "int", 255, 255),
        (UINT16, "int", 65535, 65535),
        (UINT32, "int", 2**32 - 1, 2**32 - 1),
        (UINT32, "long", 2**32 - 1, 2**32 - 1),
        (UINT64, "long", 2**64 - 1, 2.0**64),
        (FLOAT, "float", 0.5, 0.5),
        (DOUBLE, "double", -1e-300, -1e-300),
        (BOOLEAN, "boolean", True, 1),
        (BOOLEAN, "boolean", False, 0),
        (BOOLEAN, "int", 1, 1),
    ],
)
def test_numbers_of_every_datatype_are_what_was_meant(datatype: int, field: str, sent: Any, value: float) -> None:
    host = Host()
    told = host.hear(node_birth(), birth(metric("M1", sent, field, datatype=datatype, alias=1)))
    assert readings(told) == [(1, value)]
    assert readings(host.hear(data(metric("", sent, field, alias=1), seq=2))) == [(1, value)], "its birth told the type"


@pytest.mark.parametrize(
    ("datatype", "field", "sent"),
    [(UINT8, "int", 300), (INT8, "int", 200_000), (INT16, "int", 0x18000), (BOOLEAN, "int", 2), (INT32, "long", 2**40)],
)
def test_a_number_that_does_not_fit_its_datatype_is_refused(datatype: int, field: str, sent: int) -> None:
    decoded = Host().hear(node_birth(), birth(metric("M1", sent, field, datatype=datatype)))
    assert not len(decoded) and refused(decoded)["malformed"] == 1


def test_a_whole_number_without_a_datatype_is_read_only_where_it_can_mean_one_thing() -> None:
    decoded = Host().hear(data(metric("M1", 127, "int"), metric("M2", 128, "int"), seq=5))
    assert readings(decoded) == [(1, 127.0)]
    assert refused(decoded) == {"malformed": 1}


@pytest.mark.parametrize(
    "told",
    [
        metric("M1", "open"),
        metric("M1", b"\1\2"),
        metric("M1", 1_700_000_000_000, "long", datatype=DATETIME),
        Payload.Metric(name="M1", dataset_value=Payload.DataSet(columns=["a"])),
        Payload.Metric(name="M1", template_value=Payload.Template(metrics=[metric("M2", 1.0)])),
        metric("M1", 1.0, datatype=99),
    ],
)
def test_what_is_no_number_is_refused_where_it_is_bound_and_counted_where_not(told: Payload.Metric) -> None:
    decoded = Host().hear(node_birth(), birth(told, metric("M2", 4.0)))
    assert readings(decoded) == [(2, 4.0)]
    assert refused(decoded) == {"not_a_reading": 1}
    told.name = "Other"
    assert refused(Host().hear(node_birth(), birth(told))) == {"unbound": 1}


def test_null_is_no_reading_and_says_so() -> None:
    decoded = Host().hear(
        node_birth(), birth(metric("M1", is_null=True, datatype=DOUBLE), metric("M2", datatype=DOUBLE))
    )
    assert [math.isnan(value) for value in decoded.value.tolist()] == [True]
    assert refused(decoded)["malformed"] == 1, "neither null nor a value"


def test_times_are_the_metrics_own_then_the_payloads_then_unknown() -> None:
    late, sent = int((RECEIVED - 30) * 1000), RECEIVED - 5
    host = Host()
    decoded = host.hear(node_birth(), data(metric("M1", 1.0, timestamp=late), metric("M2", 2.0), seq=1, time=sent))
    assert decoded.time.tolist() == [RECEIVED - 30, sent]
    bare = host.hear(Message("DDATA", payload(metric("M1", 1.0), seq=2, time=None)))
    assert np.isnan(bare.time).all()


def test_history_and_poor_quality_are_marked() -> None:
    poor = metric("M2", 1.0)
    poor.properties.keys.append("Quality")
    poor.properties.values.add(type=INT32, int_value=500)
    fine = metric("M3", 1.0)
    fine.properties.keys.append("Quality")
    fine.properties.values.add(type=INT32, int_value=192)
    decoded = Host().hear(node_birth(), birth(metric("M1", 1.0, is_historical=True), poor, fine))
    assert decoded.quality.tolist() == [HISTORICAL, BAD, 0]


# units


def test_a_birth_tells_the_unit_and_data_by_alias_keeps_it() -> None:
    host = Host()
    assert readings(host.hear(node_birth(), birth(*tags(1, value=2.0, unit="cm")))) == [(1, 20.0)]
    assert readings(host.hear(data(metric("", 3.0, alias=1), metric("M1", 4.0), seq=2))) == [(1, 30.0), (1, 40.0)]


def test_without_a_unit_of_its_own_a_metric_is_in_the_points_source_unit() -> None:
    host = Host(a_site(p1="m"))
    assert readings(host.hear(node_birth(), birth(*tags(1)))) == [(1, 1000.0)]
    assert readings(host.hear(birth(*tags(1, unit="cm"), seq=2))) == [(1, 10.0)], "what it says itself goes first"
    assert readings(host.hear(birth(*tags(1, unit="Meters!"), seq=3))) == [(1, 1000.0)], "unless that is no unit"


@pytest.mark.parametrize("unit", ["kPa", "Meters!", "%"])
def test_a_unit_that_cannot_become_the_points_is_refused_and_not_guessed(unit: str) -> None:
    decoded = Host().hear(node_birth(), birth(*tags(1, unit=unit), *tags(2)))
    assert readings(decoded) == [(2, 1.0)]
    assert refused(decoded)["wrong_unit"] == 1


def test_a_birth_may_ask_for_so_many_units_only() -> None:
    made = a_site()
    points = tuple(msgspec.structs.replace(one, sources=(f"sparkplug:plant/edge/rtu/{one.id}",)) for one in made.points)
    many = points + tuple(
        msgspec.structs.replace(points[1], id=f"q{k}", index=100 + k, sources=(f"sparkplug:plant/edge/rtu/q{k}",))
        for k in range(100)
    )
    host = Host(msgspec.structs.replace(made, points=many))
    told = [metric(f"q{k}", 1.0, unit=f"nonsense{chr(97 + k // 26)}{chr(97 + k % 26)}") for k in range(100)]
    decoded = host.hear(node_birth(), birth(*told, metric("p1", 5.0, unit="cm")))
    assert refused(decoded)["wrong_unit"] == 100
    assert readings(decoded) == [(1, 50.0)], "a unit of the site's table is none too many"
    looked_up = len(ClaimedUnits.of(host.lane))
    assert looked_up == MOST_NEW + 1
    host.hear(*[birth(*told, seq=seq) for seq in range(2, 42)])
    assert len(ClaimedUnits.of(host.lane)) <= MOST_TOGETHER + 1, "however many messages ask"


LENGTHS = (
    *("yd", "nm", "dm", "thou", "Mm", "pm", "fm", "dam", "hm", "Gm", "furlong", "rod", "chain", "fathom", "ly", "au"),
    *("micron", "mi", "am", "zm", "Tm", "Pm", "Em", "Zm", "foot", "mile", "yard", "millimeter", "centimetre"),
    *("kilometer", "fermi", "nmi", "point", "pica", "league", "hand"),
)


def test_units_one_too_many_at_the_birth_are_looked_up_when_data_comes() -> None:
    made = a_site()
    names = [f"q{k}" for k in range(len(LENGTHS))]
    assert len(LENGTHS) == MOST_NEW + 4
    many = tuple(
        msgspec.structs.replace(made.points[1], id=name, index=100 + k, sources=(f"sparkplug:plant/edge/rtu/{name}",))
        for k, name in enumerate(names)
    )
    host = Host(msgspec.structs.replace(made, points=made.points + many))
    told = [metric(name, 1.0, alias=k, unit=unit) for k, (name, unit) in enumerate(zip(names, LENGTHS, strict=True))]
    decoded = host.hear(node_birth(), birth(*told))
    assert (len(decoded), refused(decoded)) == (MOST_NEW, {"wrong_unit": 4})
    assert TOO_MANY in decoded.refused[0].detail
    later = host.hear(data(*[metric("", 1.0, alias=k) for k in range(len(names))], seq=2))
    assert (len(later), refused(later)) == (len(names), {})
    by_name = host.hear(data(metric(names[-1], 1.0), seq=3))
    assert readings(by_name) == [readings(later)[-1]]


def test_a_unit_that_is_too_long_is_not_read_as_its_beginning() -> None:
    told = Host().hear(node_birth(), birth(*tags(1, unit="x" * 70)))
    assert f"a unit of {LONGEST + 1} characters" in told.refused[0].detail


def test_a_unit_with_a_logarithm_costs_nobody_else_a_reading() -> None:
    decoded = Host().hear(node_birth(), birth(*tags(1, unit="dB/km"), *tags(2)))
    assert readings(decoded) == [(2, 1.0)]
    assert refused(decoded)["wrong_unit"] == 1
    assert decoded.refused[0].detail == "p1: 'dB/km' is not a unit of measure"


# births, aliases and numbers


def test_a_live_session_is_read_without_a_question() -> None:
    host = Host()
    decoded = host.hear(
        node_birth(metric("Load", 5.0, alias=1)),
        birth(*tags(1, 2)),
        Message("NDATA", payload(metric("", 6.0, alias=1), seq=2)),
        data(metric("", 7.0, alias=1), metric("", 8.0, alias=2), seq=3),
    )
    assert readings(decoded) == [(0, 5.0), (1, 1.0), (2, 1.0), (0, 6.0), (1, 7.0), (2, 8.0)]
    assert decoded.message.tolist() == [0, 1, 1, 2, 3, 3]
    assert not decoded.replies and not decoded.refused, "bdSeq is the protocol's own and lacks no point"
    assert states(decoded) == [
        ("sparkplug:plant/edge", "online", "a0", (0,)),
        ("sparkplug:plant/edge/rtu", "online", "a1", (1,)),
        ("sparkplug:plant/edge/rtu", "online", "a2", (2,)),
    ]


def test_metrics_of_the_protocol_lack_no_point_unless_the_site_binds_them() -> None:
    own = [metric(name, False) for name in ("Node Control/Rebirth", "Node Control/Reboot", "Device Control/Scan Rate")]
    decoded = Host().hear(node_birth(*own, metric("Load", 5.0)))
    assert readings(decoded) == [(0, 5.0)] and not decoded.refused
    assert refused(Host().hear(node_birth(*own, metric("Node Controls", 1.0)))) == {"unbound": 1}
    bound = changed(a_site(), p3={"sources": ("sparkplug:plant/edge/Node Control/Reboot",)})
    assert readings(Host(bound).hear(node_birth(*own))) == [(3, 0.0)]


def test_metrics_of_the_protocol_lack_no_point_by_their_alias_either() -> None:
    host = Host()
    host.hear(node_birth(metric("Node Control/Scan Rate", 5.0, alias=7), metric("Unknown", 5.0, alias=8)))
    by_alias = Message("NDATA", payload(metric("", 6.0, alias=7), seq=1))
    assert refused(host.hear(by_alias)) == {"ignored": 1}
    assert refused(host.hear(Message("NDATA", payload(metric("", 6.0, alias=8), seq=2)))) == {"unbound": 1}


def test_numbers_go_round_after_255() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(1)))
    for seq in range(2, 600):
        decoded = host.hear(data(metric("", float(seq), alias=1), seq=seq % 256, time=RECEIVED + seq))
        assert readings(decoded) == [(1, float(seq))] and not decoded.replies and not decoded.quality.any()


def test_after_a_gap_the_node_is_asked_for_its_birth_and_aliases_are_uncertain_until_then() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(1)))
    decoded = host.hear(data(metric("", 2.0, alias=1), metric("M2", 3.0), seq=4))
    assert asked(decoded) == [ASK]
    assert readings(decoded) == [(1, 2.0), (2, 3.0)]
    assert decoded.quality.tolist() == [UNCERTAIN, 0]
    assert not host.hear(data(metric("", 2.5, alias=1), seq=5), at=RECEIVED + 1).replies, "it was asked a second ago"
    reborn = host.hear(
        node_birth(time=RECEIVED + 2),
        birth(*tags(1), time=RECEIVED + 2),
        data(metric("", 4.0, alias=1), seq=2),
        at=RECEIVED + 2,
    )
    assert not reborn.replies and not reborn.quality.any()


def test_a_node_that_does_not_answer_is_asked_less_and_less_often() -> None:
    host = Host()
    times = [
        at for at in range(3600) if host.hear(data(metric("", 1.0, alias=1), seq=at % 256), at=RECEIVED + at).replies
    ]
    assert times == [0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030]


def test_a_clock_that_is_set_back_does_not_keep_a_node_from_being_asked() -> None:
    host = Host()
    assert host.hear(data(metric("", 1.0, alias=1), seq=1)).replies
    assert host.hear(data(metric("", 1.0, alias=1), seq=2), at=RECEIVED - 3600).replies


def test_data_without_a_birth_counts_by_name_only_and_asks() -> None:
    decoded = Host().hear(data(metric("M1", 2.0), metric("", 3.0, alias=9), metric("Else", 1.0), seq=77))
    assert readings(decoded) == [(1, 2.0)]
    assert asked(decoded) == [ASK]
    assert refused(decoded) == {"unborn": 1, "unbound": 1}


def test_an_alias_that_no_birth_told_asks() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(1)))
    decoded = host.hear(data(metric("", 2.0, alias=1), metric("", 3.0, alias=2), seq=2))
    assert readings(decoded) == [(1, 2.0)]
    assert asked(decoded) == [ASK] and refused(decoded) == {"unborn": 1}


def test_a_device_without_a_birth_of_its_own_asks_its_node() -> None:
    assert asked(Host().hear(node_birth(), data(metric("M1", 2.0), seq=1))) == [ASK]


def test_aliases_of_an_earlier_birth_are_forgotten() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(1, 2)))
    again = host.hear(
        node_birth(bd=2, time=RECEIVED + 1),
        birth(metric("M2", 5.0, alias=1, datatype=DOUBLE), time=RECEIVED + 1),
        data(metric("", 6.0, alias=1), metric("", 7.0, alias=2), seq=2),
    )
    assert readings(again) == [(2, 5.0), (2, 6.0)]
    assert asked(again) == [ASK]


def test_a_message_that_comes_again_is_no_gap() -> None:
    host = Host()
    first = [node_birth(), birth(*tags(1))]
    rest = [data(metric("", float(seq), alias=1), seq=seq) for seq in range(2, 6)]
    host.hear(*first, *rest)
    again = host.hear(first[0], first[1], *rest[1:], data(metric("", 6.0, alias=1), seq=6))
    assert not again.replies and not again.quality.any()
    assert readings(again)[-1] == (1, 6.0)


def test_a_birth_alone_that_comes_again_does_not_begin_the_numbers_anew() -> None:
    host = Host()
    sent = node_birth()
    host.hear(sent, birth(*tags(1)), data(metric("", 2.0, alias=1), seq=2))
    decoded = host.hear(sent, data(metric("", 3.0, alias=1), seq=3))
    assert readings(decoded) == [(1, 3.0)] and not decoded.replies


def test_messages_without_numbers_are_not_checked() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(1)))
    decoded = host.hear(*[Message("DDATA", payload(metric("", 1.0, alias=1))) for _ in range(3)])
    assert len(decoded) == 3 and not decoded.replies


def test_nodes_are_numbered_apart() -> None:
    host = Host()
    other = Message("NBIRTH", payload(bdseq(1), seq=0), node="edge-2")
    decoded = host.hear(node_birth(), other, birth(*tags(1)), Message("NDATA", payload(seq=1), node="edge-2"))
    assert not decoded.replies


# deaths


def test_a_nodes_death_takes_all_that_was_born_of_it() -> None:
    host = Host()
    host.hear(node_birth(metric("Load", 5.0)), birth(*tags(1, 5)))
    decoded = host.hear(node_death(), at=RECEIVED + 9)
    assert states(decoded) == [
        ("sparkplug:plant/edge", "offline", "a0", (0,)),
        ("sparkplug:plant/edge/rtu", "offline", "a1", (1, 5)),
        ("sparkplug:plant/edge/rtu", "offline", "a2", (5,)),
    ]
    assert {(event.time, event.received) for _, event in decoded.events} == {(RECEIVED + 9, RECEIVED + 9)}
    after = host.hear(data(metric("", 1.0, alias=1), metric("M2", 2.0), seq=2), at=RECEIVED + 10)
    assert readings(after) == [(2, 2.0)], "its aliases died with it"
    assert asked(after) == [ASK]


def test_an_old_will_does_not_kill_a_new_session() -> None:
    host = Host()
    host.hear(node_birth(bd=255), node_birth(bd=0, time=RECEIVED + 1), birth(*tags(1)))
    decoded = host.hear(node_death(255))
    assert not decoded.events and refused(decoded) == {"old_death": 1}
    assert readings(host.hear(data(metric("", 2.0, alias=1), seq=2))) == [(1, 2.0)]
    assert [state for _, state, _, _ in states(host.hear(node_death(0)))] == ["offline"]


def test_a_death_or_birth_without_its_number_goes_with_any() -> None:
    host = Host()
    host.hear(node_birth(metric("Load", 5.0), bd=3))
    assert states(host.hear(Message("NDEATH", payload())))
    host.hear(Message("NBIRTH", payload(metric("Load", 5.0), seq=0)))
    assert states(host.hear(node_death(9)))


def test_a_devices_death_takes_the_device_only() -> None:
    host = Host()
    host.hear(node_birth(metric("Load", 5.0)), birth(*tags(1)))
    decoded = host.hear(Message("DDEATH", payload(seq=2)))
    assert states(decoded) == [("sparkplug:plant/edge/rtu", "offline", "a1", (1,))]
    back = host.hear(birth(*tags(1), seq=3))
    assert states(back) == [("sparkplug:plant/edge/rtu", "online", "a1", (1,))] and not back.replies
    assert [source for source, *_ in states(host.hear(node_death()))] == [
        "sparkplug:plant/edge",
        "sparkplug:plant/edge/rtu",
    ]


def test_the_death_of_a_node_that_is_not_known_asks_whether_it_lives() -> None:
    decoded = Host().hear(node_death())
    assert not decoded.events and asked(decoded) == [ASK]


# another version of the site


def after(host: Host, made: Site) -> Host:
    """Give the host that goes on with another version of the site."""
    fresh = Host(made)
    assert sparkplug.succeed(fresh.lane, host.lane) == Inherited()
    return fresh


def changed(made: Site, **points: dict[str, Any]) -> Site:
    """Change points."""
    found = tuple(msgspec.structs.replace(point, **points.get(point.id, {})) for point in made.points)
    return msgspec.structs.replace(made, points=found)


def test_what_was_born_lives_on_when_the_site_changes() -> None:
    host = Host()
    host.hear(node_birth(metric("Load", 5.0)), birth(*tags(1, 5)))
    moved = changed(a_site(), p1={"index": 71}, p2={"index": 1}, p5={"areas": ("a0",)})
    fresh = after(host, moved)
    decoded = fresh.hear(data(metric("", 3.0, alias=1), metric("M5", 4.0), seq=2))
    assert readings(decoded) == [(71, 3.0), (5, 4.0)] and not decoded.replies and not decoded.refused
    assert readings(host.hear(data(metric("", 3.0, alias=1), seq=3))) == [(1, 3.0)], "the version before is as it was"
    gone = fresh.hear(node_death())
    assert states(gone) == [
        ("sparkplug:plant/edge", "offline", "a0", (0,)),
        ("sparkplug:plant/edge/rtu", "offline", "a1", (71,)),
        ("sparkplug:plant/edge/rtu", "offline", "a0", (5,)),
    ]
    assert not after(Host(), moved).hear(node_birth()).refused, "of nothing, nothing is taken over"


def test_units_are_those_of_the_changed_points() -> None:
    host = Host(a_site(p2="cm"))
    host.hear(node_birth(), birth(*tags(1, unit="m"), *tags(2), *tags(3, unit="bananas")))
    units = changed(a_site(p2="m"), p1={"unit": "cm"}, p3={"source_unit": "cm"})
    sent = [metric("", 1.0, alias=alias) for alias in (1, 2, 3)]
    before = host.hear(data(*sent, seq=2))
    assert readings(before) == [(1, 1000.0), (2, 10.0)] and refused(before) == {"wrong_unit": 1}
    assert readings(after(host, units).hear(data(*sent, seq=3))) == [(1, 100.0), (2, 1000.0), (3, 10.0)]


def test_a_metric_that_comes_to_be_bound_asks_for_a_birth_and_one_that_is_bound_no_more_does_not() -> None:
    host = Host(changed(a_site(), p2={"sources": ()}))
    host.hear(node_birth(), birth(*tags(1, 2)))
    sent = metric("", 3.0, alias=1), metric("", 4.0, alias=2)
    fresh = after(after(host, a_site()), a_site())
    decoded = fresh.hear(data(*sent, seq=2))
    assert readings(decoded) == [(1, 3.0)] and asked(decoded) == [ASK] and refused(decoded) == {"unbound": 1}
    assert fresh.hear(data(sent[0], seq=3)).quality.tolist() == [0], "its numbers are still counted"
    assert fresh.hear(data(sent[0], seq=5)).quality.tolist() == [UNCERTAIN]
    fresh.hear(node_birth(bd=2), birth(*tags(1, 2)), at=RECEIVED + 1)
    decoded = fresh.hear(data(*sent, seq=2), at=RECEIVED + 99)
    assert readings(decoded) == [(1, 3.0), (2, 4.0)] and not decoded.replies
    less = after(fresh, changed(a_site(), p1={"sources": ()}))
    decoded = less.hear(data(*sent, seq=3), at=RECEIVED + 99)
    assert readings(decoded) == [(2, 4.0)] and not decoded.replies and refused(decoded) == {"unbound": 1}


def test_what_is_taken_over_counts_as_remembered() -> None:
    host = Host()
    host.hear(node_birth(), birth(*tags(*range(1, 9))))
    fresh = after(host, a_site())
    assert fresh.lane.cache["nodes"].metrics == host.lane.cache["nodes"].metrics > 0
    fresh.hear(node_death())
    assert fresh.lane.cache["nodes"].metrics == 0


def test_the_intake_of_another_version_of_the_site_goes_on_with_births() -> None:
    before, now = Intake(Registry(a_site())), time.time()
    for one in (node_birth(time=now), birth(*tags(1), time=now)):
        before.take(arrivals_of(before, one.topic, one.payload), now)
    fresh = Intake(Registry(msgspec.structs.replace(a_site(), version="other")))
    fresh.succeed(before)
    told = data(metric("", 3.0, alias=1), seq=2, time=now)
    batch = fresh.take(arrivals_of(fresh, told.topic, told.payload), now)
    assert batch.readings == 1 and not batch.replies
    gone = node_death()
    assert fresh.take(arrivals_of(fresh, gone.topic, gone.payload), now).events == 1


# bounds


def test_a_node_with_many_metrics_costs_one_count_a_message() -> None:
    host = Host()
    many = [metric(f"T{k}", 1.0, alias=1000 + k) for k in range(500)]
    host.hear(node_birth(), birth(*tags(1, 2, 3), *many))
    sent = [metric("", 2.0, alias=one.alias) for one in many]
    decoded = host.hear(data(*sent, metric("", 3.0, alias=2), seq=2))
    assert readings(decoded) == [(2, 3.0)]
    assert [(one.reason, one.readings) for one in decoded.refused] == [("unbound", 500)]


def test_what_is_remembered_is_bounded_and_what_is_not_costs_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparkplug_node, "MOST_METRICS", 50)
    host = Host()
    for turn in range(20):
        told = [metric(f"T{k}", 1.0, alias=k) for k in range(40)]
        host.hear(node_birth(time=RECEIVED + turn), birth(*told, *tags(1), time=RECEIVED + turn))
    nodes = host.lane.cache["nodes"]
    assert nodes.metrics == sum(one.size for node in nodes.values() for one in node.devices.values()) <= 50
    host.hear(birth(*[metric(f"T{k}", 1.0, alias=k) for k in range(100)], seq=2))
    decoded = host.hear(data(metric("", 1.0, alias=99), metric("M1", 4.0), seq=3))
    assert readings(decoded) == [(1, 4.0)]
    assert refused(decoded) == {"unbound": 1} and not decoded.replies
    host.hear(node_death())
    assert nodes.metrics == 0


def test_long_and_wrong_names_are_bound_to_nothing() -> None:
    wrong = Payload.FromString(payload(metric("X" * 2, 1.0)).replace(b"XX", b"\xff\xfe"))
    decoded = Host().hear(node_birth(), birth(metric("M" * 513, 1.0), *wrong.metrics, *tags(1)))
    assert readings(decoded) == [(1, 1.0)]
    assert refused(decoded) == {"unbound": 2}


def test_a_bomb_is_refused_quickly() -> None:
    bomb = b"\x12\x00" * 500_000
    host = Host()
    begun = time.process_time()
    decoded = host.hear(Message("DDATA", bomb))
    assert refused(decoded) == {"oversized": 1}
    assert time.process_time() - begun < 0.05


# in the bridge


def test_the_intake_keeps_a_nodes_order_hands_on_states_and_questions_and_keeps_no_record_of_what_is_normal() -> None:
    intake = Intake(Registry(a_site()))
    rest = [metric(f"T{k}", 1.0, alias=100 + k) for k in range(50)]
    sent = [
        node_birth(metric("Load", 1.0)),
        birth(*tags(1, 5), *rest),
        data(metric("", 2.0, alias=1), seq=2),
        Message("NDATA", payload(metric("Load", 3.0), seq=3)),
        data(metric("", 4.0, alias=1), seq=4),
        node_death(),
    ]
    arrivals = Arrivals()
    for one in sent:
        arrivals.routes.append(intake.topics[one.topic.encode()])
        arrivals.payloads.append(one.payload)
    batch = intake.take(arrivals, RECEIVED)
    assert len(intake.topics.lanes) == 1 and batch.readings == 6 and not batch.replies
    assert intake.quarantine.counts == {"unbound": 50}
    assert {topic for topic, _, _ in batch.records} == {packing.TOPIC}, "nothing for the quarantine"
    told = [(place, observation.decode(value)) for _, place, value in batch.records if value[0] != observation.FRAME]
    assert all(place == intake.registry.partition(one.area) for place, one in told)  # type: ignore[union-attr]
    assert [(one.state, one.area) for _, one in told if isinstance(one, SourceState)] == [
        (state, area) for state in ("online", "offline") for area in ("a0", "a1", "a2")
    ]
    arrivals = Arrivals()
    arrivals.routes.append(intake.topics[sent[2].topic.encode()])
    arrivals.payloads.append(sent[2].payload)
    assert [reply.topic for reply in intake.take(arrivals, RECEIVED + 1).replies] == [ASK]


# topics


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/STATE/host",
        "STATE/host",
        "spBv1.0/plant/NCMD/edge",
        "spBv1.0/plant/DCMD/edge/rtu",
        "spBv1.0/plant/NDATA/edge/rtu",
        "spBv1.0/plant/DDATA/edge",
        "spBv1.0/plant/DDATA/edge/rtu/more",
        "spBv1.0/plant",
    ],
)
def test_commands_and_hosts_are_not_taken(topic: str) -> None:
    assert sparkplug.resolve(topic, CONFIG, Registry(a_site())) is None


def test_groups_choose_what_is_listened_to() -> None:
    config = Sparkplug(prefix="plants/spBv1.0", groups=("north",))
    registry = Registry(a_site())
    assert "plants/spBv1.0/north/DDATA/+/+" in sparkplug.topics(config)
    assert not any("+/NDATA" in one for one in sparkplug.topics(config))
    assert isinstance(sparkplug.resolve("plants/spBv1.0/north/NDATA/e", config, registry), Route)
    assert sparkplug.resolve("plants/spBv1.0/south/NDATA/e", config, registry) is None


def test_names_that_are_empty_or_too_long_are_refused() -> None:
    registry = Registry(a_site())
    for topic in ("spBv1.0//NDATA/e", "spBv1.0/g/NDATA/", "spBv1.0/g/DDATA/e/", "spBv1.0/g/NDATA/" + "e" * 1024):
        found = sparkplug.resolve(topic, CONFIG, registry)
        assert isinstance(found, Refusal) and found.reason == "unknown_topic"


def test_the_generated_code_is_current() -> None:
    pytest.importorskip("grpc_tools", reason="protoc is not installed: make proto")
    assert not generate_proto.stale()
