"""What gateways and people bring: readings and reports."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from alerts.console.schema.base import Answer, Body
from sensors.push import MOST

Quality = Annotated[str, Field(max_length=32)]
PushId = Annotated[str, Field(min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")]
PHOTO = 6_000_000
"""Characters of a photo's base64: 4.5 MB."""


class NewReading(Body):
    """A reading. `value` is in `unit`, the point's own when left out; `time` unix seconds or ISO 8601, that of arrival
    when left out.

    What is no reading is refused by itself; the push's other readings count.
    """

    point: str = Field(min_length=1, max_length=128)
    value: float | bool | Annotated[str, Field(max_length=64)] | None
    time: float | Annotated[str, Field(max_length=64)] | None = None
    quality: Quality | Annotated[list[Quality], Field(max_length=8)] | None = None
    unit: str | None = Field(None, max_length=64)


class NewReadings(Body):
    """A push of readings. With the same `id` it may be sent again for two days: no reading counts twice."""

    id: PushId
    readings: list[Annotated[NewReading | Any, Field(union_mode="left_to_right")]] = Field(
        min_length=1, max_length=MOST
    )


class TurnedDown(Answer):
    """A reading that was not taken: its place in the push, from 0. It stands in the quarantine."""

    place: int
    reason: str
    detail: str


class Taken(Answer):
    """What became of a push. What was accepted is durable."""

    id: str
    accepted: int
    refused: list[TurnedDown]


class NewReport(Body):
    """What a person reports. `area`, or a `location` (latitude, longitude) near one; `subject` is kept as a hash.

    `time` is unix seconds or ISO 8601, of the last week, that of arrival when left out; `photo` JPEG or PNG in base64.

    With the same `id` it may be sent again for two days and counts once.
    """

    id: PushId | None = None
    category: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")
    area: str | None = Field(None, min_length=1, max_length=128)
    location: list[float] | None = Field(None, min_length=2, max_length=2)
    text: str = Field("", max_length=2000)
    time: float | Annotated[str, Field(max_length=64)] | None = None
    subject: str | None = Field(None, min_length=1, max_length=200)
    photo: str | None = Field(None, max_length=PHOTO)


class Report(Answer):
    """A report as it is listed. `subject` is a keyed hash: the same for the same person, and nobody's name.

    `photo` is where its picture is, for those who may look at it.
    """

    id: str
    area: str
    category: str
    time: float
    received: float
    text: str
    subject: str | None
    photo: str | None
    actor: str
    simulated: bool


class Reports(Answer):
    """A page of reports, the newest first. `next` is the `before` of the page after."""

    items: list[Report]
    next: int | None = None


class Reported(Answer):
    """A report that was taken: its id, the area it counts for, and the name of its photo."""

    id: str
    area: str
    photo: str | None = None
