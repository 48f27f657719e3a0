"""A small site and short ways to say what happens, for the tests of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alerts.outcome import AnyOutcome, Explanation, Kind, Term
from sensors.observation import Command
from sensors.site import Area, AreaType, Deadlines, Field, Place, Site, Text, Unit


def name(text: str) -> Text:
    return Text(zh=f"{text}区", en=text)


SITE = Site(
    id="test",
    name=name("Test"),
    fields=(Field(id="natural", name=name("natural")),),
    area_types=(
        AreaType(id="slope", field="natural", name=name("slope"), levels_dispatch="orange"),
        AreaType(id="river", field="natural", name=name("river"), levels_dispatch="red"),
    ),
    places=(
        Place(id="d", kind="district", name=name("district")),
        Place(id="s1", kind="subdistrict", name=name("s1"), parent="d"),
        Place(id="c1", kind="community", name=name("c1"), parent="s1"),
        Place(id="c2", kind="community", name=name("c2"), parent="s1"),
        Place(id="s2", kind="subdistrict", name=name("s2")),
    ),
    areas=(
        Area(id="slope-1", name=name("slope 1"), type="slope", place="c1", group="s1", location=(22.70, 113.80)),
        Area(id="river-1", name=name("river 1"), type="river", place="c2", group="s1"),
        Area(id="nowhere", name=name("nowhere"), type="slope", place="s2", group="s2"),
    ),
    units=(
        Unit(id="u-c1", name=name("c1 team"), kind="community", place="c1", contact="ext 1"),
        Unit(id="u-c2", name=name("c2 team"), kind="community", place="c2"),
        Unit(id="u-s1", name=name("s1 team"), kind="subdistrict", place="s1"),
        Unit(
            id="u-s1-near", name=name("geo"), kind="department", place="s1", types=("slope",), location=(22.71, 113.8)
        ),
        Unit(id="u-s1-far", name=name("geo"), kind="department", place="s1", types=("slope",), location=(22.9, 113.8)),
        Unit(id="u-s1-water", name=name("water"), kind="department", place="s1", types=("river",)),
        Unit(id="u-mend", name=name("mend"), kind="maintenance", place="s1"),
        Unit(id="u-talk", name=name("talk"), kind="mediation", place="c1"),
        Unit(id="u-d", name=name("district"), kind="district", place="d"),
    ),
    deadlines=Deadlines(),
)

WHY = Explanation(
    clause="eta('limit') < 3600",
    terms=(Term(name="eta('limit')", value=2400.0, op="<", threshold=3600.0, unit="s", holds=True),),
    clear="eta('limit') > 7200",
    points=("p1",),
)


@dataclass(frozen=True)
class Rule:
    id: str
    title: Any = field(default_factory=lambda: Text(zh="位移", en="creep"))
    kind: Kind = "risk"
    version: str = "v1"
    latch: bool = False
    flapping: Any = None


@dataclass(frozen=True)
class Change:
    rule: Rule
    scope: str
    area: str
    before: int
    after: int
    onset: float
    time: float
    why: Any = None
    simulated: bool = False


def change(
    after: int,
    *,
    rule: str = "r1",
    scope: str = "p1",
    area: str = "slope-1",
    time: float = 1000.0,
    kind: Kind = "risk",
    simulated: bool = False,
    latch: bool = False,
    flapping: Any = None,
) -> Change:
    return Change(
        Rule(rule, kind=kind, latch=latch, flapping=flapping),
        scope,
        area,
        0,
        after,
        time - 5,
        time,
        WHY if after else None,
        simulated,
    )


def command(kind: str, target: str, id: str, actor: str = "user:an", **args: Any) -> Command:
    return Command(id=id, kind=kind, target=target, area="slope-1", actor=actor, time=0.0, args=args)


def edges(outcomes: list[AnyOutcome]) -> list[str]:
    """Write outcomes as short words: `alarm`, `incident opened`, `dispatch issued`, `ok`, a refusal's key."""
    words = []
    for outcome in outcomes:
        tag = str(outcome.__struct_config__.tag)
        if tag == "result":
            words.append("ok" if outcome.ok else outcome.reason)  # type: ignore[union-attr]
        elif tag == "alarm":
            words.append(outcome.edge)  # type: ignore[union-attr]
        else:
            words.append(f"{tag} {outcome.edge}")  # type: ignore[union-attr]
    return words
