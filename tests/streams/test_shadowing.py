"""Sets of rules that run in the shadow, kept in a data folder and put in force from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.rule import Rule
from streams import bundle, publication, reload, shadowing
from streams.bundle import Bundle
from streams.reload import ReloadError
from tests.streams.small_site import rules, site
from tests.streams.taking import Taking


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    worker = Taking(tmp_path / "data", Bundle(site=site(), rules=rules()), keeps=True)
    yield worker.data
    worker.close()


def in_force(data: Path) -> tuple[Rule, ...]:
    return bundle.unpack(publication.read(data)).rules


def test_a_set_is_promoted_as_it_stands(data: Path) -> None:
    id, records = shadowing.begin_rules(data, rules(6.0), "user:li", "quieter", now=10.0)
    assert len(records) == site().partitions
    shadowing.promote(data, id, "user:li", "three nights")
    assert in_force(data) == rules(6.0)


def test_a_set_takes_nothing_back_that_was_published_since_it_began(data: Path) -> None:
    id, _ = shadowing.begin_rules(data, rules(6.0), "user:li", "quieter", now=10.0)
    reload.reload(Path(), data, "user:an", "a slip", rules=rules(7.0), processes=())
    with pytest.raises(ReloadError, match=f"has changed since {id} began, and .* take that back: {rules()[0].id}"):
        shadowing.promote(data, id, "user:li", "three nights")
    assert in_force(data) == rules(7.0)
    reload.reload(Path(), data, "user:an", "no slip after all", rules=rules(), processes=())
    shadowing.promote(data, id, "user:li", "three nights")
    assert in_force(data) == rules(6.0)


def test_sets_that_are_no_longer_kept_leave_nothing_behind(data: Path) -> None:
    ids = [shadowing.begin_rules(data, rules(6.0 + n), "user:li", "", now=10.0 + n)[0] for n in range(7)]
    assert len(list((data / shadowing.FOLDER).iterdir())) == 2 * shadowing.KEPT
    with pytest.raises(ReloadError, match="publish their folder"):
        shadowing.promote(data, ids[0], "user:li", "")
