"""Drafts of rules: kept for each person, checked as they are typed, put in force."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Text
from alerts.console.schema.publications import SiteProblem
from alerts.console.schema.rules import Reasoned

LONGEST = 40_000
"""Characters of a draft: the longest rule of the example site has a tenth of it."""


class DraftKept(Answer):
    """A draft: `base` names the version of the rule that it was begun from, empty for a new rule."""

    rule: str
    text: str
    base: str
    begun: float
    changed: float


class OtherDraft(Answer):
    """Somebody else who has a draft of the same rule."""

    actor: str
    begun: float
    changed: float


class RuleTemplate(Answer):
    """The template that makes a rule, and where the site folder has it: its file and line."""

    id: str
    file: str
    line: int


class RuleOpened(Answer):
    """A rule to be edited: as it is in force (both empty for a new one), one's own draft, and who else has one.

    `in_folder`: the site folder says the rule as it is in force. `template`: the folder makes the rule from it; a draft
    stands for itself. `moved`: another version came in force since the draft was begun.
    """

    id: str
    text: str
    base: str
    in_folder: bool
    template: RuleTemplate | None = None
    draft: DraftKept | None
    others: list[OtherDraft]
    moved: bool


class DraftSaved(Answer):
    """A draft that is kept now; who else has one of the same rule."""

    draft: DraftKept
    others: list[OtherDraft]


class Drafts(Answer):
    """One's own drafts, the one that was changed last first."""

    items: list[DraftKept]


class DraftSave(Body):
    """What a draft says, and which version of the rule it was begun from."""

    text: str = Field(max_length=LONGEST)
    base: str = Field("", max_length=12, pattern="^[0-9a-f]*$")


class DraftCheck(Body):
    """A draft to be checked."""

    text: str = Field(max_length=LONGEST)


class DraftTest(Answer):
    """How one of a draft's own tests went; `said` is what differs."""

    rule: str
    name: Text
    line: int
    state: Literal["passed", "failed", "not_run"]
    said: str


class DraftRule(Answer):
    """How a drafted rule differs from the one in force: by field, before, after.

    `raise_version`: it decides otherwise than the one in force and has the same version.
    """

    id: str
    how: Literal["same", "added", "changed", "removed"]
    fields: list[tuple[str, str, str]]
    version: int
    raise_version: bool


class DraftChecked(Answer):
    """What is wrong with a draft (`more` problems are left out), its tests, and what it changes; broken: no rule."""

    problems: list[SiteProblem]
    more: int
    tests: list[DraftTest]
    rules: list[DraftRule]


class DraftShadow(Reasoned):
    """A draft to be run in the shadow, and why."""

    text: str = Field(min_length=1, max_length=LONGEST)


class DraftPublish(DraftShadow):
    """A draft to be put in force, which version of the rule it was begun from, and why."""

    base: str = Field("", max_length=12, pattern="^[0-9a-f]*$")


class DraftPublished(Answer):
    """What is in force now, or once a second person approves (`waiting`); `base` names the rule in force.

    `folder`: written, the site folder says it too; differs, it does not: its next publication takes the rule back.
    `template` makes the rule there: that is to be changed.
    """

    version: str
    before: str
    changed: bool
    waiting: bool
    folder: Literal["written", "differs"]
    base: str
    template: RuleTemplate | None = None


class RuleVersion(Answer):
    """A publication that changed a rule: which fields (name, before, after), and the rule's text then."""

    version: str
    time: float
    author: str
    reason: str
    in_force: bool
    fields: list[tuple[str, str, str]]
    text: str
    base: str


class RuleHistory(Answer):
    """The publications that changed a rule, the latest first."""

    items: list[RuleVersion]


class RuleWords(Answer):
    """What rules of this site may name, for completion."""

    names: list[str]
    quantities: list[str]
    tags: list[str]
    modes: list[str]
    events: list[str]
    reports: list[str]
    plans: list[str]
    templates: list[str]
    rules: list[str]
