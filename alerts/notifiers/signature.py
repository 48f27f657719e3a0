"""Sign what is posted and check what comes. Source of the headers and the signature: Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256

from alerts.notifiers.targets import TargetError


def sign(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    """Return the signature header of a request."""
    mac = hmac.new(secret, f"{id}.{timestamp}.".encode() + body, sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, now: float, tolerance: float = 300.0) -> bool:
    """Tell whether a request is genuine and not older than `tolerance` seconds: what a receiver does."""
    id, stamp, signed = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not stamp.isdecimal() or abs(now - int(stamp)) > tolerance:
        return False
    expected = sign(secret, id, int(stamp), body)
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in signed.split(" "))


def secret_bytes(secret: str) -> bytes:
    """Turn a configured secret into the key. Raise `TargetError` when its base64 is broken."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise TargetError("the secret after whsec_ is not base64") from error
