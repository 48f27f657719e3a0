"""An InfluxDB 2 of the tests' own; see scripts/influx_server.py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from scripts.influx_server import InfluxServer, influx
from scripts.provide_influx import InfluxMissing

NEEDED = "FORESHOCK_NEEDS_INFLUX"
"""Set where it has been built: a test that does not find it fails there."""


@contextlib.contextmanager
def server() -> Iterator[InfluxServer]:
    """Start one; skip the test where it has not been built, which takes longer than all tests: `make influx` does."""
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(influx(build=False))
        except InfluxMissing as missing:
            if os.environ.get(NEEDED):
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield one
