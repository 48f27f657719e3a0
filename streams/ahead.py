"""Score a replay's readings ahead of its ticks: those of many frames in one pass, as the models take them cheapest.

What the models say of a reading hangs on the earlier readings of its point alone, not on ticks or on other points. So
a copy of the bank runs ahead over a batch of records, and the engine is given its scores. Which readings the engine
will put to the models is foretold, and each that it asks for is held against that; where it was foretold wrongly the
bank is brought to where it stands, and goes on by itself. The bank that the engine sees follows only as far as it is
asked: a row's readings are worked on when something but its score is wanted of it, as when an alarm says why.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankResult
from models.onward import Said
from rules.calm import Series
from rules.compiler import RuleBook
from sensors import frame
from sensors.observation import FRAME, UNUSABLE, is_publication
from streams.engine import Engine
from streams.run import Run
from streams.tape import Bools, Floats, Foretold, Keeping, Rows, TapeHead, needed

LEAST = 64
"""Readings of a batch below which nothing is gained."""

MOST_FOLLOWED = 0.5
"""Share of the rows that rules ask more of than scores, from which on nothing is gained."""

_FRAME = bytes((FRAME,))


class Ahead(TapeHead):
    """Give an engine what the models say; `look` at records before it applies them, and `settle` afterwards.

    What is said is passed on to `keeping`, if given, as the models themselves would.
    """

    def __init__(self, engine: Engine, keeping: Keeping | None = None) -> None:
        self._engine, self._keeping = engine, keeping
        self._bank = _Following.of(engine.bank, self)
        engine.bank, engine.tape = self._bank, self
        if engine.evaluator is not None:
            engine.evaluator.bank = self._bank
        if engine.shadow is not None:
            engine.shadow.beside.second.bank = self._bank
        self._ahead: Bank | None = None  # where the bank will stand; None: it was changed otherwise
        self._book: RuleBook | None = None
        self._run: Run | None = None
        self._laid = 0  # where the run that was foretold last begins
        self.active = False

    def look(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Run ahead over records, none of which is a publication but a single one."""
        engine = self._engine
        if is_publication(records[0][1]):
            self._ahead = None
        frames = []
        for offset, value in records:
            if value[:1] == _FRAME:
                with contextlib.suppress(frame.FrameError):  # the engine refuses it
                    frames.append((offset, self.frames.get(offset) or frame.decode(value)))
        count = sum(len(one) for _, one in frames)
        if engine.evaluator is None or len(frames) < 2 or count < LEAST or not self._may():
            return
        if self._ahead is None:
            self._ahead = Bank(self._bank.settings)
            self._ahead.restore(Bank.state(self._bank))
        self._starts = dict(zip([offset for offset, _ in frames], _starts(frames), strict=True))
        run = self.frames.run_of(frames)
        self._point, self._time, self._value = run.point, run.time, run.value
        self._score_all((run.quality & UNUSABLE) == 0)
        self._bank.flat = Bank.flat_since.fget(self._bank).copy()  # type: ignore[attr-defined]
        self._run, self.active = None, True

    def _may(self) -> bool:
        """See to the rows that the bank follows reading by reading; tell whether they are few enough."""
        engine = self._engine
        assert engine.evaluator is not None
        if engine.evaluator.book is not self._book or len(self._bank.needs) != len(self._bank):
            self._book = engine.evaluator.book
            needs = np.zeros(len(self._bank), np.bool_)
            second = [engine.shadow.beside.second] if engine.shadow is not None else []
            for one in (needed(evaluator) for evaluator in (engine.evaluator, *second)):
                needs[: len(one)] |= one
            if self._bank.drivers is not None:
                needs[: len(self._bank.drivers.driven)] |= self._bank.drivers.driven
            self._bank.needs = needs
        return bool(self._bank.needs.mean() <= MOST_FOLLOWED)

    def _score_all(self, usable: Bools) -> None:
        """Have the copy score all that the engine will put to the models, in as few passes as there are repeats."""
        engine, ahead, count = self._engine, self._ahead, len(self._point)
        assert ahead is not None
        inside = self._point < len(engine.row_of)
        self._row = np.where(inside, engine.row_of[np.where(inside, self._point, 0)], -1)
        known = (self._row >= 0) & np.isfinite(self._value) & np.isfinite(self._time)
        self._good = known & usable
        self._good[known] &= _later(self._row[known], self._time[known], engine.last_time)
        at = np.flatnonzero(self._good)
        rows = self._row[at]
        said, turn = ahead.update_all(rows, self._time[at], self._value[at])
        if len(at) < count:
            some, said = said, Said.nothing(count)
            said.put(at, some)
        self._turn = np.zeros(count, np.intp)  # how many readings of its row are put to the models before it
        self._turn[at] = turn
        self._found = BankResult(said.score, said.alarm, said.reason, said.learning, said.gap)
        self._since, self._low, self._high = said.since, said.low, said.high
        self._turns = np.bincount(rows, minlength=len(self._bank))
        self._asked, self._done = (np.zeros(len(self._bank), np.intp) for _ in range(2))
        self._sorted: tuple[Rows, Rows] | None = None

    def score(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, value: Floats
    ) -> tuple[BankResult, Bools | None] | None:
        """Give what was said ahead; None where it was foretold wrongly, and from there on."""
        if not self.active:
            return None
        if run is not self._run:
            self._run = run
            self._places = np.concatenate(
                [np.arange(len(one)) + self._starts.get(offset, -(2**62)) for offset, one in run.frames]
            )
        place = self._places[at]
        if not (
            bool((place >= 0).all())
            and bool(self._good[place].all())
            and bool((self._turn[place] == self._asked[rows]).all())
        ):
            self.give_up()
            return None
        following = self._bank
        self._asked[rows] += 1
        before = following.flat[rows]
        following.flat[rows] = self._since[place]
        if following.drivers is not None:
            following.drivers.take(rows, time, value)
        followed = np.flatnonzero(following.needs[rows])
        if followed.size:
            following.work(rows[followed], time[followed], value[followed])
            self._done[rows[followed]] += 1
        found = BankResult(*(column[place] for column in self._found))
        jumped = self._jumped(place, rows, time, value, found)
        self.scored(following, run, at, rows, time, before, found, jumped)
        return found, jumped

    def foretell(self, bank: Bank, run: Run) -> Foretold | None:
        """Tell what the copy said of a run of frames that was looked at."""
        start = self._starts.get(run.frames[0][0]) if self.active else None
        if start is None or self._starts.get(run.frames[-1][0]) != start + len(run.point) - len(run.frames[-1][1]):
            return None
        part, found = slice(start, start + len(run.point)), self._found
        odd = ~self._good[part] | found.gap[part]
        at = np.flatnonzero(found.reason[part] * self._good[part]) + start
        if at.size:
            own = self._value[at], found.reason[at], self._low[at], self._high[at]
            odd[at - start] |= self._engine.jumps.begins(self._row[at], *own)
        self._laid = start
        return Foretold(found.score[part], found.alarm[part], odd, self._bank.needs)

    def stands(self, start: int, series: Series) -> bool:
        """Tell whether the engine has put to the models what was foretold, and so comes to these readings next."""
        if not self.active:
            return False
        return bool((self._turn[self._laid + start + series.first] == self._asked[series.mine]).all())

    def pass_over(self, bank: Bank, run: Run, start: int, series: Series, quiet: Bools) -> None:
        """Count the readings of quiet rows as asked for, and pass on what was said of all."""
        start += self._laid
        at = start + series.order
        since = self._since[at]
        if self._keeping is not None:
            before = np.empty_like(since)
            before[1:] = since[:-1]
            before[series.starts] = self._bank.flat[series.mine]
            found = self._found
            marks = found.alarm[at], found.learning[at], found.gap[at], None
            self._keeping.note(run, series.order, series.time[series.order], since, before, found.score[at], marks)
        here = quiet[series.mine]
        rows = series.mine[here]
        self._asked[rows] += series.count[here]
        self._bank.flat[rows] = self._since[start + series.last[here]]

    def scored(
        self, bank: Bank, run: Run, at: Rows, rows: Rows, time: Floats, before: Floats, found: BankResult,
        jumped: Bools | None,
    ) -> None:  # fmt: skip
        """Pass on what was said."""
        if self._keeping is not None and not self.passing:
            self._keeping.scored(bank, run, at, rows, time, before, found, jumped)

    def _jumped(self, place: Rows, rows: Rows, time: Floats, value: Floats, found: BankResult) -> Bools | None:
        """Ask for jumps of a unit, as the engine does."""
        engine = self._engine
        assert engine.evaluator is not None
        if not (engine.jumps.active or found.reason.any()):
            return None
        low, high = np.zeros(len(self._bank)), np.zeros(len(self._bank))
        low[rows], high[rows] = self._low[place], self._high[place]
        return engine.jumps.update(rows, time, value, found.reason, low, high, engine.evaluator.points.value)

    def follow(self, rows: Rows) -> None:
        """Bring rows of the bank (unique) to where the engine stands."""
        if not self.active:
            return
        rows = rows[self._done[rows] < self._asked[rows]]
        if rows.size and self._sorted is None:
            good = np.flatnonzero(self._good)
            by_row = good[np.argsort(self._row[good], kind="stable")]  # each row's in the order of its turns
            self._sorted = by_row, np.searchsorted(self._row[by_row], np.arange(len(self._bank)))
        while rows.size:
            assert self._sorted is not None
            by_row, first = self._sorted
            at = by_row[first[rows] + self._done[rows]]
            self._bank.work(rows, self._time[at], self._value[at])
            self._done[rows] += 1
            rows = rows[self._done[rows] < self._asked[rows]]

    def give_up(self) -> None:
        """Have the bank stand where the engine does, and go on by itself."""
        self.follow(np.arange(len(self._bank)))
        self.active, self._ahead = False, None

    def settle(self) -> None:
        """Have the bank stand where the copy does, now that the engine has applied all that was looked at."""
        if not self.active:
            return
        if bool((self._asked < self._turns).any()):  # less was put to the models than was foretold
            self.give_up()
            return
        assert self._ahead is not None
        self.active = False
        Bank.restore(self._bank, self._ahead.state())


class _Following(Bank):
    """The bank that an engine sees while another runs ahead: of each row it knows the scores, the rest when asked."""

    head: Ahead
    flat: Floats  # since when values have stood, while the other runs ahead
    needs: Bools  # rows that it follows reading by reading

    @classmethod
    def of(cls, bank: Bank, head: Ahead) -> _Following:
        """Take a bank's place."""
        made = object.__new__(cls)
        vars(made).update(vars(bank))
        made._take(bank._fields, bank._slow)
        made.head, made.flat, made.needs = head, np.empty(0), np.zeros(0, np.bool_)
        return made

    def work(self, rows: Rows, time: Floats, value: Floats) -> None:
        """Take readings that the drivers have had already."""
        drivers, self.drivers = self.drivers, None
        super().update(rows, time, value)
        self.drivers = drivers

    @property
    def flat_since(self) -> Floats:
        """Return times of the readings since which values have not changed, f8[rows]."""
        return self.flat if self.head.active else super().flat_since

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move all times that rows keep by `seconds`."""
        self.head.give_up()
        super().shift(rows, seconds)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all arrays."""
        self.head.give_up()
        return super().state()

    def stuck(self, rows: Rows) -> Bools:
        """Return whether rows' values have stood still for far longer than they ever did lately."""
        self.head.follow(rows)
        return super().stuck(rows)

    def deviation(self, rows: Rows) -> Floats:
        """Return how far rows' last values are from the usual."""
        self.head.follow(np.unique(rows))
        return super().deviation(rows)

    def reason_text(self, row: int, language: str = "en") -> str:
        """Say why the row's last surprising reading was surprising."""
        self.head.follow(np.array([row]))
        return super().reason_text(row, language)

    def guessed(self) -> dict[int, Any]:
        """Return which rows were guessed to be no gauges, and what."""
        self.head.follow(np.arange(len(self)))
        return super().guessed()

    def _reach(self, rows: Rows, limit: Floats, below: Bools, faster: float) -> Floats:
        self.head.follow(np.unique(rows))
        return super()._reach(rows, limit, below, faster)


def _later(rows: Rows, time: Floats, last: Floats) -> Bools:
    """Tell which readings (row, time) are later than all of their row before, bool[n]; `last` f8[rows], NaN: none."""
    order = np.argsort(rows.astype(np.uint16) if len(last) <= 1 << 16 else rows, kind="stable")
    ordered, times = rows[order], time[order]
    begins = np.concatenate(([True], ordered[1:] != ordered[:-1]))[: len(rows)]
    earlier = np.concatenate(([0.0], times[:-1]))[: len(rows)]
    earlier[begins] = last[ordered[begins]]
    found = ~(times <= earlier)
    for row in np.unique(ordered[~found]).tolist():
        mine = slice(*np.searchsorted(ordered, (row, row + 1)))
        before = np.fmax.accumulate(np.concatenate(([last[row]], times[mine])))[:-1]
        found[mine] = ~(times[mine] <= before)
    later = np.empty(len(rows), np.bool_)
    later[order] = found
    return later


def _starts(frames: Sequence[tuple[int, frame.Frame]]) -> list[int]:
    """Return the place of each frame's first reading."""
    return [0, *accumulate(len(one) for _, one in frames[:-1])]
