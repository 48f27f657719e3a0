"""A tape of scores: what the models said of each reading, so that other rules are tried without working it out again.

Scores depend on sites and readings, never on rules. So an engine that keeps a tape is followed by others that read it:
they score nothing but the points whose trend their rules ask for. What a tape does not hold is noticed (`Known.missed`)
and never guessed: whoever replays then starts again with the models.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankResult
from rules.binding import Bound, columns
from rules.calm import Series
from rules.compiler import RuleBook
from rules.evaluation import Evaluator
from streams.run import Frames, Run

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

SCORED, ALARM, LEARNING, GAP, JUMPED, MOVED, STOOD = (np.uint8(1 << bit) for bit in range(7))
"""What is said of a reading: the models took it; early event; not learnt; after a gap; another unit. The value has
changed with it, or it has stood as long as before; neither: since when is told apart."""


class Piece(msgspec.Struct, array_like=True, frozen=True):
    """Scores of the frames among records first ≤ offset ≤ last, in order; arrays as little-endian bytes.

    `score` f8 and `said` u1 by reading, `place` u4 and `since` f8 of those that stand since a time of their own;
    `frames` by frame: offset, readings, checksum of the record. `flats`: where each row stood after a publication.
    """

    first: int
    last: int
    frames: tuple[tuple[int, int, int], ...]
    score: bytes
    said: bytes
    place: bytes
    since: bytes
    flats: tuple[tuple[int, bytes], ...] = ()


class Foretold(NamedTuple):
    """What is known of the readings of a run before the engine takes them.

    `odd` bool[n]: not to be scored, or after a gap, or perhaps in another unit; `needs` bool[rows]: the models work on
    these rows all the same.
    """

    score: Floats
    alarm: Bools
    odd: Bools
    needs: Bools


class TapeHead:
    """Score the readings of a run for an engine, or know their scores.

    `frames` has what was decoded of the records to come, by offset. While `passing`, what the models say of readings
    has been told by `pass_over`.
    """

    frames = Frames()
    passing = False

    def foretell(self, bank: Bank, run: Run) -> Foretold | None:
        """Return what is known of the readings of a run that follows; None: nothing."""
        return None

    def stands(self, start: int, series: Series) -> bool:
        """Tell whether what was foretold still holds of the readings of a series, which begins at place `start`."""
        return True

    def pass_over(self, bank: Bank, run: Run, start: int, series: Series, quiet: Bools) -> None:
        """Have the readings of `quiet` rows (bool[rows]) taken at one go: `run` is part of what was foretold last.

        It begins there at place `start`; `series` has its readings row by row. The models work on no quiet row.
        """

    def score(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, value: Floats
    ) -> tuple[BankResult, Bools | None] | None:
        """Return what is known of readings at places `at` of a run; None: the models must be asked."""
        return None

    def scored(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, before: Floats, found: BankResult,
        jumped: Bools | None,
    ) -> None:  # fmt: skip
        """Take in what the models said; `before` is since when each value had stood."""


class Keeping(TapeHead):
    """Keep what the models say. `wind` gives the tape of the records that were applied since the last time."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._score, self._said, self._since = np.empty(0), np.empty(0, np.uint8), np.empty(0)
        self._frames: dict[int, tuple[Floats, npt.NDArray[np.uint8], Floats]] = {}
        self._flats: list[tuple[int, bytes]] = []

    def scored(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, before: Floats, found: BankResult,
        jumped: Bools | None,
    ) -> None:  # fmt: skip
        """Note one pass of the models."""
        self.note(
            run, at, time, bank.flat_since[rows], before, found.score, (found.alarm, found.learning, found.gap, jumped)
        )

    def note(
        self, run: Run, at: Rows, time: Floats, since: Floats, before: Floats, score: Floats,
        marks: tuple[Bools | None, ...],
    ) -> None:  # fmt: skip
        """Note what was said of readings at places of a run: since when each value has stood, and had stood before.

        `marks` are early events, what is not learnt, what came after a gap, and what is in another unit.
        """
        if run is not self._run:
            self._settle()
            count = len(run.point)
            self._run = run
            self._score, self._said = np.zeros(count), np.zeros(count, np.uint8)
            self._since = np.full(count, np.nan)
        moved = since == time
        said = np.where(moved, SCORED | MOVED, np.where(since == before, SCORED | STOOD, SCORED))
        for bit, mark in zip((ALARM, LEARNING, GAP, JUMPED), marks, strict=True):
            if mark is not None and mark.any():
                said = said | np.where(mark, bit, np.uint8(0))
        self._score[at], self._said[at], self._since[at] = score, said, since

    def published(self, offset: int, bank: Bank) -> None:
        """Note where all rows stand once a publication is in force."""
        self._flats.append((offset, bank.flat_since.tobytes()))

    def wind(self, records: Sequence[tuple[int, bytes]]) -> Piece:
        """Return the tape of records, of which those of frames that nothing was scored of have none."""
        self._settle()
        told: list[tuple[int, int, int]] = []
        score: list[Floats] = []
        said: list[npt.NDArray[np.uint8]] = []
        since: list[Floats] = []
        for offset, record in records:
            mine = self._frames.get(offset)
            if mine is not None:
                told.append((offset, len(mine[0]), zlib.crc32(record)))
                score.append(mine[0])
                said.append(mine[1])
                since.append(mine[2])
        every = np.concatenate(said) if said else np.empty(0, np.uint8)
        apart = np.flatnonzero((every & (SCORED | MOVED | STOOD)) == SCORED)
        piece = Piece(
            first=records[0][0],
            last=records[-1][0],
            frames=tuple(told),
            score=np.concatenate(score).tobytes() if score else b"",
            said=every.tobytes(),
            place=apart.astype(np.uint32).tobytes(),
            since=np.concatenate(since)[apart].tobytes() if since else b"",
            flats=tuple(self._flats),
        )
        self._frames, self._flats = {}, []
        return piece

    def _settle(self) -> None:
        """Lay what was noted of a run to its frames."""
        if self._run is None:
            return
        start = 0
        for offset, one in self._run.frames:
            part = slice(start, start + len(one))
            self._frames[offset] = self._score[part], self._said[part], self._since[part]
            start += len(one)
        self._run = None


def holds(pieces: Sequence[Piece], records: Sequence[tuple[int, bytes]]) -> bool:
    """Tell whether tape was made of these very records."""
    known = dict(records)
    return all(
        offset not in known or zlib.crc32(known[offset]) == checksum
        for piece in pieces
        for offset, _, checksum in piece.frames
    )


class Known(TapeHead):
    """Read a tape for an engine under other rules. `missed`: something was asked for that it does not hold."""

    def __init__(self) -> None:
        self.missed = False
        self._book: RuleBook | None = None
        self._needs = np.zeros(0, np.bool_)  # by row: the models work on it all the same
        self._at: dict[int, tuple[int, int]] = {}  # frame → which piece, its first reading
        self._pieces: list[tuple[Floats, npt.NDArray[np.uint8], npt.NDArray[np.uint32], Floats]] = []
        self._flats: dict[int, bytes] = {}
        self._run: Run | None = None
        self._score, self._said = np.empty(0), np.empty(0, np.uint8)
        self._place, self._since = np.empty(0, np.intp), np.empty(0)
        self._laid = self._said, self._place, self._since  # of the run that was foretold last

    def load(self, pieces: Sequence[Piece]) -> None:
        """Go on with these pieces of tape."""
        self._at, self._pieces, self._flats, self._run = {}, [], {}, None
        for number, piece in enumerate(pieces):
            start = 0
            for offset, count, _ in piece.frames:
                self._at[offset] = number, start
                start += count
            self._flats.update(piece.flats)
            self._pieces.append(
                (
                    np.frombuffer(piece.score, np.float64),
                    np.frombuffer(piece.said, np.uint8),
                    np.frombuffer(piece.place, np.uint32),
                    np.frombuffer(piece.since, np.float64),
                )
            )

    def follow(self, bank: Bank, evaluator: Evaluator | None, offset: int | None = None) -> None:
        """See to the rows that the models must work on after rules or the site have changed at `offset`."""
        if evaluator is None or evaluator.book is self._book:
            return
        self._book = evaluator.book
        before, self._needs = self._needs, needed(evaluator)
        if before.size and (self._needs[: len(before)] & ~before).any():
            self.missed = True  # what they have learnt until now nobody knows
        assert isinstance(bank, TapedBank)
        bank.needs = self._needs
        if offset is not None:
            stood = self._flats.get(offset)
            if stood is None or len(stood) != bank.flat.nbytes:
                self.missed = True
            else:
                bank.flat = np.frombuffer(stood, np.float64).copy()

    def score(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, value: Floats
    ) -> tuple[BankResult, Bools | None] | None:
        """Give what the tape has; the models work on the rows that need them."""
        assert isinstance(bank, TapedBank)
        if run is not self._run:
            self._open(run)
        said, score = self._said[at], self._score[at]
        if not bool((said & SCORED).all()):
            self.missed = True
        moved = np.flatnonzero(said & MOVED)
        bank.flat[rows[moved]] = time[moved]
        if len(self._place):
            own = np.flatnonzero((said & (SCORED | MOVED | STOOD)) == SCORED)
            if len(own):
                bank.flat[rows[own]] = self._since[np.searchsorted(self._place, at[own])]
        result = BankResult(
            score, (said & ALARM) != 0, np.zeros(len(at), np.uint8), (said & LEARNING) != 0, (said & GAP) != 0
        )
        self._work(bank, rows, time, value, score)
        jumped = (said & JUMPED) != 0
        return result, jumped if jumped.any() else None

    def foretell(self, bank: Bank, run: Run) -> Foretold | None:
        """Tell what the tape has of a run."""
        assert isinstance(bank, TapedBank)
        self._open(run)
        said = self._said
        self._laid = said, self._place, self._since
        return Foretold(self._score, (said & ALARM) != 0, (said & (SCORED | GAP | JUMPED)) != SCORED, bank.needs)

    def pass_over(self, bank: Bank, run: Run, start: int, series: Series, quiet: Bools) -> None:
        """Know since when the values of quiet rows have stood."""
        assert isinstance(bank, TapedBank)
        whole, place, since = self._laid
        said = whole[start : start + len(series.rows)]
        at = np.flatnonzero(quiet[series.rows] & ((said & STOOD) == 0))
        stands = series.time[at]
        own = np.flatnonzero((said[at] & MOVED) == 0)
        if own.size:
            stands[own] = since[np.searchsorted(place, at[own] + start)]
        bank.flat[series.rows[at]] = stands  # of a row's readings the last stays

    def _work(self, bank: TapedBank, rows: Rows, time: Floats, value: Floats, score: Floats) -> None:
        """Have the models work on the rows that need them; that they say the same shows that the tape is the log's."""
        if bank.drivers is not None:
            bank.drivers.take(rows, time, value)
        needs = np.flatnonzero(self._needs[rows])
        if len(needs):
            drivers, bank.drivers = bank.drivers, None  # they have had them
            found = bank.update(rows[needs], time[needs], value[needs])
            bank.drivers = drivers
            self.missed = self.missed or found.score.tobytes() != score[needs].tobytes() or bank.beyond

    def _open(self, run: Run) -> None:
        """Lay out what the tape has of a run."""
        self._run = run
        parts: list[tuple[int, int, int]] = []  # piece, first reading, the one after: frames that lie together are one
        for offset, one in run.frames:
            number, start = self._at.get(offset, (-1, 0))
            if number < 0:  # nothing was scored of it, or it is missing: whoever asks for its scores will notice
                number = len(self._pieces)
                self._pieces.append(_nothing(len(one)))
            if parts and parts[-1][0] == number and parts[-1][2] == start:
                parts[-1] = number, parts[-1][1], start + len(one)
            else:
                parts.append((number, start, start + len(one)))
        score, said, place, since, base = [], [], [], [], 0
        for number, start, stop in parts:
            whole = self._pieces[number]
            score.append(whole[0][start:stop])
            said.append(whole[1][start:stop])
            low, high = np.searchsorted(whole[2], (start, stop))
            place.append(whole[2][low:high].astype(np.intp) - start + base)
            since.append(whole[3][low:high])
            base += stop - start
        self._score, self._said = np.concatenate(score), np.concatenate(said)
        self._place, self._since = np.concatenate(place), np.concatenate(since)


def _nothing(count: int) -> tuple[Floats, npt.NDArray[np.uint8], npt.NDArray[np.uint32], Floats]:
    return np.zeros(count), np.zeros(count, np.uint8), np.empty(0, np.uint32), np.empty(0)


class TapedBank(Bank):
    """A bank whose scores come from a tape: it works on the rows that need it, and of the others it knows the rest."""

    flat: Floats
    needs: Bools
    beyond: bool  # something was asked of a row on which it does not work

    @classmethod
    def of(cls, bank: Bank) -> TapedBank:
        """Take a bank's place."""
        made = object.__new__(cls)
        vars(made).update(vars(bank))
        made.flat, made.needs, made.beyond = bank.flat_since.copy(), np.zeros(len(bank), np.bool_), False
        return made

    def grow(self, rows: int) -> None:
        """Make room for at least `rows` rows."""
        more = rows - len(self)
        super().grow(rows)
        if more > 0:
            self.flat = np.concatenate((self.flat, np.full(more, np.nan)))

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move all times that rows keep by `seconds`."""
        super().shift(rows, seconds)
        self.flat[rows] += seconds

    def restore(self, state: Any) -> None:
        """Take over a bank's state."""
        super().restore(state)
        self.flat = super().flat_since.copy()

    @property
    def flat_since(self) -> Floats:
        """Return times of the readings since which values have not changed, f8[rows]."""
        return self.flat

    def _reach(self, rows: Rows, limit: Floats, below: Bools, faster: float) -> Floats:
        self.beyond = self.beyond or not bool(self.needs[rows].all())
        return super()._reach(rows, limit, below, faster)

    def deviation(self, rows: Rows) -> Floats:
        """Return how far rows' last values are from the usual."""
        self.beyond = self.beyond or not bool(self.needs[rows].all())
        return super().deviation(rows)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Say nothing: what is tried is not told to anybody."""
        return ""


def needed(evaluator: Evaluator) -> Bools:
    """Tell which rows' trends and ranges rules ask for, bool[rows]: the rest of a point's models is its scores."""
    book = evaluator.book
    found = np.zeros(book.rows, np.bool_)
    asks = np.array([_foresees(shape) for shape in book.programs.shapes], np.bool_)
    if asks.any():
        slots = asks[book.when[0]] | asks[book.clear[0]]
        rows = book.row[np.repeat(np.arange(book.instances), book.levels)[slots]]
        found[rows[rows < book.rows]] = True
    for program in (*book.across, *book.around):
        for member in program.members:
            if _foresees(member.shape):
                found[member.rows] = True
    if evaluator.neighbours:
        found[np.unique(evaluator.neighbours.peers.rows)] = True
    return found


def _foresees(shape: Bound) -> bool:
    return any(one.key[0] in ("eta", "warned", "deviation") for one in columns(shape))
