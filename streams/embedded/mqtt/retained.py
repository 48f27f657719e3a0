"""The last retained message of each topic."""

from __future__ import annotations

import time
from collections.abc import Iterator

from streams.embedded.mqtt.limits import BrokerSettings, Counts
from streams.embedded.mqtt.message import Message, make
from streams.embedded.mqtt.topics import matches


class Retained:
    """Keep retained messages, bounded in number and bytes; one that finds no room is counted."""

    def __init__(self, settings: BrokerSettings, counts: Counts) -> None:
        self._messages: dict[bytes, Message] = {}
        self._bytes = 0
        self._settings = settings
        self._counts = counts

    def __len__(self) -> int:
        return len(self._messages)

    def store(self, message: Message) -> None:
        """Keep a message in place of the one before it; an empty one removes it."""
        topic, properties, payload = message.parts()
        old = self._messages.pop(topic, None)
        if old is not None:
            self._bytes -= old.size
        if not payload:
            return
        settings = self._settings
        if len(self._messages) >= settings.retained or self._bytes + message.size > settings.retained_bytes:
            self._counts.drop("retained_full")
            return
        kept = make(topic, properties, payload, message.qos, True, message.five, None, message.expires)
        self._messages[topic] = kept
        self._bytes += kept.size

    def matching(self, pattern: str) -> Iterator[Message]:
        """Give the messages to send for a new subscription."""
        if "+" not in pattern and "#" not in pattern:
            found = self._messages.get(pattern.encode())
            chosen = [] if found is None else [found]
        else:
            prefix = pattern.replace("#", "+").partition("+")[0].removesuffix("/").encode()
            chosen = [
                message
                for topic, message in self._messages.items()
                if topic.startswith(prefix) and matches(pattern, topic.decode())
            ]
        now = time.monotonic()
        yield from (message for message in chosen if message.expires is None or message.expires > now)
