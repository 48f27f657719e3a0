"""What was refused, why, and the raw bytes: nothing vanishes.

Every refusal is counted by reason. Raw records are kept in the topic `quarantine`, but no more than a rate allows, so
that a flood of bad input cannot crowd out the good; what is not kept is counted too, and a record says so.
"""

from __future__ import annotations

from collections import Counter

import msgspec

TOPIC = "quarantine"
PARTITION = 0
RAW_LIMIT = 4096
"""Raw bytes kept of one refused message; a longer one is cut."""

REASONS = (
    "unknown_topic",  # no dialect or area owns the topic
    "unknown_point",  # the site has no such point, or it does not serve the area
    "unknown_camera",
    "malformed",
    "oversized",
    "not_finite",  # NaN, infinite, null or too large a number
    "future",  # further ahead of arrival than the site accepts
    "ancient",  # older on arrival than the point accepts
    "retained",  # the broker's stored copy, without a time of its own: nobody knows how old
    "false_positive",  # Frigate itself does not believe it
    "unbound",  # a metric that the site binds to no point: gateways send many
    "unborn",  # by an alias that no birth certificate has told
    "not_a_reading",  # a text, bytes, a table or a time where the point wants a number
    "wrong_unit",  # in a unit that cannot become the point's
    "old_death",  # the death certificate of an earlier session
    "log_refused",  # the log will never take the record that it became part of
)

COUNTED_ONLY = frozenset({"false_positive", "unbound", "old_death"})
"""Reasons of which only the number is kept: normal traffic, not a fault."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Record one refused message. `readings` is how many readings of it were refused, `size` its length in bytes."""

    time: float  # unix seconds of arrival
    source: str
    topic: str
    reason: str
    raw: bytes = b""  # cut at RAW_LIMIT
    size: int = 0
    detail: str = ""
    readings: int = 1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Refused)


def encode(refused: Refused) -> bytes:
    """Encode a record of the `quarantine` topic (msgpack)."""
    return _encoder.encode(refused)


def decode(record: bytes) -> Refused:
    """Decode a record of the `quarantine` topic. Raise `msgspec.DecodeError` (a ValueError) on anything else."""
    return _decoder.decode(record)


class Quarantine:
    """Count refusals and keep their records, at most `rate` a second with bursts of `burst`.

    Time is always an argument. `counts` and `unkept` are readings (or messages) by reason.
    """

    def __init__(self, source: str, *, rate: float = 50.0, burst: int = 500) -> None:
        self.source = source
        self.counts: Counter[str] = Counter()
        self.unkept: Counter[str] = Counter()
        self._rate = rate
        self._burst = float(burst)
        self._allowance = float(burst)
        self._last: float | None = None
        self._unsaid: Counter[str] = Counter()
        self._records: list[bytes] = []

    def refuse(
        self,
        time: float,
        topic: str,
        reason: str,
        raw: bytes = b"",
        detail: str = "",
        readings: int = 1,
        size: int = -1,
    ) -> None:
        """Count a refusal at `time` (unix seconds) and keep its record if the rate allows."""
        self.counts[reason] += readings
        if reason in COUNTED_ONLY:
            return
        if self._last is not None and time > self._last:
            self._allowance = min(self._burst, self._allowance + (time - self._last) * self._rate)
        self._last = time if self._last is None else max(self._last, time)
        if self._allowance < 1.0:
            self.unkept[reason] += readings
            self._unsaid[reason] += readings
            return
        self._allowance -= 1.0
        self._keep(
            Refused(
                time=time,
                source=self.source,
                topic=topic[:1024],
                reason=reason,
                raw=bytes(raw[:RAW_LIMIT]),
                size=len(raw) if size < 0 else size,
                detail=detail[:512],
                readings=readings,
            )
        )

    def take(self, time: float) -> list[bytes]:
        """Take the records kept since the last call; once the flood ebbs, one says how much was not kept."""
        if self._unsaid and self._last is not None:
            allowance = min(self._burst, self._allowance + max(0.0, time - self._last) * self._rate)
            if allowance >= min(self._burst, self._rate):
                for reason, readings in self._unsaid.items():
                    detail = f"{readings} more were refused and not kept: too many at once"
                    self._keep(
                        Refused(
                            time=time, source=self.source, topic="", reason=reason, detail=detail, readings=readings
                        )
                    )
                self._unsaid.clear()
        records, self._records = self._records, []
        return records

    @property
    def pending(self) -> bool:
        """Tell whether `take` has, or will have, something to give."""
        return bool(self._records or self._unsaid)

    def _keep(self, refused: Refused) -> None:
        self._records.append(encode(refused))
