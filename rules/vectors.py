"""Run a rule's own tests: series in, levels out, through the evaluator that runs live."""

from __future__ import annotations

import datetime
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from models import dataquality
from models.arithmetic import ARRAYS
from models.scoring import BankSettings
from rules.compiler import CompileError, compile_rules
from rules.covering import Covering
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

MOST_BESIDE = 500
"""Tests that play side by side."""

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
        self._covering = Covering(site.points, self.areas)
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
                for point in map(self.site.points.__getitem__, self._covering.candidates(where))
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
        (found,) = self.run_many([(rule, tests)])
        if isinstance(found, CompileError):
            raise found
        return found

    def run_many(
        self, wanted: Sequence[tuple[Rule, Sequence[RuleTest]]], progress: Callable[[int], None] = lambda _: None
    ) -> list[list[list[str] | VectorError] | CompileError]:
        """Run tests of many rules as `run_all` does, those of different rules side by side as well.

        Return for each rule what `run_all` returns or raises. `progress` is told how many tests have run since.
        """
        found: list[list[list[str] | VectorError] | CompileError] = [[[] for _ in tests] for _, tests in wanted]
        first: dict[bytes, int] = {}
        same: list[tuple[int, int]] = []
        groups: dict[tuple[object, ...], list[list[_Stand]]] = {}
        for number, (rule, tests) in enumerate(wanted):
            alike = self._alike(rule, tests) if rule.template else b""
            if alike in self._played:
                found[number] = self._played[alike]
                progress(len(tests))
                continue
            if alike and first.setdefault(alike, number) != number:
                same.append((number, first[alike]))
                progress(len(tests))
                continue
            for place, test in enumerate(tests):
                try:
                    stand = _Stand(rule, test, self, (number, place))
                except VectorError as error:
                    _note(found, (number, place), error)
                    progress(1)
                    continue
                scenes = groups.setdefault(stand.scene, [])
                if not (scenes and len(scenes[-1]) < MOST_BESIDE and stand.goes_beside(scenes[-1][0])):
                    scenes.append([])
                scenes[-1].append(stand)
        for stands in (scene for scenes in groups.values() for scene in scenes):
            _play(stands, self, found)
            progress(len(stands))
        for alike, number in first.items():
            result = found[number]
            if not isinstance(result, CompileError):
                self._played[alike] = result
        for number, other in same:
            found[number] = found[other]
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


def _play(stands: list[_Stand], bench: Bench, found: list[list[list[str] | VectorError] | CompileError]) -> None:
    """Play tests side by side and note what each differs in."""
    scene = _Scene(stands, bench)
    for (number, _), error in scene.misfits:
        if not isinstance(found[number], CompileError):
            found[number] = error
    for stand, ranks in zip(stands, scene.play(), strict=True):
        told = scene.uncovered.get(stand.place)
        _note(found, stand.place, stand.differing(ranks) if told is None else told)


def _note(
    found: list[list[list[str] | VectorError] | CompileError], place: tuple[int, int], told: list[str] | VectorError
) -> None:
    of_rule = found[place[0]]
    if isinstance(of_rule, list):  # else it does not fit its points, which says it all
        of_rule[place[1]] = told


def run(rule: Rule, test: RuleTest, site: Site) -> list[str]:
    """Run one test at a site; return what differs from what it expects. Raise `VectorError` on one that cannot run."""
    return Bench(site).run(rule, test)


def _report(event: EventStep, seen: CameraEvent) -> Report | None:
    """Make the report that an event of a test stands for, if it stands for one."""
    if not event.kind.startswith(PREFIX):
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
    deviation: Array
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
            laid("deviation", math.nan),
            marks.reshape(len(series), steps),
        )

    @classmethod
    def joined(cls, tracks: Sequence[_Tracks], steps: int) -> _Tracks:
        """Lay the points of several tests one after another; a test that is over says nothing more."""
        fills = (math.nan, 0.0, 0.0, math.nan, math.nan, 0)
        return cls(
            *(_padded(columns, fill, steps) for columns, fill in zip(zip(*tracks, strict=True), fills, strict=True))
        )


def _padded(blocks: Sequence[npt.NDArray[Any]], fill: float, steps: int) -> npt.NDArray[Any]:
    """Join (rows, steps) blocks of different lengths row-wise."""
    joined = np.full((sum(map(len, blocks)), steps), fill, blocks[0].dtype)
    start = 0
    for block in blocks:
        joined[start : start + len(block), : block.shape[1]] = block
        start += len(block)
    return joined


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
        self.off = np.full(rows, np.nan)
        self._longest = BankSettings().gap * np.array(intervals)
        self._last_time = np.full(rows, np.nan)
        self._last_value = np.full(rows, np.nan)

    def hear(self, rows: npt.NDArray[np.intp], time: float, value: Array) -> None:
        """Keep since when the values of rows have not changed, as the bank does."""
        elapsed = time - self._last_time[rows]
        self.flat_since[rows] = dataquality.flat_since(
            ARRAYS, self.flat_since[rows], time, elapsed, value == self._last_value[rows], elapsed > self._longest[rows]
        )
        self._last_time[rows], self._last_value[rows] = time, value

    def eta(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> Array:
        """Return the test's own figure."""
        return self.eta_now[rows]

    def deviation(self, rows: npt.NDArray[np.intp]) -> Array:
        """Return the test's own figure."""
        return self.off[rows]

    def eta_range(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        """Give no interval."""
        return np.full(len(rows), np.nan), np.full(len(rows), np.nan)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Give no reason."""
        return ""


class _Stand:
    """One test as it is set up: its area, its points and their series, what it expects.

    `place` is that of its rule among all, and its own among the rule's tests.
    """

    def __init__(self, rule: Rule, test: RuleTest, bench: Bench, place: tuple[int, int]) -> None:
        self.rule, self.test, self.place, where = rule, test, place, rule.where
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
        if any(event.subject and not event.kind.startswith(PREFIX) for event in test.events):
            raise VectorError("events", "only reports are about a subject: their kind begins with 'report-'")
        self.watched = math.inf if test.watched is None else span(test.watched, "watched")
        self.modes = [_spell(one, bench.site) for one in test.modes]
        self.expected = _expected(test.expect, self.times, last_step)
        alone = test.surge or any(event.kind.startswith(PREFIX) for _, event in self.events) or _learns(rule)
        self.made = self._points(bench)
        named = {point.quantity: point.unit for point in reversed(self.made)}
        first = {name: point.unit for name, point in bench.first.items()}
        odd = tuple(sorted((name, unit) for name, unit in named.items() if first.get(name) != unit))
        self.scene = (place if alone else None, self.start, test.step, self.watched, self.steps.bit_length(), odd)

    def goes_beside(self, other: _Stand) -> bool:
        """Tell whether two tests of one `scene` can run at once: at the same times."""
        fewest = min(self.steps, other.steps)
        return np.array_equal(self.times[:fewest], other.times[:fewest])

    def _points(self, bench: Bench) -> list[Point]:
        """Make the test's points, with unit and limits from those of the site where it gives none."""
        where, found = self.rule.where, []
        drivers = tuple(Driver(point=id) for id, one in self.series.items() if one.upstream)
        for index, (id, one) in enumerate(self.series.items()):
            own = self.rule.scope == "point" and index == 0
            quantity = one.quantity or (where.quantities[0] if own and where.quantities else "")
            like = bench.model(self.rule, self.kind) if own and not one.quantity else bench.like(quantity, self.kind)
            made = _point(id, one, quantity, like, where.tags if own else (), self.interval)
            found.append(msgspec.structs.replace(made, drivers=drivers) if own and drivers else made)
        return found

    def points(self, area: str, suffix: str, start: int) -> list[Point]:
        """Put the test's points on a stage, where the first has index `start`."""
        return [
            msgspec.structs.replace(
                point,
                id=point.id + suffix,
                areas=(area,),
                index=start + place,
                drivers=tuple(Driver(point=driver.point + suffix) for driver in point.drivers),
            )
            for place, point in enumerate(self.made)
        ]

    def differing(self, ranks: list[int]) -> list[str]:
        """Compare the levels that came with those expected."""
        return [
            f"at {_clock(self.times[step])} the level is {LEVEL_NAMES[ranks[step]]}, expected {LEVEL_NAMES[level]}"
            for step, level in sorted(self.expected.items())
            if ranks[step] != level
        ]


def _learns(rule: Rule) -> bool:
    return any(one in level.when + (level.clear or "") for _, level in rule.ranked() for one in LEARNT)


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
    """A stage on which tests play side by side, each in an area of its own; a rule sees its own tests' areas only.

    `misfits` are rules that do not fit their points, by a test's place; `uncovered` tests whose rule means nothing.
    """

    def __init__(self, stands: Sequence[_Stand], bench: Bench) -> None:
        self.stands = stands
        self.steps = max(stand.steps for stand in stands)
        self.times = next(stand.times for stand in stands if stand.steps == self.steps)
        self.start = stands[0].start
        points: list[Point] = []
        areas: list[Area] = []
        cameras: list[Camera] = []
        begins: list[int] = []
        numbers: dict[int, int] = {}  # of each rule, its place on the stage
        for stand in stands:
            where, suffix = stand.rule.where, f".{len(areas)}" if areas else ""
            first = where.areas[0] if where.areas else "area"
            eye = re.sub(r"[*?]", "x", where.cameras[0]) if where.cameras else "camera"
            numbers.setdefault(stand.place[0], len(numbers))
            areas.append(Area(id=first + suffix, name=NO_TEXT, type=stand.kind, place="", tags=where.tags))
            cameras.append(Camera(id=eye + suffix, name=NO_TEXT, areas=(areas[-1].id,), tags=where.tags))
            begins.append(len(points))
            points += stand.points(areas[-1].id, suffix, len(points))
        self.areas, self.cameras = tuple(areas), tuple(cameras)
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
        rules = self._staged(points, begins)
        errors: list[CompileError] = []
        book = compile_rules(rules, stage, points, errors=errors, lasting=False)
        firsts = {rule.id: stand for rule, stand in zip(rules, self._firsts(), strict=True)}
        self.misfits = [
            (stand.place, CompileError(stand.rule.id, error.level, error.part, error.message, error.column))
            for error, stand in ((error, firsts[error.rule]) for error in errors)
        ]
        self.script = _Script([one.interval for one in points])
        self.evaluator = Evaluator(book, self.script)
        self.evaluator.reasons = False
        self.evaluator.watch.tick(self.start - stands[0].watched)
        if stands[0].watched:
            self.evaluator.windows.begin(self.start - stands[0].watched)
        known = {(int(book.rule[n]), int(book.row[n])): n for n in range(book.instances)}
        self.uncovered: dict[tuple[int, int], VectorError] = {}
        self.places: list[int] = []
        for number, stand in enumerate(stands):
            scope = stand.rule.scope
            row = begins[number] if scope == "point" else number + (book.rows if scope == "area" else book.camera_rows)
            place = known.get((numbers[stand.place[0]], row))
            self.places.append(-1 if place is None else place)
            if place is None:
                said = "the rule does not cover the test's point: give its quantity, or check `where`"
                if scope == "camera":
                    said = "the rule covers no camera: check `where`"
                self.uncovered[stand.place] = VectorError("point", said)

    def _firsts(self) -> list[_Stand]:
        """Return the first test of each rule."""
        return list({stand.place[0]: stand for stand in reversed(self.stands)}.values())[::-1]

    def _staged(self, points: Sequence[Point], begins: Sequence[int]) -> list[Rule]:
        """Have each rule mean its own tests' areas, points and cameras, by their names on the stage."""
        of_rule: dict[int, list[int]] = {}
        for number, stand in enumerate(self.stands):
            of_rule.setdefault(stand.place[0], []).append(number)
        staged = []
        for number, mine in of_rule.items():
            rule = self.stands[mine[0]].rule
            where, areas = rule.where, tuple(self.areas[n].id for n in mine)
            first = where.areas[0] if where.areas else "area"
            staged.append(
                msgspec.structs.replace(
                    rule,
                    id=f"rule-{number}",
                    where=msgspec.structs.replace(
                        where,
                        types=(),
                        areas=areas,
                        without_areas=areas if first in where.without_areas else (),
                        points=tuple(points[begins[n]].id for n in mine) if where.points else (),
                        cameras=tuple(self.cameras[n].id for n in mine) if where.cameras else (),
                    ),
                )
            )
        return staged

    def play(self) -> list[list[int]]:
        """Return for each test the rank after every step of it."""
        current = self.evaluator.current
        ranks = np.zeros((self.steps, len(self.stands)), np.uint8)
        shown = [(place, stand.pictures) for place, stand in enumerate(self.stands) if stand.pictures]
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
                self.script.off[rows] = tracks.deviation[rows, step]
                scored = _Scored(tracks.score[rows, step], tracks.alarm[rows, step] > 0)
                quality = np.zeros(len(rows), np.uint8)
                then = np.full(len(rows), now)
                self.evaluator.readings(rows, then, value[rows], quality, then, scored, now)
            for place, seen in shown:
                if step < len(seen) and seen[step] is not None:
                    self.evaluator.health(self._health(place, seen[step] or (), now), now)
            for figures in (self.evaluator.across, self.evaluator.across_real):
                figures[AREA_SCORE][:] = self.area_score[:, step]
            self.evaluator.tick(now)
            ranks[step] = current[self.places] if len(current) else 0
        return [ranks[: stand.steps, place].tolist() for place, stand in enumerate(self.stands)]

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
        areas=(),
        quantity=quantity or (like.quantity if like else ""),
        unit=series.unit or (like.unit if like else "1"),
        limit=series.limit if own_limits else (like.limit if like else None),
        limit_below=series.limit_below or (not own_limits and like is not None and like.limit_below),
        levels=levels,
        normal=series.normal or (like.normal if like else None),
        interval=interval,
        tags=tags,
    )


def _clock(at: float) -> str:
    return f"{at / 60:.4g} min" if at >= 60 else f"{at:.4g} s"
