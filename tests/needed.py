"""Whether a test may be skipped for want of a server."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

VARIABLE = "FORESHOCK_NEEDS_SERVERS"
"""Set where all servers are to be had: a test that finds none fails there, and is not skipped."""


def skip(reason: str) -> NoReturn:
    """Skip the test, or have it fail where it must not be skipped."""
    if os.environ.get(VARIABLE):
        pytest.fail(reason)
    pytest.skip(reason)
