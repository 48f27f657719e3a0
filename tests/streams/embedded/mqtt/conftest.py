"""A broker for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.streams.embedded.mqtt.peers import Running, serving


@pytest.fixture(scope="module")
def broker() -> Iterator[Running]:
    """Run a broker with its defaults."""
    with serving() as running:
        yield running
