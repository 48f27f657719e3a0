"""Find mapped templates that take nothing in: no mistake that keeps a site from running, but hardly what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.dialects import mapped, native
from sensors.document import Document, Path, Problem
from sensors.lookup import Registry
from sensors.site import Mapping
from sensors.topics import covers


def idle_templates(document: Document, registry: Registry) -> list[Problem]:
    """Name the entries of `signals.mapped` that can never bring a reading, with where they stand in `site.yaml`.

    Those whose points the site does not have, and those whose every topic an earlier entry, or the native dialect, has.
    """
    found = []
    signals = registry.site.signals
    taken = [(f"the native dialect ({one})", one) for one in (native.topics(signals.native) if signals.native else ())]
    for place, config in enumerate(signals.mapped):
        path: Path = ("signals", "mapped", place)
        [filter] = mapped.topics(config)
        earlier = next((who for who, one in taken if covers(one, filter)), "")
        if earlier:
            message = f"'{config.topic}' can never match: {earlier} takes all its topics before"
            found.append(document.problem((*path, "topic"), message))
        else:
            found += [document.problem((*path, *where), said) for where, said in _without_points(config, registry)]
        if mapped.takes_all(config):
            taken.append((f"signals.mapped[{place}] ('{config.topic}')", filter))
    return found


def _without_points(config: Mapping, registry: Registry) -> Iterator[tuple[Path, str]]:
    points = [value.point for value in config.values] or [config.point]
    for number, (point, fits) in enumerate(zip(points, mapped.fits(config, registry), strict=True)):
        if not fits:
            where: Path = ("values", number, "point") if config.values else ("point",)
            yield where, f"'{point}' can never match: the site has no point of such an id that '{config.topic}' names"
