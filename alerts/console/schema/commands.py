"""Commands, and the engine's answers to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Body
from alerts.console.schema.cases import Attachment


class Order(Body):
    """A command without arguments. `sequence`, if given, refuses it if its object has changed, or got worse, since."""

    sequence: int | None = Field(None, ge=0, le=2**53)


class Send(Order):
    """Whom to send, and what to tell them. Without a unit the best one is chosen.

    Several `units` are sent at once and work together under the `lead` of one: the first, when none is named. They go
    to an `area` of the incident: to that of its cause, when none is named.
    """

    unit: str | None = Field(None, max_length=128)
    units: list[Annotated[str, Field(max_length=128)]] | None = Field(None, min_length=1, max_length=16)
    lead: str | None = Field(None, max_length=128)
    area: str | None = Field(None, max_length=128)
    note: str = Field("", max_length=4000)


class Comment(Order):
    """What to note on an incident."""

    text: str = Field(min_length=1, max_length=4000)


class TickOrder(Order):
    """Which step of the plan is done, and what there is to say of it."""

    step: str = Field(min_length=1, max_length=64)
    note: str = Field("", max_length=1000)


class UntickOrder(Order):
    """Which step is not done after all, and why."""

    step: str = Field(min_length=1, max_length=64)
    reason: str = Field(max_length=1000, pattern=r"\S")


class SetAsideOrder(Order):
    """For how many seconds to set an alarm aside, and why."""

    seconds: float = Field(gt=0, le=366 * 86400, allow_inf_nan=False)
    reason: str = Field(max_length=4000, pattern=r"\S")


class BringBack(Order):
    """Why an alarm comes back before its time."""

    reason: str = Field("", max_length=4000)


ATTACHMENT = 8_000_000
"""Characters of a file's base64: 6 MB."""


class NewAttachment(Order):
    """The file to put with an alarm, in base64, how it is called, and what there is to say of it."""

    alarm: str = Field(min_length=1, max_length=96)
    name: str = Field(min_length=1, max_length=255)
    file: str = Field(min_length=1, max_length=ATTACHMENT)
    text: str = Field("", max_length=4000)


class Assign(Order):
    """Who sees to an alarm: a person with an account that is in use, or yourself when left out."""

    to: str | None = Field(None, max_length=128)
    reason: str = Field("", max_length=4000)


class Close(Order):
    """What an incident turned out to be."""

    disposition: Literal["real", "nuisance", "test", "duplicate"]
    reason: str = Field("", max_length=4000)


class Merge(Order):
    """The incidents that are taken into this one, and why."""

    incidents: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=16)
    reason: str = Field("", max_length=4000)


class Regroup(Order):
    """Why incidents that rose together are merged, or are different matters."""

    reason: str = Field("", max_length=4000)


class Split(Order):
    """The alarms that go into an incident of their own, the orders that go with them, and why."""

    alarms: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=200)
    dispatches: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=200)
    reason: str = Field("", max_length=4000)


class Step(Order):
    """A dispatch's next leg, with a reason or note."""

    reason: str = Field("", max_length=4000)
    note: str = Field("", max_length=4000)


class Refuse(Step):
    """Why a unit does not come: whoever sends the next one has to know."""

    reason: str = Field(max_length=4000, pattern=r"\S")


class FeedBack(Step):
    """What was told to whom: to those who called or reported."""

    reason: str = Field(max_length=4000, pattern=r"\S")


class FollowUp(Step):
    """In how many seconds somebody goes again to see how things are; as the site says, when left out."""

    seconds: float | None = Field(None, gt=0, le=366 * 86400, allow_inf_nan=False)


class Refer(Order):
    """The body that takes a case over, and why."""

    to: str = Field(max_length=128)
    reason: str = Field(max_length=4000, pattern=r"\S")


class Call(Order):
    """The units that are called to a scene, and what to tell them."""

    units: list[Annotated[str, Field(max_length=128)]] = Field(min_length=1, max_length=16)
    note: str = Field("", max_length=4000)


class Result(Answer):
    """The engine's answer."""

    id: str
    ok: bool
    target: str
    reason: str = ""
    time: float = 0.0


class Attached(Answer):
    """A file that was put with an alarm. `id` is the command's."""

    ok: bool
    id: str
    result: Result
    attachment: Attachment


class Done(Answer):
    """A command that was done. `id` is the command's."""

    ok: bool
    id: str
    result: Result
