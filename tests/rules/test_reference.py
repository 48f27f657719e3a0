"""Compiled rules decide as a slow, obvious reading of the language does: over random rules, series, gaps, batches."""

from __future__ import annotations

import math
import os
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rules.compiler import RuleBook, compile_rules
from rules.evaluation import Evaluator
from rules.expression import Across, AcrossFlag, Arithmetic, Compare, Logic, Node, parse
from sensors.observation import CameraEvent
from sensors.site import Mode, Point, Text
from tests.rules.reference import History, Level, Machine, Tie, World
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

SITE = msgspec.structs.replace(
    a_site(
        a_point("p0", unit="1", limit=5.0, levels={"red": 4.0}),
        a_point("p1", unit="1"),
        a_point("p2", unit="1", limit=-2.0, levels={"red": -1.0}, limit_below=True),
    ),
    modes=(Mode(id="works", name=Text(zh="", en="")), Mode(id="drill", name=Text(zh="", en=""))),
)
NAMES = [point.id for point in SITE.points]
NEAR = {name: [other for other in NAMES if other != name] for name in NAMES}
BEGIN = 1_767_275_400.0  # 21:50 at the site: the night begins during a story
SPANS = ("64s", "160s", "640s")

spans = st.sampled_from(SPANS)
loose = st.one_of(
    st.just("value"),
    st.builds("{}('{}')".format, st.sampled_from(["mean", "min", "max", "median"]), spans),
    st.builds("quantile('{}', {})".format, spans, st.sampled_from([0.1, 0.75, 0.9])),
)
own = st.one_of(
    st.just("score"), loose, st.builds("{}('{}')".format, st.sampled_from(["sum", "count", "spread", "delta"]), spans)
)
trends = st.one_of(
    st.builds(
        "{}('{}') {} {} 1/s".format,
        st.sampled_from(["rate", "slope"]), spans, st.sampled_from("<>"), st.sampled_from([-0.0371, 0.001713, 0.0917]),
    ),
    st.builds(
        "eta('{}') {} {} s".format,
        st.sampled_from(["limit", "red", "orange"]), st.sampled_from("<>"), st.sampled_from([9.5, 20.5, 90.5]),
    ),
    st.builds("flat('{}')".format, spans),
    st.builds("beyond('{}')".format, st.sampled_from(["limit", "red", "orange"])),
)  # fmt: skip
limits = st.integers(-6, 12).map(lambda number: str(number / 2))
signs = st.sampled_from([">", ">=", "<", "<=", "==", "!="])
compared = st.builds("{} {} {}".format, own, signs, limits)
sums = st.one_of(
    own,
    st.builds("({} {} {})".format, own, st.sampled_from(["+", "-"]), own),
    st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), own, own),
    st.builds("abs({})".format, own),
)
scenes = st.one_of(
    st.builds("seen('{}', '{}')".format, st.sampled_from("ab"), spans),
    st.builds("sequence('a', 'b', '{}')".format, spans),
    st.builds("count('{}', '{}') {} {}".format, st.sampled_from("ab"), spans, signs, st.integers(0, 3)),
    st.sampled_from(["night", "hour >= 22", "weekday == 4", "mode('works')", "not mode('drill')"]),
    st.builds(
        "{}.{}({}) {} {}".format,
        st.sampled_from(["area", "neighbours"]), st.sampled_from(["max", "min", "mean", "sum"]), own, signs, limits,
    ),
    st.builds("{}.{}({})".format, st.sampled_from(["area", "neighbours"]), st.sampled_from(["any", "all"]), compared),
    st.builds(
        "{}.count({}) {} {}".format,
        st.sampled_from(["area", "neighbours"]), compared, st.sampled_from([">=", "<", "=="]), st.integers(1, 2),
    ),
)  # fmt: skip
conditions = st.recursive(
    st.one_of(compared, st.builds("{} {} {}".format, sums, signs, limits), trends, scenes),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)
delays = st.sampled_from([0, 0, 20, 60])
a_level = st.fixed_dictionaries(
    {"when": conditions, "for": delays, "clear_after": delays},
    optional={"clear": conditions, "samples": st.sampled_from(["1 of 3", "2 of 3", "3 of 5"])},
)
held = st.builds("{} {} {}".format, loose, st.sampled_from([">", ">=", "<", "<="]), limits)
a_deadband = st.fixed_dictionaries(
    {
        "when": st.one_of(held, st.builds("({} {} {})".format, held, st.sampled_from(["and", "or"]), conditions)),
        "for": delays,
        "clear_after": delays,
        "deadband": st.sampled_from([0.5, 1.25]),
    }
)
beside = st.lists(
    st.one_of(
        st.fixed_dictionaries({"event": st.sampled_from("ab"), "within": st.sampled_from([64, 640])}),
        st.fixed_dictionaries(
            {"quantity": st.just("level"), "within": st.sampled_from([64, 640]), "above": st.sampled_from([0.5, 3.5])}
        ),
        st.fixed_dictionaries({"quantity": st.just("level"), "within": st.just(160), "below": st.just(1.5)}),
    ),
    min_size=1, max_size=2,
)  # fmt: skip
schedules = st.one_of(
    st.sampled_from([{"from": "21:55", "to": "06:00"}, {"from": "06:00", "to": "21:58"}]),
    st.sampled_from([{"days": ["thu"]}, {"days": ["fri"]}, {"from": "21:00", "to": "22:00", "days": ["thu", "sat"]}]),
)
rules = st.fixed_dictionaries(
    {
        "levels": st.dictionaries(
            st.sampled_from(["blue", "yellow", "red"]), st.one_of(a_level, a_level, a_deadband), min_size=1, max_size=3
        )
    },
    optional={"with": beside, "schedule": schedules},
)
others = st.lists(
    st.builds("{} {} {}".format, own, signs, limits)
    | trends
    | st.builds("not seen('{}', '{}')".format, st.sampled_from("abc"), spans)
    | st.builds("count('{}', '{}') {} {}".format, st.sampled_from("abc"), spans, signs, st.integers(0, 2)),
    min_size=1,
    max_size=3,
    unique=True,
)  # of a second rule: what is published in turn
steps = st.one_of(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.integers(-3, 6),
            st.sampled_from([0.0, 0.5, 1.0]),
            st.sampled_from([math.nan, math.inf, 12.0, 60.0]),
        ),
        min_size=1, max_size=3, unique_by=lambda one: one[0],
    ),
    st.sampled_from("ab"),
    st.just("tick"),
    st.just("restart"),
    st.tuples(st.sampled_from(["works", "drill"]), st.sampled_from([0, 20, 60])),  # a mode, and seconds that it lasts
    st.tuples(st.integers(0, 2), st.booleans()),  # published: which other rule, and whether this one is changed
)  # fmt: skip
stories = st.lists(st.tuples(st.sampled_from([1, 5, 13, 30, 100, 700]), steps), min_size=1, max_size=15)
RANK = {"blue": 1, "yellow": 2, "orange": 3, "red": 4}


def figures(node: Node) -> list[Node]:
    if isinstance(node, Across | AcrossFlag):
        return [node]
    inner = {Compare: ("left", "right")}.get(type(node))
    if inner:
        return [one for name in inner for one in figures(getattr(node, name))]
    return [one for item in node.items for one in figures(item)] if isinstance(node, Logic | Arithmetic) else []


def slow_levels(rule: dict[str, Any]) -> list[Level]:
    """Read a rule's levels as the reference does; corroboration as the conditions that it stands for."""
    found = []
    texts = [
        f"seen('{one['event']}', '{one['within']}s')"
        if "event" in one
        else f"neighbours.any(level.max('{one['within']}s') > {one['above']})"
        if "above" in one
        else f"neighbours.any(level.min('{one['within']}s') < {one['below']})"
        for one in rule.get("with", ())
    ]
    schedule = None
    if said := rule.get("schedule"):
        begin, end = (60 * int(one[:2]) + int(one[3:]) for one in (said.get("from", "00:00"), said.get("to", "24:00")))
        schedule = (
            begin,
            end,
            tuple(["mon", "tue", "wed", "thu", "fri", "sat", "sun"].index(day) + 1 for day in said.get("days", ())),
        )
    for name, written in sorted(rule["levels"].items(), key=lambda one: RANK[one[0]]):
        least, _, of = written.get("samples", "0 of 0").partition(" of ")
        level = Level(RANK[name], parse(written["when"]), parse(written["clear"]) if "clear" in written else None)
        level.hold, level.clear_after = written["for"], written["clear_after"]
        level.samples, level.deadband = (int(least), int(of)), written.get("deadband", 0.0)
        level.beside, level.schedule = parse(" or ".join(texts)) if texts else None, schedule
        found.append(level)
    return found


def changed(rule: dict[str, Any]) -> dict[str, Any]:
    """Change what decides of one level of a rule, which begins anew."""
    name = min(rule["levels"])
    return rule | {"levels": rule["levels"] | {name: rule["levels"][name] | {"for": rule["levels"][name]["for"] + 7}}}


def nodes(levels: list[Level]) -> list[Node]:
    return [node for level in levels for node in (level.when, level.clear, level.beside) if node is not None]


class Stage:
    """Both readings of the same rules side by side."""

    def __init__(self, rule: dict[str, Any], more: list[str]) -> None:
        self.bank = Bank(len(NAMES))
        self.world = World(
            {point.id: History(limits=limits_of(point), below=point.limit_below) for point in SITE.points}, NEAR
        )
        self.rule, self.more = rule, more
        self.clock = BEGIN
        self.evaluator: Evaluator | None = None
        self.inforce: dict[str, dict[str, Any]] = {}
        self.machines: dict[tuple[str, str], Machine] = {}
        self.publish(0, False)

    def publish(self, which: int, change: bool) -> None:
        """Put one of the other rules in force beside the rule, which may be changed."""
        other = {"levels": {"yellow": {"when": self.more[which % len(self.more)], "for": 0, "clear_after": 0}}}
        rules = {"r": changed(self.rule) if change else self.rule, "s": other}
        slow = {id: slow_levels(rule) for id, rule in rules.items()}
        self.book = compile_rules([a_rule(id, **rule) for id, rule in rules.items()], SITE, SITE.points)
        self.start_again(self.book)
        for id, rule in rules.items():
            before = self.inforce.get(id)
            if before != rule:
                same = {
                    RANK[name] for name, level in rule["levels"].items() if before and before["levels"][name] == level
                }
                for name in NAMES:
                    machine = Machine(name, slow[id], fresh=bool(self.world.points[name].readings))
                    machine.go_on(self.machines.get((id, name)), same)
                    self.machines[id, name] = machine
        self.inforce = rules
        asked = [node for levels in slow.values() for node in nodes(levels)]
        self.world.clock = self.clock
        self.world.publish(asked)
        self.figures = [one for node in asked for one in figures(node)]
        self.tick()

    def order(self, mode: str, seconds: float) -> None:
        """Put the site into a mode for so long; for none at all it ends."""
        assert self.evaluator is not None
        self.world.modes[mode] = self.clock + seconds
        self.evaluator.modes.put((name, "", until) for name, until in self.world.modes.items())
        self.tick()

    def start_again(self, book: RuleBook) -> None:
        """Go on in a fresh evaluator from the state of the one before."""
        fresh = Evaluator(book, self.bank)
        fresh.reasons = False
        fresh.modes.put((name, "", until) for name, until in self.world.modes.items())
        if self.evaluator is not None:
            fresh.restore(self.evaluator.state())
            fresh.look_anew(self.evaluator.book)
        self.evaluator = fresh

    def tick(self) -> None:
        assert self.evaluator is not None
        self.evaluator.tick(self.clock)
        self.world.tick(self.clock, self.figures)
        for (_, name), machine in self.machines.items():
            machine.look(self.world, self.world.own_time(name), reading=False)

    def read(self, step: list[tuple[str, int, float, float]], split: bool) -> None:
        assert self.evaluator is not None
        for name, value, _, eta in step:
            row, readings = NAMES.index(name), self.world.points[name].readings
            if not readings or readings[-1][1] != value:
                self.bank.flat_since[row] = self.clock
            self.bank.eta_now[row] = eta
        for part in [[one] for one in step] if split else [step]:
            rows = np.array([NAMES.index(name) for name, *_ in part])
            now, values = np.full(len(part), self.clock), np.array([float(value) for _, value, _, _ in part])
            scored = Scored(np.array([score for _, _, score, _ in part]), np.zeros(len(part), np.bool_))
            self.evaluator.readings(rows, now, values, np.zeros(len(part), np.uint8), now, scored, self.clock)
        self.world.clock = self.clock
        for name, value, score, eta in step:
            history = self.world.points[name]
            history.readings.append((self.clock, float(value), score))
            history.eta = None if math.isnan(eta) else eta
            for id in self.inforce:
                self.machines[id, name].look(self.world, self.clock, reading=True)
        self.tick()

    def agree(self) -> tuple[list[int], list[int]]:
        assert self.evaluator is not None
        keys = [
            (self.book.rules[rule].id, self.book.points[row].id)
            for rule, row in zip(self.book.rule.tolist(), self.book.row.tolist(), strict=True)
        ]
        return self.evaluator.current.tolist(), [self.machines[key].current for key in keys]


def limits_of(point: Point) -> dict[str, float]:
    return point.levels | ({} if point.limit is None else {"limit": point.limit})


@settings(max_examples=int(os.environ.get("FORESHOCK_REFERENCE_EXAMPLES", "15")), deadline=None)
@given(rules, others, stories, st.booleans())
def test_compiled_rules_decide_as_the_obvious_reading_does(
    rule: dict[str, Any], more: list[str], story: list[tuple[int, Any]], split: bool
) -> None:
    try:
        tell(rule, more, story, split)
    except Tie:
        reject()


def tell(rule: dict[str, Any], more: list[str], story: list[tuple[int, Any]], split: bool) -> None:
    stage = Stage(rule, more)
    for number, (passed, step) in enumerate(story):
        stage.clock += passed
        if step == "restart":
            stage.start_again(stage.book)
        elif step == "tick":
            stage.tick()
        elif isinstance(step, str):
            assert stage.evaluator is not None
            event = CameraEvent(
                area="a", camera="cam", kind=step, event=str(number), time=stage.clock, received=stage.clock
            )
            stage.evaluator.event(event, stage.clock)
            stage.world.events.append((step, stage.clock))
            stage.world.clock = stage.clock
            for (_, name), machine in stage.machines.items():
                machine.hear(stage.world, step, stage.world.own_time(name))
            stage.tick()  # an event moves those that ask for it at once, a tick all
        elif isinstance(step, tuple) and isinstance(step[0], str):
            stage.order(*step)
        elif isinstance(step, tuple):
            stage.publish(*step)
        else:
            stage.read(step, split)
        fast, slow = stage.agree()
        assert fast == slow, (rule, more, stage.clock - BEGIN)
