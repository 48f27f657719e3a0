"""A promotion: what puts a learnt model in force, kept with those before it so that one can go back."""

from __future__ import annotations

import msgspec


class Promotion(msgspec.Struct, frozen=True):
    """Say that a version was put in force: by whom, when (unix seconds) and why."""

    version: str
    by: str = ""
    time: float = 0.0
    reason: str = ""
