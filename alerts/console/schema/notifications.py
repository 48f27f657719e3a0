"""Notifications: targets, letters that were not taken, tests, and answers by code."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from alerts.console.schema.base import Answer, Body


class Letter(Answer):
    """A notice that a target has not taken yet. `due` is unix seconds; a dead one is tried no more by itself."""

    id: str
    unit: str
    area: str
    attempts: int
    due: float
    dead: bool
    error: str


class NotificationTarget(Answer):
    """A target: what waits for another try, what waits for a digest, what is dead, and what is wrong."""

    name: str
    kind: str
    waiting: int
    held: int
    dead: int
    error: str
    letters: list[Letter]


class Notifications(Answer):
    """All targets."""

    items: list[NotificationTarget]


class Retry(Body):
    """Which dead letter to try again; without an id all of the target's."""

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Retried(Answer):
    """How many are tried again."""

    count: int


class Tested(Answer):
    """What came of a test: `done` tells whether there is an answer yet, `error` is empty when the target took it."""

    id: str
    done: bool
    error: str


class ReplyCode(Body):
    """The code of a notification."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class Replied(Answer):
    """What a code did: acknowledge an incident or accept a dispatch."""

    ok: bool
    kind: str
    target: str
