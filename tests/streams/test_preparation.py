"""Publications that were made ready before their record is reached, against those made on the spot."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import msgspec
import numpy as np
import pytest

from alerts import outcome
from rules.compiler import CompileError
from sensors import observation
from sensors.observation import Publication
from sensors.steps import finished
from streams.bundle import Bundle, BundleError, pack
from streams.embedded.store import Log
from streams.engine import Engine
from streams.preparation import Prepared
from streams.topics import OBSERVATIONS
from tests.streams.lived import Life, every, grown
from tests.streams.small_site import START, frame_of, published, rules, site, tick
from tests.streams.test_station import TOPICS


class Changing(Life):
    """A life in which much is published."""

    def happen(self) -> None:
        """Publish every other time."""
        if self.random.random() < 0.6:
            self.publish()
        else:
            super().happen()


def publication(record: bytes) -> Publication | None:
    """Return what a record publishes."""
    if not observation.brings_rules(record):
        return None
    what = observation.decode(record)
    return what if isinstance(what, Publication) else None


def told(engine: Engine, offset: int, value: bytes) -> list[bytes]:
    """Apply a record and encode what follows."""
    return [outcome.encode(one) for one in engine.apply([(offset, value)]).records]


@pytest.mark.parametrize("seed", [4])
def test_what_was_made_ready_long_before_decides_as_what_is_made_on_the_spot(tmp_path: Path, seed: int) -> None:
    """Over a log of all that can happen: begun and done at any offset before, overtaken by others, over restarts."""
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        Changing(log, seed).live(24)
        records = [(offset, value) for offset, _, value in log.read(OBSERVATIONS, 0, 0, limit=10_000)]
    random = np.random.default_rng(seed)
    spot, ahead = Engine(0), Engine(0)
    switched = 0
    due = {offset: what for offset, value in records if (what := publication(value)) is not None}
    work: list[tuple[int, object]] = []
    for offset, value in records:
        if random.random() < 0.2 and (coming := [at for at in due if at >= offset]):
            what = due[coming[0]]
            work.append((coming[0], ahead.preparing(what.bundle, what.version)))
        for at, steps in list(work):  # some steps of each that is under way
            for _ in range(int(random.integers(60))):
                try:
                    next(steps)  # type: ignore[call-overload]
                except StopIteration as done:
                    ahead.hold(done.value)
                    work.remove((at, steps))
                    break
        if offset in due:
            if random.random() < 0.5:
                ahead.hold(finished(ahead.preparing(due[offset].bundle, due[offset].version)))
            switched += ahead.has_ready(due[offset].version)
        assert told(spot, offset, value) == told(ahead, offset, value), offset
        if random.random() < 0.03:
            spot, ahead = (Engine.restore(one.snapshot()) for one in (spot, ahead))
            work.clear()
    assert spot.snapshot() == ahead.snapshot()
    assert len(due) >= 4 and switched >= 2


def test_one_that_another_overtook_is_made_anew_at_its_record() -> None:
    contents = [Bundle(site=site(points), rules=rules(limit)) for points, limit in ((6, 20.0), (8, 30.0), (7, 25.0))]
    log = [published(content, f"v{n}", START + n) for n, content in enumerate(contents)]
    engine = Engine(0)
    engine.apply([(0, log[0]), (1, tick(START + 1.0))])
    engine.hold(finished(engine.preparing(pack(contents[2]), "v2")))
    assert engine.has_ready("v2")
    engine.apply([(2, log[1])])
    assert not engine.has_ready("v2")
    engine.apply([(3, log[2])])
    other = Engine(0)
    other.apply(list(enumerate([log[0], tick(START + 1.0), log[1], log[2]])))
    assert engine.snapshot() == other.snapshot()


def test_a_publication_made_ready_and_never_published_changes_nothing() -> None:
    engine, other = Engine(0), Engine(0)
    first = published(Bundle(site=grown("v1"), rules=every(20.0)), "v1")
    for one in (engine, other):
        one.apply([(0, first), (1, tick(START + 1.0))])
    engine.hold(finished(engine.preparing(pack(Bundle(site=grown("v2", 10), rules=every(15.0))), "v2")))
    values = [frame_of([(k, START + 10.0, 30.0) for k in range(8)], START + 10.0), tick(START + 11.0)]
    for offset, value in enumerate(values, 2):
        assert told(engine, offset, value) == told(other, offset, value)
    assert engine.snapshot() == other.snapshot()


def test_what_cannot_be_made_ready_says_so_and_its_record_is_refused_as_ever() -> None:
    engine = Engine(0)
    engine.apply([(0, published(Bundle(site=site(), rules=rules())))])
    (first, *rest) = rules()
    broken = msgspec.structs.replace(
        first, levels=msgspec.convert({"red": {"when": "value > 3 °C"}}, type(first.levels))
    )
    with pytest.raises(CompileError):
        finished(engine.preparing(pack(Bundle(site=site(), rules=(broken, *rest))), "v2"))
    with pytest.raises(BundleError):
        finished(engine.preparing(b"nothing", "v3"))
    assert engine.version == "v1" and not engine.has_ready("v2")


def test_what_is_as_it_was_is_not_decoded_again() -> None:
    engine = Engine(0)
    before, after = rules(20.0), (*rules(20.0)[:2], *rules(20.0)[2:])
    after = (msgspec.structs.replace(after[0], hold=5.0), *after[1:])
    engine.apply([(0, published(Bundle(site=site(), rules=before)))])
    assert engine.evaluator is not None and engine.registry is not None
    old = engine.evaluator.book.rules
    ready: Prepared = finished(engine.preparing(pack(Bundle(site=site(), rules=after)), "v2"))
    assert ready.registry is engine.registry
    assert [one is other for one, other in zip(old, ready.content.rules, strict=True)] == [False, True, True]
    assert not ready.changed
    moved = site()
    points = (msgspec.structs.replace(moved.points[0], interval=30.0), *moved.points[1:])
    ready = finished(engine.preparing(pack(Bundle(site=msgspec.structs.replace(moved, points=points))), "v3"))
    assert [one.row for one in ready.changed] == [0]


def test_what_is_replaced_is_freed_at_once_without_a_search_for_garbage() -> None:
    """The worker leaves what stays out of such searches: what formed a cycle would stay for ever."""
    engine = Engine(0)
    engine.apply([(0, published(Bundle(site=grown("v1"), rules=every(20.0)), "v1")), (1, tick(START + 1.0))])
    assert engine.evaluator is not None
    former = [weakref.ref(one) for one in (engine.evaluator, engine.evaluator.book, engine.registry)]
    gc.collect()
    gc.disable()
    try:
        engine.hold(finished(engine.preparing(pack(Bundle(site=grown("v2", 10), rules=every(15.0))), "v2")))
        engine.apply([(2, published(Bundle(site=grown("v2", 10), rules=every(15.0)), "v2", START + 2.0))])
        assert engine.version == "v2"
        assert [ref() for ref in former] == [None] * 3
    finally:
        gc.enable()
