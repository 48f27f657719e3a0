"""Which points rules cover, found without asking each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.covering import Covering
from rules.rule import covered_points
from tests.rules.stage import a_point, a_rule, a_site

QUANTITIES, AREAS, TAGS = ("level", "rain"), ("a", "b", "c"), ("wet", "old")
IDS = ("p", "p1", "p10", "p2", "q-1", "q*", "q.1")

points = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.sampled_from(QUANTITIES),
        st.lists(st.sampled_from(AREAS), max_size=3),
        st.lists(st.sampled_from(TAGS), max_size=2),
    ),
    max_size=7,
    unique_by=lambda point: point[0],
)
wheres = st.fixed_dictionaries(
    {},
    optional={
        "quantity": st.one_of(st.sampled_from(QUANTITIES), st.lists(st.sampled_from(QUANTITIES), max_size=2)),
        "areas": st.lists(st.sampled_from(AREAS), max_size=2),
        "without_areas": st.lists(st.sampled_from(AREAS), max_size=1),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
        "without_tags": st.lists(st.sampled_from(TAGS), max_size=1),
        "points": st.lists(st.sampled_from((*IDS, "p*", "p?", "*1", "q-*")), max_size=2),
    },
)


@settings(max_examples=200, deadline=None)
@given(points, wheres)
def test_the_points_found_are_those_that_asking_each_would_find(
    made: list[tuple[str, str, list[str], list[str]]], where: dict[str, object]
) -> None:
    site = a_site(
        *(
            a_point(id, quantity=quantity, areas=tuple(areas), tags=tuple(tags), index=number)
            for number, (id, quantity, areas, tags) in enumerate(made)
        ),
        areas=AREAS,
    )
    areas = {area.id: area for area in site.areas}
    rule = a_rule(where=where)
    assert Covering(site.points, areas).of(rule) == covered_points(rule, site.points, areas)


@pytest.mark.parametrize("where", [{"areas": ["a7"]}, {"points": ["p7"]}, {"points": ["p7*"]}, {"quantity": "q7"}])
def test_few_points_are_asked_of_a_rule_that_names_few(where: dict[str, object]) -> None:
    site = a_site(
        *(a_point(f"p{n}", quantity=f"q{n}", areas=(f"a{n}",), index=n) for n in range(100)),
        areas=tuple(f"a{n}" for n in range(100)),
    )
    covering = Covering(site.points, {area.id: area for area in site.areas})
    assert 1 <= len(covering.candidates(a_rule(where=where).where)) <= 11
