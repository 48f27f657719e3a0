"""What is doubtful of rules that are sound: those that can never be raised here, and those that nothing proves.

None of it keeps a rule from being published: a site may be about to get the points, and its own analytics may tell of
events that no list knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase

from rules.covering import Covering
from rules.expression import Events, Flag, Node, Order, Surprise, parse, walk
from rules.reports import PREFIX
from rules.rule import Rule
from sensors.event_kinds import known_kinds
from sensors.problem import Path, suggest
from sensors.site import LEVELS, Site

ALIKE = 0.8
"""How much alike (difflib's ratio) an unknown name and a known one are where one must be a slip of the other."""

Doubt = tuple[Path, str]
"""Where in the rule, and what is doubtful there."""


class Doubts:
    """What a site has and hears of, for asking whether a rule can ever be raised on it."""

    def __init__(self, site: Site, rules: Iterable[Rule] = ()) -> None:
        """Begin with a site and all its rules: what one rule's tests tell of, others may ask for."""
        self.site = site
        self.areas = {area.id: area for area in site.areas}
        self.covering = Covering(site.points, self.areas)
        self.names = {
            "point": [point.id for point in site.points],
            "camera": [camera.id for camera in site.cameras],
        }
        self.tags = {
            "point": {tag for point in site.points for tag in point.tags},
            "area": {tag for area in site.areas for tag in area.tags},
            "camera": {tag for camera in site.cameras for tag in camera.tags},
        }
        self.kinds = known_kinds(site)
        self.categories = frozenset(one.category for one in site.reports)
        self.told = {event.kind for rule in rules for test in rule.tests for event in test.events}

    def of(self, rule: Rule) -> Iterator[Doubt]:
        """Find what is doubtful of a rule that loads."""
        named = list(self._named(rule))
        yield from named
        if not named and not self._covers(rule):
            of = f"{rule.id}: " if rule.template else ""
            yield ("where",), f"{of}covers no {rule.scope} of this site: it can never be raised"
        yield from self._events(rule)
        if not rule.tests:
            yield ("tests",), "has no tests: nothing shows when it is raised and when it is not"

    def _covers(self, rule: Rule) -> bool:
        if rule.scope == "point":
            return bool(self.covering.of(rule))
        if rule.scope == "area":
            return any(rule.where.takes_tagged_area(area) for area in self.site.areas)
        homes = ((camera, self.areas.get(camera.areas[0])) for camera in self.site.cameras if camera.areas)
        return any(rule.where.takes_camera(camera, home) for camera, home in homes if home is not None)

    def _named(self, rule: Rule) -> Iterator[Doubt]:
        """Find patterns and tags by which a rule chooses and that nothing has."""
        where = rule.where
        for field, kind, patterns in (("points", "point", where.points), ("cameras", "camera", where.cameras)):
            known = self.names[kind]
            for place, pattern in enumerate(patterns):
                if not (self._point(pattern) if kind == "point" else any(fnmatchcase(one, pattern) for one in known)):
                    yield (
                        ("where", field, place),
                        f"'{pattern}' matches no {kind} of this site{suggest(pattern, known)}",
                    )
        for place, tag in enumerate(where.tags):
            if tag not in self.tags[rule.scope]:
                near = suggest(tag, self.tags[rule.scope])
                yield ("where", "tags", place), f"no {rule.scope} of this site has the tag '{tag[:40]}'{near}"

    def _point(self, pattern: str) -> bool:
        rows = self.covering.called(pattern)
        return any(fnmatchcase(self.site.points[row].id, pattern) for row in rows)

    def _events(self, rule: Rule) -> Iterator[Doubt]:
        """Find events and reports that nobody is known to tell of."""
        for rank, level in rule.ranked():
            for part, text in (("when", level.when), ("clear", level.clear)):
                for node in walk(parse(text)) if text is not None else ():
                    for kind in _kinds(node):
                        for said in self._unknown(kind):
                            yield ("levels", LEVELS[rank - 1], part), f"column {node.column}: {said}"
        for place, one in enumerate(rule.corroborated):
            if one.event:
                yield from ((("with", place, "event"), said) for said in self._unknown(one.event))
            if one.report:
                yield from ((("with", place, "report"), said) for said in self._unknown(PREFIX + one.report))

    def _unknown(self, kind: str) -> Iterator[str]:
        """Say that a kind is not known; one that a rule's tests tell of is, unless it looks like a slip."""
        report = kind.startswith(PREFIX)
        known = self.categories if report else self.kinds
        name = kind.removeprefix(PREFIX)
        if name in known or (kind in self.told and not get_close_matches(name, known, 1, ALIKE)):
            return
        near = known | {one.removeprefix(PREFIX) for one in self.told - {kind} if one.startswith(PREFIX) == report}
        what = "category of reports of this site" if report else "kind of event that its cameras are known to tell of"
        meant = f"; if it is meant, let a test of the rule have an event of the kind '{kind}'"
        yield f"'{name}' is no {what}{suggest(name, near)}{'' if kind in self.told else meant}"


def _kinds(node: Node) -> tuple[str, ...]:
    """Name the kinds of events that a part of a condition asks for; of a report, `report-<category>`."""
    match node:
        case Flag("seen", kind=kind) | Events(kind) | Surprise("surge", kind):
            return (kind,)
        case Order(kinds):
            return kinds
        case Flag("reports" | "repeat", kind=kind) | Surprise("rising", kind):
            return (PREFIX + kind,)
    return ()
