"""Gather the mistakes of a site's files while they are read, with the checks that every part shares."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from sensors.document import Document, Path, Problem, suggest
from sensors.duration import seconds
from sensors.site import LEVELS

MAX_ID = 64
MAX_SOURCE = 512
MAX_GUESSES = 100  # looking for a near word is slow among many; nobody reads more of them
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_SOURCE = re.compile(r"[a-z0-9]+:[^\x00-\x1f]+\Z")
_NOT_ID = re.compile(r"[^a-z0-9_-]+")


class Findings:
    """Hold the problems found so far, each once, and which ids are taken where."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._guesses = 0
        self._ids: dict[str, dict[str, tuple[Document, Path]]] = {}

    @property
    def problems(self) -> list[Problem]:
        """All problems by file, line and field."""
        return sorted(self._problems)

    @property
    def count(self) -> int:
        """How many problems were found so far."""
        return len(self._problems)

    def add(self, document: Document, path: Path, message: str) -> None:
        """Note a mistake at a path of a document."""
        self._problems[document.problem(path, message)] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note mistakes that another reader found."""
        self._problems.update(dict.fromkeys(problems))

    def id(self, kind: str, id: str, document: Document, path: Path) -> bool:
        """Check that an id can be a level of an MQTT topic and is unique; tell whether it is unique."""
        if not _ID.match(id):
            fixed = _NOT_ID.sub("-", id.lower()).strip("-_")
            hint = f"; try '{fixed}'" if fixed else ""
            self.add(document, path, f"'{id}' is no id: use lower-case letters, digits, '-' and '_'{hint}")
        elif len(id) > MAX_ID:
            self.add(document, path, f"the id '{id}' is longer than {MAX_ID} characters")
        return self.unique(kind, id, document, path)

    def unique(self, kind: str, id: str, document: Document, path: Path) -> bool:
        """Check that a name is the only one of its kind."""
        taken = self._ids.setdefault(kind, {})
        if id in taken:
            first, where = taken[id]
            self.add(document, path, f"{kind} '{id}' is already given at {first.file}:{first.line(where)}")
            return False
        taken[id] = (document, path)
        return True

    def source(self, kind: str, source: str, document: Document, path: Path) -> None:
        """Check the name by which a dialect knows a point or camera: `<dialect>:<name>`, given once."""
        if not _SOURCE.match(source) or len(source) > MAX_SOURCE:
            message = f"'{source[:64]}' is no source: write <dialect>:<name>, as senml:urn:dev:ow:10e2:t"
            self.add(document, path, message)
        self.unique(f"{kind} source", source, document, path)

    def former(self, kind: str, id: str, names: Collection[str], document: Document, path: Path) -> None:
        """Note the ids that something had before, to be checked by `check_former` once all ids are known."""
        for name in names:
            where = (*path, "renamed_from")
            if not _ID.match(name) or len(name) > MAX_ID:
                self.add(document, where, f"'{name[:MAX_ID]}' is no id that a {kind} can have had")
            elif name == id:
                self.add(document, where, f"'{name}' is its id now; name the one before")
            else:
                self.unique(f"former {kind}", name, document, where)

    def check_former(self) -> None:
        """Check that no id of before is another's now: one of the two would take the other's history."""
        for kind in ("area", "point", "camera"):
            now = self._ids.get(kind, {})
            for name, (document, path) in self._ids.get(f"former {kind}", {}).items():
                if name in now:
                    other, where = now[name]
                    message = f"{kind} '{name}' is still there, at {other.file}:{other.line(where)}"
                    self.add(document, path, message)

    def reference(
        self, kind: str, id: str, known: Collection[str] | Mapping[str, object] | None, document: Document, path: Path
    ) -> bool:
        """Check that an id exists; `known` is None when the file that would tell could not be read."""
        if known is None or id in known:
            return True
        self._guesses += 1
        near = suggest(id, known) if self._guesses <= MAX_GUESSES else ""
        self.add(document, path, f"unknown {kind} '{id}'{near}")
        return False

    def location(self, location: tuple[float, float] | None, document: Document, path: Path) -> None:
        """Check latitude and longitude in degrees."""
        if location is None:
            return
        latitude, longitude = location
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            swapped = -90 <= longitude <= 90 and -180 <= latitude <= 180
            hint = "; they seem to be swapped" if swapped else ""
            self.add(document, path, f"{latitude}, {longitude} is no latitude (-90..90), longitude (-180..180){hint}")

    def duration(self, value: float | str, document: Document, path: Path, *, most: float = 3.2e9) -> float:
        """Turn a duration into seconds; it must be above zero. Return 1.0 for a wrong one, after noting it."""
        try:
            found = seconds(value)
        except ValueError as error:
            self.add(document, path, str(error))
            return 1.0
        if not 0 < found <= most:
            self.add(document, path, f"a duration must be above 0 and at most {most:.10g} s, not {value}")
            return 1.0
        return found

    def level(self, level: str, document: Document, path: Path) -> bool:
        """Check the name of a warning level."""
        if level in LEVELS:
            return True
        self.add(document, path, f"unknown level '{level}'{suggest(level, LEVELS)}; levels are {', '.join(LEVELS)}")
        return False
