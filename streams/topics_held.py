"""What the topics of a run hold, and for how long."""

from __future__ import annotations

from streams.embedded.schema import TopicSpec
from streams.settings import Settings
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES, SITE, SNAPSHOTS

DAY = 86400.0


def topic_specs(settings: Settings, partitions: int) -> dict[str, TopicSpec]:
    """Say what the log holds, and for how long."""
    days, size = settings.retention_days * DAY, int(settings.retention_gigabytes * 1e9)
    outcomes = min(10 * days, settings.personal_days * DAY or float("inf"))  # they say who did what
    return {
        **({SITE: TopicSpec(compact=True)} if settings.cluster else {}),
        OBSERVATIONS: TopicSpec(partitions=partitions, retention_seconds=days, retention_bytes=size // partitions),
        OUTCOMES: TopicSpec(partitions=partitions, retention_seconds=max(days, outcomes), derived=True),
        SCORES: TopicSpec(
            partitions=partitions, retention_seconds=DAY, retention_bytes=size // partitions // 4, derived=True
        ),
        QUARANTINE: TopicSpec(
            partitions=1,
            retention_seconds=settings.quarantine_days * DAY,
            retention_bytes=int(settings.quarantine_megabytes * 1e6),
        ),
        SNAPSHOTS: TopicSpec(partitions=partitions, compact=True, derived=True),
    }
