"""The desk of one partition: conditions, commands and ticks in; alarms, incidents and dispatches out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from alerts import drill, grouping, inhibition, lapses, orders, reported, silence, suppression
from alerts.alarm import Alarm
from alerts.casebook import Casebook, Settings, condition_key
from alerts.condition import Change, Rule
from alerts.dispatch import Dispatch
from alerts.incident import Incident, closes_by_itself, may_close_by_itself
from alerts.outcome import AnyOutcome
from alerts.sending import ENGINE, expire, remind
from sensors.observation import Command, Exercise, Report, Silence, SiteMode
from sensors.renames import Renames
from sensors.site import Site

__all__ = ["Change", "Desk", "Settings"]


class Desk:
    """Keep the open cases of one partition. No clock, no I/O: `clock` is the engine's arrival clock, unix seconds."""

    def __init__(self, site: Site, settings: Settings | None = None, partition: int = 0) -> None:
        self.partition = partition
        self.book = Casebook(site, settings or Settings(), partition)
        self._unsaid: list[AnyOutcome] = []

    def condition(self, change: Change, clock: float) -> list[AnyOutcome]:
        """Follow a rule's change of condition."""
        out = self._unsaid = []
        grouping.apply(self.book, change, clock, out)
        self._unsaid = []
        return out

    def take_unsaid(self) -> list[AnyOutcome]:
        """Return what the last call had decided before an error ended it: the cases stand there already."""
        out, self._unsaid = self._unsaid, []
        return out

    @property
    def any_settled(self) -> bool:
        """Tell whether a person closed the case of a condition that waits for another event."""
        return bool(self.book.cases.settled)

    def is_settled(self, rule: str, scope: str, simulated: bool) -> bool:
        """Tell whether the condition of a rule and scope is one of those."""
        return condition_key(rule, scope, simulated) in self.book.cases.settled

    def withdraw(self, rule: str, scope: str, clock: float) -> list[AnyOutcome]:
        """Return the alarm of a rule and scope that is no longer in force (changed, removed, its point gone)."""
        out: list[AnyOutcome] = []
        grouping.withdraw(self.book, rule, scope, clock, out)
        return out

    def command(self, command: Command, clock: float) -> list[AnyOutcome]:
        """Do a command or refuse it; the last outcome is its `CommandResult`. A repeated id gives nothing."""
        return orders.answer(self.book, command, clock)

    def mode(self, what: SiteMode, areas: Collection[str], clock: float) -> list[AnyOutcome]:
        """Put those of a mode's areas that are among `areas` into it, or end it there."""
        out = self._unsaid = []
        suppression.order(self.book, what, areas, self.partition, clock, out)
        self._unsaid = []
        return out

    def report(self, report: Report, clock: float) -> list[AnyOutcome]:
        """Open the case that a report makes, or have it join the open one of its subject. Raise `CasesFullError`."""
        out: list[AnyOutcome] = []
        reported.take(self.book, report, clock, out)
        return out

    def silence(self, what: Silence, areas: Collection[str], clock: float) -> list[AnyOutcome]:
        """Begin, change or end a silence where it may cover one of `areas`, the partition's."""
        out = self._unsaid = []
        silence.order(self.book, what, areas, self.partition, clock, out)
        self._unsaid = []
        return out

    def gateway_gone(self, said: inhibition.Said, clock: float) -> list[AnyOutcome]:
        """Raise the alarm of a gateway, with the silence of its points as symptoms; what is known changes nothing."""
        out = self._unsaid = []
        inhibition.gone(self.book, said, clock, out)
        self._unsaid = []
        return out

    def gateway_back(self, said: inhibition.Said, clock: float, grace: float) -> list[AnyOutcome]:
        """End the alarm of a gateway; its points have `grace` seconds to be heard of."""
        out = self._unsaid = []
        inhibition.back(self.book, said, clock, out, grace)
        self._unsaid = []
        return out

    def exercise(self, what: Exercise, clock: float) -> list[AnyOutcome]:
        """Begin or end a drill; what is known changes nothing."""
        return orders.exercise(self.book, what, clock)

    def tick(self, clock: float) -> list[AnyOutcome]:
        """Let deadlines pass, remind of what waits, close what is finished. Costs nothing while nothing is due.

        An error of one case is raised after all others have had their turn.
        """
        book = self.book
        if clock < book.wake:
            return []
        out = self._unsaid = []
        trouble: Exception | None = None
        suppression.lapse(book, self.partition, clock, out)
        silence.lapse(book, self.partition, clock, out)
        inhibition.lapse(book, clock, out)
        for ended in drill.over(book, clock):
            out += orders.exercise(book, ended, clock)
        lapses.settle_chattering(book, clock, out)
        cases: list[Alarm | Dispatch | Incident] = [
            *lapses.due_alarms(book, clock),
            *book.cases.dispatches.values(),
            *book.cases.incidents.values(),
        ]
        for case in cases:
            try:
                if isinstance(case, Alarm):
                    lapses.lapse(book, case, clock, out)
                elif isinstance(case, Dispatch):
                    if case.due is not None and case.due <= clock and not silence.hold(book, case):
                        expire(book, case, clock, out)
                elif not book.asks_for_verdict(case) and closes_by_itself(case, clock, book.settings.close_after_calm):
                    orders.close(book, case, clock, out, actor=ENGINE, reason="incident.closed_by_itself")
                elif case.remind_at is not None and case.remind_at <= clock and not silence.hold(book, case):
                    remind(book, case, clock, out)
            except Exception as error:  # one case must not stop the deadlines of all others
                trouble = error
        book.wake = self._next_due()
        if trouble is not None:
            raise trouble
        self._unsaid = []
        return out

    def step(self, seconds: float) -> None:
        """Move what is due with a step of the wall clock, so that as much time is left as before."""
        self.book.step(seconds)

    def publish(self, site: Site, rules: Iterable[Rule] = ()) -> None:
        """Put another version of the site in force; open cases stay, and give way to modes as their rules now say."""
        self.book.publish(site)
        self._carry_over(rules)
        self.book.wake_at(self._next_due())  # what the site no longer asks for may be due

    def _carry_over(self, rules: Iterable[Rule]) -> None:
        """Have open alarms take over from their rules what may be another than when they last moved."""
        known = {rule.id: rule for rule in rules}
        for alarm in self.book.cases.alarms.values():
            if alarm.rule in known:
                carried = self.book.carried(known[alarm.rule])  # its text is read once, however many alarms it has
                alarm.yields, alarm.yields_to = carried.yields, carried.yields_to
                alarm.chatters, alarm.of_events = carried.chatters, carried.of_events

    def rename(self, renames: Renames, kinds: Mapping[str, str]) -> None:
        """Have open cases go on under the ids of now; `kinds` says of rules whether they watch points or what else."""
        self.book.rename(renames, kinds)

    def state(self) -> bytes:
        """Encode all cases (msgpack)."""
        return self.book.dump()

    def restore(self, state: bytes, rules: Iterable[Rule] = ()) -> None:
        """Take back what `state` encoded, also by a version that knew less of the `rules` in force.

        Raise `msgspec.DecodeError` on anything else, changing nothing.
        """
        self.book.load(state)
        self._carry_over(rules)

    def _next_due(self) -> float:
        """Return the earliest time at which a tick has something to do."""
        book = self.book
        due = [dispatch.due for dispatch in book.cases.dispatches.values() if dispatch.due is not None]
        due += [incident.remind_at for incident in book.cases.incidents.values() if incident.remind_at is not None]
        due += lapses.dues(book)
        due += [suppression.next_end(book), silence.next_due(book), inhibition.next_due(book)]
        due.append(drill.next_end(book))
        due += [
            incident.calm_since + book.settings.close_after_calm
            for incident in book.cases.incidents.values()
            if incident.calm_since is not None and may_close_by_itself(incident) and not book.asks_for_verdict(incident)
        ]
        return min(due, default=float("inf"))
