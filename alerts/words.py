"""Words of sheets on paper: texts, names and times of one site in one language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alerts import messages
from alerts.paper import Paper
from sensors.site import Site


class Words:
    """Say things of one site in one language."""

    def __init__(self, site: Site, language: str) -> None:
        self.site = site
        self.tongue = "en" if language.startswith("en") else "zh"
        self._zone = ZoneInfo(site.zone)
        self._areas = {area.id: area.name for area in site.areas}
        self._units = {unit.id: unit.name for unit in site.units}
        self._seats = {seat.id: seat.name for seat in site.seats}
        self._cameras = {camera.id: camera.name for camera in site.cameras}
        self._points = {point.id: point.name for point in site.points}
        self._modes = {mode.id: mode.name for mode in site.modes}
        self._shifts = {shift.id: shift.name for shift in site.shifts}

    def __call__(self, key: str, **values: str) -> str:
        """Give a text of `alerts.messages`."""
        return messages.text(key, self.tongue, **values)

    def at(self, time: float | None) -> str:
        """Write a time in the site's zone."""
        return "" if time is None else datetime.fromtimestamp(time, self._zone).strftime("%m-%d %H:%M:%S")

    def on(self, time: float | None) -> str:
        """Write a time with its year, for what is kept."""
        return "" if time is None else datetime.fromtimestamp(time, self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def who(self, actor: str | None) -> str:
        """Name who did something as people do: an account, a unit, the system, a rule; not by our own marks."""
        kind, _, name = (actor or "").partition(":")
        if kind == "unit":
            return self.name("units", name)
        if kind == "engine" or name.startswith("exercise-"):
            return self("sheet.by.drill" if name else "sheet.by.engine")
        if kind == "rule":
            return self("sheet.by.rule", rule=name)
        return (name or kind).partition("#")[0].removesuffix("@terminal")

    def listed(self, names: Iterable[str]) -> str:
        """Write several names one after the other."""
        return (", " if self.tongue == "en" else "、").join(names)

    def name(self, kind: str, id: str) -> str:
        """Name an area, point, camera, unit, seat, shift or mode; one that is gone by its id."""
        found: Any = getattr(self, f"_{kind}").get(id)
        return getattr(found, self.tongue) if found is not None else id

    def lasting(self, seconds: float | None) -> str:
        """Write how long something took."""
        if seconds is None:
            return "—"
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"

    def paper(self, title: str, now: float, mark: str, font: Path | None) -> Paper:
        """Begin a sheet."""
        head = self.site.name.en if self.tongue == "en" else self.site.name.zh
        return Paper(title, head=head, foot=self("sheet.printed", time=self.on(now)), mark=mark, font=font)
