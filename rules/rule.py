"""A rule as people write it: where it applies, its levels, why it exists, what to do, and its own tests."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase, translate
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from sensors.duration import seconds
from sensors.problem import Problem
from sensors.site import LEVELS, Area, Camera, Point, Site, Text

Duration = float | str
"""Seconds, or a text such as 90 s, 10 min, 6 h."""


_PATTERN = re.compile(r"[*?[]")


if TYPE_CHECKING:
    Title = Text
else:
    Title = Text | str  # one text for both languages, which is made into two where it is read


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common settings of a rule's parts: immutable, named fields, no unknown field passes.

    Defaults are written out, so that a stored publication means the same under later code.
    """


class Where(Struct, frozen=True, kw_only=True):
    """Choose the points, areas or cameras that a rule covers: all given conditions hold; each list means any of."""

    quantity: str | tuple[str, ...] = ()
    types: tuple[str, ...] = ()  # area types
    areas: tuple[str, ...] = ()
    points: tuple[str, ...] = ()  # ids or patterns with * and ?
    tags: tuple[str, ...] = ()  # of the point, of the area for a rule on areas, of the camera for one on cameras
    without_tags: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()  # ids or patterns with * and ?, for a rule on cameras
    without_areas: tuple[str, ...] = ()  # areas that are left out of those that `types` chooses

    @property
    def quantities(self) -> tuple[str, ...]:
        """Return the quantities as a tuple; empty is all."""
        return (self.quantity,) if isinstance(self.quantity, str) else self.quantity

    def takes_area(self, area: Area) -> bool:
        """Tell whether an area is among those meant (its tags aside)."""
        return (
            (not self.types or area.type in self.types)
            and (not self.areas or area.id in self.areas)
            and area.id not in self.without_areas
        )

    @property
    def ids(self) -> frozenset[str] | None:
        """Return the ids of the only points that can be meant; None when none are named, or a pattern is."""
        plain = frozenset(name for name in self.points if not _PATTERN.search(name))
        return plain if plain and len(plain) == len(set(self.points)) else None

    def point_test(self) -> Callable[[Point], bool]:
        """Make the test whether a point is among those meant, whatever its area; make it once for many."""
        quantities = frozenset(self.quantities)
        plain = frozenset(name for name in self.points if not _PATTERN.search(name))
        patterns = [re.compile(translate(name)).match for name in self.points if name not in plain]

        def takes(point: Point) -> bool:
            return (
                (not quantities or point.quantity in quantities)
                and (not self.points or point.id in plain or any(match(point.id) for match in patterns))
                and self._takes_tags(point.tags)
            )

        return takes

    def takes_tagged_area(self, area: Area) -> bool:
        """Tell whether a rule on areas means this one."""
        return self.takes_area(area) and self._takes_tags(area.tags)

    def takes_camera(self, camera: Camera, home: Area) -> bool:
        """Tell whether a rule on cameras means this one, by its home area (the first) and what it is itself."""
        named = not self.cameras or any(fnmatchcase(camera.id, pattern) for pattern in self.cameras)
        return named and self.takes_area(home) and self._takes_tags(camera.tags)

    def _takes_tags(self, tags: Sequence[str]) -> bool:
        return (not self.tags or any(tag in tags for tag in self.tags)) and not any(
            tag in tags for tag in self.without_tags
        )


class Level(Struct, frozen=True, kw_only=True):
    """When a level is raised, and when it is left again."""

    when: str  # the condition
    clear: str | None = None  # the condition that lets go; by default that `when` is known not to hold
    hold: Duration | None = msgspec.field(name="for", default=None)  # how long `when` must hold first
    clear_after: Duration | None = None  # how long the clear condition must hold first
    samples: str | None = None  # `3 of 5`: at how many of the point's last readings `when` must have held
    deadband: float | str | None = None  # how far past its limits a value must be back; for levels without `clear`


class Levels(Struct, frozen=True, kw_only=True):
    """The levels of a rule, lowest first; at least one."""

    blue: Level | None = None
    yellow: Level | None = None
    orange: Level | None = None
    red: Level | None = None


class Schedule(Struct, frozen=True, kw_only=True):
    """When a rule's conditions count, by the site's clock; outside, its alarms end."""

    begin: str = msgspec.field(name="from", default="")  # 22:00
    end: str = msgspec.field(name="to", default="")  # 06:00, over midnight where it is the earlier one
    days: tuple[str, ...] = ()  # mon … sun, workdays, holidays: any of them


class Corroboration(Struct, frozen=True, kw_only=True):
    """What must be so beside a rule's condition before it is raised: an event, a report or another point's value."""

    event: str = ""  # the kind of a camera event
    report: str = ""  # the category of a report
    quantity: str = ""  # of another point of the area: `above` or `below` a number, with its unit
    above: float | str | None = None
    below: float | str | None = None
    within: Duration = 600.0  # how long ago it may be


class Suppress(Struct, frozen=True, kw_only=True):
    """In which modes of the site a rule's alarms are suppressed by design, and up to which level."""

    modes: tuple[str, ...]
    up_to: Literal["blue", "yellow", "orange", "red"] = "orange"  # a higher one rings in any mode


class Flapping(Struct, frozen=True, kw_only=True):
    """From how many rings within what time an alarm chatters: those after it make no sound until it has been calm."""

    rings: int = 5
    within: Duration = 600.0


class Rationale(Struct, frozen=True, kw_only=True):
    """Say why the rule exists: no rule without one (ISA-18.2's rationalisation)."""

    cause: Text | str
    consequence: Text | str
    response: Text | str
    time_to_respond: Duration
    owner: Text | str
    review: str  # date by which the owner looks at the rule again, YYYY-MM-DD
    source: Text | str = ""  # the standard or work that sets its limits
    placeholder: Text | str = ""  # which limits are examples that the owner has yet to set


class EventStep(Struct, frozen=True, kw_only=True):
    """A camera event within a rule's test, or a report (`report-<category>`), which may be about a `subject`."""

    kind: str
    at: Duration
    phase: Literal["new", "update", "end"] = "new"
    subject: str = ""


class ModeStep(Struct, frozen=True, kw_only=True):
    """A mode of the site within a rule's test, in the area that it plays in."""

    mode: str
    at: Duration = 0.0
    hold: Duration | None = msgspec.field(name="for", default=None)  # until the test's end where it says nothing


class Series(Struct, frozen=True, kw_only=True):
    """A point of a rule's test, and its series.

    One token a step: a number, `_` no reading, `3*10` ten times, `0..9*10` a line in ten steps.
    """

    quantity: str = ""
    unit: str = ""
    limit: float | None = None
    limit_below: bool = False
    levels: dict[str, float] = {}
    normal: tuple[float, float] | None = None
    values: str = ""
    score: str = ""  # 0 where not given
    alarm: str = ""  # 0 or 1
    eta: str = ""  # seconds, `inf` never; unknown where not given
    deviation: str = ""  # from the usual, in the point's unit; unknown where not given
    upstream: bool = False  # of one of `others`: the site names it as a driver of the point
    flags: str = ""  # one flag of flagged(…) a step, `_` none; also where there is no usable value


class RuleTest(Struct, frozen=True, kw_only=True):
    """A rule's own test: series in, levels out.

    `expect` is one level a step (`none yellow*3 red`), or the level at given times (`{10 min: yellow}`).
    """

    name: Text | str
    point: Series = Series()
    camera: str = ""  # one token a step: none, a fault or several as blur+cover, unjudged, _ for silence
    others: dict[str, Series] = {}  # more points of the same area, by id
    events: tuple[EventStep, ...] = ()
    modes: tuple[ModeStep, ...] = ()
    surge: str = ""  # a number a step: what surge(…) says; by default it counts the test's events, learning at first
    area_score: str = ""  # a number a step: the score of the area's model; _ for unknown, as it is by default
    step: Duration = 60.0  # seconds between readings
    watched: Duration | None = None  # how long events have been watched for when it begins; None: for long
    start: str = ""  # when it begins, by the site's clock: 2026-10-01 22:00; for rules that ask for the time
    expect: str | dict[str, str] = ""


def _title_in_both(rule: Rule | Body) -> None:
    title: Text | str = rule.title
    if isinstance(title, str):
        msgspec.structs.force_setattr(rule, "title", Text(zh=title, en=title))


class Rule(Struct, frozen=True, kw_only=True):
    """A rule. `scope`: one condition for each point, each area or each camera that it covers."""

    id: str
    title: Title
    kind: Literal["risk", "data_quality"] = "risk"
    scope: Literal["point", "area", "camera"] = "point"
    where: Where = Where()
    levels: Levels
    hold: Duration = msgspec.field(name="for", default=0.0)  # default of its levels
    clear_after: Duration = 0.0  # default of its levels
    samples: str = ""  # default of its levels
    deadband: float | str = 0.0  # default of its levels
    schedule: Schedule | None = None  # when its conditions count; always by default
    corroborated: tuple[Corroboration, ...] = msgspec.field(name="with", default=())  # one of these must be so to raise
    latch: bool = False  # its alarms stay until a person resets them
    suppress: Suppress | None = None  # by modes of the site; by none where it says nothing
    flapping: Flapping | None = None  # when its alarms chatter; from five rings in ten minutes where it says nothing
    priority: Literal["low", "normal", "high"] = "normal"  # among alarms of one level
    rationale: Rationale
    plan: tuple[Text | str, ...] = ()  # the checklist
    tests: tuple[RuleTest, ...] = ()
    version: int = 1
    template: str = ""  # that it was made from; said by the loader

    def __post_init__(self) -> None:
        """Take a title of one text for both languages."""
        _title_in_both(self)

    def ranked(self) -> list[tuple[int, Level]]:
        """List the rule's levels with their ranks (1 blue to 4 red), lowest first."""
        found = ((rank, getattr(self.levels, name)) for rank, name in enumerate(LEVELS, 1))
        return [(rank, level) for rank, level in found if level is not None]

    def hold_of(self, level: Level) -> float:
        """Return seconds that a level's `when` must hold."""
        return seconds(self.hold if level.hold is None else level.hold)

    def clear_after_of(self, level: Level) -> float:
        """Return seconds that a level's clear condition must hold."""
        return seconds(self.clear_after if level.clear_after is None else level.clear_after)

    def samples_of(self, level: Level) -> str:
        """Return at how many of its last readings a level's `when` must have held; empty is at one."""
        return self.samples if level.samples is None else level.samples

    def deadband_of(self, level: Level) -> float | str:
        """Return a level's deadband; 0 is none, as for a level that says what clears it."""
        deadband = self.deadband if level.deadband is None else level.deadband
        return deadband if level.clear is None or level.deadband is not None else 0.0


class Parameter(Struct, frozen=True, kw_only=True):
    """A number that a template leaves open; its unit is written after it in conditions and delays."""

    name: Text | str = ""
    unit: str = ""
    default: float | None = None  # without one, every use says it
    min: float | None = None
    max: float | None = None


class Use(Struct, frozen=True, kw_only=True):
    """Where a template makes rules: one for each area type named, one for each area, with its own parameters."""

    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    values: dict[str, float] = msgspec.field(name="with", default={})


class Body(Struct, frozen=True, kw_only=True):
    """A rule as a template writes it: without an id; `{name}` in a text stands for a parameter."""

    title: Title
    kind: Literal["risk", "data_quality"] = "risk"
    scope: Literal["point", "area", "camera"] = "point"
    where: Where = Where()
    levels: Levels
    hold: Duration = msgspec.field(name="for", default=0.0)
    clear_after: Duration = 0.0
    samples: str = ""
    deadband: float | str = 0.0
    schedule: Schedule | None = None
    corroborated: tuple[Corroboration, ...] = msgspec.field(name="with", default=())
    latch: bool = False
    suppress: Suppress | None = None
    flapping: Flapping | None = None
    priority: Literal["low", "normal", "high"] = "normal"
    rationale: Rationale
    plan: tuple[Text | str, ...] = ()
    tests: tuple[RuleTest, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        """Take a title of one text for both languages."""
        _title_in_both(self)


class Template(Struct, frozen=True, kw_only=True):
    """A rule with parameters, for several area types and with other values in some areas."""

    id: str
    parameters: dict[str, Parameter] = {}
    uses: tuple[Use, ...] = msgspec.field(name="for")
    rule: Body


class RuleFile(Struct, frozen=True, kw_only=True):
    """A file of rules and templates."""

    rules: tuple[Rule, ...] = ()
    templates: tuple[Template, ...] = ()


def covered_points(rule: Rule, points: Iterable[Point], areas: Mapping[str, Area]) -> list[tuple[int, str]]:
    """List (place in `points`, area) of each point that a rule covers: the first of its areas that the rule means."""
    where = rule.where
    takes_point = where.point_test()
    found = []
    for place, point in enumerate(points):
        if takes_point(point):
            for name in point.areas:
                area = areas.get(name)
                if area is not None and where.takes_area(area):
                    found.append((place, name))
                    break
    return found


class _Place(Struct, frozen=True, kw_only=True):
    """What decides of `where` without cameras: as it was before there were any, so that hashes stay what they are."""

    quantity: str | tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()


class _Seen(_Place, frozen=True, kw_only=True):
    """The same with cameras, as it was before areas could be left out."""

    cameras: tuple[str, ...] = ()


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder: msgspec.msgpack.Decoder[tuple[Rule, ...]] = msgspec.msgpack.Decoder(tuple[Rule, ...])


def encode_rules(rules: Sequence[Rule]) -> bytes:
    """Encode rules for a publication: the same rules always give the same bytes."""
    return _encoder.encode(rules)


def decode_rules(data: bytes) -> tuple[Rule, ...]:
    """Decode what `encode_rules` wrote. Raise `msgspec.DecodeError` on anything else."""
    return _decoder.decode(data)


def encode_decision(rule: Rule) -> bytes:
    """Encode what decides of a rule, for hashing: it goes on as a whole when only texts, tests or version change."""
    levels = [
        (rank, level.when, level.clear, rule.hold_of(level), rule.clear_after_of(level))
        for rank, level in rule.ranked()
    ]
    where = rule.where
    kind = _Seen if where.cameras else _Place
    place = where if where.without_areas else kind(**{name: getattr(where, name) for name in kind.__struct_fields__})
    clauses = [(rank, rule.samples_of(level), rule.deadband_of(level)) for rank, level in rule.ranked()]
    more = (rule.schedule, rule.corroborated, clauses)
    some = rule.schedule or rule.corroborated or any(samples or deadband for _, samples, deadband in clauses)
    return _encoder.encode((rule.id, rule.kind, rule.scope, place, levels, *((more,) if some else ())))


def encode_levels(rule: Rule) -> dict[int, bytes]:
    """Encode what decides of each level by its rank, for hashing: whatever the rule covers and its other levels say."""
    common = (rule.id, rule.kind, rule.scope, rule.schedule, rule.corroborated)
    return {
        rank: _encoder.encode(
            (
                *(*common, rank, level.when, level.clear, rule.hold_of(level), rule.clear_after_of(level)),
                *(rule.samples_of(level), rule.deadband_of(level)),
            )
        )
        for rank, level in rule.ranked()
    }


def load_rules(
    paths: Path | Sequence[Path],
    site: Site,
    base: Path | None = None,
    *,
    kept: float = math.inf,
    doubts: list[Problem] | None = None,
) -> tuple[Rule, ...]:
    """Load rules from files and folders (`*.yaml` below them), check them against the site and run their own tests.

    Problems name files as they are found from `base`, so those of a site's rules and of its other files look alike. A
    condition that looks back on more than `kept` seconds, for which the log is kept, is one. To `doubts` is added what
    is no mistake, but hardly meant: rules that cover nothing, events that nobody tells of, rules without tests.

    Raise `DocumentError` with every problem found: file, line, field, and the column inside a condition.
    """
    from rules.loading import load  # it runs the rules' tests through the evaluator, which knows rules

    return load([paths] if isinstance(paths, Path) else list(paths), site, base, kept, doubts)
