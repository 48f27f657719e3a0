"""A PostgreSQL server of the tests' own; see scripts/postgres_server.py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from scripts.postgres_server import PostgresMissing, postgres
from tests.needed import skip


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start one and give the address of its database; skip the test where there is none to start."""
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(postgres())
        except PostgresMissing as missing:
            skip(str(missing))
        yield one.url
