"""Observations: everything that can change what the engine believes, as one tagged union.

Readings travel as columns in a `Frame` (see `sensors.frame`); all other kinds are msgpack records. The first byte of a
record in the `observations` topic says which: `FRAME` or `RECORD`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

FRAME = 0x01
RECORD = 0x02

# Quality of a reading: a bit set; 0 is good. A reading with any bit of UNUSABLE neither scores nor moves a rule.
GOOD = 0
BAD = 1  # the source says so
UNCERTAIN = 2  # the source says so
SIMULATED = 4  # made by a simulator: what it raises is marked as a simulation
LATE = 8  # older than the site's lateness when it arrived
OUT_OF_RANGE = 16  # outside the point's physical range
HISTORICAL = 32  # delivered as history by the source
SKEWED = 64  # its clock is wrong; the time is set right if the site wants that
FLOOD = 128  # passed while its point sent far too much
UNUSABLE = BAD | OUT_OF_RANGE

QUALITY_NAMES = {
    "good": GOOD,
    "bad": BAD,
    "uncertain": UNCERTAIN,
    "simulated": SIMULATED,
    "historical": HISTORICAL,
}


CAMERA_FAULTS = ("loss", "black", "freeze", "blur", "cover", "shift", "overexposed")
"""What can be wrong with a camera: no signal, or its picture."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Common settings of all observations: immutable, named fields, tagged by `type`."""


class CameraEvent(Struct, tag="camera_event", frozen=True):
    """Report what a camera's analytics saw. `time` and `received` are unix seconds."""

    area: str
    camera: str
    kind: str  # the label: debris, person, smoke, ...
    event: str  # the source's own id of it
    time: float
    received: float
    phase: str = "new"  # new | update | end
    confidence: float | None = None
    zones: tuple[str, ...] = ()
    level: str = ""  # the warning level that the source gives it, one of sensors.site.LEVELS
    detail: str = ""  # the source's own words
    quality: int = GOOD


class SourceState(Struct, tag="source_state", frozen=True):
    """Report that a source says of itself that it has gone or come back: a death certificate, a last will.

    What it speaks for in one area: `points` are registry indices, `cameras` ids. Offline is no data from then on,
    until a reading or event comes.
    """

    area: str
    source: str  # the source's own name, as sparkplug:plant/edge-1
    state: Literal["online", "offline"]
    time: float
    received: float
    points: tuple[int, ...] = ()
    cameras: tuple[str, ...] = ()
    quality: int = GOOD


class CameraHealth(Struct, tag="camera_health", frozen=True):
    """Report what is wrong with a camera's picture, told anew whenever it changes and at least once a minute.

    `area` is the camera's home area. `faults` maps each of `CAMERA_FAULTS` that is there to a confidence 0..1; empty is
    a good picture, as far as that `source` judges it: an ONVIF camera tells each of its faults as a source of its own.
    `judged` is false when the view has too little in it to tell.
    """

    area: str
    camera: str
    time: float
    received: float
    faults: dict[str, float] = {}
    judged: bool = True
    source: str = "camera"  # who says so: our own camera process, or a dialect and what in it, as frigate:detect
    quality: int = GOOD


class Report(Struct, tag="report", frozen=True):
    """Carry what a person reported. `subject` is a keyed hash, never a name."""

    id: str
    area: str
    category: str
    time: float
    received: float
    text: str = ""
    subject: str | None = None
    photo: str | None = None  # SHA-256 of a kept picture
    actor: str = ""  # who brought it: user:<name> | token:<name>#<id>
    quality: int = GOOD


class Command(Struct, tag="command", frozen=True):
    """Carry an operator's (or unit's, or camera process's) order to the engine.

    `kind`: acknowledge | dispatch | comment | close on an incident or alarm; accept | refuse | on_scene | resolve |
    close on a dispatch; snapshot (a picture taken for an alarm). `target` is the id it acts on.
    """

    id: str
    kind: str
    target: str
    area: str
    actor: str  # user:<name> | unit:<id> | token:<name>#<id> | camera:<id>
    time: float
    args: dict[str, Any] = {}


class Tick(Struct, tag="tick", frozen=True):
    """Move the clock of one partition. `time` is unix seconds."""

    time: float


class SystemEvent(Struct, tag="system_event", frozen=True):
    """Report that a part of the product itself fails, or works again. `time` is unix seconds."""

    component: str  # a process (worker, bridge, console, ...), mqtt:<broker>, outbox or memory
    state: Literal["down", "up"]
    time: float
    detail: str = ""  # how it ended, what was lost


class Publication(Struct, tag="publication", frozen=True):
    """Put a version of the site (registry and rules) in force at this offset."""

    version: str
    bundle: bytes  # streams.bundle.Bundle as msgpack, deflated
    author: str
    reason: str
    time: float


class Shadow(Struct, tag="shadow", frozen=True):
    """Have a set of rules run beside those in force from this offset on, in place of the one that does; or none.

    It raises nothing. `rules` is empty to end it.
    """

    id: str
    rules: bytes  # tuple of rules.rule.Rule as msgpack, deflated
    author: str
    reason: str
    time: float


class Proposal(Struct, tag="proposal", frozen=True):
    """Have a publication wait until a second person approves it; nothing takes force by it."""

    version: str
    bundle: bytes
    source: str  # what it was made from, see streams.publication
    author: str
    reason: str
    time: float
    difference: tuple[str, ...] = ()  # from what is in force, in lines


class Decision(Struct, tag="decision", frozen=True):
    """Approve or reject the publication that waits as `number`; `id` is answered as a command's is."""

    id: str
    number: int
    approve: bool
    actor: str
    time: float
    reason: str = ""


class SiteMode(Struct, tag="mode", frozen=True):
    """Put areas into a mode of the site until a time (unix seconds), or end it there: `until` 0.

    `areas` are ids; none is the whole site. `id` names the order in its outcomes.
    """

    id: str
    mode: str
    until: float
    actor: str
    reason: str
    time: float
    areas: tuple[str, ...] = ()


class Silence(Struct, tag="silence", frozen=True):
    """Silence alarms until a time (unix seconds): those of the areas, points and rules that are named, up to a level.

    What is left empty matches anything. With `of`, the id of a silence that lasts, its end is moved; `until` 0 ends it.
    """

    id: str
    until: float
    actor: str
    reason: str
    time: float
    areas: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()  # points, or areas and cameras where rules watch those
    rules: tuple[str, ...] = ()
    level: str = "yellow"
    of: str = ""


class Exercise(Struct, tag="exercise", frozen=True):
    """Begin or end a drill (演练) in some areas: what simulated signals raise there is part of it.

    `units` are those that take part: no other is sent. `objectives` are seconds by leg, for the report. It ends by
    itself at `until` (unix seconds; 0 is never) when nobody ends it before.
    """

    id: str
    edge: Literal["begin", "end"]
    actor: str
    time: float
    title: dict[str, str] = {}  # by language, zh and en
    areas: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    objectives: dict[str, float] = {}
    until: float = 0.0


Said = CameraEvent | SourceState | CameraHealth | Report
"""What a dialect may hear beside readings: each has `area`, `time`, `received` and `quality`."""

Observation = (
    CameraEvent
    | SourceState
    | CameraHealth
    | Report
    | Command
    | Tick
    | SystemEvent
    | Publication
    | Shadow
    | Proposal
    | Decision
    | SiteMode
    | Silence
    | Exercise
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Observation] = msgspec.msgpack.Decoder(Observation)


def encode(observation: Observation) -> bytes:
    """Encode one observation as a record of the `observations` topic."""
    return bytes((RECORD,)) + _encoder.encode(observation)


_PUBLICATION = _encoder.encode(Publication(version="", bundle=b"", author="", reason="", time=0.0))
_BEGINNING = bytes((RECORD,)) + _PUBLICATION[: _PUBLICATION.index(b"publication") + len(b"publication")]


def is_publication(record: bytes) -> bool:
    """Tell whether a record written by `encode` is a publication, without decoding its bundle."""
    return record.startswith(_BEGINNING)


_SHADOW = _encoder.encode(Shadow(id="", rules=b"", author="", reason="", time=0.0))
_SHADOW_BEGINNING = bytes((RECORD,)) + _SHADOW[: _SHADOW.index(b"shadow") + len(b"shadow")]


def brings_rules(record: bytes) -> bool:
    """Tell whether a record written by `encode` brings rules to compile, without decoding them."""
    return record.startswith((_BEGINNING, _SHADOW_BEGINNING))


_TICK = _encoder.encode(Tick(time=0.0))
_TICK_BEGINNING = bytes((RECORD,)) + _TICK[: _TICK.index(b"tick") + len(b"tick")]


def is_tick(record: bytes) -> bool:
    """Tell whether a record written by `encode` is a tick, without decoding it."""
    return record.startswith(_TICK_BEGINNING)


def decode(record: bytes) -> Observation:
    """Decode a record written by `encode`. Raise `msgspec.DecodeError` (a ValueError) on anything else."""
    if not record or record[0] != RECORD:
        raise msgspec.DecodeError("not an observation record")
    return _decoder.decode(memoryview(record)[1:])
