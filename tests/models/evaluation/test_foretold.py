"""Triage on verdicts in the order of time: each part by those before it, what was missed and what was false."""

from __future__ import annotations

import pytest

from models.evaluation.foretold import AT, PARTS, foretell, panels
from models.triage.fitting import TriageError
from tests.models.triage.verdicts import drawn


def test_each_part_is_foretold_by_those_before_it_better_than_by_a_constant() -> None:
    steps: list[tuple[int, int]] = []
    found = foretell([verdict for verdict, _ in drawn(800)], lambda done, total: steps.append((done, total)))
    assert len(found.parts) == PARTS and steps[-1] == (PARTS, PARTS)
    assert sum(one.foretold for one in found.parts) == 400 == len(found.odds)
    assert [one.learnt for one in found.parts] == sorted(one.learnt for one in found.parts)
    assert found.brier < 0.95 * found.constant and found.order > 0.65
    assert sum(one.count for one in found.bins) == 400


def test_what_comes_later_changes_nothing_of_what_was_told() -> None:
    alarms = [verdict for verdict, _ in drawn(400)]
    last = [one if n < 360 else one._replace(real=not one.real) for n, one in enumerate(alarms)]
    straight, turned = foretell(alarms), foretell(last)
    assert straight.odds == turned.odds and straight.brier != turned.brier


def test_misses_and_false_alarms_are_counted_and_drawn() -> None:
    found = foretell([verdict for verdict, _ in drawn(400)])
    wrong = sum(one.real == (odd < AT) for one, odd in zip(found.verdicts, found.odds, strict=True))
    assert wrong == sum(one.missed + one.false for one in found.parts) > 0
    shown = list(panels(found))
    assert sum(len(one.marks) for one in shown) == wrong and {"missed", "false"} == {
        mark.look for one in shown for mark in one.marks
    }


def test_too_few_verdicts_are_refused_with_the_part() -> None:
    with pytest.raises(TriageError, match="before part 1 of 5"):
        foretell([verdict for verdict, _ in drawn(80)])
    with pytest.raises(TriageError):
        foretell([])
