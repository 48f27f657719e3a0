"""A publication's content: the site and its rules together, as they take force at one offset."""

from __future__ import annotations

import hashlib
import zlib

import msgspec

from rules.rule import Rule
from sensors.site import Site

MAX_BYTES = 256 * 1024 * 1024


class BundleError(ValueError):
    """Raised when bytes are not a bundle."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a publication puts in force."""

    site: Site
    rules: tuple[Rule, ...] = ()
    models: tuple[bytes, ...] = ()  # of areas, as `models.area.store` packs them
    triage: bytes | None = None  # as `models.triage.store` packs it; empty: none in force, None: never was one


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Bundle)


def pack(bundle: Bundle) -> bytes:
    """Encode a bundle as deflated msgpack."""
    return zlib.compress(_encoder.encode(bundle), 6)


def unpack(packed: bytes) -> Bundle:
    """Decode a bundle written by `pack`. Raise `BundleError` on anything else or on more than 256 MiB."""
    try:
        inflater = zlib.decompressobj()
        content = inflater.decompress(packed, MAX_BYTES)
        if inflater.unconsumed_tail or not inflater.eof:
            raise BundleError("bundle is cut or too large")
        return _decoder.decode(content)
    except (zlib.error, msgspec.DecodeError) as error:
        raise BundleError(f"not a bundle: {error}") from error


def version_of(packed: bytes) -> str:
    """Name a bundle by its content: twelve hexadecimal digits."""
    return hashlib.blake2b(packed, digest_size=6).hexdigest()
