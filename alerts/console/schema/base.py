"""What all models share: how strict they are, errors, and small types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Id = Annotated[str, Field(min_length=1, max_length=200)]
Level = Literal["blue", "yellow", "orange", "red"]
Language = Literal["zh-CN", "en"]
Role = Literal["gateway", "viewer", "duty", "dispatcher", "field", "analyst", "administrator"]
Kind = Literal["risk", "data_quality", "system"]
Location = tuple[float, float]


class Body(BaseModel):
    """What a request carries: no field that is not named here, no value of another type, and no NUL in a text.

    PostgreSQL takes none: a journal there would stand still before it.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, given: Any) -> Any:
        if _has_nul(given):
            raise PydanticCustomError("nul", "a text holds the character NUL")
        return given


def _has_nul(given: Any) -> bool:
    if isinstance(given, str):
        return "\0" in given
    if isinstance(given, dict):
        return any(_has_nul(key) or _has_nul(value) for key, value in given.items())
    return isinstance(given, list | tuple) and any(map(_has_nul, given))


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
