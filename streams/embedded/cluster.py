"""A cluster of one: Faust's own partition assignor, with the log's topics as its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from faust.types import TP

from streams.embedded.store import Log

_MEMBER = "embedded"


class Topics:
    """Answer what the assignor asks of a cluster's metadata."""

    def __init__(self, log: Log) -> None:
        self._topics = log.topics()

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return the partition numbers of a topic, or None."""
        count = self._topics.get(topic)
        return None if count is None else set(range(count))


def assign(assignor: Any, log: Log, topics: Iterable[str]) -> set[TP]:
    """Let the assignor give every partition of `topics` to this one member, tables' changelogs included."""
    subscription = set(topics)
    if not subscription:
        return set()
    assignments = assignor.assign(Topics(log), {_MEMBER: assignor.metadata(subscription)})
    mine = assignments[_MEMBER]
    assignor.on_assignment(mine)
    return {TP(topic, number) for topic, numbers in mine.assignment for number in numbers}
