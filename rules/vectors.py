"""Run a rule's own tests: series in, levels out, through the evaluator that runs live."""

from __future__ import annotations

import datetime
import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from models import dataquality
from models.arithmetic import ARRAYS
from models.scoring import BankSettings
from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.expression import AREA_SCORE
from rules.reports import PREFIX
from rules.rule import EventStep, ModeStep, Rule, RuleTest, Series, Where, encode_rules
from rules.series import LEVEL_NAMES, UNJUDGED, VectorError, flags, levels, numbers, pictures, span, times
from rules.typical import converted, model_of, typical_point
from sensors.measure import UnitError
from sensors.observation import CameraEvent, CameraHealth, Report
from sensors.problem import suggest
from sensors.site import Area, Camera, Driver, Point, Site, Text

__all__ = ["Bench", "VectorError", "run"]

NO_TEXT = Text(zh="", en="")
START = 1_699_920_000.0  # a midnight; any would do

LEARNT = ("surge(", "rising(")
"""Features that learn over a whole scene: tests of rules that ask for them run one by one."""

Array = npt.NDArray[np.float64]


class Bench:
    """What tests borrow from a site: its areas, and the points that stand for all that measure the same.

    Made once for many tests: a site has thousands of points, and a test needs a handful.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.areas = {area.id: area for area in site.areas}
        self.first: dict[str, Point] = {}  # of a quantity
        self.near: dict[tuple[str, str], Point] = {}  # of a quantity in a kind of area
        for point in site.points:
            self.first.setdefault(point.quantity, point)
            for name in point.areas:
                if name in self.areas:
                    self.near.setdefault((point.quantity, self.areas[name].type), point)
        self._covered: dict[Where, Point | None] = {}
        self._played: dict[bytes, list[list[str] | VectorError]] = {}

    def like(self, quantity: str, kind: str) -> Point | None:
        """Find what to take unit and limits from: what is usual of the quantity in this kind of area, else a point."""
        usual = typical_point(self.site, quantity, kind)
        return usual or self.near.get((quantity, kind)) or self.first.get(quantity)

    def covered(self, where: Where) -> Point | None:
        """Find the first point that is meant."""
        if where not in self._covered:
            takes = where.point_test()
            found = (
                point
                for point in self.site.points
                if takes(point) and any(a in self.areas and where.takes_area(self.areas[a]) for a in point.areas)
            )
            self._covered[where] = next(found, None)
        return self._covered[where]

    def model(self, rule: Rule, kind: str) -> Point | None:
        """Choose what a test of a rule takes unit and limits from."""
        return model_of(rule, self.site, self.covered(rule.where), self.areas, kind)

    def only_for(self, rule: Rule) -> Bench:
        """Keep of the site what the tests of one rule can ask for."""
        covered = self.covered(rule.where)
        kept = {point.id for point in (*self.first.values(), *self.near.values())} | (
            {covered.id} if covered else set()
        )
        points = tuple(point for point in self.site.points if point.id in kept)
        return Bench(msgspec.structs.replace(self.site, points=points))

    def run(self, rule: Rule, test: RuleTest) -> list[str]:
        """Run one test; return what differs from what it expects. Raise `VectorError` on a test that cannot run."""
        (found,) = self.run_all(rule, (test,))
        if isinstance(found, VectorError):
            raise found
        return found

    def run_all(self, rule: Rule, tests: Sequence[RuleTest]) -> list[list[str] | VectorError]:
        """Run tests of a rule, those whose steps stand at the same times side by side, each in an area of its own.

        Return for each what differs from what it expects, or why it cannot run. Raise `CompileError` when the rule does
        not fit the points of a test. Rules of one template that differ in nothing but their area are run once.
        """
        alike = self._alike(rule, tests) if rule.template else b""
        if alike in self._played:
            return self._played[alike]
        found = self._run_all(rule, tests)
        if alike:
            self._played[alike] = found
        return found

    def _alike(self, rule: Rule, tests: Sequence[RuleTest]) -> bytes:
        """Name what decides how the tests of a template's rule go: all of it but its area, and what its points are."""
        kind = _kind(rule, self)
        model = self.model(rule, kind)
        if model is not None:
            model = msgspec.structs.replace(model, id="", name=NO_TEXT, areas=(), index=0, sources=(), location=None)
        where = msgspec.structs.replace(rule.where, areas=("area",) if rule.where.areas else (), without_areas=())
        bare = msgspec.structs.replace(rule, id="rule", title=NO_TEXT, where=where, plan=(), tests=tuple(tests))
        decides = encode_rules((bare,)) + msgspec.msgpack.encode((kind, model))
        return hashlib.blake2b(decides, digest_size=16).digest()

    def _run_all(self, rule: Rule, tests: Sequence[RuleTest]) -> list[list[str] | VectorError]:
        found: list[list[str] | VectorError] = [[] for _ in tests]
        groups: list[list[tuple[int, _Stand]]] = []
        for place, test in enumerate(tests):
            try:
                stand = _Stand(rule, test, self)
            except VectorError as error:
                found[place] = error
                continue
            beside = next((group for group in groups if stand.goes_beside(group[0][1], rule)), None)
            if beside is None:
                groups.append([(place, stand)])
            else:
                beside.append((place, stand))
        for group in groups:
            try:
                played = _Scene(rule, [stand for _, stand in group], self).play()
            except VectorError as error:
                found[group[0][0]] = error
                continue
            for (place, stand), ranks in zip(group, played, strict=True):
                found[place] = stand.differing(ranks)
        return found


def run(rule: Rule, test: RuleTest, site: Site) -> list[str]:
    """Run one test at a site; return what differs from what it expects. Raise `VectorError` on one that cannot run."""
    return Bench(site).run(rule, test)


def _report(event: EventStep, seen: CameraEvent) -> Report | None:
    """Make the report that an event of a test stands for, if it stands for one."""
    if not event.kind.startswith(PREFIX):
        if event.subject:
            raise VectorError("events", "only reports are about a subject: their kind begins with 'report-'")
        return None
    category = event.kind.removeprefix(PREFIX)
    return Report(
        id="event", area=seen.area, category=category, time=seen.time, received=seen.received, subject=event.subject
    )


class _Tracks(NamedTuple):
    """The series of all points, (points, steps); NaN in `values` is no reading."""

    values: Array
    score: Array
    alarm: Array
    eta: Array
    flags: npt.NDArray[np.uint16]

    @classmethod
    def read(cls, series: list[Series], steps: int) -> _Tracks:
        """Read the compact forms, filled up to `steps`."""

        def laid(field: str, default: float) -> Array:
            rows = [numbers(getattr(one, field), f"point.{field}", default, steps) for one in series]
            return np.array(rows).reshape(len(series), steps)

        marks = np.array([flags(one.flags, "point.flags", steps) for one in series], np.uint16)
        return cls(
            laid("values", math.nan),
            laid("score", 0.0),
            laid("alarm", 0.0),
            laid("eta", math.nan),
            marks.reshape(len(series), steps),
        )

    @classmethod
    def joined(cls, tracks: Sequence[_Tracks], steps: int) -> _Tracks:
        """Lay the points of several tests one after another; a test that is over says nothing more."""
        fills = (math.nan, 0.0, 0.0, math.nan, 0)
        return cls(
            *(_padded(columns, fill, steps) for columns, fill in zip(zip(*tracks, strict=True), fills, strict=True))
        )


def _padded(blocks: Sequence[npt.NDArray[Any]], fill: float, steps: int) -> npt.NDArray[Any]:
    """Join (rows, steps) blocks of different lengths row-wise."""
    return np.concatenate(
        [np.pad(block, ((0, 0), (0, steps - block.shape[1])), constant_values=fill) for block in blocks]
    )


class _Scored(NamedTuple):
    score: Array
    alarm: npt.NDArray[np.bool_]


class _Script:
    """Stand in for the bank: what the test says, instead of what models would learn."""

    def __init__(self, intervals: list[float]) -> None:
        rows = len(intervals)
        self.flat_since = np.full(rows, np.nan)
        self.reach = np.zeros(rows)
        self.eta_now = np.full(rows, np.nan)
        self._longest = BankSettings().gap * np.array(intervals)
        self._last_time = np.full(rows, np.nan)
        self._last_value = np.full(rows, np.nan)

    def hear(self, rows: npt.NDArray[np.intp], time: float, value: Array) -> None:
        """Keep since when the values of rows have not changed, as the bank does."""
        elapsed = time - self._last_time[rows]
        self.flat_since[rows] = dataquality.flat_since(
            ARRAYS, self.flat_since[rows], time, elapsed, value, self._last_value[rows], elapsed > self._longest[rows]
        )
        self._last_time[rows], self._last_value[rows] = time, value

    def eta(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> Array:
        """Return the test's own figure."""
        return self.eta_now[rows]

    def eta_range(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        """Give no interval."""
        return np.full(len(rows), np.nan), np.full(len(rows), np.nan)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Give no reason."""
        return ""


class _Stand:
    """One test as it is set up: its area, its points and their series, what it expects."""

    def __init__(self, rule: Rule, test: RuleTest, bench: Bench) -> None:
        self.test, where = test, rule.where
        self.kind = _kind(rule, bench)
        if bool(test.camera) != (rule.scope == "camera"):
            raise VectorError("camera", "a rule with scope: camera, and no other, is tested by what a camera shows")
        name = re.sub(r"[*?]", "x", where.points[0]) if where.points else "point"
        self.series = {name: test.point} if rule.scope == "point" else {}
        self.series |= test.others
        self.pictures = pictures(test.camera)
        count = [len(numbers(one.values, "point.values", 0.0, None)) for one in self.series.values()]
        count += [len(self.pictures), len(numbers(test.area_score, "area_score", math.nan, None))]
        count.append(len(numbers(test.surge, "surge", math.nan, None)))
        self.steps = max(count, default=0)
        if not self.steps:
            raise VectorError("point.values", "no series is given")
        self.times, last_step = times(test.step, self.steps)
        self.start = _start(test.start, bench.site.zone)
        self.interval = float(self.times[1]) if self.steps > 1 else last_step
        self.area_score = numbers(test.area_score, "area_score", math.nan, self.steps)
        self.surge = numbers(test.surge, "surge", math.nan, self.steps) if test.surge else None
        self.tracks = _Tracks.read(list(self.series.values()), self.steps)
        self.events = sorted(((span(event.at, "events"), event) for event in test.events), key=lambda pair: pair[0])
        self.modes = [_spell(one, bench.site) for one in test.modes]
        self.expected = _expected(test.expect, self.times, last_step)

    def goes_beside(self, other: _Stand, rule: Rule) -> bool:
        """Tell whether two tests of a rule can run at once: at the same times, with nothing to tell them apart by.

        People's reports are counted over a community, which all areas of a scene are in.
        """
        where = rule.where
        if any(one in level.when + (level.clear or "") for _, level in rule.ranked() for one in LEARNT):
            return False
        fewest = min(self.steps, other.steps)
        return (
            self.start == other.start
            and not (where.areas or where.points or where.cameras)
            and not any(event.kind.startswith(PREFIX) for _, event in (*self.events, *other.events))
            and np.array_equal(self.times[:fewest], other.times[:fewest])
        )

    def points(self, rule: Rule, bench: Bench, area: str, suffix: str, start: int) -> list[Point]:
        """Make the test's points, with unit and limits from those of the site where it gives none."""
        where, found = rule.where, []
        drivers = tuple(Driver(point=id + suffix) for id, one in self.series.items() if one.upstream)
        for index, (id, one) in enumerate(self.series.items()):
            own = rule.scope == "point" and index == 0
            quantity = one.quantity or (where.quantities[0] if own and where.quantities else "")
            like = bench.model(rule, self.kind) if own and not one.quantity else bench.like(quantity, self.kind)
            tags = where.tags if own else ()
            made = _point(id + suffix, one, quantity, like, area, start + index, tags, self.interval)
            found.append(msgspec.structs.replace(made, drivers=drivers) if own and drivers else made)
        return found

    def differing(self, ranks: list[int]) -> list[str]:
        """Compare the levels that came with those expected."""
        return [
            f"at {_clock(self.times[step])} the level is {LEVEL_NAMES[ranks[step]]}, expected {LEVEL_NAMES[level]}"
            for step, level in sorted(self.expected.items())
            if ranks[step] != level
        ]


def _kind(rule: Rule, bench: Bench) -> str:
    """Return the type of the area that a rule's tests play in."""
    where = rule.where
    return where.types[0] if where.types else bench.areas[where.areas[0]].type if where.areas else ""


def _start(written: str, zone: str) -> float:
    """Return when a test begins (unix s): at a time of the site's own clock, where it says one."""
    if not written:
        return START
    try:
        local = datetime.datetime.strptime(written, "%Y-%m-%d %H:%M")
    except ValueError:
        message = f"'{written[:40]}' is no time of the site's clock; write 2026-10-01 22:00"
        raise VectorError("start", message) from None
    return local.replace(tzinfo=ZoneInfo(zone)).timestamp()


def _spell(step: ModeStep, site: Site) -> tuple[str, float, float]:
    """Read a mode of a test: its name, and from when until when (seconds since the test began)."""
    known = [mode.id for mode in site.modes]
    if step.mode not in known:
        message = f"'{step.mode[:40]}' is no mode of this site{suggest(step.mode, known)}"
        raise VectorError("modes", message)
    begin = span(step.at, "modes")
    return step.mode, begin, math.inf if step.hold is None else begin + span(step.hold, "modes")


def _expected(expect: str | dict[str, str], at: Array, last_step: float) -> dict[int, int]:
    """Read what a test expects: the rank at each step, or at some."""
    if isinstance(expect, str):
        found = dict(enumerate(levels(expect, "expect")))
        if len(found) != len(at):
            raise VectorError("expect", f"{len(found)} levels for {len(at)} steps")
    else:
        found = {}
        for when, level in expect.items():
            moment = span(when, "expect")
            if moment >= at[-1] + last_step:
                raise VectorError("expect", f"{when} is after the last step")
            found[int(np.searchsorted(at, moment, "right")) - 1] = levels(level, "expect")[0]
    if not found:
        raise VectorError("expect", "nothing is expected")
    return found


class _Scene:
    """A stage on which tests of a rule play side by side, each in an area of its own."""

    def __init__(self, rule: Rule, stands: Sequence[_Stand], bench: Bench) -> None:
        self.stands, where = stands, rule.where
        self.steps = max(stand.steps for stand in stands)
        self.times = next(stand.times for stand in stands if stand.steps == self.steps)
        self.start = stands[0].start
        first = where.areas[0] if where.areas else "area"
        eye = re.sub(r"[*?]", "x", where.cameras[0]) if where.cameras else "camera"
        suffixes = ["", *(f".{number}" for number in range(1, len(stands)))]
        self.areas = tuple(
            Area(id=first + suffix, name=NO_TEXT, type=stand.kind, place="", tags=where.tags)
            for stand, suffix in zip(stands, suffixes, strict=True)
        )
        self.cameras = tuple(
            Camera(id=eye + suffix, name=NO_TEXT, areas=(area.id,), tags=where.tags)
            for area, suffix in zip(self.areas, suffixes, strict=True)
        )
        points: list[Point] = []
        scopes = []
        for stand, area, camera, suffix in zip(stands, self.areas, self.cameras, suffixes, strict=True):
            own = stand.points(rule, bench, area.id, suffix, len(points))
            scopes.append({"point": own[0].id if own else "", "area": area.id, "camera": camera.id}[rule.scope])
            points += own
        self.tracks = _Tracks.joined([stand.tracks for stand in stands], self.steps)
        self.rows = len(points)
        self.area_score = _padded([stand.area_score[np.newaxis] for stand in stands], math.nan, self.steps)
        # A point of each quantity goes along, unseen: figures across an area need to know what is measured in what.
        stage = Site(
            id="test",
            name=NO_TEXT,
            areas=self.areas,
            points=(*points, *bench.first.values()),
            quantities=bench.site.quantities,
            cameras=self.cameras,
            zone=bench.site.zone,
            holidays=bench.site.holidays,
            modes=bench.site.modes,
            version="test",
        )
        book = compile_rules((rule,), stage, points)
        self.script = _Script([one.interval for one in points])
        self.evaluator = Evaluator(book, self.script)
        self.evaluator.reasons = False
        self.places = [place for place in (book.instance(rule.id, scope) for scope in scopes) if place is not None]
        if len(self.places) < len(stands):
            message = "the rule does not cover the test's point: give its quantity, or check `where`"
            raise VectorError(
                "point", message if rule.scope != "camera" else "the rule covers no camera: check `where`"
            )

    def play(self) -> list[list[int]]:
        """Return for each test the rank after every step of it."""
        found: list[list[int]] = [[] for _ in self.stands]
        events = [(since, place, event) for place, stand in enumerate(self.stands) for since, event in stand.events]
        events.sort(key=lambda one: one[:2], reverse=True)
        tracks = self.tracks
        marks = np.any(tracks.flags != 0, axis=0)
        for step, since in enumerate(self.times.tolist()):
            now = self.start + since
            self._modes(now)
            if self.stands[0].surge is not None:
                self.evaluator.surges.fixed = float(self.stands[0].surge[step])
            while events and events[-1][0] <= since:
                self._event(*events.pop())
            if marks[step]:
                marked = np.flatnonzero(tracks.flags[:, step])
                self.evaluator.mark(marked, tracks.flags[marked, step], np.full(len(marked), now))
            value = tracks.values[:, step]
            rows = np.flatnonzero(~np.isnan(value))
            if rows.size:
                self.script.hear(rows, now, value[rows])
                self.script.eta_now[rows] = tracks.eta[rows, step]
                scored = _Scored(tracks.score[rows, step], tracks.alarm[rows, step] > 0)
                quality = np.zeros(len(rows), np.uint8)
                then = np.full(len(rows), now)
                self.evaluator.readings(rows, then, value[rows], quality, then, scored, now)
            for place, stand in enumerate(self.stands):
                if step < len(stand.pictures) and stand.pictures[step] is not None:
                    self.evaluator.health(self._health(place, stand.pictures[step] or (), now), now)
            for figures in (self.evaluator.across, self.evaluator.across_real):
                figures[AREA_SCORE][:] = self.area_score[:, step]
            self.evaluator.tick(now)
            for place, stand in enumerate(self.stands):
                if step < stand.steps:
                    found[place].append(int(self.evaluator.current[self.places[place]]))
        return found

    def _modes(self, now: float) -> None:
        """Have each test's area be run in the modes that have begun there."""
        self.evaluator.modes.put(
            (mode, area.id, self.start + end)
            for stand, area in zip(self.stands, self.areas, strict=True)
            for mode, begin, end in stand.modes
            if self.start + begin <= now
        )

    def _event(self, since: float, place: int, event: EventStep) -> None:
        at = self.start + since
        seen = CameraEvent(
            area=self.areas[place].id,
            camera=self.cameras[place].id,
            kind=event.kind,
            event="event",
            time=at,
            received=at,
            phase=event.phase,
        )
        self.evaluator.event(seen, at, _report(event, seen))

    def _health(self, place: int, shown: tuple[str, ...], now: float) -> CameraHealth:
        return CameraHealth(
            area=self.areas[place].id,
            camera=self.cameras[place].id,
            time=now,
            received=now,
            faults={fault: 1.0 for fault in shown if fault != UNJUDGED},
            judged=UNJUDGED not in shown,
        )


def _point(
    id: str,
    series: Series,
    quantity: str,
    like: Point | None,
    area: str,
    index: int,
    tags: tuple[str, ...],
    interval: float,
) -> Point:
    if like is not None and series.unit and series.unit != like.unit:
        try:
            like = converted(like, series.unit)
        except UnitError as error:
            if series.limit is None and not series.levels:
                raise VectorError("point.unit", f"{error}: give the test its own limit or levels as well") from error
            like = None
    own_limits = series.limit is not None or bool(series.levels)
    levels = series.levels or ({} if own_limits or like is None else like.levels)
    return Point(
        id=id,
        name=NO_TEXT,
        areas=(area,),
        quantity=quantity or (like.quantity if like else ""),
        unit=series.unit or (like.unit if like else "1"),
        limit=series.limit if own_limits else (like.limit if like else None),
        limit_below=series.limit_below or (not own_limits and like is not None and like.limit_below),
        levels=levels,
        normal=series.normal or (like.normal if like else None),
        interval=interval,
        tags=tags,
        index=index,
    )


def _clock(at: float) -> str:
    return f"{at / 60:.4g} min" if at >= 60 else f"{at:.4g} s"
