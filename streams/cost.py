"""What rules cost on what was recorded: the log's observations through the engine, each rule measured by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from rules.metering import Cost, Metered
from rules.rule import encode_decision
from sensors import frame, observation
from sensors.observation import FRAME, Tick
from streams.past import engine_at
from streams.replay import BATCH, Readable
from streams.topics import OBSERVATIONS


def costs(
    log: Readable,
    partition: int,
    stop: int,
    since: float,
    rules: Collection[str],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> list[Cost]:
    """Measure rules over one partition's observations from `since` (unix seconds) up to offset `stop`.

    Over a publication the measurement goes on for each rule that decides as before; for a rule that is new or
    decides otherwise it begins there. Raise `ReplayError` when the log no longer holds enough.
    """
    engine = engine_at(log, partition, stop, since, advance)
    first = engine.offset + 1
    measured = _Measured()
    while True:
        engine.drop_shadow()
        if engine.evaluator is not None and engine.evaluator is not measured.metered and engine.registry is not None:
            book = engine.evaluator.book
            engine.evaluator = measured.begin(Metered(engine.evaluator, engine.registry.site, book.points, rules))
        start = engine.offset + 1
        found = log.read(OBSERVATIONS, partition, start, stop, limit=BATCH) if start < stop else []
        if not found:
            return measured.all()
        records = [(offset, value) for offset, _, value in found]
        until = next((place + 1 for place, (_, value) in enumerate(records) if observation.brings_rules(value)), None)
        engine.apply(records[:until])
        advance(engine.offset + 1 - first, stop - first)


class _Measured:
    """What each rule cost, over the evaluators that followed one another."""

    def __init__(self) -> None:
        self.metered: Metered | None = None
        self.before: dict[str, Cost] = {}  # of the rules in force, what was measured under earlier evaluators

    def begin(self, metered: Metered) -> Metered:
        """Go on with another evaluator, and keep what was measured of the rules that decide the same in it."""
        known = {cost.rule: cost for cost in self.all()}
        decide = {rule.id: encode_decision(rule) for rule in self.metered.book.rules} if self.metered else {}
        self.before = {
            rule.id: known[rule.id]
            for rule in metered.book.rules
            if rule.id in known and decide[rule.id] == encode_decision(rule)
        }
        self.metered = metered
        return metered

    def all(self) -> list[Cost]:
        """Return what each rule of the evaluator cost, the dearest first."""
        found = self.metered.costs() if self.metered is not None else []
        joined = [_joined(self.before[cost.rule], cost) if cost.rule in self.before else cost for cost in found]
        return sorted(joined, key=lambda cost: (-cost.cpu, cost.rule))


def _joined(before: Cost, cost: Cost) -> Cost:
    return msgspec.structs.replace(cost, cpu=before.cpu + cost.cpu, readings=before.readings + cost.readings)


def latest(log: Readable, partition: int, stop: int, among: int = 1000) -> float:
    """Find when the newest tick or frame below an offset came, unix seconds; 0 without one among so many records."""
    for _, _, value in reversed(log.read(OBSERVATIONS, partition, max(stop - among, 0), stop, limit=among)):
        try:
            if value and value[0] == FRAME:
                return float(frame.decode(value).header.received)
            if value and not observation.is_publication(value):
                known = observation.decode(value)
                if isinstance(known, Tick):
                    return known.time
        except ValueError:  # the engine says what it is
            continue
    return 0.0
