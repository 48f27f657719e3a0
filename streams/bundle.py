"""A publication's content: the site and its rules together, as they take force at one offset."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from rules.rule import Rule
from sensors.site import Site
from sensors.steps import Steps, finished

MAX_BYTES = 256 * 1024 * 1024
INFLATED = 1024 * 1024
"""Bytes that are inflated in one step."""


class BundleError(ValueError):
    """Raised when bytes are not a bundle."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a publication puts in force."""

    site: Site
    rules: tuple[Rule, ...] = ()
    models: tuple[bytes, ...] = ()  # of areas, as `models.area.store` packs them
    triage: bytes | None = None  # as `models.triage.store` packs it; empty: none in force, None: never was one


class _Pieces(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of which each part is still to be decoded."""

    site: msgspec.Raw
    rules: tuple[msgspec.Raw, ...] = ()
    models: tuple[bytes, ...] = ()
    triage: bytes | None = None


class Known(NamedTuple):
    """What was decoded before, by a hash of its bytes."""

    site: tuple[bytes, Site] | None = None
    rules: Mapping[bytes, Rule] = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Bundle)
_pieces = msgspec.msgpack.Decoder(_Pieces)
_site = msgspec.msgpack.Decoder(Site)
_rule = msgspec.msgpack.Decoder(Rule)


def pack(bundle: Bundle) -> bytes:
    """Encode a bundle as deflated msgpack."""
    return zlib.compress(_encoder.encode(bundle), 6)


def unpack(packed: bytes) -> Bundle:
    """Decode a bundle written by `pack`. Raise `BundleError` on anything else or on more than 256 MiB."""
    try:
        return _decoder.decode(finished(_inflating(packed)))
    except (zlib.error, msgspec.DecodeError) as error:
        raise BundleError(f"not a bundle: {error}") from error


def unpacking(packed: bytes, known: Known) -> Steps[tuple[Bundle, Known]]:
    """Decode a bundle as `unpack` does, in steps. What is in it as it was before is the same object.

    Return what is known next time as well. A site that has changed is one step.
    """
    try:
        pieces = _pieces.decode((yield from _inflating(packed)))
        yield
        named = _name(pieces.site)
        site = known.site if known.site is not None and known.site[0] == named else (named, _site.decode(pieces.site))
        yield
        rules: dict[bytes, Rule] = {}
        found = []
        for raw in pieces.rules:
            named = _name(raw)
            found.append(rules.setdefault(named, known.rules.get(named) or _rule.decode(raw)))
            yield
    except (zlib.error, msgspec.DecodeError) as error:
        raise BundleError(f"not a bundle: {error}") from error
    content = Bundle(site=site[1], rules=tuple(found), models=pieces.models, triage=pieces.triage)
    return content, Known(site, rules)


def _name(raw: msgspec.Raw) -> bytes:
    return hashlib.blake2b(memoryview(raw), digest_size=16).digest()


def _inflating(packed: bytes) -> Steps[bytes]:
    inflater, rest, parts, size = zlib.decompressobj(), packed, [], 0
    while rest and not inflater.eof:
        parts.append(inflater.decompress(rest, min(INFLATED, MAX_BYTES - size) or 1))
        size, rest = size + len(parts[-1]), inflater.unconsumed_tail
        if size > MAX_BYTES:
            break
        yield
    if rest or not inflater.eof or size > MAX_BYTES:
        raise BundleError("bundle is cut or too large")
    return b"".join(parts)


def version_of(packed: bytes) -> str:
    """Name a bundle by its content: twelve hexadecimal digits."""
    return hashlib.blake2b(packed, digest_size=6).hexdigest()
