"""Filters, routes and shared groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.embedded.mqtt.limits import BrokerSettings, Counts
from streams.embedded.mqtt.packets import MalformedPacket
from streams.embedded.mqtt.session import Session
from streams.embedded.mqtt.topics import Routes, Target, check_topic, matches, split_filter

LEVEL = st.sampled_from(["a", "b", "", "$x"])
TOPICS = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = (
    st.tuples(st.lists(st.one_of(LEVEL, st.just("+")), min_size=0, max_size=3), st.sampled_from([[], ["#"]]))
    .map(lambda parts: "/".join(parts[0] + parts[1]))
    .filter(bool)
)


def session(name: str = "s") -> Session:
    return Session(name, BrokerSettings(), Counts())


@pytest.mark.parametrize(
    ("pattern", "topic", "answer"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+/b", "a/b", True),
        ("+", "/a", False),
        ("/+", "/a", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/b/c", "a/b", False),
    ],
)
def test_what_matches(pattern: str, topic: str, answer: bool) -> None:
    assert matches(pattern, topic) is answer


@pytest.mark.parametrize("text", ["", "a#", "a/#/b", "a+/b", "$share/g", "$share//a", "$share/+/a", "a/" * 200])
def test_what_is_not_a_filter(text: str) -> None:
    with pytest.raises(MalformedPacket):
        split_filter(text)


@pytest.mark.parametrize("topic", [b"", b"a/+", b"#", b"a\0", b"\xff"])
def test_what_is_not_a_topic(topic: bytes) -> None:
    with pytest.raises(MalformedPacket):
        check_topic(topic)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), FILTERS), max_size=30), st.lists(TOPICS, max_size=10))
def test_routes_are_what_the_filters_say_after_any_changes(
    changes: list[tuple[bool, int, str]], asked: list[str]
) -> None:
    routes = Routes()
    sessions = [session(str(k)) for k in range(4)]
    held: dict[tuple[int, str], int] = {}
    for add, who, text in changes:
        for topic in asked:  # fills the memory that changes must invalidate
            routes[topic.encode()]
        if add:
            assert routes.add(text, Target(sessions[who], 1)) is ((who, text) not in held)
            held[who, text] = 1
        else:
            assert routes.remove(text, sessions[who]) is (held.pop((who, text), None) is not None)
    for topic in asked:
        expected = {who for who, text in held if matches(text, topic)}
        assert {int(one.session.client_id) for one in routes[topic.encode()].targets} == expected
    assert routes.count == len(held)
    for who, text in held:
        routes.remove(text, sessions[who])
    assert not routes._root.below


def test_topics_with_the_same_subscribers_share_a_route() -> None:
    routes = Routes()
    routes.add("r/#", Target(session(), 1))
    assert routes[b"r/1"] is routes[b"r/2"]
    assert routes[b"r/1"] is not routes[b"q"]


def test_the_highest_quality_of_overlapping_filters_counts() -> None:
    routes = Routes()
    one = session()
    for text, qos in (("a/#", 0), ("a/+", 2), ("a/b", 1)):
        routes.add(text, Target(one, qos))
    assert [target.qos for target in routes[b"a/b"].targets] == [2]


def test_a_group_takes_turns() -> None:
    routes = Routes()
    members = [session(str(k)) for k in range(3)]
    for one in members:
        routes.add("$share/g/a/#", Target(one, 1))
    (group,) = routes[b"a/1"].groups
    assert sorted(group.next().session.client_id for _ in range(9)) == sorted("012" * 3)
    for one in members:
        assert routes.remove("$share/g/a/#", one)
    assert not routes[b"a/1"].groups


def test_topics_are_held_up_to_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.embedded.mqtt.topics._CACHED_BYTES", 1000)
    routes = Routes()
    for k in range(95):
        routes[b"%0100d" % k]
        assert sum(map(len, routes)) == routes.cached_bytes <= 1000
    one = session()
    routes.add(f"{94:0100d}", Target(one, 1))
    assert sum(map(len, routes)) == routes.cached_bytes
    routes.add("+", Target(one, 1))
    assert not routes and routes.cached_bytes == 0
