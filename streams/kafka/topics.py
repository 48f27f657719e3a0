"""What topics Kafka should have, what it has, and the steps from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from streams.embedded.schema import LogError, LogUnavailableError, TopicSpec
from streams.kafka.address import Address
from streams.kafka.transactions import REQUEST_BYTES

REQUEST_MS = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """Say one step: what is done to a topic (the cluster's name), with what. A `refused` one cannot be done."""

    action: str  # create, configure, refused
    topic: str
    detail: str
    settings: tuple[tuple[str, str], ...] = ()


def settings_of(spec: TopicSpec, replication: int) -> dict[str, str]:
    """Return a topic's settings in Kafka's words."""
    settings = {
        "cleanup.policy": "compact" if spec.compact else "delete",
        "max.message.bytes": str(REQUEST_BYTES),
        "min.insync.replicas": str(max(1, replication - 1)),
        "retention.ms": "-1" if spec.retention_seconds is None else str(int(spec.retention_seconds * 1000)),
        "retention.bytes": "-1" if spec.retention_bytes is None else str(spec.retention_bytes),
    }
    if spec.compact:
        settings |= {"min.cleanable.dirty.ratio": "0.1", "segment.bytes": str(64 * 1024 * 1024)}
    return settings


class Topics:
    """Compare and change a cluster's topics."""

    def __init__(self, address: Address, specs: Mapping[str, TopicSpec], replication: int = 1) -> None:
        self.address, self.replication = address, replication
        self.specs = {address.name(topic): spec for topic, spec in specs.items()}

    async def plan(self) -> list[Change]:
        """List what has to be done, nothing when all is as it should be. Raise `LogUnavailableError`."""
        async with _admin(self.address.options()) as admin:
            there = {one["topic"]: one for one in await admin.describe_topics() if not one["error_code"]}
            changes = []
            for name, spec in self.specs.items():
                wanted = settings_of(spec, self.replication)
                if name not in there:
                    detail = f"{spec.partitions} partitions, {self.replication} copies, {_told(wanted)}"
                    changes.append(Change("create", name, detail, tuple(wanted.items())))
                    continue
                count = len(there[name]["partitions"])
                if count != spec.partitions:
                    detail = (
                        f"has {count} partitions, {spec.partitions} are needed: areas would move away from their "
                        "history; move the site to a new prefix, or set its partitions back"
                    )
                    changes.append(Change("refused", name, detail))
                    continue
                now = await _settings(admin, name)
                differing = {key: value for key, value in wanted.items() if now.get(key) != value}
                if differing:
                    detail = ", ".join(f"{key}: {now.get(key)} → {value}" for key, value in differing.items())
                    changes.append(Change("configure", name, detail, tuple(differing.items())))
                copies = min(len(one["replicas"]) for one in there[name]["partitions"])
                if copies < self.replication:
                    detail = f"has {copies} copies, {self.replication} are wanted: use Kafka's own reassignment"
                    changes.append(Change("refused", name, detail))
            return changes

    async def apply(self, changes: list[Change]) -> None:
        """Do the steps. Raise `LogError` with what Kafka refused."""
        options = self.address.options()
        fresh = {one.topic: self.specs[one.topic] for one in changes if one.action == "create"}
        if fresh:
            await creation(options, fresh, self.replication)
        async with _admin(options) as admin:
            for change in changes:
                if change.action == "configure":
                    # all of them: Kafka's older request sets back what is not named
                    settings = settings_of(self.specs[change.topic], self.replication)
                    resource = ConfigResource(ConfigResourceType.TOPIC, change.topic, configs=settings)
                    for answer in await admin.alter_configs([resource]):
                        _check(answer.resources, change.topic)


async def creation(options: Mapping[str, Any], specs: Mapping[str, TopicSpec], replication: int) -> None:
    """Create topics (the cluster's names). Raise `LogError` with what Kafka refused; one that is there is none."""
    asked = [
        NewTopic(name, spec.partitions, replication, topic_configs=settings_of(spec, max(1, replication)))
        for name, spec in specs.items()
    ]
    async with _admin(options) as admin:
        answer = await admin.create_topics(asked)
    for name, code, message in (tuple(one)[:3] for one in answer.topic_errors):
        if code not in (0, 36):  # 36: it exists
            raise LogError(f"topic {name} was not created: {message or for_code(code).__name__}")


class _admin:  # noqa: N801 (a context)
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._client = AIOKafkaAdminClient(**{"request_timeout_ms": REQUEST_MS, **options})

    async def __aenter__(self) -> Any:
        try:
            await self._client.start()
        except KafkaError as error:
            raise LogUnavailableError(f"Kafka cannot be reached: {error}") from error
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


async def _settings(admin: Any, name: str) -> dict[str, str]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    found: dict[str, str] = {}
    for answer in answers:
        for resource in answer.resources:
            for entry in resource[4]:
                found[entry[0]] = entry[1]
    return found


def _check(resources: Any, topic: str) -> None:
    for resource in resources:
        if resource[0]:
            raise LogError(f"topic {topic} was not configured: {resource[1] or for_code(resource[0]).__name__}")


def _told(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items() if key != "max.message.bytes")
