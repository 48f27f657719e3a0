"""What differs between two sets of rules."""

from __future__ import annotations

from rules.changes import changes
from tests.rules.stage import a_rule


def test_rules_are_compared_by_id_and_field_by_field() -> None:
    before = [a_rule("a", when="value > 1"), a_rule("b", when="value > 1"), a_rule("c", when="value > 1")]
    after = [
        a_rule("c", when="value > 2", **{"for": "10 s"}),
        a_rule("a", when="value > 1"),
        a_rule("d", when="score > 1"),
    ]
    found = changes(before, after)
    assert [(one.rule, one.how) for one in found] == [("b", "removed"), ("c", "changed"), ("d", "added")]
    assert found[1].fields == (("levels.yellow.when", "value > 1", "value > 2"), ("for", "0.0", "10 s"))
    assert found[1].decides


def test_a_change_of_texts_alone_decides_nothing() -> None:
    before, after = a_rule("a", when="value > 1"), a_rule("a", when="value > 1", plan=["look"], version=2)
    (one,) = changes([before], [after])
    assert not one.decides
    assert one.fields == (("plan[1]", "", "look"), ("version", "1", "2"))
    assert changes([before], [before]) == []


def test_a_new_test_is_told_without_the_fields_that_say_nothing() -> None:
    test = {"name": "calm", "point": {"values": "0 0"}, "expect": "none none"}
    (one,) = changes([a_rule("a", when="value > 1")], [a_rule("a", when="value > 1", tests=[test])])
    ((field, before, after),) = one.fields
    assert (field, before) == ("tests[1]", "")
    assert '"values":"0 0"' in after and '"deviation"' not in after and "null" not in after
