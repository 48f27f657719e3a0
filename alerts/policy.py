"""How long the journal keeps what, as a site sets it."""

from __future__ import annotations

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Days for which the journal keeps closed cases, what is personal in them, and reports; 0 keeps without end."""

    cases: float = 0.0
    personal: float = 0.0
    reports: float = 0.0
