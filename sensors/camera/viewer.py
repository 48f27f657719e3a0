"""The site's own viewer of a camera: the template of its address, checked, and filled for one camera."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from sensors.site import Camera

SCHEMES = ("https", "http", "rtsp", "rtsps")
"""Schemes that an address may have, besides `web+<name>` of an application that registered itself."""

HELD = ("camera", "source", "area")
"""Place-holders: the camera's id, its name at its analytics or platform, the id of its home area."""

LONGEST = 500

_PLACE_HOLDER = re.compile(r"\{([^{}]*)\}")
_APPLICATION = re.compile(r"web\+[a-z]{1,30}\Z")


def mistakes(template: str) -> Iterator[str]:
    """Find what is wrong with a template; "" is none at all and good."""
    if not template:
        return
    if len(template) > LONGEST:
        yield f"the address of a viewer is at most {LONGEST} characters long"
        return
    if any(character.isspace() or ord(character) < 33 or character in "\"'<>\\`" for character in template):
        yield "an address holds no blanks, quotes and the like"
        return
    try:
        parts = urlsplit(template)
        host, user, _ = parts.hostname, parts.username, parts.port
    except ValueError as error:
        yield f"no address: {error}"
        return
    if parts.scheme not in SCHEMES and not _APPLICATION.match(parts.scheme):
        yield f"the address of a viewer begins with {', '.join(f'{one}://' for one in SCHEMES)} or web+name://"
    if not host or "{" in parts.netloc or "}" in parts.netloc:
        yield "the address of a viewer names its host, without a place-holder"
    if user is not None:
        yield "an address that everybody is shown holds no user and password"
    for name in _PLACE_HOLDER.findall(template):
        if name not in HELD:
            yield f"unknown place-holder '{{{name[:40]}}}'; known are {', '.join(f'{{{one}}}' for one in HELD)}"
    if any(sign in _PLACE_HOLDER.sub("", template) for sign in "{}"):
        yield "'{' and '}' stand around a place-holder only"


def viewer_of(camera: Camera) -> str | None:
    """Fill the template for a camera; None where there is none."""
    values = {"camera": camera.id, "source": camera.source or camera.id, "area": camera.areas[0]}

    def value(found: re.Match[str]) -> str:
        return quote(values[found[1]], safe="")

    return _PLACE_HOLDER.sub(value, camera.viewer) if camera.viewer else None
