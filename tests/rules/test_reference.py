"""Compiled rules decide as a slow, obvious reading of the language does: over random rules, series, gaps, batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.expression import Across, AcrossFlag, Arithmetic, Compare, Logic, Node, parse
from sensors.observation import CameraEvent
from tests.rules.reference import Level, Machine, World
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

SITE = a_site(*(a_point(f"p{n}", unit="1") for n in range(3)))
NAMES = [point.id for point in SITE.points]
NEAR = {name: [other for other in NAMES if other != name] for name in NAMES}
BEGIN = 1_767_275_400.0  # 21:50 at the site: the night begins during a story
SPANS = ("64s", "160s", "640s")

spans = st.sampled_from(SPANS)
own = st.one_of(
    st.sampled_from(["value", "score"]),
    st.builds(
        "{}('{}')".format, st.sampled_from(["mean", "min", "max", "sum", "count", "spread", "delta", "median"]), spans
    ),
    st.builds("quantile('{}', {})".format, spans, st.sampled_from([0.1, 0.75, 0.9])),
)
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
    st.sampled_from(["night", "hour >= 22", "weekday == 4"]),
    st.builds(
        "{}.{}({}) {} {}".format,
        st.sampled_from(["area", "neighbours"]), st.sampled_from(["max", "min", "mean", "sum"]), own, signs, limits,
    ),
    st.builds("{}.{}({})".format, st.sampled_from(["area", "neighbours"]), st.sampled_from(["any", "all"]), compared),
    st.builds("{}.count({}) >= {}".format, st.sampled_from(["area", "neighbours"]), compared, st.integers(1, 2)),
)  # fmt: skip
conditions = st.recursive(
    st.one_of(compared, st.builds("{} {} {}".format, sums, signs, limits), scenes),
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
rules = st.dictionaries(st.sampled_from(["blue", "yellow", "red"]), a_level, min_size=1, max_size=3)
steps = st.one_of(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(-3, 6), st.sampled_from([0.0, 0.5, 1.0])),
        min_size=1, max_size=3, unique_by=lambda one: one[0],
    ),
    st.sampled_from("ab"),
    st.just("tick"),
    st.just("restart"),
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


def slow_level(name: str, written: dict[str, Any]) -> Level:
    least, _, of = written.get("samples", "0 of 0").partition(" of ")
    clear = parse(written["clear"]) if "clear" in written else None
    samples = (int(least), int(of))
    return Level(RANK[name], parse(written["when"]), clear, written["for"], written["clear_after"], samples)


@settings(max_examples=15, deadline=None)
@given(rules, stories, st.booleans())
def test_compiled_rules_decide_as_the_obvious_reading_does(
    levels: dict[str, dict[str, Any]], story: list[tuple[int, Any]], split: bool
) -> None:
    book = compile_rules([a_rule(levels=levels)], SITE, SITE.points)
    evaluator, bank = Evaluator(book, Bank(len(NAMES))), Bank(len(NAMES))
    evaluator.reasons = False
    world = World(NAMES, NEAR)
    slow = [slow_level(name, written) for name, written in sorted(levels.items(), key=lambda one: RANK[one[0]])]
    machines = {name: Machine(name, slow) for name in NAMES}
    asked = [one for level in slow for node in (level.when, level.clear) if node is not None for one in figures(node)]
    clock, number = BEGIN, 0

    def tick() -> None:
        evaluator.tick(clock)
        world.tick(clock, asked)
        for name, machine in machines.items():
            machine.look(world, world.own_time(name), reading=False)

    tick()
    for passed, step in story:
        clock += passed
        if step == "restart":
            fresh = Evaluator(book, bank)
            fresh.reasons = False
            fresh.restore(evaluator.state())
            evaluator = fresh
        elif step == "tick":
            tick()
        elif isinstance(step, str):
            number += 1
            event = CameraEvent(area="a", camera="cam", kind=step, event=str(number), time=clock, received=clock)
            evaluator.event(event, clock)
            world.events.append((step, clock))
            tick()  # an event moves those that ask for it at once, a tick all
        else:
            for part in [[one] for one in step] if split else [step]:
                rows = np.array([NAMES.index(name) for name, _, _ in part])
                now, values = np.full(len(part), clock), np.array([float(value) for _, value, _ in part])
                scored = Scored(np.array([score for _, _, score in part]), np.zeros(len(part), np.bool_))
                evaluator.readings(rows, now, values, np.zeros(len(part), np.uint8), now, scored, clock)
            world.clock = clock
            for name, value, score in step:
                world.points[name].readings.append((clock, float(value), score))
                machines[name].look(world, clock, reading=True)
            tick()
        slow_ranks = [machines[book.points[row].id].current for row in book.row.tolist()]
        assert evaluator.current.tolist() == slow_ranks, (levels, clock - BEGIN)
