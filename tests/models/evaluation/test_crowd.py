"""Made flows through gates: how often they cry wolf, and which surges they see."""

from __future__ import annotations

from models.evaluation import tally
from tests.models.evaluation.crowd import WINDOW, gates

BUSY = 5.0  # crossings a window


def test_a_gate_cries_wolf_about_as_often_as_its_score_says_and_sees_busy_surges() -> None:
    false, rare_false, weeks, found, tried = 0, 0, 0.0, 0, 0
    for gate in gates(weeks=5)[2:6]:
        judged = tally.judge(gate, WINDOW)
        surges = tally.put_on(gate, WINDOW, 3.0, 15, 1)
        told = tally.told(gate, judged, WINDOW, surges)
        rarer = tally.told(gate, judged, WINDOW, alarm=0.9995)
        assert rarer.false <= told.false, "a rule that asks for more has fewer"
        rare_false += rarer.false
        false, weeks = false + told.false, weeks + told.weeks
        busy = [one for one in surges if gate.counts[one.at : one.at + len(one.counts)].mean() >= BUSY]
        found, tried = found + sum(one.after is not None for one in busy), tried + len(busy)
    assert false / weeks < 2.0, "0.67 a gate and week are its due"
    assert rare_false / weeks < 1.3, "0.34 are due at 0.9995, where unusual-flow fires"
    assert tried > 20 and found / tried > 0.7
