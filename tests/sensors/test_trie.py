"""The trie of MQTT filters, against a matcher that reads the standard word by word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.trie import Trie

LEVELS = st.sampled_from(["", "a", "b", "$s", "a b"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=6).map("/".join)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(st.one_of(LEVELS, st.just("+")), min_size=0, max_size=5),
    st.sampled_from([["#"], ["+"], ["a"]]),
)


def matches(filter: list[str], topic: list[str], first: bool = True) -> bool:
    """Match level by level, the slow way."""
    if not filter:
        return not topic
    if filter[0] in ("+", "#") and first and topic and topic[0].startswith("$"):
        return False
    if filter[0] == "#":
        return True
    if not topic:
        return False
    return filter[0] in ("+", topic[0]) and matches(filter[1:], topic[1:], False)


@settings(max_examples=400, deadline=None)
@given(st.lists(FILTERS, max_size=20), TOPICS)
def test_it_finds_what_a_naive_matcher_finds_in_the_same_order(filters: list[str], topic: str) -> None:
    trie: Trie[int] = Trie()
    for place, one in enumerate(filters):
        trie.insert(one, place)
    expected = [place for place, one in enumerate(filters) if matches(one.split("/"), topic.split("/"))]
    assert trie.match(topic) == expected


@pytest.mark.parametrize(
    ("filter", "topic", "expected"),
    [
        ("sport/#", "sport", True),
        ("sport/#", "sport/", True),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+", "/finance", False),
        ("/+", "/finance", True),
        ("+/+", "/finance", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("a/+", "a/$b", True),
        ("Accounts", "ACCOUNTS", False),
    ],
)
def test_the_examples_of_the_standard(filter: str, topic: str, expected: bool) -> None:
    trie: Trie[str] = Trie()
    trie.insert(filter, "it")
    assert trie.match(topic) == (["it"] if expected else [])


def test_a_source_of_several_filters_is_named_once() -> None:
    trie: Trie[str] = Trie()
    for filter, source in (("a/#", "late"), ("+/b", "early"), ("a/b", "late")):
        trie.insert(filter, source)
    assert trie.match("a/b") == ["late", "early"]


def test_a_topic_of_many_levels_costs_no_more_than_the_deepest_filter() -> None:
    trie: Trie[str] = Trie()
    trie.insert("a/#", "all")
    trie.insert("a/b", "one")
    assert trie.match("a/" + "/" * 65_000) == ["all"]
    assert trie.match("a/b/" + "/" * 65_000) == ["all"]
