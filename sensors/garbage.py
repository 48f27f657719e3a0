"""Put off the search for cycles of garbage while much is made that stays."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_resting() -> Iterator[None]:
    """Pause the cycle collector: a load makes many objects that all stay, a third of its time went to tracing them.

    What is no part of a cycle is freed as ever. From several threads at once it may end with the first of them.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
