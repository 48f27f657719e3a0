"""What the tests of the scenes share: the district, and the bed after a day and a quarter of quiet history."""

from __future__ import annotations

import pytest

from scripts.simulator.world import World
from streams.bundle import Bundle
from tests.scripts.simulator import bed
from tests.scripts.simulator.bed import Bed


@pytest.fixture(scope="session")
def district() -> Bundle:
    """Load the example district once."""
    return bed.district()


@pytest.fixture(scope="session")
def morning(district: Bundle) -> tuple[Bed, World]:
    """Deliver 30 hours of quiet history once; copy the bed before playing on."""
    quiet = Bed.published(district)
    world = quiet.world("quiet-night")
    quiet.history(world)
    return quiet, world
