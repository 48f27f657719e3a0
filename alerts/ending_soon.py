"""The notice that a silence or a mode of the site is nearly over: told to people, who may prolong it in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alerts import cloudevent
from alerts.casebook import Casebook
from alerts.hush import Silenced
from alerts.mode import Spell
from sensors.site import LEVELS, SYSTEM

NAMED = 8
"""Areas, points or rules that a title names."""


def of_silence(book: Casebook, one: Silenced, clock: float) -> dict[str, Any]:
    """Make the CloudEvent that says that a silence ends soon: the same in every partition."""
    level = LEVELS[one.rank - 1] if one.rank else LEVELS[0]
    what = ("静默即将结束", "A silence ends soon")
    others = (*one.scopes, *one.rules)
    return _event(book, "silence", one.id, one.until, one.areas, others, what, level, one.reason, clock)


def of_mode(book: Casebook, spell: Spell, clock: float) -> dict[str, Any]:
    """Make the CloudEvent that says that a mode ends soon, one for all areas of its order."""
    mode = next((one for one in book.site.modes if one.id == spell.mode), None)
    zh, en = (mode.name.zh, mode.name.en) if mode is not None else (spell.mode, spell.mode)
    what = (f"{zh}模式即将结束", f"The mode {en} ends soon")
    areas = [one.area for one in book.cases.modes.values() if one.order == spell.order and one.area]
    return _event(book, "mode", spell.order, spell.until, areas, (), what, "yellow", spell.reason, clock)


def _event(
    book: Casebook,
    kind: str,
    id: str,
    until: float,
    areas: Sequence[str],
    others: Sequence[str],
    what: tuple[str, str],
    level: str,
    reason: str,
    clock: float,
) -> dict[str, Any]:
    names = [book.area_name(area) for area in areas[:NAMED]]
    rest = ", ".join(others[:NAMED])
    title = {}
    for language, words in zip(("zh", "en"), what, strict=True):
        where = ", ".join(filter(None, [*(name[language] for name in names), rest]))
        title[language] = f"{words}：{where}" if language == "zh" and where else f"{words}: {where}" if where else words
    area = areas[0] if len(areas) == 1 else SYSTEM
    place = {"id": area, "name": book.area_name(area)} if area != SYSTEM else None
    return cloudevent.ending_event(
        kind,
        id=f"{id[:64]}-ends-{until:.0f}",
        site=book.site.id,
        subject=id,
        time=clock,
        data={
            "title": title,
            "area": place,
            "level": level,
            "why": reason,
            "edge": f"{kind}_ends",
            "deadline": cloudevent.timestamp(until),
            "links": {},
        },
    )
