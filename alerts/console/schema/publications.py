"""Versions of the site, and putting one in force."""

from __future__ import annotations

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Error


class Publication(Answer):
    """A version of the site that was in force. `difference` says in lines what it changed."""

    version: str
    time: float
    author: str
    reason: str = ""
    site: str = ""
    difference: tuple[str, ...] = ()
    in_force: bool


class Publications(Answer):
    """The versions of the site that are kept, the latest first."""

    items: list[Publication]


class Publish(Body):
    """What to put in force: the site folder, or the earlier publication `version`; `check` changes nothing."""

    version: str = Field("", max_length=12, pattern="^[0-9a-f]*$")
    reason: str = Field("", max_length=500)
    check: bool = False


class PartChange(Answer):
    """How one kind of part differs: ids; `unraised` rules are changed, and decide otherwise under the same version."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: dict[str, str] = Field(default_factory=dict)
    unraised: tuple[str, ...] = ()


class Published(Answer):
    """What is in force now, or would be; `changed` is false when the folder says what is in force already.

    `waiting` is true where the site takes two persons: it is in force once another approves it.
    """

    version: str
    before: str
    changed: bool
    in_force: bool
    waiting: bool = False
    difference: dict[str, PartChange]


class SiteProblem(Answer):
    """A mistake in the site folder. `line` counts from 1; 0 is the file as a whole.

    `message` is the loader's, in English; `said` the same in the reader's language, as far as it is known in that.
    """

    file: str
    line: int
    field: str
    message: str
    said: str = ""


class Broken(Error):
    """Why a broken site folder was refused, with its first problems."""

    problems: list[SiteProblem]
