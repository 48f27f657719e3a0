"""What the console is given: folders, the site, the journal's address, and how it hears from the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from alerts.console.accounts.sessions import ABSOLUTE, IDLE
from sensors.observation import CameraEvent
from sensors.quarantine import Query
from sensors.site import Site

if TYPE_CHECKING:
    import argon2
    import numpy as np
    import numpy.typing as npt

    from alerts.console.console import Console
    from alerts.console.oidc.client import Client
    from alerts.console.traces import Series
    from models.triage.store import Stored

    Columns = tuple[
        npt.NDArray[np.uint32],
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
        npt.NDArray[np.float32],
        npt.NDArray[np.uint16],
    ]
    """Readings of one record: point u4 registry index, time f8 unix seconds, value f8, score f4 0..1, flags u2."""

Message = tuple[str, int, int, bytes]
"""Something the feed brings: topic, partition, offset (0 for pseudo-topics), value."""

Outgoing = tuple[str, int, bytes | None, bytes]
"""Something for the log: topic, partition, key, value."""

Batch = tuple[int, int, bytes]
"""A record of `scores` read back from the log: partition, offset, value."""


class Feed(Protocol):
    """Bring records from the log and hand commands to it. `streams.hub.HubClient` is one."""

    def produce(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[int]]:
        """Append (topic, partition, key, value) records; return their offsets once they are durable."""
        ...

    def subscribe(self, topics: Sequence[str]) -> AsyncIterator[Message]:
        """Yield the records of these topics from now on, for ever; topic `resync` says that some were missed."""
        ...


class NoFeed:
    """Bring nothing: a console that only reads the journal, for looking at a data folder that nothing runs on."""

    connected = False

    async def produce(self, records: Sequence[Outgoing]) -> list[int]:
        """Refuse every record. Raise `ConnectionError`."""
        raise ConnectionError("this console is not connected to an engine")

    async def subscribe(self, topics: Sequence[str]) -> AsyncIterator[Message]:
        """Yield nothing."""
        nothing: tuple[Message, ...] = ()
        for message in nothing:
            yield message


def _nothing(_after: Mapping[int, int]) -> Iterable[Any]:
    return ()


def _no_figures() -> Mapping[str, Any]:
    return {}


class Quarantine(Protocol):
    """Search what was refused, and decode it again. `streams.quarantine.access.QuarantineAccess` is one."""

    def page(self, query: Query, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """List refusals, the newest first, from a cursor on, and give the next. Raise `ValueError` on a bad cursor."""
        ...

    def one(self, id: str) -> Mapping[str, Any] | None:
        """Find one refusal, with all bytes that are kept of it."""
        ...

    def statistics(self, query: Query) -> Mapping[str, Any]:
        """Count what is kept, by reason and source."""
        ...

    async def replay(self, query: Query, actor: str, *, dry_run: bool, start: int) -> Mapping[str, Any]:
        """Decode again and take what is accepted now; raise `sensors.quarantine.BusyError` while another does."""
        ...


class NoQuarantine:
    """Hold nothing: a console beside no log."""

    def page(self, query: Query, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """List nothing."""
        return (), None

    def one(self, id: str) -> Mapping[str, Any] | None:
        """Find nothing."""
        return None

    def statistics(self, query: Query) -> Mapping[str, Any]:
        """Count nothing."""
        return {}

    async def replay(self, query: Query, actor: str, *, dry_run: bool, start: int) -> Mapping[str, Any]:
        """Refuse. Raise `ConnectionError`."""
        raise ConnectionError("this console is not connected to an engine")


async def _no_cameras(camera: str) -> tuple[float, bytes] | str:
    return "cameras_away"


def _no_text(id: str) -> str | None:
    return None


def _no_publications() -> Sequence[Mapping[str, Any]]:
    return ()


class Publish(NamedTuple):
    """Ask for the site folder to be put in force, or the publication `version`; with `check` only for what differs."""

    author: str
    reason: str
    version: str
    check: bool


class RuleDesk(Protocol):
    """Begin, promote and end shadow rules. `streams.processes.console` makes one; errors are `ValueError`s."""

    def begin(self, author: str, reason: str) -> tuple[str, Sequence[Outgoing]]:
        """Check the site folder's rules; return the set's id and what to put into the log."""
        ...

    def promote(self, id: str, author: str, reason: str) -> Mapping[str, Any]:
        """Put a set in force, or propose it; return `version`, `waiting` and `unraised`."""
        ...

    def end(self, author: str, reason: str) -> Sequence[Outgoing]:
        """Return what to put into the log to end what runs."""
        ...


class ModelDesk(Protocol):
    """List, promote and take back learnt models. `streams.processes.console` makes one; errors are `ValueError`s."""

    def known(self) -> Mapping[str, Any]:
        """List all models: `areas`, `triage` and `problems`, as `streams.models_known` has them, as plain data."""
        ...

    def triage(self, version: str) -> Stored:
        """Read a triage model."""
        ...

    def promote(self, version: str, author: str, reason: str) -> Mapping[str, Any]:
        """Put a model in force, or propose it; return what `streams.promoting.Done` says, as plain data."""
        ...

    def rollback(self, of: str, present: str, author: str, reason: str) -> Mapping[str, Any]:
        """Put the model before `present`, which must be in force, in force again; return likewise."""
        ...


class DraftDesk(Protocol):
    """Open, check and publish drafts of rules. `streams.draft_desk` makes one.

    `shadow` and `publish` raise `sensors.document.DocumentError` with what is wrong, or another `ValueError`.
    """

    def opened(self, id: str) -> Mapping[str, Any] | None:
        """Give a rule in force as text, with the name of what it says (`base`); None where there is none of that id."""
        ...

    def history(self, id: str) -> Sequence[Mapping[str, Any]]:
        """List the publications that changed a rule, the latest first."""
        ...

    def words(self) -> Mapping[str, Sequence[str]]:
        """List what rules of this site may name."""
        ...

    def check(self, text: str) -> Mapping[str, Any]:
        """Say what is wrong with a draft and how its tests went. Raise `RuntimeError` when that takes too long."""
        ...

    def shadow(self, id: str, text: str, author: str, reason: str) -> tuple[str, Sequence[Outgoing]]:
        """Check a draft; return the id of a set that has it, and what to put into the log."""
        ...

    def publish(self, id: str, text: str, base: str, author: str, reason: str) -> Mapping[str, Any]:
        """Put a draft in force, or propose it, if the rule in force is still `base`."""
        ...


class ReplayDesk(Protocol):
    """Start, watch and cancel replays. `streams.replay_desk` makes one."""

    def start(self, author: str, asked: dict[str, Any]) -> Mapping[str, Any]:
        """Begin one; return how it stands. Raise `RuntimeError` while another runs."""
        ...

    def all(self) -> Sequence[Mapping[str, Any]]:
        """List the latest, the newest first."""
        ...

    def get(self, id: str) -> Mapping[str, Any] | None:
        """Tell of one and what it found."""
        ...

    def cancel(self, id: str) -> bool:
        """End or forget one; False where there is none."""
        ...


class System(Protocol):
    """Look at the running system, at the site's files, and take backups. `streams.system_desk` makes one."""

    def checks(self) -> Mapping[str, Any]:
        """Say what the last look found, and whether one is under way."""
        ...

    def check(self) -> None:
        """Begin to look. Raise `RuntimeError` while a look is under way."""
        ...

    def backups(self) -> Mapping[str, Any]:
        """List the backups, and say whether one is being taken."""
        ...

    def back_up(self, actor: str) -> None:
        """Begin to take one. Raise `RuntimeError` while one is taken, `ValueError` where no folder is named."""
        ...


class DrillDesk(Protocol):
    """List the scripts of drills and play one. `streams.drill_desk` makes one."""

    def scripts(self) -> Sequence[Mapping[str, Any]]:
        """List the scripts, each with what is wrong with it."""
        ...

    def last(self) -> Mapping[str, Any] | None:
        """Tell how the drill goes that was begun here last; None where none was."""
        ...

    def begin(self, name: str, actor: str) -> str:
        """Begin a script; return the drill's id.

        Raise `KeyError` when there is none of that name, `RuntimeError` while any drill runs, and a `ValueError` whose
        text is a key of `alerts.messages` when nothing came of it.
        """
        ...


class PastError(Exception):
    """Raised when what is kept for long cannot be asked."""


class Past(Protocol):
    """What is kept of readings for longer than the log keeps them. `streams.history.charts` makes one."""

    def span(self) -> tuple[float, float]:
        """Say since and until when (unix seconds) all is there. Raise `PastError`."""
        ...

    def series(self, points: Sequence[int], begin: float, end: float) -> dict[int, Series]:
        """Give points' readings as series, as fine as fits a chart, by registry index. Raise `PastError`."""
        ...

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        """Yield each reading of points, as columns, the newest first. Raise `PastError`."""
        ...


@dataclass(frozen=True, kw_only=True)
class ConsoleConfig:
    """Settings and parts of one console.

    `rules` maps a rule's id to what `schema.RuleShown` says of it and its "plan"; `rule_text(id)` writes one as YAML.
    `figures()` returns what
    /status and /metrics say when it does not come over the feed's `pulse`; `history(after)` iterates over the log's
    latest `scores` records, of each partition those beyond the offset in `after`, to fill the traces at the start and
    whenever the feed has missed records; `decode_scores` turns one into columns; `recorded(partitions, from, to)`
    iterates over what is recorded between two times (unix seconds) as columns, the newest record first; `past` is what
    is kept for longer; `quarantine` searches what was refused.
    `models()` lists the areas' models in force, and which are in drift; `publications()` the versions
    of the site that were in force, the latest first;
    `publish(what)` puts one in force: it raises `sensors.document.DocumentError` with what is wrong, or another
    `ValueError` with a sentence. `newest(camera)` gives a camera's newest picture (unix time, JPEG), or a key of
    `alerts.console.messages` that says why there is none.
    """

    data: Path
    site: Site
    journal: str
    feed: Feed = field(default_factory=NoFeed)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8700
    static: Path = Path(__file__).parent / "static"
    folder: Path | None = None  # the site's folder, where its map lies; None shows none
    decode_scores: Callable[[bytes], Columns] | None = None
    history: Callable[[Mapping[int, int]], Iterable[Batch]] = _nothing
    recorded: Callable[[Sequence[int], float, float], Iterable[Columns]] | None = None
    seen: Callable[[Sequence[int], float, float], Iterable[CameraEvent | None]] | None = None
    past: Past | None = None
    figures: Callable[[], Mapping[str, Any]] = _no_figures
    processes: Callable[[], Mapping[str, Mapping[str, Any] | None]] = dict  # what each says of itself; None: silent
    quarantine: Quarantine = field(default_factory=NoQuarantine)
    attach: Callable[[Console], None] | None = None  # given the console that serves, to tell it of changes to the site
    publications: Callable[[], Sequence[Mapping[str, Any]]] = _no_publications
    models: Callable[[], Sequence[Mapping[str, Any]]] = _no_publications
    triage: bytes | None = None  # the triage model that is published; see `alerts.triage.Triage.take`
    publish: Callable[[Publish], Mapping[str, Any]] | None = None
    rule_desk: RuleDesk | None = None
    rule_text: Callable[[str], str | None] = _no_text
    model_desk: ModelDesk | None = None
    replay_desk: ReplayDesk | None = None
    system: System | None = None
    drill_desk: DrillDesk | None = None
    draft_desk: DraftDesk | None = None
    newest: Callable[[str], Awaitable[tuple[float, bytes] | str]] = _no_cameras
    shared: str = ""  # the database in which several consoles have their accounts; empty keeps a file of their own
    callbacks: Mapping[str, bytes] = field(default_factory=dict)  # key of signed callbacks by target
    font: str = ""  # file of the font that sheets are printed with; empty takes the system's
    test_wait: float = 10.0  # seconds that the answer of a notification's test is waited for
    started: Callable[[], None] | None = None  # called once requests are answered
    hasher: argon2.PasswordHasher | None = None  # cheaper in tests
    second_step: bool = False  # an administrator without a second step may do nothing but set it up
    provider: Client | None = None  # by which people sign in, beside their passwords
    session_idle: float = IDLE  # seconds
    session_absolute: float = ABSOLUTE  # seconds
    command_wait: float = 3.0  # seconds a command's answer is waited for
    request_seconds: float = 15.0  # a request that takes longer is answered with 504
    body_bytes: int = 64 * 1024
    viewers: int = 500  # open event streams at once
    viewers_each: int = 50  # of one account or token: a wall of screens, not all there are
    viewer_queue: int = 1000  # changes a slow viewer may lag before it is told to read afresh
    pulse_seconds: float = 1.0
    least_free: int = 16 << 20  # bytes on the data folder's disk, below which it is not ready to take any more
    failures: int = 5  # failed log-ins of one name from one address within five minutes before it is locked out

    @property
    def accounts(self) -> Path | str:
        """Where the account store is."""
        return self.shared or self.data / "accounts.sqlite"

    @property
    def outbox(self) -> Path | str:
        """Where the notifier's memory is."""
        return self.shared or self.data / "outbox.sqlite"

    @property
    def photos(self) -> Path:
        """Where the photos of people's reports are, apart from what cameras took of alarms."""
        return self.data / "photos"

    @property
    def attachments(self) -> Path:
        """Where the files are that people put with alarms."""
        return self.data / "attachments"

    @property
    def snapshots(self) -> Path:
        """Where camera pictures are."""
        return self.data / "snapshots"
