"""Topic bytes → route, and the filters to subscribe to."""

from __future__ import annotations

import msgspec
import pytest

from sensors.dialects.dialect import Refusal, Route, Wanted
from sensors.dialects.dwell import Dwell
from sensors.lookup import Registry
from sensors.site import Frigate, HomeAssistant, Mapping, Signals
from sensors.topics import DIALECTS, REFUSED, Topics, covers, leanest
from tests.sensors.dialects.suite import site


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/#", True),
        ("a/+", "a/b", True),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/+", "a/b/c", False),
        ("+/b", "a/b", True),
        ("a/b", "a/+", False),
        ("a", "a/b", False),
    ],
)
def test_one_filter_covers_another(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_covered_filters_are_left_out() -> None:
    assert leanest(["a/b", "a/#", "a/+", "x/+", "x/+", "y"]) == ["a/#", "x/+", "y"]


def topics() -> Topics:
    signals = Signals(
        mapped=(
            Mapping(topic="site/{area}/{point}", point="{point}"),
            Mapping(topic="site/+/{point}", point="{point}"),
            Mapping(topic="wild/+/{point}", point="{point}"),
        ),
        frigate=(Frigate(), Frigate(prefix="gate")),
    )
    return Topics(Registry(site(signals)))


def test_all_dialects_are_subscribed_to() -> None:
    assert topics().filters() == [
        "foreshock/readings/#",
        "foreshock/frames/#",
        "site/+/+",
        "wild/+/+",
        "frigate/events",
        "frigate/reviews",
        "frigate/available",
        "frigate/+/status/+",
        "gate/events",
        "gate/reviews",
        "gate/available",
        "gate/+/status/+",
    ]


def test_topics_of_one_kind_share_a_lane() -> None:
    table = topics()
    routes = {
        topic: table[topic] for topic in (b"foreshock/readings/a0/p0", b"foreshock/readings/a1/p1", b"site/a2/p2")
    }
    lanes = [int(table.lane_of[route]) for route in routes.values()]
    points = [int(table.point_of[route]) for route in routes.values()]
    assert lanes[0] == lanes[1] != lanes[2]
    assert points == [0, 1, 2]
    assert [table.topics[route] for route in routes.values()] == list(routes)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        (b"else/where", "unknown_topic"),
        (b"foreshock/readings/a0/none", "unknown_point"),
        (b"\xff/\xfe", "unknown_topic"),
        (b"", "unknown_topic"),
    ],
)
def test_a_refused_topic_says_why(topic: bytes, reason: str) -> None:
    table = topics()
    assert table[topic] == REFUSED
    assert table.lane_of[REFUSED] == -1
    assert table.refusal(topic).reason == reason


def test_hostile_topics_do_not_fill_the_memory() -> None:
    table = topics()
    for k in range(12_000):
        assert table[b"x/%d" % k] == REFUSED
    assert len(table) <= 10_000


def test_more_topics_than_the_first_arrays_hold() -> None:
    from scripts.load import bench_site, native_topics

    made = bench_site(3000)
    table = Topics(Registry(made))
    routes = [table[topic.encode()] for topic in native_topics(made)]
    assert table.point_of[routes].tolist() == list(range(3000))


def test_refused_topics_are_remembered_up_to_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._REMEMBERED_BYTES", 1000)
    table = topics()
    for k in range(50):
        assert table[b"nobody/%05d" % k + bytes(88)] == REFUSED
    assert sum(map(len, table)) == 1000


def test_topics_of_a_wild_template_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._REMEMBERED", 100)
    table = topics()
    routes = [table[b"wild/%d/p%d" % (k, k % 2)] for k in range(2000)]
    assert len(table) <= 200
    assert len(set(routes)) <= 102
    assert [int(table.point_of[route]) for route in routes] == [0, 1] * 1000
    assert {int(table.lane_of[route]) for route in routes} == {0}
    assert table.topics[routes[0]] == b"wild/0/p0"
    assert table.topics[routes[-1]].endswith(b" and others")


def test_a_wild_template_is_bounded_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._REMEMBERED_BYTES", 1000)
    table = topics()
    for k in range(100):
        assert table.point_of[table[b"wild/" + b"x" * 90 + b"%05d/p0" % k]] == 0
    assert sum(map(len, table)) <= 2000


def test_every_point_of_a_large_site_is_remembered_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.load import bench_site, native_topics

    monkeypatch.setattr("sensors.topics._REMEMBERED", 100)
    made = bench_site(3000)
    table = Topics(Registry(made))
    names = [topic.encode() for topic in native_topics(made)]
    assert [table.topics[table[name]] for name in names] == names


def test_topics_of_one_subject_share_its_place_and_subjects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._REMEMBERED", 100)

    class Devices:
        @staticmethod
        def topics(config: object) -> tuple[str, ...]:
            return ("plant/#",)

        @staticmethod
        def resolve(topic: str, config: object, registry: Registry) -> Route | None:
            plant, _, rest = topic.partition("/")
            return Route("frame", subject=rest.split("/")[0]) if plant == "plant" else None

    monkeypatch.setitem(DIALECTS, "frigate", Devices)
    table = topics()
    one, two, again = (table[topic] for topic in (b"plant/a/1", b"plant/b/1", b"plant/a/2"))
    lane = table.lanes[int(table.lane_of[one])]
    assert lane.subjects == ["a", "b"]
    assert table.point_of[[one, two, again]].tolist() == [0, 1, 0]
    for k in range(200):
        _ = table[b"plant/%d" % k]
    assert len(lane.subjects) == 100
    assert table.refusal(b"plant/150").detail == "more devices than this bridge remembers"


def learning() -> tuple[Topics, int]:
    """Give the topics of a site with two installations that announce, and the lane of the first."""
    table = Topics(Registry(site(Signals(homeassistant=(HomeAssistant(), HomeAssistant(prefix="other"))))))
    lane = int(table.lane_of[table[b"homeassistant/sensor/x/config"]])
    return table, lane


def test_a_topic_that_a_payload_told_of_comes_to_its_lane() -> None:
    table, lane = learning()
    assert table[b"gw/1"] == REFUSED
    assert table.learn(lane, Wanted("gw/1", "one"))
    route = table[b"gw/1"]
    assert int(table.lane_of[route]) == lane
    assert table.lanes[lane].subjects[int(table.point_of[route])] == "one"
    assert not table.learn(lane, Wanted("gw/1", "one")), "it is no change"
    assert table.learn(lane, Wanted("gw/1", None))
    assert table[b"gw/1"] == REFUSED
    assert not table.learn(lane, Wanted("gw/1", None))


def test_no_payload_takes_a_topic_away() -> None:
    table, lane = learning()
    other = int(table.lane_of[table[b"other/sensor/x/config"]])
    table.learn(lane, Wanted("gw/1", "one"))
    assert not table.learn(other, Wanted("gw/1", "theirs"))
    assert not table.learn(other, Wanted("gw/1", None))
    table.learn(lane, Wanted("foreshock/readings/a0/p0", "mine"))
    route = table[b"foreshock/readings/a0/p0"]
    assert int(table.lane_of[route]) not in (lane, other)


def test_learnt_topics_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._MOST_LEARNT", 3)
    table, lane = learning()
    assert [table.learn(lane, Wanted(f"gw/{k}", k)) for k in range(5)] == [True] * 3 + [False] * 2
    assert table[b"gw/4"] == REFUSED
    table.learn(lane, Wanted("gw/0", None))
    assert table.learn(lane, Wanted("gw/4", 4))


def test_a_learnt_topic_may_go_while_it_is_among_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.topics._REMEMBERED", 90)
    table, lane = learning()
    for k in range(400):
        table.learn(lane, Wanted(f"gw/{k}", k % 3))
        assert table[b"gw/%d" % k] != REFUSED
        table.learn(lane, Wanted(f"gw/{k}", None))
    assert len(table) <= 200


def test_what_was_learnt_passes_to_the_next_version_of_the_site() -> None:
    def version(**sources: str) -> Topics:
        made = site(Signals(homeassistant=(HomeAssistant(),)))
        points = [
            msgspec.structs.replace(
                point, sources=(f"homeassistant:{sources[point.id]}",) if point.id in sources else ()
            )
            for point in made.points
        ]
        return Topics(Registry(msgspec.structs.replace(made, points=tuple(points))))

    before = version(p0="kept", p1="gone")
    for name in ("kept", "gone", "new"):
        route = before[f"homeassistant/sensor/{name}/config".encode()]
        lane = int(before.lane_of[route])
        payload = f'{{"unique_id": "{name}", "state_topic": "gw/{name}"}}'.encode()
        decoded = before.dialects[lane].decode(before.lanes[lane], before.point_of[[route]], [payload], 0.0)
        for wanted in decoded.wanted:
            before.learn(lane, wanted)
    after = version(p0="kept", p2="new")
    assert after.succeed(before) == ({"gw/gone": False, "gw/new": True}, [])
    assert after[b"gw/kept"] != REFUSED and after[b"gw/new"] != REFUSED
    assert after[b"gw/gone"] == REFUSED
    assert version().succeed(Topics(Registry(site()))) == ({}, [])


def test_what_a_source_told_goes_to_the_one_of_its_prefix() -> None:
    before = Topics(Registry(site(Signals(frigate=(Frigate(dwell={"gate": 60.0}),)))))
    old = before.lanes[before.lane_of[before[b"frigate/events"]]]
    Dwell.of(old.cache, old.config.dwell).take("1", ["gate"], 0.0, is_over=False)
    frigates = (Frigate(prefix="other", dwell={"gate": 60.0}), Frigate(dwell={"gate": 30.0}))
    after = Topics(Registry(site(Signals(frigate=frigates))))
    assert after.succeed(before) == ({}, [])
    other, same = (after.lanes[after.lane_of[after[topic]]] for topic in (b"other/events", b"frigate/events"))
    assert Dwell not in other.cache
    assert same.cache[Dwell].take("1", ["gate"], 31.0, is_over=False) == [("gate", "new")]
    assert Topics(Registry(site(Signals()))).succeed(before) == ({}, [])


def test_only_the_sources_whose_filters_match_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from sensors.dialects import mapped

    asked: list[str] = []
    plain = mapped.resolve

    def counting(topic: str, config: Mapping, registry: Registry) -> object:
        asked.append(config.topic)
        return plain(topic, config, registry)

    monkeypatch.setattr(mapped, "resolve", counting)
    signals = Signals(mapped=tuple(Mapping(topic=f"plant{k}/{{point}}/up", point="{point}") for k in range(500)))
    table = Topics(Registry(site(signals)))
    assert table.point_of[table[b"plant317/p3/up"]] == 3
    assert asked == ["plant317/{point}/up"]
    assert table[b"plant317/p3/down"] == table[b"$SYS/uptime"] == REFUSED
    assert len(asked) == 1


def test_of_two_sources_that_take_a_topic_the_first_has_it() -> None:
    wide, narrow = Mapping(topic="x/#", point="p1"), Mapping(topic="x/{point}", point="{point}")
    for mapped, point in (((wide, narrow), 1), ((narrow, wide), 2)):
        table = Topics(Registry(site(Signals(mapped=mapped))))
        assert table.point_of[table[b"x/p2"]] == point


def test_a_dialect_that_breaks_over_a_topic_refuses_it_and_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = topics()

    def broken(*_: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(DIALECTS["mapped"], "resolve", broken)
    for name in (b"wild/x/p1", b"wild/x/p2"):
        assert made[name] == REFUSED
        assert made.refusal(name) == Refusal("malformed", "AttributeError: no such thing")
    assert len(caplog.records) == 1 and "wild/x/p1" in caplog.text
    assert made[b"foreshock/readings/a0/p0"] != REFUSED, "others are not harmed"


@pytest.mark.parametrize("unit", ["dB/m", "dB*mm", "degF"])
def test_a_mapped_unit_that_cannot_become_the_points_refuses_its_topics(unit: str) -> None:
    signals = Signals(mapped=(Mapping(topic="wild/{point}", point="{point}", unit=unit),))
    made = Topics(Registry(site(signals)))
    assert made[b"wild/p1"] == REFUSED
    assert made.refusal(b"wild/p1").reason == "wrong_unit"
