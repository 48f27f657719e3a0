from __future__ import annotations

import msgspec
import numpy as np

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site


def test_raised_conditions_of_a_state_that_hashed_whole_rules_are_carried_over() -> None:
    site = a_site(a_point("p"), a_point("q"))
    book = compile_rules([a_rule(when="value > 5 m")], site, site.points)
    before, after = Evaluator(book, Bank(2)), Evaluator(book, Bank(2))
    rows, good = np.arange(2), np.zeros(2, np.uint8)
    scored = Scored(np.zeros(2), np.zeros(2, np.bool_))
    start, later = np.zeros(2), np.ones(2)
    (change,) = before.readings(rows, start, np.array([9.0, 1.0]), good, start, scored, 0.0)
    assert change.scope == "p"
    state = before.state()
    notes = msgspec.msgpack.decode(state["notes"].tobytes())
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes | {"version": 1}), np.uint8)
    state["instance.key"] = ~state["instance.key"]
    assert after.restore(state) == []
    assert after.current.tolist() == [2, 0]
    (change,) = after.readings(rows, later, np.array([1.0, 1.0]), good, later, scored, 1.0)
    assert (change.scope, change.before, change.after) == ("p", 2, 0)
