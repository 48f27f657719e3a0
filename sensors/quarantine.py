"""What was refused, why, and the raw bytes: nothing vanishes.

Every refusal is counted by reason. Raw records are kept in the topic `quarantine`, but no more than a rate allows, so
that a flood of bad input cannot crowd out the good; what is not kept is counted too, and a record says so.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Protocol

import msgspec

TOPIC = "quarantine"
PARTITION = 0
SUMMARY_SECONDS = 10.0
"""Seconds between two records of how much was refused and not kept."""

RAW_LIMIT = 4096
"""Raw bytes kept of a refused message that cannot be kept whole: one longer than `WHOLE_LIMIT`, or one too many."""

WHOLE_LIMIT = 262_144
"""Bytes up to which a refused message is kept whole, so that it can be decoded again, while the allowance lasts."""

REPLAYED = b"replayed"
"""Key of the records of this topic that say of another one that it was decoded again and taken."""

REASONS = (
    "unknown_topic",  # no dialect or area owns the topic
    "unknown_point",  # the site has no such point, or it does not serve the area
    "unknown_camera",
    "malformed",
    "oversized",
    "not_finite",  # NaN, infinite, null or too large a number
    "future",  # further ahead of arrival than the site accepts
    "ancient",  # older on arrival than the point accepts
    "skewed",  # a note, not a refusal: the clock of a point or camera was found wrong, or right again
    "flood",  # far more than is expected of the point, camera or source
    "retained",  # the broker's stored copy, without a time of its own: nobody knows how old
    "false_positive",  # Frigate itself does not believe it
    "unbound",  # a metric, entity or message that the site binds to no point: gateways send many
    "unborn",  # by an alias that no birth certificate has told
    "not_a_reading",  # a text, bytes, a table or a time where the point wants a number
    "wrong_unit",  # in a unit that is unknown, or cannot become the point's
    "old_death",  # the death certificate of an earlier session
    "unsupported",  # a template that asks for more than is worked out here
    "ignored",  # normal traffic that says nothing of what is watched: a keep-alive, a kind that the site leaves out
    "image_type",  # neither JPEG nor PNG
    "image_bomb",  # more pixels than any camera has
    "decoder_crash",  # a camera that is put aside for a while: its decoder crashed the process twice in a short time
    "decoder_hang",  # a camera that is put aside for a while: several of its decoders hang
    "log_refused",  # the log will never take the record that it became part of
)

NO_MESSAGE = frozenset({"log_refused", "image_type", "image_bomb", "decoder_crash", "decoder_hang"})
"""Reasons whose raw bytes are not what arrived: there is nothing to decode again."""

COUNTED_ONLY = frozenset({"false_positive", "unbound", "old_death", "ignored"})
"""Reasons of which only the number is kept: normal traffic, not a fault."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Record one refused message. `readings` is how many readings of it were refused, `size` its length in bytes.

    A message that was refused for several reasons has several records, one after the other; `part` counts them.
    """

    time: float  # unix seconds of arrival
    source: str
    topic: str
    reason: str
    raw: bytes = b""  # whole, or cut at RAW_LIMIT
    size: int = 0
    detail: str = ""
    readings: int = 1
    retained: bool = False  # the broker's stored copy
    part: int = 0
    taken: bytes = b""  # points of which the same message brought readings that were taken: u4 little endian
    said: bool = False  # the same message brought another observation that was taken

    @property
    def replayable(self) -> bool:
        """Tell whether this is a message that can be decoded again: a whole one."""
        return bool(self.topic) and self.reason not in NO_MESSAGE and len(self.raw) == self.size


class Replayed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Mark that a kept message was decoded again and what it brought was taken, in one transaction with this.

    `offset` is that of the message's first record. `taken` and `said` as in `Refused`, of this time.
    """

    offset: int
    time: float
    actor: str
    version: str  # of the site it was decoded with
    readings: int = 0
    events: int = 0
    taken: bytes = b""
    said: bool = False


class BusyError(RuntimeError):
    """Raised when another replay of the quarantine is under way on a data folder."""


class Refusal(Protocol):
    """Describe what of a refusal is searched."""

    @property
    def time(self) -> float:
        """Unix seconds of arrival."""
        ...

    @property
    def source(self) -> str:
        """Who refused it."""
        ...

    @property
    def topic(self) -> str:
        """Where it arrived."""
        ...

    @property
    def reason(self) -> str:
        """Why it was refused."""
        ...


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Say which refusals are asked for; what is None is not looked at.

    `topic` is a text that the topic contains, in any case; `since` and `until` are unix seconds of arrival.
    """

    source: str | None = None
    reason: str | None = None
    topic: str | None = None
    since: float | None = None
    until: float | None = None

    def wants(self, one: Refusal) -> bool:
        """Tell whether a refusal is asked for."""
        return (
            self.source in (None, one.source)
            and self.reason in (None, one.reason.partition(":")[0])
            and (self.topic is None or self.topic.casefold() in one.topic.casefold())
            and (self.since is None or one.time >= self.since)
            and (self.until is None or one.time <= self.until)
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Refused)
_mark_decoder = msgspec.msgpack.Decoder(Replayed)


def encode(refused: Refused) -> bytes:
    """Encode a record of the `quarantine` topic (msgpack)."""
    return _encoder.encode(refused)


def decode(record: bytes) -> Refused:
    """Decode a record of the `quarantine` topic. Raise `msgspec.DecodeError` (a ValueError) on anything else."""
    return _decoder.decode(record)


def encode_mark(mark: Replayed) -> bytes:
    """Encode a mark of the `quarantine` topic (msgpack); its key is `REPLAYED`."""
    return _encoder.encode(mark)


def decode_mark(record: bytes) -> Replayed:
    """Decode a mark. Raise `msgspec.DecodeError` (a ValueError) on anything else."""
    return _mark_decoder.decode(record)


class Quarantine:
    """Count refusals and keep their records, at most `rate` a second with bursts of `burst`.

    Beyond `whole_rate` bytes a second, with bursts of `whole_burst`, messages are cut at `RAW_LIMIT`. Time is always an
    argument. `counts` and `unkept` are readings (or messages) by reason.
    """

    def __init__(
        self,
        source: str,
        *,
        rate: float = 50.0,
        burst: int = 500,
        whole_rate: float = 262_144.0,
        whole_burst: int = 8 << 20,
    ) -> None:
        self.source = source
        self.counts: Counter[str] = Counter()
        self.unkept: Counter[str] = Counter()
        self._rate = rate
        self._burst = float(burst)
        self._allowance = float(burst)
        self._whole_rate = whole_rate
        self._whole_burst = float(whole_burst)
        self._whole = float(whole_burst)
        self._last: float | None = None
        self._unsaid: Counter[str] = Counter()
        self._closing = False
        self._said = -inf  # when it was last said how much was not kept
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
        *,
        retained: bool = False,
        part: int = 0,
        taken: bytes = b"",
        said: bool = False,
    ) -> bool:
        """Count a refusal at `time` (unix seconds) and keep its record if the rate allows; tell whether it did."""
        self.counts[reason] += readings
        if reason in COUNTED_ONLY:
            return False
        if self._last is not None and time > self._last:
            self._allowance = min(self._burst, self._allowance + (time - self._last) * self._rate)
            self._whole = min(self._whole_burst, self._whole + (time - self._last) * self._whole_rate)
        self._last = time if self._last is None else max(self._last, time)
        if self._allowance < 1.0:
            self.unkept[reason] += readings
            self._unsaid[reason] += readings
            return False
        self._allowance -= 1.0
        kept = len(raw)
        if kept > RAW_LIMIT and (kept > WHOLE_LIMIT or kept > self._whole):
            kept = RAW_LIMIT
        elif kept > RAW_LIMIT:
            self._whole -= kept
        self._keep(
            Refused(
                time=time,
                source=self.source,
                topic=topic[:1024],
                reason=reason,
                raw=bytes(raw[:kept]),
                size=len(raw) if size < 0 else size,
                detail=detail[:512],
                readings=readings,
                retained=retained,
                part=part,
                taken=taken if kept == len(raw) else b"",
                said=said,
            )
        )
        return True

    def count(self, reason: str, readings: int) -> None:
        """Count refusals of which nothing is kept: the first of their kind has been."""
        self.counts[reason] += readings
        self.unkept[reason] += readings
        self._unsaid[reason] += readings

    def close(self) -> None:
        """Have the next `take` say how much was not kept, flood or not."""
        self._closing = True

    def take(self, time: float) -> list[bytes]:
        """Take the records kept since the last call; once the flood ebbs, or at the end, one says how much was not."""
        if self._unsaid:
            since = 0.0 if self._last is None else max(0.0, time - self._last)
            allowance = min(self._burst, self._allowance + since * self._rate)
            waited = time - self._said >= SUMMARY_SECONDS or time < self._said
            if self._closing or (waited and allowance >= min(self._burst, self._rate)):
                self._said = time
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
