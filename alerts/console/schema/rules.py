"""Rules: what runs in the shadow, what waits for a second person, and how each rule fared."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from alerts.console.schema.base import Answer, Body


class ShadowVerdict(Answer):
    """How an alarm that shadow rules would raise compares with the one in force; `open` says that it may change."""

    rule: str
    scope: str
    area: str
    how: str
    open: bool
    begun: float
    time: float
    seconds: float | None
    before: str
    after: str


class ShadowStatus(Answer):
    """A set of shadow rules: how many of its alarms are gained, lost, earlier, later, at another level or the same.

    `seconds` is the mean of earlier (negative) and later ones. `verdicts` are the latest that are not the same.
    """

    id: str
    state: str
    began: float | None
    ended: float | None
    author: str
    reason: str
    rules: int
    fault: str
    ended_by: str
    ended_why: str
    counts: dict[str, int]
    seconds: float | None
    by_rule: dict[str, dict[str, int]]
    by_area: dict[str, dict[str, int]]
    verdicts: list[ShadowVerdict]


class Shadow(Answer):
    """The newest set of shadow rules; None where there was none."""

    shadow: ShadowStatus | None


class Reasoned(Body):
    """Why something is done."""

    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")


class OfShadow(Reasoned):
    """Why something is done with the shadow's rules, and with which set: refused where another one runs by then."""

    shadow: str = Field("", max_length=80, description="The id of the set that was looked at; empty: whichever runs")


class Decided(Body):
    """Why something is approved; may be empty."""

    reason: str = Field("", max_length=500)


class ShadowBegun(Answer):
    """The id of the set that is to run in the shadow."""

    id: str


class Promotion(Answer):
    """The version that the shadow's rules are in force as, or will be once another person approves (`waiting`).

    `unraised` names those that decide otherwise than before under the same version: raise it in the site folder.
    """

    version: str
    waiting: bool
    unraised: tuple[str, ...] = ()


class ProposedPublication(Answer):
    """A publication that waits, or waited, for a second person: `author` proposed it, `by` did the last thing to it."""

    number: int
    version: str
    state: str
    author: str
    proposed: float
    why: str
    difference: list[str]
    time: float
    by: str
    reason: str


class ProposedPublications(Answer):
    """Publications that waited for a second person, the latest first."""

    items: list[ProposedPublication]


class Share(Answer):
    """A share of so many, with its 95 % interval."""

    of: int
    value: float | None
    low: float | None
    high: float | None


class RulePlace(Answer):
    """How often a rule was right and wrong at one point, area or camera."""

    scope: str
    real: int
    nuisance: int


class RuleLead(Answer):
    """In how many real incidents a limit was reached, in how many of them it warned `before`; median of seconds."""

    of: int
    before: int
    median: float | None


class RulePrecision(Answer):
    """How a rule fared by what incidents were closed as; `by_hour` counts nuisances by hour of the site's day.

    `lead` is None where no limit was reached.
    """

    rule: str
    counts: dict[str, int]
    precision: Share
    recall: Share
    by_hour: list[int]
    places: list[RulePlace]
    lead: RuleLead | None


class RulesPrecision(Answer):
    """How each rule fared."""

    items: list[RulePrecision]


class RuleLevel(Answer):
    """When a level of a rule is raised and left again; `hold` and `clear_after` are seconds."""

    level: str
    when: str
    clear: str | None
    hold: float
    clear_after: float


class RuleCost(Answer):
    """What a rule was measured to cost: CPU seconds for a reading of any point, bytes of memory; `time` says when."""

    time: float
    seconds: float
    bytes: int
    places: int


class RuleShown(Answer):
    """A rule that is in force; `template` names what it was made from."""

    id: str
    title: dict[str, str]
    kind: str = "risk"
    scope: str = "point"
    priority: str = "normal"
    version: int = 1
    template: str = ""
    levels: list[RuleLevel] = Field(default_factory=list)
    rationale: dict[str, Any] = Field(default_factory=dict)
    cost: RuleCost | None = None


class Rules(Answer):
    """Rules in force, by id; `total` counts all that were asked for."""

    items: list[RuleShown]
    total: int


class RuleText(Answer):
    """A rule as YAML."""

    id: str
    text: str
