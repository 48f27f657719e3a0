"""Learnt models, what puts them in force, and how each point keeps its promise."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from alerts.console.schema.base import Answer, Body, Id

Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Version = Annotated[str, Field(min_length=12, max_length=12, pattern="^[0-9a-f]*$")]


class Promoted(Answer):
    """Who put a model in force, when (unix seconds) and why."""

    version: str
    by: str
    time: float
    reason: str


class Drift(Answer):
    """How far an area has moved away from what its model was learnt from, over the last one to two weeks.

    `outside` of `rows` are as unusual as the share `usual` of those learnt from; `points` are those that have moved.
    """

    rows: float
    independent: float
    outside: float
    usual: float
    drifted: bool
    points: list[str]


class AreaModel(Answer):
    """A model in force; `begin` and `end` are of what it was learnt from, `warning` is by language, empty when well."""

    area: str
    version: str
    kind: str
    points: list[str]
    begin: float
    end: float
    rows: int
    trained: float
    age_days: float
    promoted: Promoted | None
    drift: Drift | None
    warning: dict[str, str]


class TriedKind(Answer):
    """How a kind did when it was tried: shares of quiet rows judged anomalous and of faults found; -1 is untried."""

    kind: str
    false: float
    found: float


class LearntModel(Answer):
    """A model of an area that was learnt. `tried` are all kinds; `missing` is what the site does not have any more."""

    version: str
    area: str
    kind: str
    points: tuple[str, ...]
    interval: float
    begin: float
    end: float
    rows: int
    code: str
    source: str
    trained: float
    tried: tuple[TriedKind, ...]
    in_force: bool
    promoted: Promoted | None
    missing: tuple[str, ...]


class CalibrationBin(Answer):
    """Alarms to which similar odds were told: how many, the mean of what was told, and the share that was real."""

    count: int
    told: float
    real: float


class TriageFigures(Answer):
    """How a triage model foretold the later verdicts. Brier: 0 is best; `order` is the area under the ROC curve."""

    verdicts: int
    real: int
    tested: int
    brier: float
    brier_constant: float
    order: float
    bins: tuple[CalibrationBin, ...]


class TriageSince(Answer):
    """How the odds came true of alarms after those learnt from; `expected` is the Brier score if the odds are right."""

    verdicts: int
    told: float
    real: float
    brier: float
    expected: float
    drifted: bool


class TriageModel(Answer):
    """A triage model that was learnt; `since` is null of those not in force, `warning` by language, empty when well."""

    version: str
    begin: float
    end: float
    code: str
    trained: float
    figures: TriageFigures
    in_force: bool
    promoted: Promoted | None
    since: TriageSince | None
    warning: dict[str, str]


class Models(Answer):
    """The areas' models in force, and all that were learnt, the latest first. `problems`: files that are no models."""

    items: list[AreaModel]
    learnt: tuple[LearntModel, ...] = ()
    triage: tuple[TriageModel, ...] = ()
    problems: tuple[str, ...] = ()
    time: float = 0.0


class PromoteModel(Body):
    """Which model to put in force, and why."""

    version: Version
    reason: Reason


class RollModelBack(Body):
    """Of which area, or of `triage`, to go back from the model `present`, and why."""

    of: Id
    present: Version
    reason: Reason


class ModelDone(Answer):
    """What is in force now; `version` is empty for none. `waiting`: once a second person approves it."""

    of: str
    version: str
    before: str
    publication: str
    waiting: bool
    changed: bool


class PointCalibration(Answer):
    """How well a point's scores keep their promise; see `PointRates`. `learning`: its last reading has no score.

    `state`: no reading came, none has a score yet, too few have one to tell, or it is told. `kind` is declared, else
    empty, and `guessed` what it was taken for; `budget` the false alarms a day that are allowed.
    """

    point: str
    areas: list[str]
    state: Literal["never", "learning", "counting", "known"]
    learning: bool
    scored: int
    ratios: dict[str, float]
    alarms: int
    days: float
    allowed: float
    alarms_per_day: float | None
    budget: float
    kind: str
    guessed: str | None


class LevelRates(Answer):
    """How often scores of a level come, over all points that tell: the `fair` share keeps it within a half and twice.

    `ratio` are their rates over the nominal one, highest first, each at the `share` of points that are as high.
    """

    level: float
    points: int
    fair: float | None
    share: list[float]
    ratio: list[float]


class Calibration(Answer):
    """A page of points, and all points summed up. `shipped` is the budget where an area type sets none."""

    items: list[PointCalibration]
    total: int
    next: int | None
    states: dict[str, int]
    levels: list[LevelRates]
    alarms: int
    allowed: float
    shipped: float
