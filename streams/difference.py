"""What a publication changes: told to a person before it is in force, and kept with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from models.area import store
from rules.changes import unraised
from sensors.renames import between
from streams.bundle import Bundle

PARTS = ("areas", "points", "cameras", "units", "seats", "shifts", "plans", "places", "fields", "area_types", "rules")
UNRAISED = "that decide otherwise under the same version"
_SHOWN = 12
TRIAGE = "triage"
"""The name of the triage model among the areas' models."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one kind of part differs: ids, each in one of the lists; `renamed` maps the id before to the id now.

    Of the rules that changed, `unraised` are those that decide otherwise under the same version.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    unraised: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed)


class _Model(msgspec.Struct, frozen=True):
    """A model by the area that it is of."""

    id: str
    version: str

    @classmethod
    def of(cls, packed: bytes) -> _Model:
        stored = store.decode(packed)
        return cls(stored.area, stored.version)

    @classmethod
    def listed(cls, content: Bundle) -> list[_Model]:
        """List a bundle's models, with that of triage under that name."""
        triage = [cls(TRIAGE, store.version_of(content.triage))] if content.triage else []
        return [*map(cls.of, content.models), *triage]


Difference = dict[str, Change]
"""By kind of part, those that differ; `site` has the names of other settings under `changed`."""


def difference(before: Bundle, after: Bundle) -> Difference:
    """Compare two bundles; empty when nothing differs."""
    renames = between(before.site, after.site)
    names = {"points": renames.points, "areas": renames.areas, "cameras": renames.cameras}
    found: Difference = {}
    for part in PARTS:
        old = before.rules if part == "rules" else getattr(before.site, part)
        new = after.rules if part == "rules" else getattr(after.site, part)
        change = _compare(old, new, names.get(part, {}))
        if part == "rules" and change.changed:
            was, now = ({rule.id: rule for rule in side.rules} for side in (before, after))
            kept = (id for id in change.changed if now[id].version == was[id].version)  # a way back lowers it
            change = msgspec.structs.replace(change, unraised=tuple(id for id in kept if unraised(was[id], now[id])))
        if change:
            found[part] = change
    ignored = {*PARTS, "version"}
    changed = [
        name
        for name in before.site.__struct_fields__
        if name not in ignored and getattr(before.site, name) != getattr(after.site, name)
    ]
    models = _compare(_Model.listed(before), _Model.listed(after), {})
    if models:
        found["models"] = models
    if changed:
        found["site"] = Change(changed=tuple(changed))
    return found


def lines(found: Difference) -> list[str]:
    """Say a difference in lines: how many of each kind were added, removed, changed and renamed, and the first ids."""
    said = []
    for part, change in found.items():
        for how in ("added", "removed", "changed"):
            ids = getattr(change, how)
            if ids:
                said.append(f"{part} {how}: {len(ids)} ({_first(ids)})")
        if change.unraised:
            said.append(f"{part} {UNRAISED}: {len(change.unraised)} ({_first(change.unraised)})")
        if change.renamed:
            pairs = [f"{old} → {new}" for old, new in change.renamed.items()]
            said.append(f"{part} renamed: {len(pairs)} ({_first(pairs)})")
    return said


def unraised_in(found: Difference) -> tuple[str, ...]:
    """Name the rules that decide otherwise under the same version: nobody could tell their alarms apart by it."""
    return found["rules"].unraised if "rules" in found else ()


def as_plain(found: Difference) -> dict[str, Any]:
    """Turn into plain data."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain


def _compare(before: Iterable[Any], after: Iterable[Any], renamed: dict[str, str]) -> Change:
    if before is after:
        return Change()
    old, new = {part.id: part for part in before}, {part.id: part for part in after}
    came_from = {now: was for was, now in renamed.items()}
    return Change(
        added=tuple(id for id in new if id not in old and id not in came_from),
        removed=tuple(id for id in old if id not in new and id not in renamed),
        changed=tuple(id for id, part in new.items() if id in old and part is not old[id] and part != old[id]),
        renamed=renamed,
    )


def _first(ids: Iterable[str]) -> str:
    ids = list(ids)
    return ", ".join(ids[:_SHOWN]) + (f", … {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")
