"""Rules in a notebook: run them over a table of readings as the live engine would, and see what decided.

What is run is scoring and conditions, second by second. What the desk does with a condition, such as grouping, modes of
the site, latches and chattering, is for `foreshock replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from models.evaluation.plot import Band, Panel, fragment
from models.notebook import Scorer, by_tick, known
from rules.compiler import RuleBook, compile_rules
from rules.evaluation import Evaluator
from rules.explanation import Change, Term
from rules.rule import Rule, covered_points, load_rules
from rules.why import terms
from sensors.flags import RULED_BITS
from sensors.history import HistoryError, moments, pandas, unix_seconds
from sensors.observation import CameraEvent, Report
from sensors.problem import suggest
from sensors.registry import load_site
from sensors.site import LEVELS, Point, Site

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("none", *LEVELS)
MOST_TERMS = 5_000_000
"""Values of clauses kept at most: half a gigabyte."""


class Plot:
    """A picture that a notebook shows by itself; `html` is what it shows."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html

    def save(self, file: Path | str) -> None:
        """Write the picture as a page of its own. Raise `OSError` when it cannot be written."""
        page = f'<!doctype html>\n<html lang="en"><meta charset="utf-8">{self.html}</html>\n'
        Path(file).write_text(page, encoding="utf-8")


class Run:
    """What rules made of a history.

    Times are in the site's zone. `transitions`: a row for each change of a condition's level: `time` (arrival), `rule`,
    `scope`, `area`, `before`, `after`, `onset` (since when it has held, by the point's clock), `clause`, `why` (the
    terms that held) and `reason`.
    `values`: the clauses' terms, by second with a reading: `time`, `rule`, `scope`, `level`, `part` (when or clear),
    `term`, `value`, `op`, `threshold`, `unit`, `holds` (none is unknown).
    """

    def __init__(
        self, history: pd.DataFrame, rules: Sequence[Rule], transitions: pd.DataFrame, values: pd.DataFrame, site: Site
    ) -> None:
        self.history, self.rules, self.transitions, self.values = history, tuple(rules), transitions, values
        self.site = site

    @property
    def alarms(self) -> pd.DataFrame:
        """One row an alarm: `rule`, `scope`, `begun`, `ended` (none while it lasts) and the `highest` level."""
        up: dict[tuple[str, str], list[Any]] = {}
        found = []
        for one in self.transitions.itertuples():
            key = (one.rule, one.scope)
            if one.after == "none":
                alarm = up.pop(key)
                alarm[3] = one.time
            elif key not in up:
                found.append([one.rule, one.scope, one.time, pandas().NaT, one.after])
                up[key] = found[-1]
            elif NAMES.index(one.after) > NAMES.index(up[key][4]):
                up[key][4] = one.after
        return pandas().DataFrame(found, columns=["rule", "scope", "begun", "ended", "highest"])

    def plot(self, scope: str = "", rule: str = "") -> Plot:
        """Draw a scope's readings and each number that its rule compares, with limits, under the levels as bands.

        By default the scope, and the rule, that changed first. Raise `HistoryError` where nothing is known of them.
        """
        known = self.transitions if len(self.transitions) else self.values
        if not (rule and scope) and not len(known):
            raise HistoryError("no condition changed and no values were kept: name a rule and a scope")
        chosen = known[(known["rule"] == (rule or known["rule"])) & (known["scope"] == (scope or known["scope"]))]
        if not len(chosen):
            raise HistoryError(f"nothing is known of {rule or 'any rule'} at {scope or 'any scope'}")
        rule, scope = chosen.iloc[0]["rule"], chosen.iloc[0]["scope"]
        bands = self._bands(rule, scope)
        panels: list[Panel] = []
        read = self.history[self.history["point"] == scope]
        unit = next((point.unit for point in self.site.points if point.id == scope), "")
        if len(read):
            value = read["value"].to_numpy(np.float64)
            panels.append(Panel(scope, unix_seconds(read["time"]), value, bands=bands, note=unit, zone=self.site.zone))
        mine = self.values[(self.values["rule"] == rule) & (self.values["scope"] == scope) & (self.values["op"] != "")]
        for (term, of), told in mine.groupby(["term", "unit"], sort=False):
            limits = told.loc[told["part"] == "when", "threshold"].dropna()
            limit = float(limits.iloc[0]) if len(limits) else None
            if term == "value" and len(read):
                panels[0] = msgspec.structs.replace(panels[0], limit=limit)
                continue
            once = told[~told["time"].duplicated()]
            number = np.where(np.isfinite(once["value"]), once["value"], np.nan)
            panels.append(
                Panel(
                    str(term),
                    unix_seconds(once["time"]),
                    number,
                    bands=bands,
                    limit=limit,
                    note=str(of),
                    zone=self.site.zone,
                )
            )
        return Plot(fragment(panels, self.site.language))

    def _bands(self, rule: str, scope: str) -> list[Band]:
        moved = self.transitions[(self.transitions["rule"] == rule) & (self.transitions["scope"] == scope)]
        times = [*unix_seconds(moved["time"]).tolist()]
        ends = [*times[1:], float(unix_seconds(self.history["time"]).max())]
        return [
            Band(begin, max(begin, end), level, level)
            for begin, end, level in zip(times, ends, moved["after"], strict=False)
            if level != "none"
        ]


def load(folder: Path | str) -> tuple[Site, dict[str, Rule]]:
    """Load a site and its rules, by id. Raise `DocumentError` with every mistake: file, line, field, column."""
    site = load_site(Path(folder))
    return site, {rule.id: rule for rule in load_rules(Path(folder) / "rules", site, Path(folder))}


def variant(rule: Rule, changes: Mapping[str, Any]) -> Rule:
    """Return the rule with fields changed, named as `rules diff` does: `{"levels.orange.when": "value > 59 A"}`.

    Its own tests are not run: to publish it, write it into the site's folder. Raise `ValueError` on a field or value
    that a rule does not have.
    """
    plain: dict[str, Any] = msgspec.to_builtins(rule)
    for field, value in changes.items():
        *path, last = field.split(".")
        place = plain
        for name in path:
            if place.get(name) is None:
                if name not in place:
                    raise ValueError(f"a rule has no {field}{suggest(name, place)}")
                place[name] = {}
            place = place[name]
            if not isinstance(place, dict):
                raise ValueError(f"{name} has no fields; change it as a whole")
        place[last] = value
    try:
        return msgspec.convert(plain, Rule)
    except msgspec.ValidationError as error:
        raise ValueError(f"a rule cannot be so: {error}") from None


def run(
    rules: Rule | Sequence[Rule],
    history: pd.DataFrame,
    site: Site,
    *,
    events: Sequence[CameraEvent | Report] = (),
    scopes: Sequence[str] | None = None,
    tick: float = 1.0,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Run rules over a table of readings (`sensors.history`), and over what cameras saw and people reported.

    Baselines and windows begin empty, with the first reading. The clock ticks every `tick` seconds, from the first
    arrival to the last: live it is every second, and a coarser one is sooner done, with delays and figures across the
    area up to so much late. Values of clauses are kept for `scopes`, by default for all if there are at most eight.
    `advance` is told ticks done, and all. Raise `HistoryError` where the rules cover nothing of it, and `CompileError`
    on a condition that does not fit.
    """
    if not tick > 0:
        raise HistoryError("a tick takes time: give `tick` in seconds")
    chosen = (rules,) if isinstance(rules, Rule) else tuple(rules)
    if not len(history):
        raise HistoryError("the table holds no reading")
    _, points = known(history, site)
    stage = _Stage(chosen, history, site, points, scopes)
    stage.play(sorted(events, key=lambda one: one.received), tick, advance)
    return Run(history, chosen, stage.transitions(), stage.values(), site)


class _Stage:
    """One engine's scoring and conditions over one table."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        history: pd.DataFrame,
        site: Site,
        points: tuple[Point, ...],
        scopes: Sequence[str] | None,
    ) -> None:
        self.scorer, self.zone = Scorer(history, site, points), site.zone
        areas = {name for point in points for name in point.areas}
        book = self.book = compile_rules(rules, site, points, areas)
        if not book.instances:
            every = {area.id: area for area in site.areas}
            some = [site.points[at].id for rule in rules for at, _ in covered_points(rule, site.points, every)][:3]
            raise HistoryError(
                f"{', '.join(rule.id for rule in rules)}: covers no point of the table"
                + (f"; it covers {', '.join(some)} and the like" if some else "")
            )
        self.evaluator = Evaluator(book, self.scorer.bank)
        self.changes: list[Change] = []
        self.kept = _kept(book, scopes)
        self.told: list[tuple[float, int, str, str, Term]] = []

    def play(self, events: list[CameraEvent | Report], tick: float, advance: Callable[[int, int], None]) -> None:
        """Give readings, events and ticks in the order of their arrival; ticks are counted in `tick` seconds."""
        received = self.scorer.received
        batches = {int(np.ceil(received[start] / tick)): (start, stop) for start, stop in by_tick(received, tick)}
        seen: dict[int, list[CameraEvent | Report]] = {}
        for event in events:
            seen.setdefault(int(np.ceil(event.received / tick)), []).append(event)
        wanted = sorted({*batches, *seen})
        first, last, after = wanted[0], wanted[-1], iter([*wanted[1:], wanted[-1] + 1])
        at, coming = first, next(after)
        while at <= last:
            heard: set[int] = set()
            for event in seen.get(at, ()):
                self._event(event)
                heard = set(self.kept)
            if at in batches:
                heard |= self._readings(*batches[at])
            self.scorer.bank.drive()
            moved = self.evaluator.tick(at * tick)
            self._note(moved)
            self._keep(at * tick, heard, moved)
            advance(at - first, last - first)
            if at + 1 >= coming or (self.evaluator.idle and self.scorer.bank.drivers is None):
                at, coming = coming, next(after, last + 1)
            else:
                at += 1

    def transitions(self) -> pd.DataFrame:
        """Lay the changes out as a table."""
        rows = [
            (
                change.rule.id,
                change.scope,
                change.area,
                NAMES[change.before],
                NAMES[change.after],
                change.why.clause if change.why else "",
                "; ".join(_said(term) for term in change.why.terms if term.holds) if change.why else "",
                change.why.score_reason if change.why else "",
            )
            for change in self.changes
        ]
        names = ["rule", "scope", "area", "before", "after", "clause", "why", "reason"]
        found: pd.DataFrame = pandas().DataFrame(rows, columns=names)
        found.insert(0, "time", self._moments([change.time for change in self.changes]))
        found.insert(6, "onset", self._moments([change.onset for change in self.changes]))
        return found

    def values(self) -> pd.DataFrame:
        """Lay the clauses' terms out as a table."""
        book = self.book
        rows = [
            (
                book.rules[int(book.rule[instance])].id,
                book.scope(instance),
                level,
                part,
                term.name,
                np.nan if term.value is None else term.value,
                term.op,
                np.nan if term.threshold is None else term.threshold,
                term.unit,
                term.holds,
            )
            for _, instance, level, part, term in self.told
        ]
        names = ["rule", "scope", "level", "part", "term", "value", "op", "threshold", "unit", "holds"]
        found: pd.DataFrame = pandas().DataFrame(rows, columns=names)
        found.insert(0, "time", self._moments([one[0] for one in self.told]))
        return found

    def _moments(self, times: list[float]) -> pd.DatetimeIndex:
        return moments(np.array(times, np.float64)).tz_convert(self.zone)

    def _readings(self, start: int, stop: int) -> set[int]:
        scorer, clock = self.scorer, float(self.scorer.received[stop - 1])
        heard: set[int] = set()
        for taken in scorer.take(start, stop):
            some = np.flatnonzero(taken.flags & np.uint16(RULED_BITS))
            received = scorer.received[taken.at]
            if len(some):
                self.evaluator.mark(taken.rows[some], taken.flags[some], received[some])
            time, value, quality = scorer.time[taken.at], scorer.value[taken.at], scorer.quality[taken.at]
            self._note(self.evaluator.readings(taken.rows, time, value, quality, received, taken.result, clock))
            heard |= {instance for instance, row in self.kept.items() if row >= self.book.rows or row in taken.rows}
        return heard

    def _event(self, event: CameraEvent | Report) -> None:
        if isinstance(event, Report):
            seen = CameraEvent(
                area=event.area,
                camera="report",
                kind=f"report-{event.category}",
                event=event.id,
                time=event.time,
                received=event.received,
                quality=event.quality,
            )
            self._note(self.evaluator.event(seen, event.received, event))
        else:
            self._note(self.evaluator.event(event, event.received))

    def _note(self, changes: list[Change]) -> None:
        self.changes += changes
        for fault in self.evaluator.take_faults():
            raise HistoryError(f"a rule could not be evaluated: {fault.what}")

    def _keep(self, second: float, heard: set[int], moved: list[Change]) -> None:
        changed = {(change.rule.id, change.scope) for change in moved}
        for instance in self.kept:
            rule = self.book.rules[int(self.book.rule[instance])].id
            if instance in heard or (rule, self.book.scope(instance)) in changed:
                self.told += [(second, instance, *one) for one in terms(self.evaluator, instance)]
        if len(self.told) > MOST_TERMS:
            raise HistoryError(
                f"more than {MOST_TERMS:,} values of clauses; name fewer `scopes`, or take a shorter time"
            )


def _kept(book: RuleBook, scopes: Sequence[str] | None) -> dict[int, int]:
    """Choose the instances of which values are kept, with their rows."""
    every = {instance: book.scope(instance) for instance in range(book.instances)}
    if scopes is None:
        scopes = list(every.values()) if len(every) <= 8 else []
    missing = [name for name in scopes if name not in every.values()]
    if missing:
        raise HistoryError(f"the rules do not look at {', '.join(missing)}{suggest(missing[0], every.values())}")
    return {instance: int(book.row[instance]) for instance, scope in every.items() if scope in scopes}


def _said(term: Term) -> str:
    """Write a term that held."""
    if not term.op or term.value is None:
        return term.name
    return f"{term.name} {term.op} {term.threshold:.6g} {term.unit}".strip() + f": {term.value:.6g}"
