"""Read which areas of a site are linked, so that trouble in one is likely to be that of the other."""

from __future__ import annotations

from collections.abc import Mapping

from sensors.document import Document, Path
from sensors.findings import Findings
from sensors.site import Link
from sensors.site_files import HierarchyFile

MAX_LINKS = 4096
MOST_AREAS = 16
"""Areas of one link: an incident of more would be no one's to handle."""

LONGEST = 86400.0
"""Seconds between two alarms beyond which they are not taken for one matter."""


def links_of(
    document: Document, file: HierarchyFile, groups: Mapping[str, str] | None, findings: Findings
) -> tuple[Link, ...]:
    """Return the links, and note what is wrong with them; `groups` has the group of each area, None where unknown."""
    if len(file.links) > MAX_LINKS:
        findings.add(document, ("links",), f"a site holds at most {MAX_LINKS:,} links")
        return ()
    found = []
    for i, entry in enumerate(file.links):
        path: Path = ("links", i)
        for n, area in enumerate(entry.areas):
            findings.reference("area", area, groups, document, (*path, "areas", n))
        if not 2 <= len(entry.areas) <= MOST_AREAS or len(set(entry.areas)) < len(entry.areas):
            message = f"a link names 2 to {MOST_AREAS} different areas"
            findings.add(document, (*path, "areas"), message)
        known = {area: groups[area] for area in entry.areas if area in groups} if groups is not None else {}
        if len(set(known.values())) > 1:
            apart = ", ".join(f"'{area}' is of the group '{group}'" for area, group in known.items())
            message = f"linked areas must be of one group, for an incident lies in one: {apart}; give them one `group`"
            findings.add(document, (*path, "areas"), message)
        within = findings.duration(entry.within, document, (*path, "within"))
        if not 0.0 < within <= LONGEST:
            findings.add(document, (*path, "within"), "alarms of linked areas join within a time of up to a day")
        found.append(Link(areas=entry.areas, kind=entry.kind, within=within))
    return tuple(found)
