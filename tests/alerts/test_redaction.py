"""What is personal in a record, and what stays."""

from __future__ import annotations

import pytest

from alerts.redaction import redact


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"actor": "user:lee"}, {"actor": "user:redacted"}),
        ({"actor": "lee"}, {"actor": "redacted"}),
        ({"actor": "reply:duty:li@example.org"}, {"actor": "reply:redacted"}),
        ({"actor": "rule:creep"}, {"actor": "rule:creep"}),
        ({"actor": "unit:u-c1", "reason": ""}, {"actor": "unit:u-c1", "reason": ""}),
        ({"reason": "log.replaced"}, {"reason": "log.replaced"}),
        ({"reason": "Mr Lee said so"}, {"reason": "redacted"}),
        ({"aside": {"by": "user:lee", "until": 3.0}}, {"aside": {"by": "user:redacted", "until": 3.0}}),
        (
            {"ticks": {"one": {"by": "user:lee", "note": "x"}}},
            {"ticks": {"one": {"by": "user:redacted", "note": "redacted"}}},
        ),
        (
            {"events": [{"report": "r1", "by": "user:lee", "detail": "smoke at Lee's", "kind": "smoke"}]},
            {"events": [{"report": "r1", "by": "user:redacted", "detail": "redacted", "kind": "smoke"}]},
        ),
        (
            {"events": [{"report": "", "detail": "debris", "by": ""}]},
            {"events": [{"report": "", "detail": "debris", "by": ""}]},
        ),
        ({"title": {"zh": "位移", "en": "creep"}, "time": 3.0}, {"title": {"zh": "位移", "en": "creep"}, "time": 3.0}),
    ],
)
def test_what_is_personal_in_a_record(before: dict[str, object], after: dict[str, object]) -> None:
    assert redact(before) == after
    assert redact(after) == after
