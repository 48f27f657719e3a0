"""Lock-out: how many failed log-ins a name, an address, and both together may have."""

from __future__ import annotations

import hashlib
import ipaddress
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

REPORTS = 60
"""Reports a minute that one account or token may make."""

CHECKS = 120
"""Drafts of rules a minute that one account or token may have checked: the page waits for a pause in the typing."""

SIGN_INS = 60
"""Sign-ins by a provider that one address may begin or end in five minutes: a shift comes in by one address."""

REPLIES = 20
"""Codes that one address, or one sender of a gateway, may try in five minutes: a code has 60 bits."""


class Throttle:
    """Count attempts in moving windows, in memory.

    `failures` is how many a name may have from one address in five minutes. A name alone is allowed many more, so that
    a stranger cannot lock an officer out.
    """

    def __init__(self, failures: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._pair = RateLimitItemPerMinute(failures, 5)
        self._name = RateLimitItemPerHour(failures * 20)
        self._address = RateLimitItemPerMinute(failures * 12, 5)
        self._report = RateLimitItemPerMinute(REPORTS)
        self._check = RateLimitItemPerMinute(CHECKS)
        self._sign_in = RateLimitItemPerMinute(SIGN_INS, 5)
        self._reply = RateLimitItemPerMinute(REPLIES, 5)

    def attempt(self, name: str, address: str) -> float | None:
        """Count an attempt; return None when it may be made, else the seconds until the next may."""
        for limit, key in self._keys(name, address):
            wait = self._hit(limit, key)
            if wait is not None:
                return wait
        return None

    def report(self, actor: str) -> float | None:
        """Count a report; return None when it may be made, else the seconds until the next may."""
        return self._hit(self._report, "report", actor)

    def check(self, actor: str) -> float | None:
        """Count a check of a draft; return None when it may be made, else the seconds until the next may."""
        return self._hit(self._check, "check", actor)

    def sign_in(self, address: str) -> float | None:
        """Count a step of a sign-in by a provider; return None when it may be made, else how long until the next."""
        return self._hit(self._sign_in, "sign in", network_of(address))

    def sign_out(self, address: str) -> float | None:
        """Count a sign-out that a provider is said to tell of; as `attempt` does."""
        return self._hit(self._sign_in, "sign out", network_of(address))

    def signed_out(self, address: str) -> None:
        """Forget the sign-outs of an address: one was told by the provider."""
        self._limiter.clear(self._sign_in, "sign out", network_of(address))

    def reply(self, who: str) -> float | None:
        """Count an answer by code, of an address or a gateway's sender; as `attempt` does."""
        return self._hit(self._reply, "reply", network_of(who))

    def replied(self, who: str) -> None:
        """Forget the answers of an address or sender: one had a code that was right."""
        self._limiter.clear(self._reply, "reply", network_of(who))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the attempts of a name from this address: its password was right."""
        limit, key = self._keys(name, address)[0]
        self._limiter.clear(limit, key)

    def _hit(self, limit: RateLimitItem, *key: str) -> float | None:
        if self._limiter.hit(limit, *key):
            return None
        return max(self._limiter.get_window_stats(limit, *key).reset_time - time.time(), 1.0)

    def _keys(self, name: str, address: str) -> tuple[tuple[RateLimitItem, str], ...]:
        person = hashlib.sha256(name.strip().casefold().encode("utf-8", "replace")).hexdigest()[:32]
        place = network_of(address)
        return (self._pair, f"{person} {place}"), (self._name, person), (self._address, place)


def network_of(address: str) -> str:
    """Name what counts as one place: an IPv4 address, or the /64 that an IPv6 address is in."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
