"""An InfluxDB 2 of the tests' own; see scripts/influx_server.py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from scripts.influx_server import InfluxServer, influx
from scripts.provide_influx import InfluxMissing
from tests.needed import skip


@contextlib.contextmanager
def server() -> Iterator[InfluxServer]:
    """Start one; skip the test where there is none to start. No test waits for it to be built."""
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(influx(build=False))
        except InfluxMissing as missing:
            skip(str(missing))
        yield one
