"""Rules on trial: the recorded log as it would have gone had other rules been in force all along.

Sites, points and models are those of each publication; only the rules are others. What people did then they do here,
to whatever stands in the same place: an alarm of the same rule and scope, the incident of the same area, the dispatch
to the same unit. What has no counterpart is done by nobody, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from alerts import outcome
from alerts.casebook import current_key
from alerts.outcome import AlarmTransition, CommandResult, DispatchChange, IncidentChange, Refused
from rules.rule import Rule
from sensors import observation
from sensors.observation import RECORD, Command, Publication
from streams import bundle
from streams.bundle import BundleError
from streams.engine import Applied, Engine
from streams.replay import ReplayError
from streams.tape import Known, TapedBank, TapeHead

Records = Sequence[tuple[int, bytes]]

_COMMAND = observation.encode(Command(id="", kind="", target="", area="", actor="", time=0.0))
_COMMAND = _COMMAND[2 : _COMMAND.index(b"command") + len(b"command")]


class Memory:
    """Remember what recorded commands were about, and which of them were refused."""

    def __init__(self) -> None:
        self.alarms: dict[str, tuple[str, str, bool]] = {}  # alarm → rule, scope, simulated
        self.incidents: dict[str, str] = {}  # incident → the key of an area's current one
        self.dispatches: dict[str, tuple[str, str, bool]] = {}  # dispatch → area, unit, simulated
        self.refused: set[str] = set()  # commands

    def note(self, record: outcome.Record) -> None:
        """Take in a record of outcomes."""
        for one in record.outcomes:
            if isinstance(one, AlarmTransition):
                self.alarms[one.alarm] = (one.rule, one.scope, one.simulated)
            elif isinstance(one, IncidentChange):
                self.incidents[one.incident] = current_key(one.area, one.kind, one.simulated)
            elif isinstance(one, DispatchChange):
                self.dispatches[one.dispatch] = (one.area, one.unit, one.simulated)
            elif isinstance(one, CommandResult) and not one.ok:
                self.refused.add(one.id)


class Trial:
    """Run an engine under rules of our own. `commands`, `moved`, `astray`: given, to a counterpart, to nobody."""

    def __init__(self, engine: Engine, rules: tuple[Rule, ...], memory: Memory, tape: TapeHead | None = None) -> None:
        self.engine, self.rules, self.memory = engine, rules, memory
        self.commands = self.moved = self.astray = 0
        self._known = tape if isinstance(tape, Known) else None
        engine.drop_shadow()
        engine.tape = tape
        if self._known is not None:
            engine.bank = TapedBank.of(engine.bank)
        if engine.version:  # restored in the midst of the log
            taken = engine.version
            packed = self._swapped(engine.packed)
            again = Publication(version=f"{taken}+", bundle=packed, author="", reason="", time=engine.clock)
            self._took(engine.apply([(engine.offset, observation.encode(again))]), again.version)
            if self._known is not None:
                self._known.follow(engine.bank, engine.evaluator)

    def apply(self, records: Records) -> Iterator[Applied]:
        """Apply records in order, those that must be rewritten one by one."""
        plain: list[tuple[int, bytes]] = []
        for offset, value in records:
            published = observation.is_publication(value)
            if not (published or is_command(value)):
                if not observation.brings_rules(value):  # a shadow of rules that are not in force here says nothing
                    plain.append((offset, value))
                continue
            if plain:
                yield self.engine.apply(plain)
                plain = []
            if published:
                yield self._publish(offset, value)
            else:
                yield self.engine.apply([(offset, self._rewritten(value))])
        if plain:
            yield self.engine.apply(plain)

    def _publish(self, offset: int, value: bytes) -> Applied:
        try:
            found = observation.decode(value)
            assert isinstance(found, Publication)
            packed = self._swapped(found.bundle)
        except (msgspec.DecodeError, BundleError):  # it was refused then, too
            return self.engine.apply([(offset, value)])
        put = msgspec.structs.replace(found, bundle=packed)
        applied = self.engine.apply([(offset, observation.encode(put))])
        self._took(applied, found.version)
        if self._known is not None:
            self._known.follow(self.engine.bank, self.engine.evaluator, offset)
        return applied

    def _swapped(self, packed: bytes) -> bytes:
        return bundle.pack(msgspec.structs.replace(bundle.unpack(packed), rules=self.rules))

    def _took(self, applied: Applied, version: str) -> None:
        """Raise `ReplayError` unless the engine has taken a publication."""
        if self.engine.version != version:
            found = (one for record in applied.records for one in record.outcomes if isinstance(one, Refused))
            why = next((one.reason for one in found), "no reason given")
            raise ReplayError(f"the rules cannot be put in force with the site of then: {why}")

    def _rewritten(self, value: bytes) -> bytes:
        """Have a command mean what stands here in the place of what it was about. Empty is a record nobody reads."""
        try:
            command = observation.decode(value)
        except msgspec.DecodeError:
            return value
        if not isinstance(command, Command) or self.engine.desk is None:
            return value
        if command.id in self.memory.refused:  # nothing came of it
            return _nothing(self.engine)
        self.commands += 1
        target = self._counterpart(command.target)
        if target is None:
            self.astray += 1
            return _nothing(self.engine)
        self.moved += target != command.target
        args = {name: what for name, what in command.args.items() if name != "sequence"}  # counted otherwise here
        return observation.encode(msgspec.structs.replace(command, target=target, args=args))

    def _counterpart(self, target: str) -> str | None:
        assert self.engine.desk is not None
        book, memory = self.engine.desk.book, self.memory
        cases = book.cases
        if target in cases.alarms or target in cases.incidents or target in cases.dispatches:
            return target
        if target in memory.alarms:
            alarm = book.scopes.get(memory.alarms[target])
            return alarm.id if alarm is not None else None
        if target in memory.incidents:
            return cases.current.get(memory.incidents[target])
        if target in memory.dispatches:
            wanted = memory.dispatches[target]
            for one in cases.dispatches.values():
                if (one.area, one.unit, one.simulated) == wanted:
                    return one.id
        return None


def is_command(value: bytes) -> bool:
    """Tell whether a record written by `encode` is a command, without decoding it."""
    return value[:1] == bytes((RECORD,)) and value.startswith(_COMMAND, 2)


def _nothing(engine: Engine) -> bytes:
    """Make a record that changes nothing: a tick that was."""
    return observation.encode(observation.Tick(time=engine.last_tick))
