"""A sweep: a rule's variants over what was recorded, against what the incidents were closed as."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from statistics import median
from typing import Protocol

import msgspec

from alerts.precision import Case
from rules.beside import Beside
from rules.carrying import with_windows
from rules.compiler import compile_rules
from rules.covering import Covering
from rules.rule import Rule
from rules.variants import Variant, variants
from sensors.observation import brings_rules, is_publication
from sensors.renames import Renames, between
from sensors.site import Point, Site
from streams.past import engine_at
from streams.replay import BATCH, Readable, ReplayError
from streams.topics import GROUP, OBSERVATIONS

AROUND = 3600.0
"""Seconds before an alarm was opened within which a variant's alarm is of the same case, and after likewise."""


class Committed(Readable, Protocol):
    """A log that also says how far the engine has come."""

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset at which a group goes on."""
        ...


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that a variant would have raised; times are unix seconds, `ended` None while it lasts."""

    variant: str
    scope: str
    area: str
    begun: float
    ended: float | None


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """How a variant would have fared.

    `false` alarms were of no real case, `nuisance` of them judged so; the others nobody judged. `missed` real cases are
    without an alarm. `lead` is the median of seconds by which it comes before the alarm that was raised. `flips` names
    the alarms whose case would differ from how it went by the rule as it is: silenced or raised. Where `limit` names
    one of the registry's, the threshold is what that is multiplied by.
    """

    threshold: float
    delay: float
    factor: float
    when: str
    as_it_is: bool
    alarms: int
    false: int
    nuisance: int
    missed: int
    lead: float | None
    silenced: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    limit: str = ""


def raised(
    log: Readable,
    partition: int,
    stop: int,
    since: float,
    rules: Sequence[Rule],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> list[Raised]:
    """Run rules beside the recorded ones over one partition, from `since` (unix seconds) up to offset `stop`.

    They see the same readings, scores and events; what they have learnt before is what the rules in force keep. Raise
    `ReplayError` when the log no longer holds enough.
    """
    engine = engine_at(log, partition, stop, since, advance)
    engine.drop_shadow()
    first = start = engine.offset + 1
    up: dict[tuple[str, str], tuple[str, float]] = {}
    found: list[Raised] = []
    beside: Beside | None = None
    site: Site | None = None
    scopes = {rule.id: rule.scope for rule in rules}
    while start < stop:
        if engine.evaluator is not None and engine.evaluator is not beside and engine.registry is not None:
            before, decides = beside, engine.evaluator
            renames = Renames() if site is None else between(site, engine.registry.site)
            site = engine.registry.site
            book = compile_rules(rules, site, decides.book.points, set(decides.book.areas))
            beside = Beside(decides, book)
            kept = None if before is None else with_windows(before.state(renames), before.second.state(renames))
            up = {
                (id, renames.scope(scope, kind=scopes[id])): (renames.area(area), begun)
                for (id, scope), (area, begun) in up.items()
            }
            beside.second.restore(decides.state() if kept is None else kept)
            engine.evaluator = beside
        read = log.read(OBSERVATIONS, partition, start, stop, limit=BATCH)
        if not read:
            break
        # up to the next publication, from which on there is another evaluator to stand beside
        last = next((place for place, (*_, value) in enumerate(read) if is_publication(value)), len(read) - 1)
        read = read[: last + 1]
        start = read[-1][0] + 1
        engine.apply([(offset, value) for offset, _, value in read if is_publication(value) or not brings_rules(value)])
        if beside is not None:
            for change in beside.take_seen()[0]:
                key, now = (change.rule.id, change.scope), max(change.time, change.onset)  # the clock goes by ticks
                if change.after and key not in up:
                    up[key] = change.area, now
                elif not change.after and key in up:
                    area, begun = up.pop(key)
                    found.append(Raised(variant=key[0], scope=key[1], area=area, begun=begun, ended=now))
            if beside.broken:
                raise ReplayError(f"the variants could not be worked out: {beside.broken}")
        advance(start - first, stop - first)
    found += [
        Raised(variant=variant, scope=scope, area=area, begun=begun, ended=None)
        for (variant, scope), (area, begun) in up.items()
    ]
    return sorted(found, key=lambda one: (one.variant, one.begun, one.scope))


def sweep(
    log: Committed,
    rule: Rule,
    site: Site,
    judged: Collection[Case],
    since: float,
    *,
    level: str = "",
    delays: Sequence[float] = (),
    limit: str = "",
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> list[Tried]:
    """Run a rule's variants over what was recorded since a time (unix seconds), against what incidents were closed as.

    Raise `rules.variants.VariantError` where there is nothing to vary, `ReplayError` when the log no longer holds
    enough.
    """
    floors = {point.limit_below for point in covered(rule, site)} or {False}
    tries = variants(rule, level, delays, limit=limit, floors=floors)
    alarms: list[Raised] = []
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
        alarms += raised(log, partition, stop, since, [one.rule for one in tries], advance)
    return tried(tries, alarms, judged, areas_of(rule, site))


def covered(rule: Rule, site: Site) -> list[Point]:
    """List the points that a rule covers."""
    areas = {area.id: area for area in site.areas}
    return [site.points[row] for row, _ in Covering(site.points, areas).of(rule)]


def areas_of(rule: Rule, site: Site) -> frozenset[str]:
    """Name the areas that a rule looks at."""
    return frozenset(area.id for area in site.areas if rule.where.takes_area(area))


def tried(
    tries: Sequence[Variant], alarms: Collection[Raised], cases: Collection[Case], areas: Collection[str]
) -> list[Tried]:
    """Hold the variants' alarms against the cases of the areas that the rule looks at."""
    real = list({one.incident: one for one in cases if one.disposition == "real" and one.area in areas}.values())
    nuisances = [one for one in cases if one.disposition == "nuisance" and one.rule == _rule_of(tries)]
    of: dict[str, list[Raised]] = {}
    for one in alarms:
        of.setdefault(one.variant, []).append(one)
    caught = {
        variant.id: {
            case.alarm
            for case in (*real, *nuisances)
            if any(_same(each, case, by_area=case.disposition == "real") for each in of.get(variant.id, ()))
        }
        for variant in tries
    }
    base = next(caught[one.id] for one in tries if one.as_it_is)
    found = []
    for variant in tries:
        mine = of.get(variant.id, [])
        false = [one for one in mine if not any(_same(one, case, by_area=True) for case in real)]
        leads = [
            case.opened - min(one.begun for one in mine if _same(one, case, by_area=True))
            for case in real
            if case.alarm in caught[variant.id]
        ]
        found.append(
            Tried(
                threshold=variant.threshold,
                delay=variant.delay,
                factor=variant.factor,
                when=variant.when,
                as_it_is=variant.as_it_is,
                alarms=len(mine),
                false=len(false),
                nuisance=sum(any(_same(one, case, by_area=False) for case in nuisances) for one in false),
                missed=sum(case.alarm not in caught[variant.id] for case in real),
                lead=median(leads) if leads else None,
                silenced=tuple(sorted(base - caught[variant.id])),
                gained=tuple(sorted(caught[variant.id] - base)),
                limit=variant.limit,
            )
        )
    return found


def suggested(found: Sequence[Tried]) -> Tried | None:
    """Pick the variant with the fewest false alarms that misses no more than the rule as it is; None if none is better.

    Of equal ones the nearest to the rule. Without any real case nothing can be said of what would be missed: None.
    """
    own = next(one for one in found if one.as_it_is)
    if not any(one.lead is not None for one in found):
        return None
    better = [one for one in found if one.missed <= own.missed and one.false < own.false]
    return min(
        better, key=lambda one: (one.false, one.missed, abs(one.factor - 1.0), abs(one.delay - own.delay)), default=None
    )


def _rule_of(variants: Sequence[Variant]) -> str:
    return variants[0].id.rpartition("~")[0]


def _same(alarm: Raised, case: Case, *, by_area: bool) -> bool:
    """Tell whether an alarm of a variant is of a case: there, and up within an hour of when it was opened."""
    if (alarm.area != case.area) if by_area else (alarm.scope != case.scope):
        return False
    ended = float("inf") if alarm.ended is None else alarm.ended
    return alarm.begun <= case.opened + AROUND and ended >= case.opened - AROUND
