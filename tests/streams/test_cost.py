"""What rules cost over what was recorded, publications and shadow rules among it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.bundle import Bundle
from streams.cost import costs
from streams.embedded.store import Log
from streams.topics import OBSERVATIONS
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.streams.test_shadow import end, shadow
from tests.streams.test_station import TOPICS, fill


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        yield opened


def measured(log: Log) -> dict[str, int]:
    asked = {rule.id for rule in rules()}
    return {one.rule: one.readings for one in costs(log, 0, log.end(OBSERVATIONS, 0), START, asked)}


def test_a_publication_does_not_take_what_was_measured_of_the_rules_it_leaves_as_they_were(log: Log) -> None:
    fill(log)
    before = measured(log)
    assert set(before.values()) == {80}
    changed = published(Bundle(site=site(), rules=rules(15.0)), "v2", START + 500)
    log.write([(OBSERVATIONS, 0, None, changed)])
    assert measured(log) == before | {"creep": 0}


def test_measuring_goes_on_while_rules_run_in_the_shadow_and_after(log: Log) -> None:
    fill(log)
    known = [shadow(rules(15.0), START + 500), tick(START + 501), frame_of([(0, START + 502, 1.0)], START + 502)]
    known += [end(START + 503), frame_of([(0, START + 512, 1.0)], START + 512), tick(START + 513)]
    log.write([(OBSERVATIONS, 0, None, value) for value in known])
    assert set(measured(log).values()) == {82}
