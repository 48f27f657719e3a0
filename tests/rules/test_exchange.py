"""Rules written as one file and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.exchange import as_written, write
from rules.rule import Rule, RuleFile
from sensors.document import convert, read_document
from tests.rules.stage import a_rule


def rules() -> list[Rule]:
    return [
        a_rule("plain", when="value > 1"),
        a_rule(
            "whole",
            levels={"red": {"when": "value > 1 m", "clear": "value < 0.5", "for": "10 s"}},
            where={"types": ["slope"], "quantity": ["a", "b"]},
            plan=[{"zh": "看", "en": "look"}, "go"],
            tests=[{"name": "t", "point": {"values": "1*3"}, "others": {"q": {"values": "2"}}, "expect": "none"}],
        ),
    ]


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_what_is_written_is_read_as_the_same_rules(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, rules())
    assert list(convert(read_document(tmp_path / name), RuleFile).rules) == rules()


def test_what_is_as_by_default_is_left_out() -> None:
    assert set(as_written(rules()[0])) == {"id", "title", "levels", "rationale"}


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"neither in \.json nor"):
        write(tmp_path / "a.txt", rules())
