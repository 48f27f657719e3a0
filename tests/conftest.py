"""Settings of all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from scripts.influx_server import InfluxServer
from tests import influx, postgres
from tests.kafka import server

# How long an example takes to be made says how busy the machine is, nothing of what is tested.
settings.register_profile("foreshock", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("foreshock")

os.environ["LC_ALL"] = "C.UTF-8"  # what is said where no site says in which language is the same on every machine


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address (host:port) of a Kafka broker; the test is skipped where there is none to start."""
    with server() as servers:
        yield servers


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a database of a PostgreSQL server; the test is skipped where there is none to start."""
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def influx_server() -> Iterator[InfluxServer]:
    """An InfluxDB 2, in which each test has buckets of its own; the test is skipped where there is none to start."""
    with influx.server() as one:
        yield one


def pytest_collection_finish() -> None:
    """Let what thousands of collected tests hold be, and look for garbage less often: a tenth of the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
