"""Compile rules for the points of one partition: conditions of one shape become one program over arrays of constants.

An instance is a rule at one scope (a point, an area or a camera); a slot is one of its levels. Instances are numbered
by row, so that a row's instances are one range; a slot's `when` and `clear` are a program and a place in its
parameters. Rows past the points stand for the areas, rows past those for the cameras whose home area is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.across import AcrossProgram, compile_across, measures_of, naming
from rules.binding import (
    AT_MOST,
    EXACTLY,
    Both,
    Bound,
    Column,
    Key,
    Subject,
    bind,
    columns,
    figure_name,
    loosened,
    shape_of,
)
from rules.calendar import NAMES as OF_CALENDAR
from rules.calendar import Calendar
from rules.clauses import Joined, clearing, quantity_of, raising, samples_of, scheduled
from rules.covering import Covering
from rules.expression import (
    COUNTED,
    WINDOWED,
    Across,
    AcrossFlag,
    ExpressionError,
    Feature,
    Flag,
    Logic,
    Node,
    parse,
    walk,
)
from rules.guard import Guard
from rules.measures import Measure, plain_base
from rules.near import members
from rules.rule import Rule, encode_decision, encode_levels
from rules.shapes import Array, Bar, bars, number, resolve_constants
from rules.typical import other_unit, units_of
from sensors.problem import suggest
from sensors.site import LEVELS, Area, Camera, Place, Point, Site
from sensors.steps import Steps, finished

Rows = npt.NDArray[np.intp]

MOVES_ALONE = (
    "age", "silence", "flat", "seen", "across", "around", "since", "surge", "rising", "events", "mode",
    *OF_CALENDAR
)  # fmt: skip
"""Columns that move with no reading of the point: conditions on them are looked at on ticks and events too.

So are those that a falling `count` may fulfil; one that asks for so many is not, or silence alone would end its alarm.
"""


OF_EVENTS = ("seen", "events", *COUNTED)
"""Columns that an event of the kind they name may move."""


class CompileError(ValueError):
    """Raised when a rule does not fit the points it covers: which rule, where in it, and at which column."""

    def __init__(self, rule: str, level: str, part: str, message: str, column: int) -> None:
        self.rule, self.level, self.part, self.message, self.column = rule, level, part, message, column
        super().__init__(f"rule {rule}, levels.{level}.{part}, column {column}: {message}")


class Clause(NamedTuple):
    """A condition of one level as bound for points of one unit; for explanations."""

    text: str
    bound: Bound


class Programs:
    """Shapes and their parameters; a place is (program, position in its parameters)."""

    def __init__(self) -> None:
        self.shapes: list[Bound] = []
        self._known: dict[Bound, int] = {}
        self._blocks: list[list[Array]] = []
        self._sizes: list[int] = []
        self.params: list[Array] = []  # each (constants, places)

    def add(self, shape: Bound, params: Array) -> tuple[int, int]:
        """Add places of a shape; return the program and the position of the first."""
        program = self._known.setdefault(shape, len(self.shapes))
        if program == len(self.shapes):
            self.shapes.append(shape)
            self._blocks.append([])
            self._sizes.append(0)
        start = self._sizes[program]
        self._blocks[program].append(params)
        self._sizes[program] += params.shape[1]
        return program, start

    def finishing(self) -> Steps[None]:
        """Join what was added."""
        for block in self._blocks:
            self.params.append(np.ascontiguousarray(np.concatenate(block, axis=1)))
            yield
        self._blocks = []


class RuleBook:
    """Rules in force over the points of one partition, compiled. Immutable once made; `Evaluator` holds the state."""

    rules: tuple[Rule, ...]
    points: tuple[Point, ...]
    areas: tuple[str, ...]
    communities: tuple[str, ...]  # of each area: over which its reports are counted
    area_of: dict[str, int]
    cameras: tuple[Camera, ...]
    rows: int  # of points; rows from here on are areas
    camera_rows: int  # rows from here on are cameras
    all_rows: int
    instances: int
    slots: int
    programs: Programs
    across: tuple[AcrossProgram, ...]
    around: tuple[AcrossProgram, ...]  # figures around points: their `areas` are rows

    # by instance
    rule: npt.NDArray[np.int32]
    row: Rows
    area: Rows
    first: Rows  # its first slot
    levels: Rows  # how many slots
    level_offset: npt.NDArray[np.int8]  # (instances, 5): slot of a rank within the instance, -1 none
    moves_alone: npt.NDArray[np.bool_]
    seen: npt.NDArray[np.bool_]
    quality: npt.NDArray[np.bool_]  # of a rule on the quality of data
    flat: npt.NDArray[np.bool_]  # of a rule on the quality of data that asks whether the value has changed
    of_area: npt.NDArray[np.bool_]  # looks at what cameras saw or at a figure across the area
    # by slot
    rank: npt.NDArray[np.uint8]
    hold: Array
    clear_after: Array
    samples: npt.NDArray[np.uint8]  # (slots, 2): at how many of how many readings; 0 of 0 where it does not matter
    sampled: bool  # some slot asks for several
    when: tuple[Rows, Rows]  # program, position
    clear: tuple[Rows, Rows]
    clause: Rows  # into clauses: the `when`; the `clear` follows it
    # by row
    start: Rows  # (all rows + 1): instances of a row
    index: npt.NDArray[np.int64]  # of each point's row in the registry
    area_members: tuple[Rows, Rows, Rows]  # rows by area, the areas that have rows, and where each begins
    clauses: list[Clause]
    windows: dict[float, dict[str, Rows]]  # duration → statistic → rows
    warned: dict[str, Rows]  # target → rows of which a rule asks whether a warning of it stands
    seen_by: dict[tuple[str, int], Rows]  # (kind, area) → instances
    counted: frozenset[Key]  # what is asked of counts of events
    events: frozenset[Key]  # of which kinds so many are counted
    calendar: Calendar
    reading_guard: Guard
    tick_guard: Guard
    constants: dict[str, Array]  # what the registry says of each row
    targets: dict[str, Array]  # 'limit' or a level → its value by row
    below: npt.NDArray[np.bool_]

    def key(self, instance: int) -> bytes:
        """Return 16 bytes that name an instance by what decides in its rule, and by scope; the same in another book."""
        return self.key_at(instance, self.scope(instance))

    def key_at(self, instance: int, scope: str) -> bytes:
        """Return the key that an instance has if its scope is called `scope`."""
        digest = self.digests[self.rule[instance]]
        return hashlib.blake2b(digest + scope.encode(), digest_size=16).digest()

    digests: list[bytes]
    _keys: npt.NDArray[np.uint64] | None = None

    def keys(self) -> npt.NDArray[np.uint64]:
        """Return the keys of all instances, u8[instances, 2], as `keying` works them out."""
        return finished(self.keying())

    def keying(self) -> Steps[npt.NDArray[np.uint64]]:
        """Work out the keys of all instances in steps; they are kept until `forget_keys`."""
        if self._keys is None:
            names = b""
            found = []
            for instance in range(self.instances):
                found.append(self.key(instance))
                if len(found) == 1000:
                    names += b"".join(found)
                    found.clear()
                    yield
            self._keys = np.frombuffer(names + b"".join(found), "<u8").reshape(-1, 2)
        return self._keys

    def forget_keys(self) -> None:
        """Let go of the keys, and what decides: they are needed only where one book takes over from another."""
        self._keys = self._decides = None

    _decides: dict[int, dict[int, bytes]] | None = None

    def decides(self, rule: int) -> dict[int, bytes]:
        """Return by rank 16 bytes that name what decides in each level of a rule; the same in another book."""
        if self._decides is None:
            self._decides = {}
        if rule not in self._decides:
            levels = encode_levels(self.rules[rule])
            self._decides[rule] = {rank: hashlib.blake2b(one, digest_size=16).digest() for rank, one in levels.items()}
        return self._decides[rule]

    def scope(self, instance: int) -> str:
        """Return the id of the point, area or camera that an instance is about."""
        row = int(self.row[instance])
        if row >= self.camera_rows:
            return self.cameras[row - self.camera_rows].id
        return self.points[row].id if row < self.rows else self.areas[row - self.rows]

    def instance(self, rule: str, scope: str) -> int | None:
        """Find an instance by rule and scope."""
        for place in range(self.instances):
            if self.rules[self.rule[place]].id == rule and self.scope(place) == scope:
                return place
        return None


class _Condition(NamedTuple):
    """A condition as it is bound for points of one unit, and what follows from that alone."""

    bound: Bound
    shape: Bound
    constants: list[Bound]
    keys: set[Column]
    kept: list[Key]  # of the point, that it asks for and the evaluator keeps: windows, warnings
    alone: bool  # moves with no reading of the point
    falls: bool
    around: bool
    bars: tuple[float, list[Bar]] | None

    @classmethod
    def of(cls, bound: Bound) -> _Condition:
        """Look at a condition once for all the rules that share it."""
        shape, constants = shape_of(bound)
        keys = columns(bound)
        kept = [column.key for column in keys if not column.area and column.key[0] in (*WINDOWED, "warned")]
        around = any(column.key[0] == "around" for column in keys)
        return cls(bound, shape, constants, keys, kept, _alone(keys), _falls(keys), around, bars(bound))


_BOUND = _Condition(Both(()), Both(()), [], set(), [], False, False, False, None)
"""Stands for a condition that has been bound, where no more is asked."""


class _Part(NamedTuple):
    """One level of one rule over rows of one unit, until instances are numbered."""

    rank: int
    hold: float
    clear_after: float
    samples: tuple[int, int]
    when: tuple[int, int]
    clear: tuple[int, int]
    clause: int


class _Block(NamedTuple):
    """One rule over rows of one unit."""

    rule: int
    rows: Rows
    area: Rows
    first: int  # its first part
    levels: int
    alone: bool  # moves with no reading of the point
    flat: bool
    of_area: bool
    kinds: frozenset[str]  # of events that may move it


def compile_rules(
    rules: Sequence[Rule],
    site: Site,
    points: Sequence[Point],
    areas: Collection[str] | None = None,
    *,
    errors: list[CompileError] | None = None,
    lasting: bool = True,
) -> RuleBook:
    """Compile rules for `points` (in row order) and the areas of a partition (all of the site's by default).

    A rule covers a point in the first of its areas that the rule means, and only where that area is in `areas`: so each
    condition lives in one partition. Raise `CompileError` where a condition does not fit a point's unit; with a list of
    `errors`, leave such rules out and add their errors to it. A book that is not `lasting` has no keys: its state is
    never taken over.
    """
    compiler = _Compiler(rules, site, points, areas)
    compiler.lasting = lasting
    return finished(compiler.steps(errors))


def compiling(
    rules: Sequence[Rule],
    site: Site,
    points: Sequence[Point],
    areas: Collection[str] | None = None,
    *,
    errors: list[CompileError] | None = None,
) -> Steps[RuleBook]:
    """Compile rules as `compile_rules` does, in steps of a few milliseconds."""
    return (yield from _Compiler(rules, site, points, areas).steps(errors))


def misfits(rules: Sequence[Rule], site: Site, points: Sequence[Point]) -> list[CompileError]:
    """Find the rules that do not compile, as `compile_rules` does with `errors`, without compiling the others."""
    found: list[CompileError] = []
    compiler = _Compiler(rules, site, points, None)
    compiler.only_bound = True
    finished(compiler.gathering(found))
    return found


class _Compiler:
    """Gather instances rule by rule, then number them by row. Nothing in it points back at it."""

    def __init__(
        self, rules: Sequence[Rule], site: Site, points: Sequence[Point], areas: Collection[str] | None
    ) -> None:
        self.rules, self.site, self.points = tuple(rules), site, tuple(points)
        self.all_areas = {area.id: area for area in site.areas}
        self.areas: list[Area] = [area for area in site.areas if areas is None or area.id in areas]
        self.area_of = {area.id: place for place, area in enumerate(self.areas)}
        self.cameras = tuple(camera for camera in site.cameras if camera.areas and camera.areas[0] in self.area_of)
        self.homes = [self.area_of[camera.areas[0]] for camera in self.cameras]
        self.programs = Programs()
        self.clauses: list[Clause] = []
        self.digests: list[bytes] = []
        self.blocks: list[_Block] = []
        self.parts: list[_Part] = []
        self.keys: set[Key] = set()
        self.across: dict[str, AcrossProgram] = {}
        self.around: list[AcrossProgram] = []
        self.around_of: dict[str, set[int]] = {}  # figure → rows that it is worked out for
        self.measures, self.units = measures_of(site), units_of(site)
        self.table: dict[str, Array] = {}
        self.covering = Covering(self.points, self.all_areas)
        self.windows: dict[float, dict[str, list[Rows]]] = {}
        self.warned: dict[str, list[Rows]] = {}
        self.bound: dict[tuple[Joined, Subject, str, float | str], _Condition] = {}
        self.modes = frozenset(mode.id for mode in site.modes)
        self.lasting = True  # what decides in a rule is hashed, for its state to be known by
        self.only_bound = False  # conditions are bound and nothing is laid out: for finding misfits

    def steps(self, errors: list[CompileError] | None) -> Steps[RuleBook]:
        """Compile all."""
        guards = yield from self.gathering(errors)
        return (yield from self._number(guards))

    def gathering(self, errors: list[CompileError] | None) -> Steps[tuple[Guard, Guard]]:
        """Gather the instances of all rules, and what guards their rows."""
        yield
        for name, values in _constants(self.points):
            self.table[name] = np.array(values, np.float64)
            yield
        guards = (Guard.builder(len(self.points)), Guard.builder(len(self.points)))
        for place, rule in enumerate(self.rules):
            try:
                self._rule(place, rule, guards)
            except CompileError as error:
                if errors is None:
                    raise
                errors.append(error)
            if self.lasting and not self.only_bound:
                self.digests.append(hashlib.blake2b(encode_decision(rule), digest_size=16).digest())
            yield
        return guards

    def _rule(self, place: int, rule: Rule, guards: tuple[Guard, Guard]) -> None:
        if rule.scope == "area":
            named = {self.area_of[name] for name in rule.where.areas if name in self.area_of}
            asked = sorted(named) if rule.where.areas else range(len(self.areas))
            chosen = [n for n in asked if rule.where.takes_tagged_area(self.areas[n])]
            areas = np.array(chosen, np.intp)
            subject = Subject("", False, self.measures, None, rule.kind == "data_quality")
            self._block(place, rule, areas + len(self.points), areas, subject, guards)
            return
        if rule.scope == "camera":
            homes, seen_from = self.homes, set(rule.where.areas)
            chosen = [
                n
                for n, camera in enumerate(self.cameras)
                if (not seen_from or camera.areas[0] in seen_from)
                and rule.where.takes_camera(camera, self.areas[homes[n]])
            ]
            rows = np.array(chosen, np.intp) + len(self.points) + len(self.areas)
            areas = np.array([homes[n] for n in chosen], np.intp)
            subject = Subject("", False, self.measures, None, rule.kind == "data_quality")
            self._block(place, rule, rows, areas, subject, guards)
            return
        groups: dict[tuple[str, bool, str | None], tuple[list[int], list[int]]] = {}
        for row, area in self._covered(rule):
            point = self.points[row]
            bare = other_unit(point, self.all_areas[area].type, self.units)
            mine, places = groups.setdefault((point.unit, point.limit_below, bare), ([], []))
            mine.append(row)
            places.append(self.area_of[area])
        for (unit, below, bare), (mine, places) in groups.items():
            subject = Subject(unit, below, self.measures, bare, rule.kind == "data_quality")
            self._block(place, rule, np.array(mine, np.intp), np.array(places, np.intp), subject, guards)
        if not groups:  # nothing to run; still, say what is wrong with it
            for rank, level in rule.ranked():
                for part, text in (("when", level.when), ("clear", level.clear)):
                    try:
                        parse(text if text is not None else level.when)
                    except ExpressionError as error:
                        raise CompileError(rule.id, LEVELS[rank - 1], part, error.message, error.column) from error

    def _covered(self, rule: Rule) -> list[tuple[int, str]]:
        return [(row, area) for row, area in self.covering.of(rule) if area in self.area_of]

    def _block(
        self, place: int, rule: Rule, rows: Rows, areas: Rows, subject: Subject, guards: tuple[Guard, Guard]
    ) -> None:
        first, keys, alone = len(self.parts), set[Column](), False
        barred: list[_Condition] = []
        for rank, level in rule.ranked():
            name = LEVELS[rank - 1]
            raised, cleared, deadband = raising(rule, level), clearing(rule, level), rule.deadband_of(level)
            when, when_place = self._condition(rule, name, "when", raised, rows, subject)
            barred.append(when)
            part = "when" if level.clear is None else "clear"
            clear, clear_place = self._condition(rule, name, part, cleared, rows, subject, deadband)
            if self.only_bound:
                continue
            self.clauses.append(Clause(raised.shown, when.bound))
            self.clauses.append(Clause(cleared.shown + (f", by {deadband}" if deadband else ""), clear.bound))
            keys |= when.keys | clear.keys
            alone = alone or when.alone or clear.alone or when.falls or (level.clear is not None and clear.falls)
            samples = samples_of(rule.samples_of(level)) if rule.scope == "point" else (0, 0)
            delays = rule.hold_of(level), rule.clear_after_of(level)
            self.parts.append(_Part(rank, *delays, samples, when_place, clear_place, len(self.clauses) - 2))
        if self.only_bound:
            return
        self.keys |= {column.key for column in keys}
        flat = rule.kind == "data_quality" and any(column.key[0] == "flat" for column in keys)
        kinds = frozenset(str(column.key[1]) for column in keys if column.key[0] in OF_EVENTS)
        levels = len(self.parts) - first
        self.blocks.append(_Block(place, rows, areas, first, levels, alone, flat, _of_area(keys), kinds))
        if rule.scope != "point":
            return
        for when in barred:
            found = when.bars
            some = guards if alone else guards[:1]
            if found is not None and all(bar.key[0] == "since" for bar in found[1]):
                some = guards[1:]  # flags are looked at once a second: no reading need ask
            for guard in some:
                if found is None:
                    guard.always[rows] = True
                    continue
                for bar in found[1]:
                    value = number(bar.part, resolve_constants(self.table, rows))
                    guard.lay(bar.key, bar.above, rows, value)
                    self._need(bar.key, rows)

    def _allowed(self, rule: Rule, node: Node) -> list[Node]:
        """List a condition's parts; refuse what its rule's scope, or the site, does not have."""
        parts = walk(node)
        _refuse_features(rule.scope, parts)
        _refuse_days(self.site, parts)
        _refuse_modes(self.modes, parts)
        return parts

    def _fits(self, rule: Rule, text: str, subject: Subject) -> bool:
        """Tell whether a condition is sound by itself: what does not fit is what its rule's clauses join to it."""
        try:
            node = parse(text)
            self._allowed(rule, node)
            bind(node, subject)
        except (ExpressionError, LookupError):
            return False
        return True

    def _condition(
        self,
        rule: Rule,
        level: str,
        part: str,
        joined: Joined,
        rows: Rows,
        subject: Subject,
        deadband: float | str = 0.0,
    ) -> tuple[_Condition, tuple[int, int]]:
        known = (joined, subject, rule.scope, deadband)
        made = self.bound.get(known)
        try:
            if made is None or made.around:
                node = parse(joined.text)
                if joined.extra:
                    node = Logic(joined.how, (node, parse(joined.extra)))
            if made is None:
                parts = self._allowed(rule, node)
                for inner in parts:
                    if isinstance(inner, Across | AcrossFlag) and inner.over == "area":
                        self._add_across(inner, subject.told)
                with naming(self.points[rows[0]] if subject.bare is not None else None):
                    bound = bind(node, subject, negate=joined.negate)
                    if deadband:
                        part = "deadband"
                        bound = loosened(bound, quantity_of(deadband), subject)
                if self.only_bound and not any(isinstance(inner, Across | AcrossFlag) for inner in parts):
                    return _BOUND, (0, 0)
                made = self.bound[known] = _Condition.of(bound)
                self._add_variants(made)
            if made.around:
                for inner in walk(node):
                    if isinstance(inner, Across | AcrossFlag) and inner.over != "area":
                        self._add_around(inner, rows, subject, made)
        except ExpressionError as error:
            if joined.extra and part != "deadband" and self._fits(rule, joined.text, subject):
                own = rule.schedule is not None and not self._fits(rule, scheduled(rule.schedule), subject)
                part = "schedule" if own else "with"
            raise CompileError(rule.id, level, part, error.message, error.column) from error
        if self.only_bound:
            return made, (0, 0)
        resolve = resolve_constants(self.table, rows)
        params = np.empty((len(made.constants), len(rows)))
        for index, constant in enumerate(made.constants):
            params[index] = number(constant, resolve)
        if rule.scope == "point":
            for key in made.kept:
                self._need(key, rows)
        return made, self.programs.add(made.shape, params)

    def _need(self, key: Key, rows: Rows) -> None:
        if key[0] in WINDOWED:
            self.windows.setdefault(float(key[1]), {}).setdefault(str(key[0]), []).append(rows)
        elif key[0] == "warned":
            self.warned.setdefault(str(key[1]), []).append(rows)

    def _add_across(self, node: Across | AcrossFlag, told: bool) -> None:
        program = compile_across(node, self.points, self.areas, self.measures, self.table, told, self.units)
        if program.text not in self.across:
            self.across[program.text] = program
            for key, rows in program.needs:
                self._need(key, rows)

    def _add_variants(self, made: _Condition) -> None:
        """Add the figures that count for how many points a condition may hold, made of the same as those that do."""
        for key in [str(column.key[1]) for column in made.keys if column.key[0] == "across"]:
            if key not in self.across and key.endswith((AT_MOST, EXACTLY)):
                of = self.across[key.removesuffix(AT_MOST).removesuffix(EXACTLY)]
                self.across[key] = of._replace(text=key)

    def _add_around(self, node: Across | AcrossFlag, rows: Rows, subject: Subject, made: _Condition) -> None:
        name = figure_name(node, subject.told)
        for ending in ("", AT_MOST, EXACTLY):
            if any(column.key == ("around", name + ending) for column in made.keys):
                self._add_figure_around(node, name + ending, rows, subject)

    def _add_figure_around(self, node: Across | AcrossFlag, name: str, rows: Rows, subject: Subject) -> None:
        done = self.around_of.setdefault(name, set())
        owners = np.array([row for row in rows.tolist() if row not in done], np.intp)
        if not owners.size:
            return
        done.update(owners.tolist())
        pairs = members(node, owners, self.points, self.all_areas)
        common = None if node.quantity or node.over == "upstream" else Measure(plain_base(subject.unit))
        table, units = self.table, self.units
        program = compile_across(
            node, self.points, self.areas, self.measures, table, subject.told, units, pairs, common
        )
        self.around.append(program._replace(text=name))
        for key, needed in program.needs:
            self._need(key, needed)

    def _number(self, guards: tuple[Guard, Guard]) -> Steps[RuleBook]:
        yield from self.programs.finishing()
        book = RuleBook()
        book.rules, book.points, book.programs = self.rules, self.points, self.programs
        book.areas, book.area_of = tuple(area.id for area in self.areas), self.area_of
        places = {place.id: place for place in self.site.places}
        book.communities = tuple(_community(area, places) for area in self.areas)
        book.rows, book.cameras = len(self.points), self.cameras
        book.camera_rows = book.rows + len(self.areas)
        book.all_rows = book.camera_rows + len(self.cameras)
        book.digests = self.digests
        book.across, book.clauses = tuple(self.across.values()), self.clauses
        book.around = tuple(self.around)
        yield
        sizes = [len(block.rows) for block in self.blocks]
        row = _joined([block.rows for block in self.blocks], np.intp)
        order = np.argsort(row, kind="stable")  # by row, then by rule
        block_of = np.repeat(np.arange(len(self.blocks)), sizes)[order]
        begins = np.cumsum(sizes, dtype=np.intp) - sizes
        within = (np.arange(len(row)) - np.repeat(begins, sizes))[order]
        yield
        book.instances = len(order)
        book.row = row[order]
        book.area = _joined([block.area for block in self.blocks], np.intp)[order]
        book.rule = np.array([block.rule for block in self.blocks], np.int32)[block_of]
        book.levels = np.array([block.levels for block in self.blocks], np.intp)[block_of]
        book.first = np.cumsum(book.levels) - book.levels
        book.slots = int(book.levels.sum())
        yield
        book.moves_alone = np.array([block.alone for block in self.blocks], np.bool_)[block_of]
        book.quality = np.array([rule.kind == "data_quality" for rule in self.rules], np.bool_)[book.rule]
        book.flat = np.array([block.flat for block in self.blocks], np.bool_)[block_of]
        book.seen = np.array([bool(block.kinds) for block in self.blocks], np.bool_)[block_of]
        book.of_area = np.array([block.of_area for block in self.blocks], np.bool_)[block_of]
        yield from self._number_slots(book, block_of, within)
        book.start = np.searchsorted(book.row, np.arange(book.all_rows + 1)).astype(np.intp)
        yield
        book.windows = {}
        for duration, statistics in sorted(self.windows.items()):
            book.windows[duration] = {}
            for statistic, rows in statistics.items():
                book.windows[duration][statistic] = np.unique(np.concatenate(rows))
                yield
        book.warned = {what: np.unique(np.concatenate(rows)) for what, rows in self.warned.items()}
        yield from self._seen_by(book, block_of)
        book.counted = frozenset(key for key in self.keys if key[0] in COUNTED)
        book.events = frozenset(key for key in self.keys if key[0] == "events")
        book.calendar = Calendar(self.site.zone, self.site.holidays)
        book.reading_guard = guards[0].finish()
        yield
        book.tick_guard = guards[1].finish()
        book.targets = {name: self.table[f"level:{name}"] for name in LEVELS} | {"limit": self.table["limit"]}
        book.constants = self.table
        book.below = np.array([point.limit_below for point in self.points], np.bool_)
        book.index = np.array([point.index for point in self.points], np.int64)
        book.area_members = yield from self._members()
        return book

    def _members(self) -> Steps[tuple[Rows, Rows, Rows]]:
        pairs = []
        for row, point in enumerate(self.points):
            pairs += [(self.area_of[area], row) for area in point.areas if area in self.area_of]
            if row % 1000 == 0:
                yield
        members = np.array(pairs, np.intp).reshape(-1, 2)
        members = members[np.argsort(members[:, 0], kind="stable")]
        areas, starts = np.unique(members[:, 0], return_index=True)
        return np.ascontiguousarray(members[:, 1]), areas, starts.astype(np.intp)

    def _number_slots(self, book: RuleBook, block_of: Rows, within: Rows) -> Steps[None]:
        first_part = np.array([block.first for block in self.blocks], np.intp)
        slot_instance = np.repeat(np.arange(book.instances), book.levels)
        slot_part = np.arange(book.slots) - book.first[slot_instance]
        part = (first_part[block_of] if book.instances else block_of)[slot_instance] + slot_part
        offset = within[slot_instance]
        columns = list(zip(*self.parts, strict=True)) or [()] * len(_Part._fields)
        rank, hold, clear_after, samples, when, clear, clause = columns
        yield
        book.rank = np.array(rank, np.uint8)[part]
        book.hold = np.array(hold, np.float64)[part]
        book.clear_after = np.array(clear_after, np.float64)[part]
        yield
        book.samples = np.array(samples, np.uint8).reshape(-1, 2)[part]
        book.sampled = bool(book.samples.any())
        book.clause = np.array(clause, np.intp)[part]
        yield
        begun = np.array(when, np.intp).reshape(-1, 2)[part].T
        left = np.array(clear, np.intp).reshape(-1, 2)[part].T
        yield
        book.when = (np.ascontiguousarray(begun[0]), begun[1] + offset)
        book.clear = (np.ascontiguousarray(left[0]), left[1] + offset)
        book.level_offset = np.full((book.instances, len(LEVELS) + 1), -1, np.int8)
        book.level_offset[slot_instance, book.rank] = slot_part
        yield

    def _seen_by(self, book: RuleBook, block_of: Rows) -> Steps[None]:
        found: dict[tuple[str, int], list[int]] = {}
        for instance in np.flatnonzero(book.seen).tolist():
            for kind in self.blocks[block_of[instance]].kinds:
                found.setdefault((kind, int(book.area[instance])), []).append(instance)
            yield
        book.seen_by = {key: np.array(instances, np.intp) for key, instances in found.items()}


def _alone(keys: set[Column]) -> bool:
    return any(column.key[0] in MOVES_ALONE for column in keys)


def _falls(keys: set[Column]) -> bool:
    """Tell whether a condition may come to hold because a window loses readings: it asks how many there are at most."""
    return any(column.key[0] == "count" and column.bound for column in keys)


def _community(area: Area, places: dict[str, Place]) -> str:
    """Name the community that an area lies in; its place, or the area itself, where there is none."""
    place = places.get(area.place)
    while place is not None and place.kind != "community":
        place = places.get(place.parent) if place.parent else None
    return place.id if place is not None else area.place or area.id


def _of_area(keys: set[Column]) -> bool:
    return any(column.area or column.key[0] == "around" for column in keys)


def _joined(arrays: list[Rows], kind: type[np.intp]) -> Rows:
    return np.concatenate(arrays).astype(kind) if arrays else np.empty(0, kind)


OF_CAMERA = ("fault", "judged")
OF_POINT = ("alarm", "flat", "flagged", "beyond", "warned", "limit", "level", "normal_low", "normal_high", "interval")


def _refuse_features(scope: str, parts: Sequence[Node]) -> None:
    """Refuse what a point, an area or a camera does not have."""
    for part in parts:
        name = getattr(part, "name", "")
        if scope != "point" and isinstance(part, Across | AcrossFlag) and part.over != "area":
            raise ExpressionError(f"{part.over}.… speaks of a point: write it in a rule with scope: point", part.column)
        if scope != "camera":
            if name in OF_CAMERA:
                raise ExpressionError(f"'{name}' is a camera's: write it in a rule with scope: camera", part.column)
            if scope == "area" and (isinstance(part, Feature) or name in OF_POINT):
                message = f"a rule on areas has no '{name}' of its own; write area.max(…{name}…)"
                raise ExpressionError(message, part.column)
        elif (isinstance(part, Feature) and name != "age") or name in OF_POINT:
            message = f"a rule on cameras has no '{name}'; it has fault('…'), judged, age, seen(…) and area.…(…)"
            raise ExpressionError(message, part.column)


def _refuse_days(site: Site, parts: Sequence[Node]) -> None:
    """Refuse to ask for holidays where the site does not say whose."""
    for part in parts:
        if isinstance(part, Flag) and part.name in ("holiday", "workday") and not site.holidays:
            message = f"'{part.name}' needs to know whose holidays: write `holidays: CN` in site.yaml"
            raise ExpressionError(message, part.column)


def _refuse_modes(known: Collection[str], parts: Sequence[Node]) -> None:
    """Refuse to ask for a mode that the site does not have."""
    for part in parts:
        if isinstance(part, Flag) and part.name == "mode" and part.kind not in known:
            message = f"'{part.kind[:40]}' is no mode of this site{suggest(part.kind, known)}"
            raise ExpressionError(f"{message}: {', '.join(sorted(known)) or 'it has none'}", part.column)


def _constants(points: Sequence[Point]) -> Iterator[tuple[str, list[float]]]:
    """Lay out what the registry says of points as columns; NaN where it says nothing."""
    nan = float("nan")
    yield "limit", [nan if point.limit is None else point.limit for point in points]
    yield "normal_low", [nan if point.normal is None else point.normal[0] for point in points]
    yield "normal_high", [nan if point.normal is None else point.normal[1] for point in points]
    yield "interval", [point.interval for point in points]
    for name in LEVELS:
        yield f"level:{name}", [point.levels.get(name, nan) for point in points]
