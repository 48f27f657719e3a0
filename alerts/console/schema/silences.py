"""Silences, and orders to begin, prolong and end them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Level, Text

Ids = Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=200)]


class Silence(Answer):
    """A silence: what it covers (an empty list matches anything), up to which level. `state`: on, ended or over."""

    id: str
    state: str
    since: float
    until: float
    level: Level
    areas: list[str]
    scopes: list[str]
    rules: list[str]
    rule_titles: dict[str, Text] = Field(default_factory=dict)  # of those that the site has
    by: str
    reason: str
    time: float
    ended_by: str
    ended_why: str


class Silences(Answer):
    """Silences, what ends first leading."""

    items: list[Silence]


class SilenceBegun(Body):
    """What to silence (areas, points as `scopes`, rules), up to which level, for how many seconds, and why."""

    areas: Ids = Field(default_factory=list)
    scopes: Ids = Field(default_factory=list)
    rules: Ids = Field(default_factory=list)
    level: Literal["blue", "yellow", "orange"] = "yellow"
    seconds: float = Field(gt=0, le=86400, allow_inf_nan=False)
    reason: str = Field(max_length=4000, pattern=r"\S")


class SilenceProlonged(Body):
    """In how many seconds from now a silence ends instead, and why."""

    seconds: float = Field(gt=0, le=86400, allow_inf_nan=False)
    reason: str = Field(max_length=4000, pattern=r"\S")


class SilenceEnded(Body):
    """Why a silence ends before its time."""

    reason: str = Field("", max_length=4000)
