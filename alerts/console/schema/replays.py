"""Replays of the recorded past under other rules."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.console.schema.base import Answer, Body

Moment = float | None


class NewReplay(Body):
    """Rules to try, as text (YAML) or those of a publication; when, in unix seconds; against which publication.

    With `keep` the rules in force that these do not name stay; else they are the whole set.
    With `sweep` the threshold and the delay of the text's one rule are varied instead. `rule` is what it is about, for
    the way back. `against` empty is what was published at each moment, which is also checked against what was recorded
    then.
    """

    text: str = Field("", max_length=500_000)
    keep: bool = False
    sweep: bool = False
    rule: str = Field("", max_length=64)
    version: str = Field("", max_length=64)
    against: str = Field("", max_length=64)
    begin: Moment = Field(None, alias="from", ge=0, le=1e11, allow_inf_nan=False)
    end: Moment = Field(None, alias="to", ge=0, le=1e11, allow_inf_nan=False)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if bool(self.text.strip()) == bool(self.version):
            raise PydanticCustomError("text_or_version", "give either text or version")
        if self.sweep and self.version:
            raise PydanticCustomError("sweep_text", "a sweep takes text")
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise PydanticCustomError("from_to", "from must be before to")
        return self


class Replay(Answer):
    """How a replay stands: `done` of `total` observations, under both sets of rules."""

    id: str
    author: str
    state: Literal["running", "done", "failed", "cancelled"]
    started: float
    ended: float | None
    done: int
    total: int
    reason: str
    version: str
    against: str
    begin: Moment = Field(None, alias="from")
    end: Moment = Field(None, alias="to")
    rule: str = ""
    sweep: bool = False


class Replays(Answer):
    """The latest replays, the newest first."""

    items: list[Replay]


class ReplayFound(Replay):
    """A replay with the mistakes in its rules, or with what they would change: as of `foreshock replay --json`.

    Of a sweep: `sweep`, what each threshold and delay would have done, and how many alarms of incidents were `judged`.
    """

    problems: list[dict[str, Any]]
    result: dict[str, Any] | None
