"""What is got or built once for tests, benchmarks and drills, and kept in a cache folder of this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path


class MissingError(RuntimeError):
    """Say why something is not there, and what would provide it."""


def cache() -> Path:
    """Return the folder in which it is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foreshock"


def tell(provide: Callable[[], Path]) -> int:
    """Print where something is, or why there is none; return the exit code."""
    try:
        print(provide())
    except MissingError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0
