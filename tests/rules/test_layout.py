"""Files of rules laid out."""

from __future__ import annotations

import pytest

from rules.layout import laid_out
from sensors.document import DocumentError, parse_document

MESSY = """# At the top.
rules:
  - title: {en: A,   zh: 甲}   # the title
    id: a
    rationale: {review: "2027-01-01", owner: o, cause: c, consequence: c, response: r, time_to_respond: 1 h}
    levels:
      red: {for: 10 s, when: value > 5 m}     # as surveyed
      blue: {when: value > 1 m}
    tests:
      - expect: none
        name: t
        point: {eta: "1", values: "0"}
"""


def test_fields_stand_in_order_and_comments_are_kept() -> None:
    text = laid_out(MESSY, "a.yaml")
    assert text.index("id: a") < text.index("title:") < text.index("levels:") < text.index("rationale:")
    assert text.index("blue:") < text.index("red:")
    assert "{when: value > 5 m, for: 10 s}" in text
    for comment in ("# At the top.", "# the title", "# as surveyed"):
        assert comment in text
    assert parse_document(text, "a").data == parse_document(MESSY, "a").data


def test_a_file_that_is_laid_out_stays_as_it_is() -> None:
    once = laid_out(MESSY, "a.yaml")
    assert laid_out(once, "a.yaml") == once


def test_fields_between_which_a_comment_stands_keep_their_order() -> None:
    text = "rules:\n  - title: {zh: a, en: a}\n    # why this id\n    id: a\n"
    assert laid_out(text, "a.yaml").index("title") < laid_out(text, "a.yaml").index("# why")


@pytest.mark.parametrize("text", ["rules: [", "a: &a [*a]", "- &a [1]\n- !!python/none x", "", "rules: " + "[" * 99])
def test_what_no_site_may_hold_is_refused_and_nothing_raises(text: str) -> None:
    with pytest.raises(DocumentError):
        laid_out(text, "a.yaml")


def test_a_long_mapping_takes_a_line_for_each_entry() -> None:
    text = "rules:\n  - id: a\n    tests:\n      - {name: " + "n" * 90 + ", point: {values: '" + "1 " * 40 + "'}}\n"
    assert max(map(len, laid_out(text, "a.yaml").splitlines())) < 130
