"""What the broker is set to, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """Settings of a broker. Sizes are bytes, times are seconds."""

    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (1883,)
    data: Path | None = None  # where to write figures, once a second
    username: str = ""
    password: str = ""
    durable: tuple[str, ...] = ("foreshock-bridge",)
    """Client ids begin so whose acknowledgement a publisher's waits for."""
    held: tuple[str, ...] = ()
    """Filters of what is kept, unacknowledged, while no durable subscriber has a session."""
    unheld: tuple[str, ...] = ()
    """Filters of what is passed on at once though `held` matches: the product's own words, which no bridge takes."""
    largest: int = 2 << 20  # a packet
    connections: int = 4000
    sessions: int = 10_000  # of clients that are away
    subscriptions: int = 10_000  # of one client
    connect_timeout: float = 10.0
    session_expiry: float = 86_400.0  # of clients that are away, at the most; durable ones never
    kept: int = 200_000  # messages for a durable subscriber; beyond it publishers are not read
    kept_bytes: int = 64 << 20
    queued: int = 100_000  # messages for another subscriber; beyond it they are dropped and counted
    queued_bytes: int = 16 << 20
    unsent: int = 8 << 20  # bytes for a connection, beyond which QoS 0 is dropped and counted
    in_flight: int = 1000  # messages to a subscriber, unacknowledged
    durable_in_flight: int = 20_000
    retained: int = 100_000
    retained_bytes: int = 64 << 20


@dataclass(slots=True)
class Counts:
    """Counts since the start."""

    received: int = 0  # messages
    sent: int = 0
    acknowledged: int = 0  # to publishers, QoS 1 and 2
    accepted: int = 0  # connections
    refused: dict[str, int] = field(default_factory=dict)  # connections and packets, by reason
    dropped: dict[str, int] = field(default_factory=dict)  # deliveries, by reason
    paused: int = 0  # times that a publisher was not read because of a durable subscriber

    def drop(self, reason: str, messages: int = 1) -> None:
        """Count deliveries that do not happen."""
        self.dropped[reason] = self.dropped.get(reason, 0) + messages

    def refuse(self, reason: str) -> None:
        """Count a connection or a packet that was refused."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
