"""What all models share: how strict they are, errors, and small types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=200)]
Level = Literal["blue", "yellow", "orange", "red"]
Language = Literal["zh-CN", "en"]
Role = Literal["gateway", "viewer", "duty", "dispatcher", "field", "analyst", "administrator"]
Kind = Literal["risk", "data_quality", "system"]
Location = tuple[float, float]


class Body(BaseModel):
    """What a request carries: no field that is not named here, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """What a response carries."""

    model_config = ConfigDict(extra="ignore")


class ErrorDetail(Answer):
    """One error. `message` is in the reader's language, `field` the path of the field at fault."""

    code: str
    message: str
    field: str | None = None


class Error(Answer):
    """How every error is answered."""

    error: ErrorDetail


class Text(Answer):
    """A text in Chinese and English."""

    zh: str
    en: str
