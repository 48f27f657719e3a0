"""Outcomes: what the engine says happened, as one tagged union of immutable records with deterministic ids.

They go to the log's `outcomes` topic in order, from there to the journal, the notifiers and the console. Repeating one
(after a crash) repeats its id, so every consumer can drop the repeat.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

AlarmState = Literal["NORM", "UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"]
Kind = Literal["risk", "data_quality", "system"]
Mark = Literal["chattering", "folded", "fleeting", "stale", "latched", "silenced"]


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Common settings of outcome parts: they refer to nothing that refers back."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True, gc=False):
    """Common settings of outcomes: immutable, named fields, tagged by `type`."""


class Term(Struct, frozen=True):
    """One comparison of a clause as it stood: `name op threshold` with the value it had."""

    name: str  # value, score, rate('10m'), eta('limit'), seen('debris','5m'), ...
    value: float | None  # None is unknown
    op: str = ""
    threshold: float | None = None
    unit: str = ""
    holds: bool | None = None
    low: float | None = None  # the interval about a value that is foreseen (eta), in `unit`; None: open or unknown
    high: float | None = None


class Seen(Struct, frozen=True):
    """What a camera saw or a person reported, as evidence. Of a report, `report` is its id and `by` who brought it."""

    kind: str
    time: float
    camera: str = ""
    level: str = ""
    detail: str = ""
    report: str = ""
    by: str = ""
    photo: bool = False


class Explanation(Struct, frozen=True):
    """Say why an alarm fired and what would clear it."""

    clause: str  # the `when` that held, as the rule writes it
    terms: tuple[Term, ...] = ()
    clear: str = ""  # the condition that clears it, as text
    clear_terms: tuple[Term, ...] = ()
    hold: float = 0.0  # seconds of `for`
    clear_after: float = 0.0  # seconds of calm that clearing needs
    points: tuple[str, ...] = ()  # the evidence: point ids
    cameras: tuple[str, ...] = ()
    events: tuple[Seen, ...] = ()  # what was seen or reported
    score: float | None = None
    score_reason: str = ""  # detector and range, e.g. "value above 12.1..14.0 seen in the last 17 d"
    score_reason_zh: str = ""  # the same in Chinese
    foreseen: str = ""  # what the trend foresees of a limit: from where, in how long, between what
    foreseen_zh: str = ""
    gone: str = ""  # the source that says of itself that it has gone, where the point's silence is its word
    unconfirmed: tuple[str, ...] = ()  # points of the evidence that their redundant ones do not confirm


class Aside(Struct, frozen=True):
    """How an alarm was set aside: shelved, suppressed by design, or taken out of service. Times are unix seconds."""

    by: str
    reason: str
    since: float
    until: float
    level: str  # the level at which it was: a shelved alarm that rises above it rings at once
    hidden: int = 0  # how often it would have rung
    mode: str = ""  # the mode of the site that suppresses it
    gateway: str = ""  # the gateway that is gone, of whose trouble it is a symptom


class Attachment(Struct, frozen=True):
    """A file that a person put with an alarm. It is kept beside the journal, under the SHA-256 of its bytes."""

    sha: str
    type: str  # image/jpeg or application/pdf, by its content
    name: str  # as the person's file was called
    bytes: int


class AlarmTransition(Outcome, tag="alarm", frozen=True):
    """One edge of one alarm's ISA-18.2 machine."""

    id: str  # <alarm>.<sequence>
    alarm: str
    sequence: int
    rule: str
    rule_version: str
    kind: Kind
    area: str
    scope: str  # the id of the point, or of the area or camera for a rule on those
    incident: str | None
    # alarm | acknowledge | return | realarm | raise | lower | shelve | unshelve | suppress | unsuppress |
    # out_of_service | in_service; and what leaves the state as it is: hide | warn | settle | stale | assign | comment |
    # move (into another incident) | hush | unhush (a silence covers it, and does no more) | attach
    edge: str
    before: AlarmState
    after: AlarmState
    level: str  # level after this edge (the last one, once returned)
    level_before: str | None = None
    onset: float = 0.0  # when the condition began, event time
    time: float = 0.0  # when the engine knew, arrival time
    actor: str = ""  # rule:<id> or user:<name>
    reason: str = ""
    explanation: Explanation | None = None
    title: dict[str, str] = {}  # the rule's title by language, on edge `alarm`
    rationale: dict[str, Any] = {}  # the rule's rationale as it stood, on edge `alarm`
    simulated: bool = False
    aside: Aside | None = None  # while it is set aside, and on the edge that ends that
    assignee: str = ""
    # chattering: it rings too often; folded: so often that this edge is not to be heard; fleeting: it returned before
    # anybody could act; stale: active for too long
    marks: tuple[Mark, ...] = ()
    folded: int = 0  # how many rings were folded since it began to chatter
    exercise: str = ""  # the drill that it is part of
    attachment: Attachment | None = None  # on edge `attach`


class IncidentChange(Outcome, tag="incident", frozen=True):
    """One change of an incident: the alarms of one area that belong together."""

    id: str  # <incident>.<sequence>
    incident: str
    sequence: int
    area: str
    kind: Kind
    # opened | joined | level | acknowledged | dispatched | commented | calmed | closed | snapshot,
    # undispatched: nobody is on it (any more), or in its area `args.area`; `reason` says why; said again until a person
    # takes it up,
    # planned: it keeps to a plan from now on, ticked | unticked: a step of that,
    # merged: it ended, `args.into` has its alarms and orders; took_in: it has those of `args.incidents` from now on,
    # reported: a person told of it, `args.report` is the report and `args.count` how many there are,
    # split: some went into a new one, `args.into`,
    # commented: with `args.alarm` where it was said of that,
    # recalled: nobody mends anything of it any more, what was ordered for is well,
    # attached: a file was put with an alarm of it, `args.attachment` with `args.alarm`,
    # set_aside: an alarm of it was, reminded: an alarm of it still waits for an acknowledgement
    edge: str
    state: str  # open | acknowledged | dispatched | calm | closed
    level: str  # highest level of its open alarms (the last one, once calm)
    cause: str  # alarm id of the cause
    alarms: tuple[str, ...]  # all its alarms, cause first, then symptoms
    opened: float
    time: float
    actor: str = ""
    reason: str = ""
    disposition: str = ""
    peak: str = ""  # highest level so far
    unacknowledged: bool = False  # an alarm of it waits for an acknowledgement (also while somebody is on the way)
    title: dict[str, str] = {}  # area, the cause's rule and the level, by language
    args: dict[str, Any] = {}
    simulated: bool = False
    event: dict[str, Any] | None = None  # the CloudEvent of edges `undispatched` and `reminded`
    exercise: str = ""  # the drill that it is part of
    sort: str = ""  # report or dispute: a case that people have told of
    subject: str = ""  # whom that is about, as a keyed hash
    areas: tuple[str, ...] = ()  # all its areas, that of its cause first; none where it has but one


class DispatchChange(Outcome, tag="dispatch", frozen=True):
    """One change of a dispatch: the order that sends a unit, leg by leg."""

    id: str  # <dispatch>.<sequence>
    dispatch: str
    sequence: int
    incident: str
    area: str
    unit: str
    # issued | accepted | refused | on_scene | resolved | fed_back | follow_up | closed | overdue | reassigned |
    # referred | raised | lead | moved (with another incident from now on)
    edge: str
    leg: str  # the leg it stands at after the edge, see `alerts.dispatch`
    level: str
    deadline: float | None  # unix seconds by which the next leg is due
    time: float
    overdue: bool = False
    actor: str = ""
    reason: str = ""
    event: dict[str, Any] | None = None  # the CloudEvent of this change
    simulated: bool = False
    previous: str = ""  # the unit that lost it, on the edges `reassigned` and `referred`
    lead: str = ""  # the unit that leads where several work together
    repair: dict[str, str] | None = None  # of an order that sends maintenance: the `device`, and its `kind`


class CommandResult(Outcome, tag="result", frozen=True):
    """Answer one command: done, or refused with the reason."""

    id: str  # the command's id
    ok: bool
    target: str
    reason: str = ""  # a message key, see alerts.messages
    time: float = 0.0


class Refused(Outcome, tag="refused", frozen=True):
    """Count readings that the engine refused (duplicate, out of order, unknown point), with the columns themselves."""

    id: str
    reason: str
    count: int
    point: tuple[int, ...]  # at most the first 256
    times: tuple[float, ...]
    values: tuple[float, ...]
    received: float


class Published(Outcome, tag="published", frozen=True):
    """Say that a version of the site is in force in one partition."""

    id: str
    version: str
    partition: int
    time: float
    author: str = ""
    reason: str = ""
    renamed: dict[str, dict[str, str]] = {}  # points, areas, cameras: id before → id now


class Reported(Outcome, tag="reported", frozen=True):
    """Say that a person's report was taken in, once.

    `subject` is a keyed hash, `photo` the SHA-256 of a kept picture.
    """

    id: str  # the report's own
    area: str
    category: str
    time: float
    received: float
    text: str = ""
    subject: str | None = None
    photo: str | None = None
    actor: str = ""
    simulated: bool = False


class ShadowChange(Outcome, tag="shadow", frozen=True):
    """Say what became of a set of shadow rules in one partition."""

    id: str
    shadow: str
    partition: int
    edge: Literal["began", "fault", "broken", "ended", "replaced", "promoted"]
    time: float
    author: str = ""
    reason: str = ""
    rules: int = 0


class ShadowVerdict(Outcome, tag="shadow_verdict", frozen=True):
    """Say how an alarm that shadow rules would raise compares with the one in force. Nobody is told of it.

    A later one of the same pair takes its place. `seconds` is how much later the shadow's began, None where
    only one of them did.
    """

    id: str
    pair: str
    shadow: str
    rule: str
    scope: str
    area: str
    how: Literal["gained", "lost", "earlier", "later", "level", "same"]
    open: bool
    begun: float
    time: float
    seconds: float | None = None
    before: str = ""  # the highest level in force
    after: str = ""  # the highest level of the shadow


class ProposalChange(Outcome, tag="proposal", frozen=True):
    """Say what became of a publication that waits for a second person's approval."""

    id: str
    number: int
    version: str
    state: Literal["waiting", "approved", "rejected", "replaced"]
    author: str  # who proposed it
    proposed: float
    time: float
    by: str  # who did this
    why: str = ""  # the author's reason
    reason: str = ""  # the second person's
    difference: tuple[str, ...] = ()


class ModeChange(Outcome, tag="mode", frozen=True):
    """Say that a mode of the site begins or ends in an area, or in the whole site (`area` empty), in one partition."""

    id: str
    order: str  # the id of the observation that began it
    mode: str
    area: str
    partition: int
    edge: Literal["began", "replaced", "warned", "ended", "over", "refused"]  # over: its time had come
    since: float
    until: float
    time: float
    actor: str = ""
    reason: str = ""  # why it began or was ended; a message key, where it was refused
    event: dict[str, Any] | None = None  # the CloudEvent of edge `warned`


class SilenceChange(Outcome, tag="silence", frozen=True):
    """Say that a silence begins, has another end, soon ends or ends, in one partition."""

    id: str
    silence: str
    partition: int
    edge: Literal["began", "changed", "warned", "ended", "over"]  # over: its time had come
    since: float
    until: float
    level: str  # the worst that it covers
    time: float
    areas: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    actor: str = ""
    reason: str = ""
    event: dict[str, Any] | None = None  # the CloudEvent of edge `warned`


class CandidateChange(Outcome, tag="candidate", frozen=True):
    """Say that incidents of several areas rise together and may be one matter, or what became of that thought."""

    id: str  # <candidate>.<sequence>
    candidate: str
    partition: int
    sequence: int
    edge: Literal["suggested", "joined", "dropped", "merged", "over"]
    place: str  # the subdistrict
    incidents: tuple[str, ...]
    areas: tuple[str, ...]
    time: float
    actor: str = ""
    reason: str = ""
    simulated: bool = False


class ExerciseChange(Outcome, tag="exercise", frozen=True):
    """Say that a drill began or ended. Every partition that holds areas of it says so, under the same id."""

    id: str  # <exercise>.<edge>
    exercise: str
    edge: Literal["begin", "end"]
    time: float
    actor: str
    title: dict[str, str] = {}
    areas: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    objectives: dict[str, float] = {}


class HandoverSigned(Outcome, tag="handover", frozen=True):
    """Say that a turn of duty was taken over, once, with the sheet as it was when it was signed."""

    id: str  # handover-<turn>
    turn: str
    shift: str
    begin: float
    time: float
    actor: str
    reason: str = ""  # what the incoming turn has to say
    people: dict[str, str] = {}  # seat → account
    sheet: dict[str, Any] = {}


AnyOutcome = (
    AlarmTransition
    | IncidentChange
    | DispatchChange
    | CommandResult
    | Refused
    | Published
    | Reported
    | ShadowChange
    | ShadowVerdict
    | ProposalChange
    | ModeChange
    | HandoverSigned
    | ExerciseChange
    | SilenceChange
    | CandidateChange
)

_encoder = msgspec.msgpack.Encoder()


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A record of the `outcomes` topic: where in the log it was decided, and the outcomes of that observation."""

    partition: int
    offset: int
    outcomes: tuple[AnyOutcome, ...]


_decoder = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """Encode one record of outcomes."""
    return _encoder.encode(record)


def decode(value: bytes) -> Record:
    """Decode one record of outcomes. Raise `msgspec.DecodeError` on anything else."""
    return _decoder.decode(value)
