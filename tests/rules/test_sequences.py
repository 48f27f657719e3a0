from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.expression import Events, ExpressionError, Order, parse
from rules.sequences import MOST
from sensors.observation import SIMULATED
from tests.rules.stage import a_point, a_rule, a_site
from tests.rules.test_evaluation import Play, moves

SITE = a_site(a_point("p"))


def a_play(when: str, **fields: object) -> Play:
    return Play(SITE, [a_rule(when=when, scope="area", **fields)])


def restored(play: Play) -> Evaluator:
    fresh = Evaluator(play.evaluator.book, play.bank)
    fresh.restore(play.evaluator.state())
    return fresh


def test_one_kind_after_another_within_the_time_raises_and_the_clock_ends_it() -> None:
    play = a_play("sequence('smoke', 'fire', '10m')")
    play.tick(1000.0)
    assert play.see("fire", 1000.0) == []
    assert play.see("smoke", 1100.0) == []
    (change,) = play.see("fire", 1400.0)
    assert moves([change]) == [("none", "yellow")]
    assert change.why is not None
    assert [told.kind for told in change.why.events] == ["fire"]
    assert play.tick(1700.0) == []
    assert moves(play.tick(1700.5)) == [("yellow", "none")]  # ten minutes after it began


def test_too_late_is_no_sequence() -> None:
    play = a_play("sequence('smoke', 'fire', '10m')")
    play.tick(1000.0)
    play.see("smoke", 1000.0)
    assert play.see("fire", 1601.0) == []


def test_what_is_told_late_still_makes_a_sequence() -> None:
    play = a_play("sequence('smoke', 'fire', '10m')")
    play.tick(1000.0)
    play.see("fire", 1300.0)
    play.see("smoke", 1400.0)
    assert moves(play.see("smoke", 1200.0, received=1450.0)) == [("none", "yellow")]


def test_a_report_may_stand_in_a_sequence_of_three() -> None:
    play = a_play("sequence('report-gas', 'smoke', 'fire', '1h')")
    play.tick(0.0)
    for time, kind in [(10.0, "smoke"), (20.0, "report-gas"), (30.0, "fire")]:
        assert play.see(kind, time) == []
    play.see("smoke", 40.0)
    assert moves(play.see("fire", 50.0)) == [("none", "yellow")]


def test_events_are_counted_once_however_often_they_are_told() -> None:
    play = a_play("count('intrusion', '10m') >= 3")
    play.tick(0.0)
    play.see("intrusion", 10.0, event="a")
    play.see("intrusion", 20.0, event="b")
    assert play.see("intrusion", 30.0, event="b", phase="update") == []
    assert play.see("intrusion", 20.0, event="b") == []
    assert play.see("intrusion", 30.0, event="c", area="b") == []
    assert moves(play.see("intrusion", 40.0, event="d")) == [("none", "yellow")]
    assert play.tick(610.0) == []
    assert moves(play.tick(611.0)) == [("yellow", "none")]


def test_no_events_is_a_number_too() -> None:
    play = a_play("count('patrol', '1h') == 0")
    play.tick(0.0)
    assert play.tick(3599.0) == []  # nobody looked for an hour yet
    assert set(moves(play.tick(3600.0))) == {("none", "yellow")}
    play.see("patrol", 3610.0)
    assert play.evaluator.current[0] == 0


def test_what_simulation_contributes_is_simulated() -> None:
    play = a_play("sequence('smoke', 'fire', '10m') or count('fire', '10m') >= 3")
    play.tick(0.0)
    play.see("smoke", 10.0, quality=SIMULATED)
    (change,) = play.see("fire", 20.0)
    assert change.simulated
    play.see("smoke", 30.0, event="r")
    changes = play.see("fire", 40.0, event="r2")
    assert [change.simulated for change in changes] == [False]


def test_sequences_and_counts_survive_a_restart() -> None:
    play = a_play("sequence('smoke', 'fire', '10m') and count('smoke', '10m') >= 2")
    play.tick(0.0)
    play.see("smoke", 10.0, event="1")
    play.see("smoke", 20.0, event="2")
    play.evaluator = restored(play)
    assert moves(play.see("fire", 30.0)) == [("none", "yellow")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.booleans()), max_size=25))
def test_a_sequence_is_what_a_search_through_all_events_finds(told: list[tuple[str, int, bool]]) -> None:
    play = a_play("sequence('a', 'b', '20s')", clear="count('a', '1s') < 0")
    play.tick(0.0)
    known: list[tuple[str, int]] = []
    for number, (kind, time, _) in enumerate(told):
        before = play.evaluator.current[0]
        play.see(kind, float(time), event=str(number), received=100.0)
        known.append((kind, time))
        column = play.evaluator.of_area(
            next(iter(play.evaluator.book.programs.shapes)).left,  # type: ignore[union-attr]
            np.array([0]), np.array([100.0]),
        )  # fmt: skip
        starts = [a for one, a in known for other, b in known if (one, other) == ("a", "b") and 0 <= b - a <= 20]
        assert column[0] == (100.0 - max(starts) if starts else np.inf)
        assert play.evaluator.current[0] == before == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sequence('a', '10m')", "2 to 4 kinds"),
        ("sequence('a', 'b', 'c', 'd', 'e', '10m')", "2 to 4 kinds"),
        ("sequence('a', 'a', '10m')", "count('a', '10m') >= 2"),
        ("sequence('a', 'b', '60d')", "at most 32 days"),
        ("sequence('a', value, '10m')", "write sequence("),
        ("sequence", "stands alone"),
        ("area.any(sequence('a', 'b', '10m'))", "write it outside"),
        ("count('', '10m') > 1", "name the kind"),
        ("area.max(count('a', '10m')) > 1", "write it outside"),
    ],
)
def test_mistakes_are_named(text: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert part in caught.value.message


def test_more_than_is_remembered_cannot_be_counted() -> None:
    with pytest.raises(CompileError, match=f"{MOST} events") as caught:
        compile_rules([a_rule(when="count('a', '10m') >= 51", scope="area")], SITE, SITE.points)
    assert caught.value.column == 22


def test_they_parse_to_what_they_say() -> None:
    assert parse("sequence('a', 'b', '10m')") == Order(("a", "b"), 600.0)
    node = parse("count('a', '10m') >= 2")
    assert node.left == Events("a", 600.0)  # type: ignore[attr-defined]
