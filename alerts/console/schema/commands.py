"""Commands, and the engine's answers to them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Body


class Order(Body):
    """A command without arguments. `sequence`, if given, refuses it when its object has changed since."""

    sequence: int | None = Field(None, ge=0, le=2**53)


class Send(Order):
    """Whom to send, and what to tell them. Without a unit the best one is chosen."""

    unit: str | None = Field(None, max_length=128)
    note: str = Field("", max_length=4000)


class Comment(Order):
    """What to note on an incident."""

    text: str = Field(min_length=1, max_length=4000)


class SetAsideOrder(Order):
    """For how many seconds to set an alarm aside, and why."""

    seconds: float = Field(gt=0, le=366 * 86400, allow_inf_nan=False, strict=False)
    reason: str = Field(max_length=4000, pattern=r"\S")


class BringBack(Order):
    """Why an alarm comes back before its time."""

    reason: str = Field("", max_length=4000)


class Assign(Order):
    """Who sees to an alarm: a name, empty for nobody, or yourself when left out."""

    to: str | None = Field(None, max_length=128)
    reason: str = Field("", max_length=4000)


class Close(Order):
    """What an incident turned out to be."""

    disposition: Literal["real", "nuisance", "test", "duplicate"]
    reason: str = Field("", max_length=4000)


class Step(Order):
    """A dispatch's next leg, with a reason or note."""

    reason: str = Field("", max_length=4000)
    note: str = Field("", max_length=4000)


class Refuse(Step):
    """Why a unit does not come: whoever sends the next one has to know."""

    reason: str = Field(max_length=4000, pattern=r"\S")


class Result(Answer):
    """The engine's answer."""

    id: str
    ok: bool
    target: str
    reason: str = ""
    time: float = 0.0


class Done(Answer):
    """A command that was done. `id` is the command's."""

    ok: bool
    id: str
    result: Result
