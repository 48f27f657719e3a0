"""What a program writes is read as YAML would read it, only faster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import one_a_line
from sensors.document import _Builder, parse_document

texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=12)
plain = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), texts)
values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)), max_leaves=6
)
names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
entries = st.lists(st.dictionaries(names, values, min_size=1, max_size=4), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["areas", "points", "cameras"]), entries, min_size=1))
def test_both_readers_agree_on_what_is_written(content: dict[str, list[dict[str, Any]]]) -> None:
    text = one_a_line.document(content, "test")
    slow = _Builder("file.yaml").build(text)
    found = parse_document(text, "file.yaml")
    assert repr(found.data) == repr(slow.data)
    for key, listed in content.items():
        for place in range(len(listed)):
            assert found.line((key, place)) == slow.line((key, place))


@pytest.mark.parametrize(
    "changed",
    [
        '  - {"id": "a", "id": "b"}',
        '  - {"id":  "a"}',
        '  - {"id": 1e3}',
        "  - {id: a}",
        '  - {"id": ' + "9" * 40 + "}",
        '  - {"id": ' + "[" * 40 + "]" * 40 + "}",
        '    - {"id": "a"}',
        "points:",
    ],
)
def test_what_a_person_changed_is_left_to_yaml(changed: str) -> None:
    text = one_a_line.document({"points": [{"id": "x"}]}, "test")
    assert one_a_line.read(text) is not None
    assert one_a_line.read(text + changed + "\n") is None


def test_files_of_people_are_left_to_yaml() -> None:
    assert one_a_line.read('points:\n  - {"id": "x"}\n') is None
