"""At most so much a minute, digests in a flood, quiet hours for all but red: with real mail and chats."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from alerts import cloudevent
from alerts.journal import Journal
from alerts.notifiers import notifier as module
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Failed, Notice, Unavailable
from alerts.notifiers.notifier import Notifier
from alerts.notifiers.pacing import MINUTE, Pacing, digest, read_quiet
from alerts.notifiers.targets import MailTarget, WebhookTarget
from alerts.outcome import DispatchChange
from tests.alerts.cases import change, command
from tests.alerts.notifiers.world import Town, receiver
from tests.waiting import reached

NIGHT, NOON = 1795737600.0 + 15 * 3600, 1795737600.0 + 28 * 3600  # 23:00, and 12:00 the day after, in Shanghai


def notice(number: int, level: str = "orange", time: float = 0.0) -> Notice:
    data = {"level": level, "edge": "issued", "title": {"zh": f"事件{number}", "en": f"case {number}"}}
    return Notice(
        id=f"d-{number}.1", kind="dispatch", area="a", unit="team", simulated=False, time=time, payload={"data": data}
    )


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path / "outbox.sqlite")


def flow(pacing: Pacing, deliveries: Deliveries, notices: list[Notice], now: float) -> list[str]:
    """Send what may go at once, and the digest that is due; return what was sent."""
    sent = []
    for one in notices:
        if not pacing.keep(one, now):
            deliveries.note_sent("t", now, digest=False)
            deliveries.deliver("t", one.id, now)
            sent.append(one.id)
    pacing.gather(now)
    for letter in deliveries.due("t", now):
        deliveries.note_sent("t", now, digest=letter.notice.kind == "digest")
        deliveries.deliver("t", letter.notice.id, now)
        sent.append(letter.notice.id)
    return sent


def test_a_flood_of_5000_is_one_digest_a_minute_and_nothing_is_lost(deliveries: Deliveries) -> None:
    pacing = Pacing("t", 3, None, deliveries)
    sent = [(0.0, one) for one in flow(pacing, deliveries, [notice(n) for n in range(5000)], 0.0)]
    for second in range(1, 700):
        sent += [(float(second), one) for one in flow(pacing, deliveries, [], float(second))]
    assert [when for when, _ in sent] == [0, 0, 0, 60, 120, 180, 240, 300]
    assert all(deliveries.is_delivered("t", f"d-{number}.1") for number in range(5000))
    assert deliveries.count_held("t") == (0, 0)


def test_a_flood_that_goes_on_brings_no_single_notice_between_its_digests(deliveries: Deliveries) -> None:
    pacing = Pacing("t", 3, None, deliveries)
    times: list[float] = []
    for second in range(600):
        times += [second] * len(flow(pacing, deliveries, [notice(second)], float(second)))
    later = [time for time in times if time > 2]
    assert all(after - before >= MINUTE for before, after in pairwise(later))
    assert flow(pacing, deliveries, [], 700.0) and flow(pacing, deliveries, [notice(9999)], 800.0) == ["d-9999.1"]


def test_a_digest_has_the_same_id_after_a_crash_between_sending_and_noting(deliveries: Deliveries) -> None:
    pacing = Pacing("t", 1, None, deliveries)
    deliveries.note_sent("t", 0.0, digest=False)
    assert pacing.keep(notice(1), 1.0) and pacing.keep(notice(2), 2.0)
    pacing.gather(61.0)
    (letter,) = deliveries.due("t", 61.0)
    assert pacing.keep(notice(3), 61.5)  # while it is on its way
    pacing.gather(200.0)
    assert [one.notice.id for one in deliveries.due("t", 200.0)] == [letter.notice.id]
    assert [item["id"] for item in letter.notice.payload["items"]] == ["d-1.1", "d-2.1"]


def test_the_most_severe_lead_a_digest() -> None:
    made = digest([notice(1, "blue", 1.0), notice(2, "red", 3.0), notice(3, "red", 2.0)])
    assert [item["id"] for item in made.payload["items"]] == ["d-3.1", "d-2.1", "d-1.1"] and made.level == "red"


def test_quiet_hours_keep_all_but_red_until_they_are_over(deliveries: Deliveries) -> None:
    pacing = Pacing("t", 3, read_quiet("22:00-06:00", "Asia/Shanghai"), deliveries)
    night = [notice(1), notice(2, "red"), notice(3, "blue")]
    assert flow(pacing, deliveries, night, NIGHT) == ["d-2.1"]
    assert flow(pacing, deliveries, [], NIGHT + 6.9 * 3600) == []
    (together,) = flow(pacing, deliveries, [], NIGHT + 7.1 * 3600)
    assert together.startswith("digest-")
    assert flow(pacing, deliveries, [notice(4)], NOON) == ["d-4.1"]


def test_a_flood_of_red_at_night_is_a_digest_without_what_waits_for_the_morning(deliveries: Deliveries) -> None:
    pacing = Pacing("t", 1, read_quiet("22:00-06:00", "Asia/Shanghai"), deliveries)
    flow(pacing, deliveries, [notice(1), notice(2, "red"), notice(3, "red"), notice(4, "red")], NIGHT)
    assert len(flow(pacing, deliveries, [], NIGHT + 61)) == 1
    assert not deliveries.is_delivered("t", "d-1.1") and deliveries.is_delivered("t", "d-4.1")


@pytest.mark.parametrize("text", ["22-6", "24:00-06:00", "22:00", "22:00-06:60", "never"])
def test_quiet_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM-HH:MM"):
        read_quiet(text, "UTC")


class Box:
    """Stand in for a mail server that may be away."""

    retained = False
    areas = ()

    def __init__(self) -> None:
        self.taken: list[Notice] = []
        self.away = self.refusing = False

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def wants(self, kind: str, simulated: bool) -> bool:
        return kind == "dispatch" and not simulated

    def take_stale(self) -> bool:
        return False

    async def send(self, one: Notice) -> None:
        if self.away:
            raise Unavailable("away")
        if self.refusing:
            raise Failed("451")
        self.taken.append(one)


def test_what_piled_up_while_a_server_was_away_comes_as_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box()
    monkeypatch.setattr(module, "_LOOK", 0.01)
    monkeypatch.setattr(module, "_sender", lambda *_: box)
    town = Town(Journal(tmp_path / "journal.sqlite"))
    now = [town.now]
    target = MailTarget(
        name="m", host="h", sender="f@example.org", to=("a@example.org",), retry_first=0.01, retry_cap=0.02
    )

    async def scenario() -> None:
        box.away = True
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target], clock=lambda: now[0])
        await notifier.start()
        ids = {town.event(number) for number in range(50)}
        await notifier.notify()
        await reached(lambda: notifier.figures()["m"].error == "away")
        box.away = False
        await reached(lambda: len(box.taken) == 3)
        now[0] += 61
        await reached(lambda: len(box.taken) == 4)
        await notifier.stop()
        together = box.taken[3]
        told = {one.id for one in box.taken[:3]} | {item["id"] for item in together.payload["items"]}
        assert together.kind == "digest" and told == ids

    asyncio.run(scenario())


@pytest.mark.parametrize("way", ["held", "put off", "not read yet"])
@pytest.mark.parametrize("answer", ["acknowledge", "calm", ""], ids=["acknowledged", "calm", "unanswered"])
def test_a_reminder_of_what_somebody_has_seen_to_meanwhile_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, answer: str
) -> None:
    box = Box()
    monkeypatch.setattr(module, "_LOOK", 0.01)
    monkeypatch.setattr(module, "_sender", lambda *_: box)
    town = Town(Journal(tmp_path / "journal.sqlite"))
    now = [town.now]
    town.record(town.desk.condition(change(2, time=town.now), town.now))
    (incident,) = town.desk.book.cases.incidents
    target = MailTarget(
        name="m", host="h", sender="f@example.org", to=("a@example.org",), retry_first=0.01,
        per_minute=int(way == "held"),
    )  # fmt: skip

    def remind() -> None:
        town.record(town.desk.tick(town.now + 301.0))

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target], clock=lambda: now[0])
        if way != "not read yet":
            await notifier.start()
            town.event(1)  # after it the limit a minute is reached
            await notifier.notify()
            await reached(lambda: len(box.taken) == 1)
            box.refusing = way == "put off"
            remind()
            await notifier.notify()
            await reached(lambda: notifier._deliveries.is_put_off("m", f"{incident}.2"))
        else:
            remind()
        if answer == "acknowledge":
            town.record(town.desk.command(command("acknowledge", incident, "c1"), town.now + 302.0))
        elif answer == "calm":
            town.calm("r1")
        else:  # more is known of it, and nobody has taken it up
            args = {"sha": "a" * 64, "camera": "cam-1", "time": town.now}
            town.record(
                town.desk.command(command("snapshot", incident, "c1", "camera:cam-1", **args), town.now + 302.0)
            )
            case = town.desk.book.cases.incidents[incident]
            town.record([town.desk.book.incident_record(case, "reported", town.now + 303.0, actor="user:grid")])
        box.refusing = False
        now[0] += 120.0
        await notifier.start() if way == "not read yet" else await notifier.notify()
        figures = notifier.figures()["m"]
        if answer:
            await reached(lambda: figures.answered == 1)
            assert notifier._deliveries.is_delivered("m", f"{incident}.2"), "and it is not asked for again"
        else:
            await reached(lambda: [one.edge for one in box.taken].count("reminded") == 1)
        assert figures.answered == bool(answer) and notifier._deliveries.count_held("m") == (0, 0)
        await notifier.stop()

    asyncio.run(scenario())
    assert ("reminded" in [one.edge for one in box.taken]) == (not answer)


def test_what_else_is_new_of_an_order_that_was_overdue_is_told_though_it_is_answered_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box()
    monkeypatch.setattr(module, "_sender", lambda *_: box)
    town = Town(Journal(tmp_path / "journal.sqlite"))
    town.dispatch()
    (order,) = town.desk.book.cases.dispatches
    town.record(town.desk.command(command("accept", order, "c1"), town.now))
    for hours in (2.0, 4.0):
        town.record(town.desk.tick(town.now + hours * 3600.0))
    town.record(town.desk.command(command("call", order, "c2", units=["u-s1"]), town.now + 4.2 * 3600.0))
    town.record(town.desk.command(command("on_scene", order, "c3"), town.now + 4.3 * 3600.0))
    target = MailTarget(name="m", host="h", sender="f@example.org", to=("a@example.org",), per_minute=0)

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target], clock=lambda: town.now)
        await notifier.start()
        await reached(lambda: len(box.taken) + notifier.figures()["m"].answered == 5)
        await notifier.stop()

    asyncio.run(scenario())
    assert [one.edge for one in box.taken] == ["issued", "overdue", "issued", "lead"], "the second overdue is left out"


def test_an_order_that_could_not_be_told_is_told_no_more_once_it_was_recalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box()
    monkeypatch.setattr(module, "_sender", lambda *_: box)
    town = Town(Journal(tmp_path / "journal.sqlite"))
    target = MailTarget(name="m", host="h", sender="f@example.org", to=("a@example.org",), retry_first=30.0)
    now = [town.now]

    async def scenario() -> None:
        box.refusing = True
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target], clock=lambda: now[0])
        await notifier.start()
        town.dispatch()
        (order,) = town.desk.book.cases.dispatches
        await notifier.notify()
        await reached(lambda: notifier.figures()["m"].error == "451")
        box.refusing = False
        town.record(town.desk.command(command("close", order, "c1", reason="false alarm"), town.now))
        await notifier.notify()
        await reached(lambda: bool(box.taken))
        now[0] += 61.0
        await notifier.notify()
        await reached(lambda: notifier.figures()["m"].answered == 1)
        await notifier.stop()

    asyncio.run(scenario())
    assert [one.edge for one in box.taken if one.unit] == ["recalled"], "nobody sets out for what is over"


def test_people_are_told_of_what_they_asked_for_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box()
    monkeypatch.setattr(module, "_sender", lambda *_: box)
    town = Town(Journal(tmp_path / "journal.sqlite"))
    target = MailTarget(
        name="m", host="h", sender="f@example.org", to=("a@example.org",), level="orange", areas=("slope-1",),
        units=("u-c1",), per_minute=0,
    )  # fmt: skip

    def event(id: str, **changes: str) -> None:
        given = {"level": "red", "edge": "issued", "area": "slope-1", "unit": "u-c1", **changes}
        made = cloudevent.dispatch_event(
            id=id, site="test", edge=given["edge"], incident="i", time=town.now, data=given, simulated=False
        )
        town.record(
            [
                DispatchChange(
                    id=id, dispatch=id[:-2], sequence=1, incident="i", area=given["area"], unit=given["unit"],
                    edge=given["edge"], leg="issued", level=given["level"], deadline=None, time=town.now, event=made,
                )
            ]
        )  # fmt: skip

    event("d-1.1")
    event("d-2.1", level="yellow")
    event("d-3.1", area="elsewhere")
    event("d-4.1", unit="u-other")
    event("d-5.1", edge="accepted")
    event("d-6.1", edge="overdue")

    async def scenario() -> None:
        notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target])
        await notifier.start()
        await reached(lambda: len(box.taken) == 2)
        await notifier.stop()

    asyncio.run(scenario())
    assert [one.id for one in box.taken] == ["d-1.1", "d-6.1"]


def test_a_machine_gets_no_more_than_its_limit_a_minute_and_gets_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_NAP", 0.005)
    monkeypatch.setenv("SECRET", "s3cret")
    town = Town(Journal(tmp_path / "journal.sqlite"))
    now = [town.now]

    async def scenario() -> None:
        with receiver() as hook:
            target = WebhookTarget(name="hook", url=hook.url, secret_env="SECRET", allow_private=True, per_minute=4)
            notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [target], clock=lambda: now[0])
            ids = [town.event(number) for number in range(10)]
            await notifier.start()
            await reached(lambda: notifier.figures()["hook"].delivered == 4)
            for count in (8, 10):
                now[0] += 61
                await reached(lambda count=count: notifier.figures()["hook"].delivered == count)
            await notifier.stop()
            assert [request.headers["webhook-id"] for request in hook.requests] == ids

    asyncio.run(scenario())


def test_a_target_that_cannot_be_used_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    town = Town(Journal(tmp_path / "journal.sqlite"))
    broken = MailTarget(
        name="m", host="h", sender="f@example.org", to=("a@example.org",), username="f", password_file="/nowhere"
    )

    async def scenario() -> None:
        with receiver() as hook:
            target = WebhookTarget(name="hook", url=hook.url, secret_env="SECRET", allow_private=True)
            notifier = Notifier(tmp_path / "journal.sqlite", tmp_path / "outbox.sqlite", [broken, target])
            town.event(1)
            await notifier.start()
            await reached(lambda: len(hook.requests) == 1 and "/nowhere" in notifier.figures()["m"].error)
            await notifier.stop()

    asyncio.run(scenario())
    known = Deliveries(tmp_path / "outbox.sqlite").known()
    assert known["m"][0] == "mail" and "/nowhere" in known["m"][2] and known["hook"][2] == ""
