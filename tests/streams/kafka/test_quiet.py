"""What the client says again and again is in the log once a minute, with a count."""

from __future__ import annotations

import logging

from streams.kafka.quiet import SECONDS, OnceAMinute


def test_a_sentence_is_said_once_a_minute_with_what_was_left_out() -> None:
    now = [0.0]
    one = OnceAMinute(lambda: now[0])

    def said(line: int, node: int) -> str | None:
        record = logging.LogRecord("aiokafka", logging.ERROR, "client.py", line, "no node %s", (node,), None)
        return record.getMessage() if one.filter(record) else None

    assert said(1, 1) == "no node 1"
    assert [said(1, node) for node in range(3)] == [None] * 3
    assert said(2, 1) == "no node 1", "another place in the code"
    now[0] = SECONDS
    assert said(1, 7) == "no node 7 (3 more like it since)"
    now[0] = 2 * SECONDS
    assert said(1, 8) == "no node 8"
