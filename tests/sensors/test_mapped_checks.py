"""Templates of topics that can bring nothing are named; those that can are not."""

from __future__ import annotations

import pytest

from sensors.document import parse_document
from sensors.lookup import Registry
from sensors.mapped_checks import idle_templates
from sensors.site import MappedValue, Mapping, Signals
from tests.sensors.dialects.suite import site

DOCUMENT = """
signals:
  mapped:
    - topic: 0
      point: 0
    - topic: 1
      point: 1
"""


def named(*mapped: Mapping) -> list[tuple[int, str, str]]:
    """List line, field and message."""
    registry = Registry(site(Signals(mapped=mapped)))
    found = idle_templates(parse_document(DOCUMENT, "site.yaml"), registry)
    return [(one.line, one.field, one.message) for one in found]


ALL = Mapping(topic="site/{area}/{point}", point="{point}")


def test_what_can_bring_something_is_not_named() -> None:
    assert named(ALL, Mapping(topic="site/{area}/{point}/#", point="{point}")) == []


@pytest.mark.parametrize(
    ("second", "field", "said"),
    [
        (Mapping(topic="x/{point}", point="q{point}"), "signals.mapped[1].point", "'q{point}' can never match"),
        (Mapping(topic="site/a0/{point}", point="{point}"), "signals.mapped[1].topic", "signals.mapped[0]"),
        (Mapping(topic="foreshock/readings/x/{point}", point="{point}"), "signals.mapped[1].topic", "the native"),
    ],
)
def test_what_never_matches_is_named_with_its_line(second: Mapping, field: str, said: str) -> None:
    [(line, where, message)] = named(ALL, second)
    assert where == field and said in message and "can never match" in message
    assert line == (6 if field.endswith("topic") else 7)


def test_each_of_several_values_is_looked_at() -> None:
    values = (MappedValue(point="p1", value="a"), MappedValue(point="none", value="b"))
    [(_, where, message)] = named(Mapping(topic="x/y", values=values))
    assert where == "signals.mapped[0].values[1].point" and "'none'" in message


def test_an_earlier_template_of_part_of_a_level_leaves_topics_to_the_next() -> None:
    assert named(Mapping(topic="x/dev-{point}", point="{point}"), Mapping(topic="x/{point}", point="{point}")) == []
