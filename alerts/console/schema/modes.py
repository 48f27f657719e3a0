"""Modes of the site, and orders to begin and end them."""

from __future__ import annotations

from pydantic import Field

from alerts.console.schema.base import Answer, Body


class KnownMode(Answer):
    """A mode that the site may be put into, for at most `longest` seconds."""

    id: str
    name: dict[str, str]
    longest: float


class LastingMode(Answer):
    """A mode in one area (empty: in the whole site). `state`: on, replaced, ended, over or refused."""

    order: str
    mode: str
    area: str
    state: str
    since: float
    until: float
    by: str
    reason: str
    time: float
    ended_by: str
    ended_why: str


class Modes(Answer):
    """The site's modes, and where it is in one."""

    modes: list[KnownMode]
    items: list[LastingMode]


class ModeBegun(Body):
    """Which mode, where (no area is everywhere), for how many seconds, and why."""

    mode: str = Field(min_length=1, max_length=64)
    areas: list[str] = Field(default_factory=list, max_length=1000)
    seconds: float = Field(gt=0, le=30 * 86400, allow_inf_nan=False)
    reason: str = Field(max_length=4000, pattern=r"\S")


class ModeEnded(Body):
    """Which mode ends, and where, as it was begun."""

    mode: str = Field(min_length=1, max_length=64)
    areas: list[str] = Field(default_factory=list, max_length=1000)
    reason: str = Field("", max_length=4000)
