"""State of an evaluator as plain arrays, and its way into another one: after a restart, or under changed rules.

Points are known by their registry index, instances by a hash of their scope and of what decides in their rule: what is
the same in both books carries over, whatever else changed. Of a rule that was changed each level carries over that
decides as it did, wherever the rule still looks. Only instances that are not at rest are written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from rules import rising, surges
from rules.cameras import Noted
from rules.events import Sighting
from rules.explanation import Withdrawn
from rules.features import PointState
from rules.reports import Tally
from rules.sequences import Heard
from rules.watch import Outage
from rules.why import evidence
from sensors.renames import Renames

if TYPE_CHECKING:
    from rules.compiler import RuleBook
    from rules.evaluation import Evaluator

VERSION = 2  # 1 hashed all of a rule: its raised conditions are known by rule and scope
LATER = ("away", "historical", "offline", "flagged")
"""What states of this version did not always have of a point; it stays as it is before the first reading."""

State = dict[str, npt.NDArray[Any]]


class Notes(msgspec.Struct, frozen=True):
    """What does not fit arrays."""

    version: int
    clock: float
    raised: list[tuple[int, str, str, str]]  # place among the written instances, rule, scope, area
    sightings: list[Sighting]
    across: list[tuple[str, str, float, list[str]]]  # figure, area, value, points that speak for it
    real: list[tuple[str, str, float | None]] = []  # the value without simulated readings, where it is another one
    ticked: float = -math.inf  # where the arrival clock stood at the last tick
    gone: list[tuple[int, str]] = []  # index of a point that is offline, the source that says so
    cameras: list[Noted] = []
    tallies: list[Tally] = []
    surges: list[surges.Noted] = []
    rising: rising.Noted | None = None
    heard: list[Heard] = []
    around: list[str] = []  # figures around points; their values are arrays
    watched: dict[str, float] = {}  # as `Watch` names them
    outages: list[Outage] = []
    others: list[tuple[int, str, str, str]] = []  # as `raised`: those of which only a `when` holds or a delay runs
    levels: dict[str, dict[int, bytes]] = {}  # of the rules of both: by rank, a hash of what decides


def state_of(evaluator: Evaluator, renames: Renames) -> State:
    """Return an evaluator's state as arrays, under the ids that `renames` gives."""
    book = evaluator.book
    index = book.index
    state: State = {"point.index": index.copy()}
    for name in PointState.ARRAYS:
        state[f"point.{name}"] = getattr(evaluator.points, name).copy()
    for duration, figures, rows, arrays in evaluator.windows.state():
        state[f"window.{duration!r}:{figures}.index"] = index[rows]
        for name, array in arrays.items():
            state[f"window.{duration!r}:{figures}.{name}"] = array
    for what in evaluator.warned.targets:
        rows, kept = evaluator.warned.state(what)
        state[f"warned.{what}.index"], state[f"warned.{what}.kept"] = index[rows], kept
    awake = evaluator.awake | evaluator.running
    if book.sampled:
        awake[np.repeat(np.arange(book.instances), book.levels)[evaluator.sampled > 0]] = True
    active = np.flatnonzero(awake)
    area = [renames.area(name) for name in book.areas]

    def scope(instance: int) -> str:
        return renames.scope(book.scope(instance), kind=book.rules[book.rule[instance]].scope)

    keys = b"".join(book.key_at(int(instance), scope(int(instance))) for instance in active)
    state["instance.key"] = np.frombuffer(keys, "<u8").reshape(-1, 2).copy()
    unseen = b"".join(book.key_at(int(instance), scope(int(instance))) for instance in np.flatnonzero(evaluator.unseen))
    if unseen:
        state["instance.unseen"] = np.frombuffer(unseen, "<u8").reshape(-1, 2).copy()
    state["instance.current"] = evaluator.current[active]
    state["instance.by_simulation"] = evaluator.by_simulation[active]
    state["instance.real"] = evaluator.real[active]
    state["instance.calm_since"] = evaluator.calm_since[active]
    held = np.full((len(active), 5), np.nan)
    for place, instance in enumerate(active):
        slots = slice(int(book.first[instance]), int(book.first[instance] + book.levels[instance]))
        held[place, book.rank[slots]] = evaluator.held_since[slots]
    state["instance.held_since"] = held
    if book.sampled:
        state["instance.sampled"], state["instance.sampled_ago"] = _samples(evaluator, active)
    for place, text in enumerate(sorted(evaluator.around)):
        state[f"around.{place}.value"] = evaluator.around[text].copy()
        state[f"around.{place}.real"] = evaluator.around_real[text].copy()
    counted, arrays = evaluator.surges.state()
    state |= arrays
    named = [
        (place, book.rules[book.rule[instance]].id, scope(int(instance)), area[book.area[instance]])
        for place, instance in enumerate(active)
    ]
    up = evaluator.current[active].tolist()
    notes = Notes(
        VERSION,
        float(evaluator.clock),
        [one for one, level in zip(named, up, strict=True) if level],
        [
            msgspec.structs.replace(
                one,
                area=renames.area(one.area),
                camera=renames.cameras.get(one.camera, one.camera),
                told=one.told
                and msgspec.structs.replace(one.told, camera=renames.cameras.get(one.told.camera, one.told.camera)),
            )
            for one in evaluator.sightings.state()
        ],
        [
            (text, area[place], float(values[place]), _points(evidence(evaluator, text, int(place)), renames))
            for text, values in evaluator.across.items()
            for place in np.flatnonzero(~np.isnan(values))
        ],
        [
            (text, area[place], None if np.isnan(values[place]) else float(values[place]))
            for text, values in evaluator.across_real.items()
            for place in np.flatnonzero(~np.isnan(evaluator.across[text]) & (values != evaluator.across[text]))
        ],
        float(evaluator.points.ticked),
        [(int(index[row]), source) for row, source in evaluator.gone.items()],
        [
            msgspec.structs.replace(one, camera=renames.cameras.get(one.camera, one.camera))
            for one in evaluator.cameras.state()
        ],
        evaluator.tallies.state(),
        [surges.renamed(one, renames) for one in counted],
        rising.renamed(evaluator.rising.state(), renames) if evaluator.book.counted else None,
        [msgspec.structs.replace(one, area=renames.area(one.area)) for one in evaluator.sequences.state()],
        sorted(evaluator.around),
        evaluator.watch.state(),
        evaluator.watch.outages(),
        [one for one, level in zip(named, up, strict=True) if not level],
        {book.rules[rule].id: book.decides(rule) for rule in np.unique(book.rule[active]).tolist()},
    )
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes), np.uint8).copy()
    return state


def _samples(evaluator: Evaluator, active: npt.NDArray[np.intp]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return by instance and rank at which of its last readings a level held, and how many readings ago that was."""
    book = evaluator.book
    sampled, ago = np.zeros((len(active), 5), np.uint64), np.zeros((len(active), 5), np.int64)
    for place, instance in enumerate(active.tolist()):
        row = int(book.row[instance])
        if row < book.rows:
            slots = slice(int(book.first[instance]), int(book.first[instance] + book.levels[instance]))
            sampled[place, book.rank[slots]] = evaluator.sampled[slots]
            ago[place, book.rank[slots]] = evaluator.read_count[row] - evaluator.sampled_at[slots]
    return sampled, ago


def _points(ids: list[str], renames: Renames) -> list[str]:
    return [renames.points.get(id, id) for id in ids]


def restore_into(evaluator: Evaluator, state: Mapping[str, npt.NDArray[Any]]) -> list[Withdrawn]:
    """Take a state over into a fresh evaluator; return raised conditions that it has no place for."""
    try:
        notes = msgspec.msgpack.decode(state["notes"].tobytes(), type=Notes)
        if notes.version not in (1, VERSION):
            raise ValueError(f"state of version {notes.version}, expected {VERSION}")
        _restore_points(evaluator, state)
        let_go = evaluator.cameras.restore(notes.cameras)
        withdrawn = _restore_instances(evaluator, state, notes, let_go)
    except (KeyError, IndexError, msgspec.DecodeError) as error:
        raise ValueError(f"not a state of rules: {error}") from error
    sources = dict(notes.gone)
    evaluator.gone = {
        row: sources.get(evaluator.book.points[row].index, "")
        for row in np.flatnonzero(evaluator.points.offline).tolist()
    }
    evaluator.clock = notes.clock
    evaluator.points.ticked = notes.ticked
    evaluator.watch.restore(notes.watched, notes.outages)
    evaluator.sightings.restore(notes.sightings)
    for sighting in notes.sightings:
        evaluator.watch.heard(sighting.kind, notes.clock)
    evaluator.tallies.restore(notes.tallies)
    evaluator.sequences.restore(notes.heard)
    index = evaluator.book.index
    source, target = _matched(state["point.index"], index)
    for number, text in enumerate(notes.around):
        if text in evaluator.around:
            evaluator.around[text][target] = state[f"around.{number}.value"][source]
            evaluator.around_real[text][target] = state[f"around.{number}.real"][source]
    evaluator.surges.restore(notes.surges, state)
    if notes.rising is not None:
        evaluator.rising.restore(notes.rising, notes.clock)
    for text, area, value, points in notes.across:
        place = evaluator.book.area_of.get(area)
        if text in evaluator.across and place is not None:
            evaluator.across[text][place] = evaluator.across_real[text][place] = value
            evaluator.evidence[text, place] = points
    for text, area, without in notes.real:
        place = evaluator.book.area_of.get(area)
        if text in evaluator.across and place is not None:
            evaluator.across_real[text][place] = np.nan if without is None else without
    return withdrawn


def _restore_points(evaluator: Evaluator, state: Mapping[str, npt.NDArray[Any]]) -> None:
    index = evaluator.book.index
    source, target = _matched(state["point.index"], index)
    for name in PointState.ARRAYS:
        if name in LATER and f"point.{name}" not in state:
            continue
        mine, kept = getattr(evaluator.points, name), state[f"point.{name}"]
        if name == "flagged" and kept.shape[1] < mine.shape[1]:  # flags are only ever added at the end
            mine[target, : kept.shape[1]] = kept[source]
            continue
        mine[target] = kept[source]
    evaluator.been_away = bool(evaluator.points.away.any())
    evaluator.points.marked = bool((evaluator.points.simulated | evaluator.points.historical).any())
    for prefix in [key.removesuffix("index") for key in state if key.startswith("window.") and key.endswith(".index")]:
        duration = float(prefix.removeprefix("window.").removesuffix(".").partition(":")[0])
        source, target = _matched(state[prefix + "index"], index)
        arrays = {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}
        evaluator.windows.restore(duration, arrays, source, target)
    for what in [key.split(".")[1] for key in state if key.startswith("warned.") and key.endswith(".index")]:
        source, target = _matched(state[f"warned.{what}.index"], index)
        evaluator.warned.restore(what, target, state[f"warned.{what}.kept"][source])


def _restore_instances(
    evaluator: Evaluator, state: Mapping[str, npt.NDArray[Any]], notes: Notes, let_go: set[int]
) -> list[Withdrawn]:
    """Take instances over, but for those of cameras that are `let_go`: what is unknown of them would never clear."""
    book = evaluator.book
    keys = np.ascontiguousarray(state["instance.key"])
    wanted = {keys[place].tobytes(): place for place in range(len(keys))}
    found: set[int] = set()
    whole: set[int] = set()  # instances of which all is known
    # a state from before this was kept: what is real is then said once more, which harms nobody
    by_simulation = state.get("instance.by_simulation", state["instance.current"] > 0)
    real = state.get("instance.real", np.where(by_simulation, 0, state["instance.current"]))
    named = {(rule, scope): place for place, rule, scope, _ in notes.raised} if notes.version == 1 else {}
    some: Iterable[int] = ()
    if named:
        some = range(book.instances)
    elif wanted:
        some = _in(book, keys)
    if wanted:
        for instance in some:
            place = wanted.get(book.key(instance))
            if place is None and named:
                place = named.get((book.rules[book.rule[instance]].id, book.scope(instance)))
            if place is None or int(book.row[instance]) - book.camera_rows in let_go:
                continue
            found.add(place)
            whole.add(instance)
            slots = slice(int(book.first[instance]), int(book.first[instance] + book.levels[instance]))
            evaluator.current[instance] = state["instance.current"][place]
            evaluator.by_simulation[instance] = by_simulation[place]
            evaluator.real[instance] = real[place]
            evaluator.calm_since[instance] = state["instance.calm_since"][place]
            evaluator.held_since[slots] = state["instance.held_since"][place, book.rank[slots]]
            if book.sampled and "instance.sampled" in state:
                evaluator.sampled[slots] = state["instance.sampled"][place, book.rank[slots]]
                evaluator.sampled_at[slots] = -state["instance.sampled_ago"][place, book.rank[slots]]
    left = {
        (rule, scope, area): place for place, rule, scope, area in (*notes.raised, *notes.others) if place not in found
    }
    for instance, place, ranks in _of_changed(book, notes, left):
        if int(book.row[instance]) - book.camera_rows in let_go:
            continue
        if instance not in whole:  # else it was there in rules that take force from the shadow, and goes on as there
            slots = book.first[instance] + book.level_offset[instance, ranks]
            evaluator.held_since[slots] = state["instance.held_since"][place, ranks]
            if book.sampled and "instance.sampled" in state:
                evaluator.sampled[slots] = state["instance.sampled"][place, ranks]
                evaluator.sampled_at[slots] = -state["instance.sampled_ago"][place, ranks]
        if state["instance.current"][place] in ranks:
            found.add(place)
            evaluator.current[instance] = state["instance.current"][place]
            evaluator.by_simulation[instance] = by_simulation[place]
            evaluator.real[instance] = real[place] if real[place] in ranks else 0
            evaluator.calm_since[instance] = state["instance.calm_since"][place]
    if "instance.unseen" in state:
        unseen = np.ascontiguousarray(state["instance.unseen"])
        new = {key.tobytes() for key in unseen}
        for instance in _in(book, unseen):
            evaluator.unseen[instance] = book.key(instance) in new
    evaluator.settle()
    return [
        Withdrawn(rule, scope, area, int(state["instance.current"][place]))
        for place, rule, scope, area in notes.raised
        if place not in found
    ]


def _of_changed(
    book: RuleBook, notes: Notes, left: Mapping[tuple[str, str, str], int]
) -> Iterator[tuple[int, int, list[int]]]:
    """Give the instances of changed rules that are `left` (rule, scope, area), and the ranks that decide as they did.

    Of each its number, its place in the state, and the ranks.
    """
    before = {rule: notes.levels.get(rule, {}) for rule, _, _ in left}
    same = {
        number: ranks
        for number, rule in enumerate(book.rules)
        if rule.id in before
        and (ranks := [rank for rank, decides in book.decides(number).items() if before[rule.id].get(rank) == decides])
    }
    for instance in np.flatnonzero(np.isin(book.rule, list(same))).tolist():
        number = int(book.rule[instance])
        area = book.areas[book.area[instance]]
        place = left.get((book.rules[number].id, book.scope(instance), area))
        if place is not None:
            yield instance, place, same[number]


def _in(book: RuleBook, keys: npt.NDArray[np.uint64]) -> list[int]:
    """List the instances that may have one of these keys."""
    found: list[int] = np.flatnonzero(np.isin(book.keys()[:, 0], keys[:, 0])).tolist()
    return found


def _matched(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return places in `old` and in `new` of the numbers they share."""
    if np.array_equal(old, new):
        return np.arange(len(old)), np.arange(len(new))
    _, source, target = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    return source, target
