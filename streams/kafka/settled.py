"""Whether a site's topics may be run on; see `streams.embedded.settled`. A topic of that name is the mark."""

from __future__ import annotations

from collections.abc import Container

from streams.embedded.settled import ARRIVING, MOVED, LogMovedError, said
from streams.kafka.address import Address


def require(address: Address, topics: Container[str]) -> None:
    """Raise `LogMovedError` where topics (as we call them) may not be run on."""
    for state, to in ((ARRIVING, ""), (MOVED, "another place")):
        if state in topics:
            raise LogMovedError(f"Kafka's topics {address.name('')}*: {said(state, to)}")
