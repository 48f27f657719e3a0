"""What a run noted of itself, for commands that come to it later."""

from __future__ import annotations

from pathlib import Path

from streams.durable import replace

_SITE = "site"


def note_site(data: Path, site: Path) -> None:
    """Note the site folder that a run was started with."""
    replace(data / "run" / _SITE, str(site.resolve()).encode())


def site_of(data: Path) -> Path | None:
    """Read the site folder that the latest run was started with; None when it did not say."""
    try:
        return Path((data / "run" / _SITE).read_bytes().decode(errors="replace"))
    except FileNotFoundError:
        return None
