"""What was refused, and what a replay of it came to."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from alerts.console.schema.base import Answer, Body, Text

Moment = Annotated[float | None, Field(ge=0, le=1e11, allow_inf_nan=False)]


class Refused(Answer):
    """One refused input. `raw` is its text, with what is not UTF-8 escaped, `raw_base64` the same bytes exactly: the
    first 4 096 in a list, all that are kept of one alone. `text` says the reason in words.

    `whole` says that all its bytes are kept, so that it can be replayed; `replayed` when it was, by `replayed_by`.
    """

    id: str = ""
    time: float
    source: str
    topic: str = ""
    reason: str
    text: Text
    detail: str = ""
    size: int = 0
    readings: int = 1
    raw: str = ""
    raw_base64: str = ""
    whole: bool = True
    retained: bool = False
    replayed: float | None = None
    replayed_by: str = ""


class Quarantine(Answer):
    """Refused inputs, the newest first. With a `cursor` there may be more, even after an empty page."""

    items: list[Refused]
    cursor: str | None = None


class QuarantineStatistics(Answer):
    """Counts of what is kept: {"messages", "readings"} by reason and source, messages by topic (the most frequent).

    `complete` is false where older messages were not looked at.
    """

    messages: int = 0
    readings: int = 0
    bytes: int = 0
    replayed: int = 0
    by_reason: dict[str, dict[str, int]] = Field(default_factory=dict)
    by_source: dict[str, dict[str, int]] = Field(default_factory=dict)
    by_topic: dict[str, int] = Field(default_factory=dict)
    oldest: float | None = None
    newest: float | None = None
    complete: bool = True


class QuarantineReplay(Body):
    """Which refused messages to decode again; all that are kept where nothing is said. Times are unix seconds."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    reason: str | None = Field(None, max_length=100)
    source: str | None = Field(None, max_length=200)
    topic: str | None = Field(None, max_length=1024)
    since: Moment = Field(None, alias="from")
    until: Moment = Field(None, alias="to")
    start: int = Field(0, ge=0, le=2**40)
    dry_run: bool = False


class QuarantineReplayed(Answer):
    """What a replay came to: messages by outcome, what was taken, and why messages are refused still.

    Outcomes: accepted, refused (still), taken_before, cut (not kept whole), no_message (a summary, a record of the
    log), state_only (it told the state of a device then). In a dry run nothing was taken.
    """

    dry_run: bool
    messages: int
    outcomes: dict[str, int]
    readings: int
    events: int
    refused: dict[str, int]
    details: list[str]
    following: int | None = None
