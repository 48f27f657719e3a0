"""The address of a camera's stills: parsed in one way, by whoever checks the site and by whoever asks there."""

from __future__ import annotations

import httpx

HIGHEST_PORT = 65_535


class AddressError(ValueError):
    """Raised on an address at which nobody can ask. Its sentence quotes nothing of it: it may hold a password."""


def parsed(address: str) -> httpx.URL:
    """Parse an address of stills. Raise `AddressError`."""
    try:
        url = httpx.URL(address)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError):
        raise AddressError(
            "the address of a still cannot be parsed: write '/', '@', ':', '#' and '?' of a user or password "
            "as %2F, %40, %3A, %23 and %3F"
        ) from None  # what it was raised from quotes a part
    if url.scheme not in ("http", "https"):
        raise AddressError("the address of a still begins with http:// or https://")
    if not host:
        raise AddressError("the address of a still names no host")
    if port is not None and not 0 < port <= HIGHEST_PORT:
        raise AddressError(f"the port in the address of a still is 1 to {HIGHEST_PORT}")
    return url
