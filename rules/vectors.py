"""Run a rule's own tests: series in, levels out, through the evaluator that runs live."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.expression import AREA_SCORE
from rules.reports import PREFIX
from rules.rule import EventStep, Rule, RuleTest, Series, covered_points
from rules.typical import converted, model_of, typical_point
from sensors.duration import seconds
from sensors.flags import FLAGS, RULED
from sensors.measure import UnitError
from sensors.observation import CAMERA_FAULTS, CameraEvent, CameraHealth, Report
from sensors.site import LEVELS, Area, Camera, Point, Site, Text

MAX_STEPS = 10_000
START = 1_699_920_000.0  # a midnight; any would do
LEVEL_NAMES = ("none", *LEVELS)
UNJUDGED = "unjudged"
_REPEATED = re.compile(r"(.+?)\*([0-9]{1,5})\Z")

Array = npt.NDArray[np.float64]


class VectorError(ValueError):
    """Raised when a test cannot be run: which of its fields is wrong, and why."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}")


def run(rule: Rule, test: RuleTest, site: Site) -> list[str]:
    """Run one test; return what differs from what it expects. Raise `VectorError` on a test that cannot run."""
    scene = _Scene(rule, test, site)
    levels = scene.play()
    if isinstance(test.expect, str):
        expected = dict(enumerate(_levels(test.expect, "expect")))
        if len(expected) != len(levels):
            raise VectorError("expect", f"{len(expected)} levels for {len(levels)} steps")
    else:
        expected = {}
        for at, level in test.expect.items():
            step = int(_seconds(at, "expect") // scene.step)
            if step >= len(levels):
                raise VectorError("expect", f"{at} is after the last step")
            expected[step] = _levels(level, "expect")[0]
    if not expected:
        raise VectorError("expect", "nothing is expected")
    return [
        f"at {_clock(step * scene.step)} the level is {LEVEL_NAMES[levels[step]]}, expected {LEVEL_NAMES[level]}"
        for step, level in sorted(expected.items())
        if levels[step] != level
    ]


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


class _Track(NamedTuple):
    """The series of one point, a number a step; NaN in `values` is no reading."""

    values: Array
    score: Array
    alarm: Array
    eta: Array
    flags: npt.NDArray[np.uint16]


class _Scored(NamedTuple):
    score: Array
    alarm: npt.NDArray[np.bool_]


class _Script:
    """Stand in for the bank: what the test says, instead of what models would learn."""

    def __init__(self, rows: int) -> None:
        self.flat_since = np.full(rows, np.nan)
        self.reach = np.zeros(rows)
        self.eta_now = np.full(rows, np.nan)

    def pause(self, seconds: Array) -> None:
        """Move what the test says along."""
        self.flat_since += seconds

    def eta(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> Array:
        """Return the test's own figure."""
        return self.eta_now[rows]

    def eta_range(self, rows: npt.NDArray[np.intp], limit: Array, below: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        """Give no interval."""
        return np.full(len(rows), np.nan), np.full(len(rows), np.nan)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Give no reason."""
        return ""


class _Scene:
    """A little site with one area, its points and their series."""

    def __init__(self, rule: Rule, test: RuleTest, site: Site) -> None:
        self.test = test
        self.step = _seconds(test.step, "step")
        if self.step <= 0:
            raise VectorError("step", "a step takes time")
        where = rule.where
        known = {area.id: area for area in site.areas}
        kind = where.types[0] if where.types else known[where.areas[0]].type if where.areas else ""
        area = Area(
            id=where.areas[0] if where.areas else "area",
            name=Text(zh="", en=""),
            type=kind,
            place="",
            tags=where.tags,
        )
        if bool(test.camera) != (rule.scope == "camera"):
            raise VectorError("camera", "a rule with scope: camera, and no other, is tested by what a camera shows")
        name = re.sub(r"[*?]", "x", where.points[0]) if where.points else "point"
        places = covered_points(rule, site.points, known)
        model = model_of(rule, site, site.points[places[0][0]] if places else None, known, kind)
        series = {name: test.point} if rule.scope == "point" else {}
        series |= test.others
        self.points = []
        for index, (id, one) in enumerate(series.items()):
            own = rule.scope == "point" and index == 0
            quantity = one.quantity or (where.quantities[0] if own and where.quantities else "")
            like = model if own and not one.quantity else _like(site, quantity, known, kind)
            tags = where.tags if own else ()
            self.points.append(_point(id, one, quantity, like, area.id, index, tags, self.step))
        self.pictures = _pictures(test.camera)
        count = [len(_numbers(one.values, "values", 0.0, None)) for one in series.values()] + [len(self.pictures)]
        count.append(len(_numbers(test.area_score, "area_score", math.nan, None)))
        count.append(len(_numbers(test.surge, "surge", math.nan, None)))
        self.steps = max(count, default=0)
        if not self.steps:
            raise VectorError("point.values", "no series is given")
        self.area_score = _numbers(test.area_score, "area_score", math.nan, self.steps)
        self.surge = _numbers(test.surge, "surge", math.nan, self.steps) if test.surge else None
        self.tracks = [_track(one, self.steps) for one in series.values()]
        eye = re.sub(r"[*?]", "x", where.cameras[0]) if where.cameras else "camera"
        self.area, self.scope = area, {"point": name, "area": area.id, "camera": eye}[rule.scope]
        self.camera = Camera(id=eye, name=Text(zh="", en=""), areas=(area.id,), tags=where.tags)
        # Every point of the site goes along, unseen: figures across an area need to know what is measured in what.
        stage = Site(
            id="test",
            name=Text(zh="", en=""),
            areas=(area,),
            points=(*self.points, *site.points),
            quantities=site.quantities,
            cameras=(self.camera,),
            version="test",
        )
        book = compile_rules((rule,), stage, self.points)
        self.script = _Script(len(self.points))
        self.evaluator = Evaluator(book, self.script)
        place = book.instance(rule.id, self.scope)
        if place is None:
            message = "the rule does not cover the test's point: give its quantity, or check `where`"
            raise VectorError(
                "point", message if rule.scope != "camera" else "the rule covers no camera: check `where`"
            )
        self.place = place

    def play(self) -> list[int]:
        """Return the rank after every step."""
        levels = []
        events = sorted(self.test.events, key=lambda event: _seconds(event.at, "events"))
        last = np.full(len(self.points), np.nan)
        for step in range(self.steps):
            now = START + step * self.step
            if self.surge is not None:
                self.evaluator.surges.fixed = float(self.surge[step])
            while events and START + _seconds(events[0].at, "events") <= now:
                event = events.pop(0)
                at = START + _seconds(event.at, "events")
                seen = CameraEvent(
                    area=self.area.id,
                    camera=self.camera.id,
                    kind=event.kind,
                    event="event",
                    time=at,
                    received=at,
                    phase=event.phase,
                )
                self.evaluator.event(seen, at, _report(event, seen))
            value = np.array([track.values[step] for track in self.tracks])
            flags = np.array([track.flags[step] for track in self.tracks], np.uint16)
            marked = np.flatnonzero(flags)
            if marked.size:
                self.evaluator.mark(marked, flags[marked], np.full(len(marked), now))
            rows = np.flatnonzero(~np.isnan(value))
            if rows.size:
                changed = rows[value[rows] != last[rows]]
                self.script.flat_since[changed] = now
                last[rows] = value[rows]
                self.script.eta_now[rows] = [self.tracks[row].eta[step] for row in rows]
                scored = _Scored(
                    np.array([self.tracks[row].score[step] for row in rows]),
                    np.array([self.tracks[row].alarm[step] > 0 for row in rows]),
                )
                quality = np.zeros(len(rows), np.uint8)
                then = np.full(len(rows), now)
                self.evaluator.readings(rows, then, value[rows], quality, then, scored, now)
            if step < len(self.pictures) and self.pictures[step] is not None:
                self.evaluator.health(self._health(self.pictures[step] or (), now), now)
            for figures in (self.evaluator.across, self.evaluator.across_real):
                figures[AREA_SCORE][:] = self.area_score[step]
            self.evaluator.tick(now)
            levels.append(int(self.evaluator.current[self.place]))
        return levels

    def _health(self, shown: tuple[str, ...], now: float) -> CameraHealth:
        return CameraHealth(
            area=self.area.id,
            camera=self.camera.id,
            time=now,
            received=now,
            faults={fault: 1.0 for fault in shown if fault != UNJUDGED},
            judged=UNJUDGED not in shown,
        )


def _like(site: Site, quantity: str, areas: dict[str, Area], kind: str) -> Point | None:
    """Find what to take unit and limits from: what is usual of the quantity in this kind of area, else a point."""
    usual = typical_point(site, quantity, kind)
    if usual is not None:
        return usual
    same = [point for point in site.points if point.quantity == quantity]
    near = (p for p in same if any(area in areas and areas[area].type == kind for area in p.areas))
    return next(near, same[0] if same else None)


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
        name=Text(zh="", en=""),
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


def _track(series: Series, steps: int) -> _Track:
    return _Track(
        _numbers(series.values, "values", math.nan, steps),
        _numbers(series.score, "score", 0.0, steps),
        _numbers(series.alarm, "alarm", 0.0, steps),
        _numbers(series.eta, "eta", math.nan, steps),
        _flags(series.flags, steps),
    )


def _numbers(text: str, field: str, default: float, steps: int | None) -> Array:
    """Read a compact series: `3 4*10 0..9*10 _*2`; the last `default` fills it up to `steps`."""
    found: list[float] = []
    for token in text.split():
        match = _REPEATED.match(token)
        item, count = (match[1], int(match[2])) if match else (token, 1)
        first, dots, last = item.partition("..")
        try:
            if item == "_":
                found += [math.nan] * count
            elif dots:
                found += np.linspace(float(first), float(last), count).tolist()
            else:
                found += [float(item)] * count
        except ValueError:
            raise VectorError(f"point.{field}", f"'{token}' is neither a number, a..b*n, n*times nor _") from None
        if len(found) > MAX_STEPS:
            raise VectorError(f"point.{field}", f"more than {MAX_STEPS:,} steps")
    if steps is not None:
        if len(found) > steps:
            raise VectorError(f"point.{field}", f"{len(found)} steps, the values have {steps}")
        found += [default] * (steps - len(found))
    return np.array(found, np.float64)


def _pictures(text: str) -> list[tuple[str, ...] | None]:
    """Read what a camera shows: `none*3 black*5 blur+cover unjudged _*10`; None is nothing heard."""
    found: list[tuple[str, ...] | None] = []
    for token in text.split():
        match = _REPEATED.match(token)
        shown, count = (match[1], int(match[2])) if match else (token, 1)
        parts = tuple(shown.split("+")) if shown not in ("_", "none") else ()
        for part in parts:
            if part not in (*CAMERA_FAULTS, UNJUDGED):
                known = ", ".join(("none", *CAMERA_FAULTS, UNJUDGED, "_"))
                raise VectorError("camera", f"'{part}' is nothing that a camera shows; write {known}")
        found += [None if shown == "_" else parts] * count
        if len(found) > MAX_STEPS:
            raise VectorError("camera", f"more than {MAX_STEPS:,} steps")
    return found


def _flags(text: str, steps: int) -> npt.NDArray[np.uint16]:
    """Read flags in the compact form of series: `_*5 jump*3`; none fills them up to `steps`."""
    found: list[int] = []
    for token in text.split():
        match = _REPEATED.match(token)
        name, count = (match[1], int(match[2])) if match else (token, 1)
        if name != "_" and name not in RULED:
            raise VectorError("point.flags", f"'{name}' is no flag; write _, {', '.join(RULED)}")
        found += [FLAGS.get(name, 0)] * count
        if len(found) > MAX_STEPS:
            raise VectorError("point.flags", f"more than {MAX_STEPS:,} steps")
    if len(found) > steps:
        raise VectorError("point.flags", f"{len(found)} steps, the values have {steps}")
    return np.array(found + [0] * (steps - len(found)), np.uint16)


def _levels(text: str, field: str) -> list[int]:
    found: list[int] = []
    for token in text.split():
        match = _REPEATED.match(token)
        name, count = (match[1], int(match[2])) if match else (token, 1)
        if name not in LEVEL_NAMES:
            raise VectorError(field, f"'{name}' is no level; write {', '.join(LEVEL_NAMES)}")
        found += [LEVEL_NAMES.index(name)] * count
        if len(found) > MAX_STEPS:
            raise VectorError(field, f"more than {MAX_STEPS:,} steps")
    if not found:
        raise VectorError(field, "name a level")
    return found


def _seconds(duration: float | str, field: str) -> float:
    try:
        return seconds(duration)
    except ValueError as error:
        raise VectorError(field, str(error)) from None


def _clock(at: float) -> str:
    return f"{at / 60:.4g} min" if at >= 60 else f"{at:.4g} s"
