from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import itself, reported
from alerts.outcome import (
    AlarmTransition,
    CommandResult,
    DispatchChange,
    IncidentChange,
    Published,
    Record,
    Refused,
    Reported,
)
from sensors import frame
from sensors.flags import EARLY
from sensors.observation import (
    BAD,
    GOOD,
    HISTORICAL,
    LATE,
    OUT_OF_RANGE,
    SIMULATED,
    UNCERTAIN,
    CameraEvent,
    CameraHealth,
    Report,
    Silence,
    SourceState,
)
from sensors.site import Camera, ReportKind, Text
from streams import snapshot
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.rules.test_evaluation import RULES
from tests.streams.small_site import START, command, debris, frame_of, published, record, rules, site, source, tick

CONTENT = Bundle(site=site(), rules=rules())


def play(values: list[bytes], cuts: list[int] | None = None, engine: Engine | None = None) -> list[Record]:
    """Apply records in one batch, or cut after the given places."""
    engine = engine or Engine(0)
    first = engine.offset + 1
    records = [(first + n, value) for n, value in enumerate(values)]
    found: list[Record] = []
    edges = sorted({cut for cut in cuts or [] if 0 < cut < len(records)} | {len(records)})
    start = 0
    for edge in edges:
        found += engine.apply(records[start:edge]).records
        start = edge
    return found


def same(records: list[Record]) -> bytes:
    """Encode records, so that NaN equals itself bit for bit."""
    return msgspec.msgpack.encode(records)


def flat(records: list[Record], kind: type) -> list:
    return [one for record in records for one in record.outcomes if isinstance(one, kind)]


def landslide() -> list[bytes]:
    """Creep of one point past all levels with debris seen, then calm."""
    values = [published(CONTENT), tick(START)]
    heights = [1, 1, 12, 12, 12, 12, 25, 25, 35, 35, 2, 2, 2, 2]
    for n, height in enumerate(heights):
        now = START + 10 * (n + 1)
        if n == 8:
            values.append(debris(now - 5))
        values.append(frame_of([(0, now, height), (1, now, 1.0)], now))
        values.append(tick(now + 1))
    return values


def test_a_creeping_slope_is_alarmed_level_by_level_dispatched_once_and_returns() -> None:
    records = play(landslide())
    alarms = [a for a in flat(records, AlarmTransition) if a.rule == "creep"]
    assert [(a.edge, a.level) for a in alarms] == [
        ("alarm", "yellow"),
        ("raise", "orange"),
        ("raise", "red"),
        ("return", "red"),
    ]
    assert {a.scope for a in alarms} == {"p0"}
    assert alarms[0].onset == START + 30  # `for` counts from where the condition began
    assert alarms[0].explanation is not None
    assert "value" in {term.name for term in alarms[0].explanation.terms}
    issued = [d for d in flat(records, DispatchChange) if d.edge == "issued"]
    assert len(issued) == 1
    assert issued[0].unit == "team"
    assert issued[0].event is not None


def every_kind() -> tuple[Bundle, Bundle]:
    """Make two contents: points of all kinds, one of them in two areas, and rules on whatever rules can look at."""
    kinds = ("gauge", "gauge", "gauge", "counter", "angle", "gauge")
    points = tuple(
        msgspec.structs.replace(
            point,
            quantity="level",
            unit="m",
            limit=10.0,
            limit_below=k == 2,
            kind=kinds[k],
            areas=("a0", "a1") if k == 5 else point.areas,
            levels={"yellow": 5.0, "red": 2.0 if k == 2 else 9.0} if k else {},
        )
        for k, point in enumerate(site().points)
    )
    cameras = (*site().cameras, Camera(id="cam-1", name=Text(zh="", en=""), areas=("a1", "a0"), stream="rtsp://x"))
    first = msgspec.structs.replace(site(), points=points, cameras=cameras)
    more = (
        a_rule("wrong", scope="camera", when="fault('any')", clear="not fault('black')", **{"for": 2}),
        a_rule("few", when="count('20s') < 2", **{"for": 3}),
        a_rule("top", where={"points": ["p1"]}, when="max('32s') > 6 and spread('20s') < 9"),
    )
    second = msgspec.structs.replace(first, version="v2")
    told = (
        a_rule("gone", kind="data_quality", when="age > 30 s"),
        a_rule("lost", kind="data_quality", when="age > 20 s", **{"for": 2}),
        a_rule("half", kind="data_quality", scope="area", when="area.count(age > 30 s) >= 2"),
    )
    eyes = (
        a_rule("blind", scope="camera", when="fault('black') and judged", clear_after=3),
        a_rule("mute", scope="camera", when="age > 20 s or fault('loss')"),
        a_rule("lone", scope="camera", when="fault('blur') and not seen('debris', '30s')"),
    )
    return (
        Bundle(site=first, rules=(*RULES, *told, *eyes)),
        Bundle(site=second, rules=(*RULES[1:], *rules(), *eyes, *more, told[0])),
    )


CONTENTS = every_kind()
VALUES = [0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 9.5, -0.0, 1e150, float("nan")]
QUALITIES = [GOOD, GOOD, GOOD, GOOD, SIMULATED, HISTORICAL, SIMULATED | HISTORICAL, BAD, OUT_OF_RANGE, LATE, UNCERTAIN]
readings = st.tuples(
    st.integers(0, 6),
    st.sampled_from([-40.0, -3.0, -1.0, 0.0, 0.0, 0.5, 1.0, 30.0]),
    st.sampled_from(VALUES),
    st.sampled_from(QUALITIES),
)
frames = st.tuples(
    st.just("frame"),
    st.lists(readings, min_size=1, max_size=14),
    st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    st.sampled_from([0.0, 0.0, -1.0, 5.0, 4000.0]),
)
steps = st.lists(
    st.one_of(
        frames,
        frames,
        st.tuples(st.just("tick"), st.sampled_from([1.0, 1.0, 1.0, 4.0, 7.0, 40.0, 4000.0, -30.0])),
        st.tuples(
            st.just("see"),
            st.sampled_from(["a0", "a1"]),
            st.sampled_from(["debris", "person"]),
            st.sampled_from([0.0, 1.0, 12.0, -3.0]),
            st.sampled_from(["new", "update", "end"]),
            st.sampled_from([GOOD, SIMULATED]),
        ),
        st.tuples(
            st.just("source"),
            st.sampled_from(["offline", "offline", "online"]),
            st.lists(st.integers(0, 7), max_size=4),
            st.sampled_from([GOOD, GOOD, SIMULATED]),
        ),
        st.tuples(
            st.just("health"),
            st.sampled_from(["cam", "cam-1", "nobody"]),
            st.sets(st.sampled_from(["loss", "black", "blur", "fog"]), max_size=2),
            st.booleans(),
            st.sampled_from(["camera", "onvif"]),
            st.sampled_from([0.0, 1.0, 12.0, -3.0]),
            st.sampled_from(QUALITIES),
        ),
        st.tuples(st.just("eyes"), st.sampled_from(["offline", "online"]), st.sampled_from([0.0, 5.0]), st.booleans()),
        st.tuples(st.just("publish"), st.integers(0, 1)),
        st.tuples(st.just("back"), st.integers(3, 900)),
        st.tuples(st.just("bad"), st.binary(max_size=5)),
    ),
    min_size=1,
    max_size=30,
)


def build(plan: list[tuple]) -> list[bytes]:
    values, now = [published(CONTENTS[0]), tick(START)], START
    for number, (what, *of) in enumerate(plan):
        if what == "tick":
            now += of[0]
            values.append(tick(now))
        elif what == "see":
            area, kind, ago, phase, quality = of
            seen = CameraEvent(
                area=area,
                camera="cam",
                kind=kind,
                event="e",
                time=now - ago,
                received=now,
                phase=phase,
                quality=quality,
            )
            values.append(record(seen))
        elif what == "source":
            values.append(source(of[0], now, *of[1], quality=of[2]))
        elif what == "health":
            camera, faults, judged, teller, ago, quality = of
            health = CameraHealth(
                area="a0",
                camera=camera,
                time=now - ago,
                received=now,
                faults=dict.fromkeys(sorted(faults), 0.7),
                judged=judged,
                source=teller,
                quality=quality,
            )
            values.append(record(health))
        elif what == "eyes":
            state, ago, simulated = of
            gone = SourceState(
                area="a0",
                source="frigate:x",
                state=state,
                time=now - ago,
                received=now,
                points=(0,),
                cameras=("cam", "cam-1"),
                quality=SIMULATED if simulated else GOOD,
            )
            values.append(record(gone))
        elif what == "publish":
            values.append(published(CONTENTS[of[0]], f"v{number}", now))
        elif what == "back":
            now -= of[0]
            values.append(tick(now))
        elif what == "bad":
            values.append(of[0])
        else:
            now += of[1]
            point, shift, value, quality = (np.array(column) for column in zip(*of[0], strict=True))
            columns = (point.astype("u4"), now + shift, value, quality.astype("u1"))
            values.append(frame.encode(*columns, registry="v1", received=now + of[2]))
    return values


@settings(max_examples=100, deadline=None)
@given(steps, st.lists(st.integers(1, 40), max_size=20))
def test_outcomes_do_not_depend_on_how_the_log_is_cut_into_batches(plan: list[tuple], cuts: list[int]) -> None:
    values = build(plan)
    whole = same(play(values))
    assert same(play(values, cuts)) == whole
    assert same(play(values, list(range(len(values))))) == whole


@settings(max_examples=100, deadline=None)
@given(steps, st.integers(1, 30), st.lists(st.integers(1, 40), max_size=5))
def test_a_restored_engine_goes_on_as_if_nothing_had_happened(plan: list[tuple], at: int, cuts: list[int]) -> None:
    values = build(plan)
    at = min(at, len(values))
    unbroken = play(values)
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    parts = [value for _, value in snapshot.chunks(0, engine.offset, engine.snapshot())]
    found = snapshot.newest(parts)
    assert found is not None
    restored = Engine.restore(found.content)
    assert restored.offset == engine.offset
    assert same(before + play(values[at:], cuts, engine=restored)) == same(unbroken)


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        ([(0, START + 10, 1.0), (0, START + 10, 1.0)], "duplicate"),
        ([(0, START + 10, 1.0), (0, START + 5, 1.0)], "out_of_order"),
        ([(0, START + 10, 1.0), (77, START + 10, 1.0)], "unknown_point"),
        ([(0, START + 10, 1.0), (1, START + 10, float("inf"))], "not_finite"),
    ],
)
def test_a_reading_that_cannot_be_used_is_refused_with_its_reason_and_kept(
    readings: list[tuple[int, float, float]], reason: str
) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    applied = engine.apply([(2, frame_of(readings, START + 10))])
    (refused,) = flat(applied.records, Refused)
    assert (refused.reason, refused.count) == (reason, 1)
    assert refused.point == (readings[1][0],)
    assert applied.refused == {reason: 1}
    assert applied.scored is not None
    assert applied.scored.point.tolist() == [0]


@pytest.mark.parametrize(
    ("quality", "reason"),
    [(BAD, "bad_quality"), (OUT_OF_RANGE, "out_of_range"), (BAD | OUT_OF_RANGE | SIMULATED, "bad_quality")],
)
def test_bad_quality_neither_alarms_nor_counts_as_silence_nor_vanishes(quality: int, reason: str) -> None:
    values = [published(CONTENT), tick(START), frame_of([(0, START + 1, 1.0)], START + 1)]
    for n in range(2, 12):
        values.append(frame_of([(0, START + n * 10, 99.0)], START + n * 10, quality))
        values.append(tick(START + n * 10 + 1))
    engine = Engine(0)
    records = play(values, engine=engine)
    assert flat(records, AlarmTransition) == []
    refused = flat(records, Refused)
    assert [(r.reason, r.count, r.point, r.values) for r in refused] == [(reason, 1, (0,), (99.0,))] * 10
    last = frame_of([(0, START + 120, 99.0), (0, START + 121, 99.0)], START + 121, quality)
    assert engine.apply([(engine.offset + 1, last)]).refused == {reason: 2}


def test_silence_is_alarmed_by_the_clock() -> None:
    values = [published(CONTENT), tick(START), frame_of([(0, START + 1, 1.0)], START + 1)]
    values += [tick(START + n) for n in range(2, 70)]
    (alarm,) = flat(play(values), AlarmTransition)
    assert (alarm.rule, alarm.kind, alarm.scope, alarm.edge) == ("silent", "data_quality", "p0", "alarm")
    assert START + 61 <= alarm.time <= START + 63


DELAYS = (
    a_rule("flat", when="flat('10m')"),
    a_rule("held", when="value > 5", **{"for": "30 min"}),
    a_rule("calm", when="value > 100", clear="value < 50", clear_after="30 min"),
    a_rule("few", when="count('10m') < 1"),
    a_rule("dry", scope="area", when="seen('debris', '2h')", **{"for": "30 min"}),
)


def before_the_outage() -> list[bytes]:
    """Start each of the delays: p0 is above 5 and flat, p1 is calm after an alarm, debris was seen."""
    values = [published(Bundle(site=site(), rules=(*rules(), *DELAYS))), tick(START), debris(START)]
    values += [frame_of([(0, START + 1, 9.0), (1, START + 1, 200.0)], START + 1), tick(START + 2)]
    return [*values, frame_of([(1, START + 3, 10.0)], START + 3), tick(START + 4)]


def test_time_in_which_the_engine_did_not_listen_is_no_silence_and_completes_no_delay() -> None:
    engine = Engine(0)
    raised = flat(play(before_the_outage(), engine=engine), AlarmTransition)
    assert {(a.rule, a.scope, a.edge) for a in raised} >= {("calm", "p1", "alarm")}
    back = START + 4 + 3600  # the engine was down, or its clock was set forward
    values = [tick(back + n) for n in range(20)]
    values += [frame_of([(0, back + 20, 9.0), (1, back + 20, 10.0)], back + 20)]
    values += [tick(back + n) for n in range(20, 50)]
    found = flat(play(values, engine=engine), AlarmTransition)
    assert [a for a in found if a.rule != "few"] == []  # what was received in ten minutes is few, and true


def test_a_delay_goes_on_after_an_outage_with_what_it_had() -> None:
    engine = Engine(0)
    play(before_the_outage(), engine=engine)
    back = START + 4 + 3600
    values = [tick(back)]
    for n in range(0, 2000, 10):
        values += [frame_of([(0, back + n, 9.0), (1, back + n, 10.0 + n % 20)], back + n), tick(back + n + 1)]
    found = flat(play(values, engine=engine), AlarmTransition)
    told = {(a.rule, a.scope, a.edge): a.time - back for a in found if a.rule in ("flat", "held", "calm", "dry")}
    assert told == {
        ("flat", "p0", "alarm"): pytest.approx(600 - 4, abs=11),
        ("held", "p0", "alarm"): pytest.approx(1800 - 4, abs=11),
        ("held", "p1", "alarm"): pytest.approx(1800 - 4, abs=11),
        ("calm", "p1", "return"): pytest.approx(1800 - 2, abs=11),
        ("dry", "a0", "alarm"): pytest.approx(1800 - 5, abs=11),
    }


def test_a_camera_event_after_an_outage_corroborates_a_point_that_was_not_heard_since() -> None:
    rule = a_rule("slow", when="value > 5 and seen('debris', '5 min')")
    values = [published(Bundle(site=site(), rules=(rule,))), tick(START), frame_of([(0, START + 1, 9.0)], START + 1)]
    values += [tick(START + 2), tick(START + 3600), debris(START + 3601)]
    assert [a.scope for a in flat(play(values), AlarmTransition)] == ["p0"]


def test_a_camera_event_told_as_history_raises_nothing_and_is_no_sign_of_life() -> None:
    rule = a_rule("slow", when="value > 5 and seen('debris', '5 min')")
    values = [published(Bundle(site=site(), rules=(rule,))), tick(START), frame_of([(0, START + 1, 9.0)], START + 1)]
    told = CameraEvent(area="a0", camera="cam", kind="debris", event="e", time=START + 2, received=START + 2)
    live, replayed = Engine(0), Engine(0)
    assert [a.scope for a in flat(play([*values, record(told)], engine=live), AlarmTransition)] == ["p0"]
    as_history = record(msgspec.structs.replace(told, quality=HISTORICAL))
    assert not flat(play([*values, as_history, tick(START + 3)], engine=replayed), AlarmTransition)
    assert live.cameras == {"cam": START + 2} and replayed.cameras == {}


def test_history_that_is_older_than_the_newest_reading_is_for_the_charts_only() -> None:
    engine = Engine(0)
    values = [published(CONTENT), tick(START), frame_of([(0, START + 10, 1.0)], START + 10)]
    play(values, engine=engine)
    before = engine.bank.state()
    late = [
        frame_of([(0, START + 5, 99.0)], START + 5, HISTORICAL),
        frame_of([(0, START + 6, 99.0)], START + 6, HISTORICAL | OUT_OF_RANGE),
        frame_of([(0, START + 7, 99.0)], START + 7),
    ]
    applied = engine.apply([(engine.offset + 1 + n, value) for n, value in enumerate(late)])
    assert applied.refused == {"out_of_order": 2}
    assert applied.scored is not None
    assert applied.scored.time.tolist() == [START + 5] and np.isnan(applied.scored.score).all()
    after = engine.bank.state()
    assert all(np.array_equal(after[name], before[name], equal_nan=after[name].dtype.kind == "f") for name in before)
    assert engine.last_time[0] == START + 10 and engine.last_received[0] == START + 10


def test_commands_are_answered_and_a_repeated_one_only_once() -> None:
    engine = Engine(0)
    alarm = flat(play(landslide()[:-12], engine=engine), AlarmTransition)[0]
    now = START + 300
    order = command("acknowledge", alarm.alarm, "a0", now, "c1")
    first = play([order], engine=engine)
    assert [r.ok for r in flat(first, CommandResult)] == [True]
    assert [a.after for a in flat(first, AlarmTransition)] == ["ACKED"]
    assert flat(play([order], engine=engine), AlarmTransition) == []
    refused = flat(play([command("acknowledge", "a-none", "a0", now, "c2")], engine=engine), CommandResult)
    assert [r.ok for r in refused] == [False]


def test_a_report_counts_as_an_event_once_also_after_a_restart() -> None:
    smoke = a_rule("reports", scope="area", when="seen('report-smoke', '10 s')", where={"areas": ["a0"]})
    first = Report(id="one", area="a0", category="smoke", time=START + 2, received=START + 2)
    engine = Engine(0)

    def apply(*records: bytes) -> list[str]:
        begin = engine.offset + 1
        return [one.edge for one in flat(engine.apply(list(enumerate(records, begin))).records, AlarmTransition)]

    def again(id: str, time: float) -> bytes:
        return record(msgspec.structs.replace(first, id=id, time=START + time, received=START + time))

    content = Bundle(site=site(), rules=(smoke,))
    assert apply(published(content), tick(START + 1), record(first), tick(START + 3)) == ["alarm"]
    heard = tick(START + 7), again("one", 11), tick(START + 12), tick(START + 15)
    assert apply(*heard) == ["return"], "the same report does not last longer for being repeated"
    engine = Engine.restore(engine.snapshot())
    assert not apply(again("one", 16), tick(START + 17))
    assert apply(again("two", 18), tick(START + 19)) == ["realarm"]


def test_a_reported_case_and_a_silence_outlive_a_publication_and_a_restart() -> None:
    kind = ReportKind(category="dispute", name=Text(zh="纠纷", en="dispute"), type="dispute", levels=("yellow",))
    content = Bundle(site=msgspec.structs.replace(site(), reports=(kind,)), rules=rules())
    engine, told = Engine(0), []

    def apply(*records: bytes) -> list[IncidentChange]:
        found = engine.apply(list(enumerate(records, engine.offset + 1))).records
        told.extend(flat(found, CommandResult))
        return flat(found, IncidentChange)

    def report(id: str, time: float) -> bytes:
        about = {"area": "a0", "category": "dispute", "subject": "h1"}
        return record(Report(id=id, time=START + time, received=START + time, **about))

    quiet = Silence(
        id="s1", until=START + 3600, actor="user:an", reason="works", time=START + 2, areas=("a0",), level="orange"
    )
    (opened, first) = apply(published(content), tick(START + 1), record(quiet), report("one", 3))
    assert (opened.edge, opened.sort, first.edge, first.subject) == ("opened", "dispute", "reported", "h1")
    engine = Engine.restore(engine.snapshot())
    apply(published(content, version="v2"), tick(START + 4))
    (second,) = apply(report("two", 5), report("two", 6))
    assert (second.incident, second.args["count"]) == (opened.incident, 2)
    assert engine.known() >= {"s1", opened.incident}
    assert [(one.id, one.ok) for one in told] == [("s1", True)]


def test_a_report_that_is_one_case_too_many_is_counted_and_rings_for_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reported, "MOST", 1)
    kind = ReportKind(category="dispute", name=Text(zh="纠纷", en="dispute"), type="dispute", levels=("yellow",))
    heard = a_rule("reports", scope="area", when="count('report-dispute', '10 s') > 1", where={"areas": ["a0"]})
    content = Bundle(site=msgspec.structs.replace(site(), reports=(kind,)), rules=(heard,))
    reports = [
        Report(id=f"r{n}", area="a0", category="dispute", subject=f"h{n}", time=START + n, received=START + n)
        for n in (2, 3)
    ]
    engine = Engine(0)
    records = [published(content), tick(START + 1), *map(record, reports), tick(START + 4)]
    applied = engine.apply(list(enumerate(records)))
    found = [(one.edge, one.rule) for one in flat(applied.records, AlarmTransition)]
    assert found == [("alarm", "@dispute"), ("alarm", itself.ENGINE.id), ("alarm", "reports")]
    assert applied.refused == {"engine_error": 1}
    assert len(flat(applied.records, Reported)) == 2


def test_a_report_is_told_of_once_with_all_that_was_said() -> None:
    one = Report(
        id="one", area="a0", category="smoke", time=START + 2, received=START + 3,
        text="white", subject="5f", photo="0a", actor="user:li", quality=SIMULATED,
    )  # fmt: skip
    told = flat(play([published(CONTENT), tick(START), record(one), record(one)]), Reported)
    assert told == [
        Reported(
            id="one", area="a0", category="smoke", time=START + 2, received=START + 3,
            text="white", subject="5f", photo="0a", actor="user:li", simulated=True,
        )
    ]  # fmt: skip


def test_an_undecodable_record_is_refused_and_the_next_is_taken() -> None:
    values = [
        published(CONTENT),
        b"",
        b"\x02junk",
        b"\x01junk",
        tick(START),
        frame_of([(0, START + 1, 1.0)], START + 1),
    ]
    records = play(values)
    assert [r.reason.split(":")[0] for r in flat(records, Refused)] == ["undecodable"] * 3


def test_a_new_version_takes_force_at_one_offset_and_carries_conditions_over() -> None:
    engine = Engine(0)
    play(landslide()[:12], engine=engine)  # yellow holds
    other = Bundle(site=site(points=8, version="v2"), rules=rules(threshold=20.0))
    now = START + 200
    records = play([published(other, "v2", now), tick(now)], engine=engine)
    assert [p.version for p in flat(records, Published)] == ["v2"]
    assert flat(records, AlarmTransition) == []  # what holds goes on holding
    added = play([frame_of([(7, now + 1, 30.0)], now + 1)], engine=engine)
    assert [a.scope for a in flat(added, AlarmTransition)] == ["p7"]


def test_another_rules_figure_on_another_point_leaves_windows_and_what_stands_on_them_alone() -> None:
    rain = a_rule("rain", when="sum('24h') > 100")
    other = a_rule("other", where={"points": ["p1"]}, when="max('24h') > 1000")
    engine = Engine(0)
    values = [published(Bundle(site=site(), rules=(rain,))), tick(START)]
    values += [frame_of([(0, START + 60 * k, 3.0), (1, START + 60 * k, 3.0)], START + 60 * k) for k in range(1, 60)]
    assert {a.scope for a in flat(play(values, engine=engine), AlarmTransition)} == {"p0", "p1"}
    now = START + 3600
    values = [published(Bundle(site=site(version="v2"), rules=(rain, other)), "v2", now), tick(now + 1)]
    values += [frame_of([(0, now + 60, 3.0), (1, now + 60, 3.0)], now + 60), tick(now + 61)]
    assert flat(play(values, engine=engine), AlarmTransition) == []


def test_a_rule_that_is_withdrawn_lets_its_alarm_return() -> None:
    engine = Engine(0)
    raised = flat(play(landslide()[:12], engine=engine), AlarmTransition)
    assert raised
    without = Bundle(site=site(version="v2"), rules=rules()[1:])
    records = play([published(without, "v2", START + 200)], engine=engine)
    assert [(a.rule, a.edge) for a in flat(records, AlarmTransition)] == [("creep", "return")]


@pytest.mark.parametrize(
    ("change", "edges"),
    [
        ({"rationale": {"owner": "someone else"}}, ["alarm"]),
        ({"title": Text(zh="改", en="changed"), "plan": ("look",), "version": 2}, ["alarm"]),
        ({"hold": "0.1667 min"}, []),  # another delay decides anew
        ({"hold": 10.0}, ["alarm"]),  # the same delay, in other words
        ({"kind": "data_quality"}, []),
    ],
)
def test_a_text_of_a_rule_may_be_changed_under_a_running_delay(change: dict, edges: list[str]) -> None:
    rule = a_rule("r", when="value > 5", **{"for": "10 s"})
    if "rationale" in change:
        change = {"rationale": msgspec.structs.replace(rule.rationale, **change["rationale"])}
    engine = Engine(0)
    play(
        [published(Bundle(site=site(), rules=(rule,))), tick(START), frame_of([(0, START + 1, 9.0)], START + 1)],
        engine=engine,
    )
    edited = Bundle(site=site(version="v2"), rules=(msgspec.structs.replace(rule, **change),))
    values = [tick(START + 5), published(edited, "v2", START + 5), tick(START + 8), tick(START + 12)]
    assert [a.edge for a in flat(play(values, engine=engine), AlarmTransition)] == edges


def test_a_text_of_a_rule_may_be_changed_under_its_alarm() -> None:
    rule = a_rule("r", when="value > 5")
    engine = Engine(0)
    play(
        [published(Bundle(site=site(), rules=(rule,))), tick(START), frame_of([(0, START + 1, 9.0)], START + 1)],
        engine=engine,
    )
    edited = msgspec.structs.replace(rule, title=Text(zh="改", en="changed"), version=2)
    records = play([published(Bundle(site=site(version="v2"), rules=(edited,)), "v2", START + 5)], engine=engine)
    assert flat(records, AlarmTransition) == []
    ended = flat(play([frame_of([(0, START + 9, 1.0)], START + 9)], engine=engine), AlarmTransition)
    assert [(a.edge, a.before) for a in ended] == [("return", "UNACK")]


def test_nothing_is_believed_before_the_first_publication() -> None:
    records = play([tick(START), frame_of([(0, START, 1.0)], START)])
    assert [r.reason for r in flat(records, Refused)] == ["unpublished"]


def test_scores_come_back_as_columns_of_registry_indices() -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    applied = engine.apply([(2, frame_of([(4, START + 1, 1.0), (2, START + 1, 2.0), (4, START + 2, 3.0)], START + 2))])
    assert applied.readings == 3
    assert applied.scored is not None
    assert sorted(zip(applied.scored.point.tolist(), applied.scored.value.tolist(), strict=True)) == [
        (2, 2.0),
        (4, 1.0),
        (4, 3.0),
    ]
    assert applied.scored.score.dtype == np.float32


def test_a_point_that_is_still_learnt_has_no_score() -> None:
    engine = Engine(0)
    readings = [tick(START)] + [frame_of([(0, START + 10 * n, float(n % 5))], START + 10 * n) for n in range(1, 103)]
    play([published(CONTENT), *readings], engine=engine)
    times = [(0, START + 2000, 1.0), (1, START + 2000, 1.0)]
    scored = engine.apply([(engine.offset + 1, frame_of(times, START + 2000))]).scored
    assert scored is not None
    assert np.isnan(scored.score).tolist() == [False, True]


def test_an_early_event_is_marked_and_its_alarm_says_how_far_and_in_what_shape_in_both_languages() -> None:
    engine = Engine(0)
    rule = a_rule("odd", when="score > 0.99")
    readings = [tick(START)] + [frame_of([(0, START + 10 * n, float(n % 3))], START + 10 * n) for n in range(1, 203)]
    play([published(Bundle(site=site(), rules=(rule,))), *readings], engine=engine)
    applied = engine.apply(
        [(engine.offset + 1, frame_of([(0, START + 2030, 90.0), (1, START + 2030, 1.0)], START + 2030))]
    )
    assert applied.scored is not None
    assert (applied.scored.flags & EARLY).tolist() == [EARLY, 0]
    (alarm,) = flat(applied.records, AlarmTransition)
    why = alarm.explanation
    assert why is not None
    assert why.score_reason.startswith("value 90 above 0…2 seen in the last ")
    assert why.score_reason.endswith(", 44 times the range beyond it, level shift")
    assert why.score_reason_zh.endswith("，超出幅度为范围的 44 倍，形态：水平突变")


def test_a_snapshot_of_something_else_is_refused() -> None:
    with pytest.raises((ValueError, KeyError, msgspec.DecodeError)):
        Engine.restore(msgspec.msgpack.encode({"format": 99}))


def test_a_clock_that_is_set_back_hides_no_silence() -> None:
    values = [published(CONTENT), tick(START), frame_of([(0, START + 1, 1.0)], START + 1), tick(START + 2)]
    values += [tick(START - 3600 + n) for n in range(70)]
    (alarm,) = flat(play(values), AlarmTransition)
    assert (alarm.rule, alarm.scope) == ("silent", "p0")
    assert START - 3600 + 55 <= alarm.time <= START - 3600 + 65


@pytest.mark.parametrize("wrong", [0.0, 200.0, 3600.0])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_clock_that_is_set_back_puts_off_no_escalation(wrong: float, size: int) -> None:
    """The accept deadline is five minutes; the clock is right, or ran ahead for a while, and is then set back."""
    values = [published(CONTENT), tick(START), frame_of([(0, START + 1, 30.0)], START + 1)]
    values += [tick(START + wrong + n) for n in range(2, 10)]
    first = len(values)  # the tick at which the clock is set back
    back = START - 3600 if not wrong else START + 10
    values += [tick(back + n) for n in range(400)]
    records = play(values, list(range(0, len(values), size)))
    overdue = next(
        record.offset - first
        for record in records
        for one in record.outcomes
        if isinstance(one, DispatchChange) and one.edge == "overdue"
    )
    assert overdue <= 300
    assert wrong or overdue >= 290


def test_a_clock_that_is_set_back_is_followed_after_a_restart_alike() -> None:
    values = [published(CONTENT), tick(START), frame_of([(0, START + 1, 30.0)], START + 1), tick(START + 2)]
    values += [tick(START - 3600 + n) for n in range(400)]
    whole = play(values)
    engine = Engine(0)
    before = play(values[:20], engine=engine)
    assert same(before + play(values[20:], engine=Engine.restore(engine.snapshot()))) == same(whole)


def ahead(seconds: float) -> list[bytes]:
    """Stamp the arrival of a frame and of a camera event in the future."""
    seen = CameraEvent(area="a0", camera="cam", kind="debris", event="e", time=START + 2, received=START + 2 + seconds)
    return [frame_of([(2, START + 2, 1.0)], START + 2 + seconds), record(seen)]


@pytest.mark.parametrize("which", [0, 1])
def test_an_arrival_stamp_of_the_future_moves_no_clock_of_a_point(which: int) -> None:
    content = Bundle(site=site(), rules=(a_rule("high", when="value > 5", **{"for": "10 s"}),))
    values = [published(content), tick(START), frame_of([(0, START + 1, 9.0)], START + 1), tick(START + 2)]
    values += [ahead(3600)[which], *(tick(START + n) for n in range(3, 15))]
    (alarm,) = flat(play(values), AlarmTransition)
    assert (alarm.scope, alarm.onset, alarm.time) == ("p0", START + 1, START + 11)


def test_a_stored_event_of_long_ago_is_no_sign_of_life_of_its_camera() -> None:
    engine = Engine(0)
    event = CameraEvent(area="a0", camera="cam", kind="debris", event="e", time=START - 3600, received=START + 2)
    stored = msgspec.structs.replace(event, quality=LATE | HISTORICAL)
    play([published(CONTENT), tick(START), record(stored)], engine=engine)
    assert engine.cameras == {}
    play([published(CONTENT), tick(START), record(event)], engine=engine)
    assert engine.cameras == {"cam": START + 2}


def test_a_camera_of_which_only_a_dialect_has_spoken_has_been_heard_unless_it_is_lost() -> None:
    engine = Engine(0)
    told = CameraHealth(area="a0", camera="cam", time=START + 2, received=START + 2, source="onvif", faults={"loss": 1})
    play([published(CONTENT), tick(START), record(told)], engine=engine)
    assert engine.cameras == {}, "its platform says that it is gone"
    old = msgspec.structs.replace(told, faults={}, quality=HISTORICAL)
    play([published(CONTENT), tick(START), record(old)], engine=engine)
    assert engine.cameras == {}
    play([published(CONTENT), tick(START), record(msgspec.structs.replace(told, faults={}))], engine=engine)
    assert engine.cameras == {"cam": START + 2}


def test_an_arrival_stamp_of_the_future_hides_no_silence() -> None:
    values = [published(CONTENT), tick(START), ahead(3600)[0], *(tick(START + n) for n in range(1, 80))]
    (alarm,) = flat(play(values), AlarmTransition)
    assert (alarm.rule, alarm.scope) == ("silent", "p2")


def set_back(by: float, value: float = 1.0, rule: dict | None = None) -> Engine:
    """Run an engine until `START`, with a reading each second, and set its clock back."""
    engine = Engine(0)
    content = Bundle(site=site(), rules=(a_rule("high", **(rule or {"when": "value > 5"})),))
    values = [published(content, time=START - 201)]
    for k in range(-200, 1):
        values += [tick(START + k), frame_of([(0, START + k + 0.5, value)], START + k + 0.5)]
    play([*values, tick(START + 1 - by)], engine=engine)
    return engine


@pytest.mark.parametrize("by", [7.0, 60.0, 600.0, 86400.0])
def test_readings_after_a_clock_that_was_set_back_are_looked_at_from_the_first_one(by: float) -> None:
    engine = set_back(by)
    records = play([frame_of([(0, START + 1.5 - by, 99.0)], START + 1.5 - by)], engine=engine)
    assert flat(records, Refused) == []
    assert [(a.rule, a.edge, a.onset) for a in flat(records, AlarmTransition)] == [("high", "alarm", START + 1.5 - by)]
    late = play([frame_of([(0, START + 1.2 - by, 99.0)], START + 2 - by)], engine=engine)
    assert [r.reason for r in flat(late, Refused)] == ["out_of_order"]  # once is enough


def test_a_reading_from_before_the_clock_was_set_back_moves_nothing() -> None:
    engine = set_back(600.0)
    now = START - 598.5
    for time in (START - 2, START - 7200):  # on its way since before, or handed in from a store
        refused = flat(play([frame_of([(0, time, 99.0)], now)], engine=engine), Refused)
        assert [r.reason for r in refused] == ["out_of_order"]
    assert flat(play([frame_of([(0, START + 0.7, 1.0)], now)], engine=engine), Refused) == []
    (alarm,) = flat(play([frame_of([(0, now, 99.0)], now)], engine=engine), AlarmTransition)
    assert (alarm.edge, alarm.onset) == ("alarm", now)


def test_a_source_with_a_clock_of_its_own_goes_on_where_it_was() -> None:
    engine = set_back(600.0)
    values = [frame_of([(0, START + k, 1.0)], START - 600 + k) for k in (2, 3)]
    values.append(frame_of([(0, START + 2.5, 99.0)], START - 596))
    records = play(values, engine=engine)
    assert [r.reason for r in flat(records, Refused)] == ["out_of_order"]
    assert flat(records, AlarmTransition) == []


@pytest.mark.parametrize(
    "when", ["sum('150 s') > 120", "count('150 s') > 120", "flat('150 s')", "rate('150 s') < 1 mm/s and value > 0"]
)
def test_windows_and_conditions_go_on_over_a_clock_that_was_set_back(when: str) -> None:
    engine = set_back(600.0, rule={"when": when, "for": "45 s"})
    assert engine.evaluator is not None
    assert engine.evaluator.current[0] == 2
    values = []
    for k in range(2, 40):
        now = START - 600 + k
        values += [frame_of([(0, now + 0.5, 1.0)], now + 0.5), tick(now + 1)]
    assert flat(play(values, engine=engine), AlarmTransition) == []  # it stands as it stood: not left, not anew


def test_a_delay_that_runs_is_not_begun_anew_by_a_clock_that_is_set_back() -> None:
    engine = set_back(600.0, value=9.0, rule={"when": "value > 5", "for": "210 s"})
    times = [START - 600 + k for k in range(2, 40)]
    values = [value for now in times for value in (tick(now), frame_of([(0, now, 9.0)], now))]
    (alarm,) = flat(play(values, engine=engine), AlarmTransition)
    assert START - 590 <= alarm.time <= START - 587  # 200 of the 210 seconds had passed


def test_a_command_that_waited_out_an_outage_is_refused() -> None:
    engine = Engine(0)
    alarm = flat(play(landslide()[:-12], engine=engine), AlarmTransition)[0]
    late = [tick(START + 500), command("acknowledge", alarm.alarm, "a0", START + 300, "c1")]
    (answer,) = flat(play(late, engine=engine), CommandResult)
    assert (answer.ok, answer.reason) == (False, "too_late")


def test_what_breaks_the_desk_keeps_no_other_alarm_from_being_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    assert engine.desk is not None
    condition = engine.desk.condition

    def broken(change, clock):  # type: ignore[no-untyped-def]
        if change.scope == "p2":
            raise RuntimeError("broken")
        return condition(change, clock)

    monkeypatch.setattr(engine.desk, "condition", broken)
    records = play([frame_of([(k, START + 1, 30.0) for k in (0, 2, 3)], START + 1)], engine=engine)
    assert {a.scope for a in flat(records, AlarmTransition)} == {"p0", "p3", "engine/0"}
    assert [r.reason for r in flat(records, Refused)] == ["engine_error: creep at p2: broken"]


def told(at: float, *faults: str, camera: str = "cam", area: str = "a0") -> bytes:
    """Make the health of a camera."""
    found = dict.fromkeys(faults, 0.9)
    return record(CameraHealth(area=area, camera=camera, time=START + at, received=START + at, faults=found))


def test_a_camera_in_trouble_is_an_alarm_of_its_own_beside_the_areas_risks() -> None:
    rule = a_rule("blind", scope="camera", kind="data_quality", when="fault('black') or fault('cover')")
    values = [published(Bundle(site=site(), rules=(*rules(), rule))), tick(START), told(1), tick(START + 5)]
    values += [told(5, "black"), tick(START + 6), tick(START + 9), told(9), tick(START + 10)]
    raised, returned = flat(play(values), AlarmTransition)
    assert (raised.rule, raised.kind, raised.scope, raised.area, raised.edge) == (
        "blind",
        "data_quality",
        "cam",
        "a0",
        "alarm",
    )
    assert raised.explanation is not None
    assert raised.explanation.cameras == ("cam",)
    assert raised.onset == START + 5
    assert (returned.edge, returned.time) == ("return", START + 9)


def test_a_source_that_says_that_its_camera_has_gone_is_loss_of_signal() -> None:
    rule = a_rule("lost", scope="camera", kind="data_quality", when="fault('loss')")
    gone = SourceState(
        area="a0", source="frigate:gate", state="offline", time=START + 1, received=START + 1, cameras=("cam",)
    )
    back = msgspec.structs.replace(gone, state="online", time=START + 9, received=START + 9)
    values = [published(Bundle(site=site(), rules=(rule,))), tick(START), record(gone), record(back)]
    assert [(a.scope, a.edge) for a in flat(play(values), AlarmTransition)] == [("cam", "alarm"), ("cam", "return")]


def test_the_alarms_of_a_camera_that_is_read_no_more_return() -> None:
    dark = a_rule("dark", scope="camera", kind="data_quality", when="fault('black')")
    mute = a_rule("mute", scope="camera", kind="data_quality", when="age > 60 s")
    read = tuple(msgspec.structs.replace(one, stream="rtsp://x") for one in site().cameras)
    engine = Engine(0)
    first = Bundle(site=msgspec.structs.replace(site(), cameras=read), rules=(dark, mute))
    values = [published(first), tick(START), told(START + 1, "black"), *(tick(START + k) for k in range(2, 65))]
    raised = flat(play(values, engine=engine), AlarmTransition)
    assert {(a.rule, a.edge) for a in raised} == {("dark", "alarm"), ("mute", "alarm")}
    changed = Bundle(site=site(version="v2"), rules=(dark, mute))
    values = [published(changed, "v2", START + 65), *(tick(START + k) for k in range(66, 180))]
    returned = flat(play(values, engine=engine), AlarmTransition)
    assert {(a.rule, a.edge) for a in returned} == {("dark", "return"), ("mute", "return")}


def test_silence_of_a_camera_is_alarmed_by_the_clock() -> None:
    rule = a_rule("mute", scope="camera", kind="data_quality", when="age > 60 s")
    values = [published(Bundle(site=site(), rules=(rule,))), tick(START), told(1)]
    values += [tick(START + n) for n in range(2, 70)]
    (alarm,) = flat(play(values), AlarmTransition)
    assert (alarm.scope, alarm.kind) == ("cam", "data_quality")
    assert START + 61 <= alarm.time <= START + 63


@pytest.mark.parametrize("stray", [58.0, 30.0, 10.0])
def test_a_reading_of_the_future_does_not_blind_its_point_until_then(stray: float) -> None:
    """A clock that runs ahead and is set right looks the same."""
    values = [published(CONTENT), tick(START)]
    values += [frame_of([(0, START + 1 + stray, 1.0)], START + 1), tick(START + 1)]
    for n in range(2, 30):
        values += [frame_of([(0, START + n - 0.5, 30.0)], START + n), tick(START + n)]
    records = play(values)
    raised = [one for one in flat(records, AlarmTransition) if one.kind == "risk" and one.scope == "p0"]
    assert raised and raised[0].edge == "alarm" and raised[0].time < START + 25
    assert not [one for one in flat(records, Refused) if one.reason == "out_of_order"]


def test_a_reading_that_comes_late_overrules_no_clock_that_runs_ahead() -> None:
    values = [published(CONTENT), tick(START)]
    values += [frame_of([(0, START + 31, 1.0)], START + 1), frame_of([(0, START - 40, 9.0)], START + 2)]
    [refused] = flat(play(values), Refused)
    assert refused.reason == "out_of_order"


def test_points_have_the_budget_of_false_alarms_of_their_areas_kind() -> None:
    held = Engine(0)
    play([published(CONTENT)], engine=held)
    assert set(held.bank.budget) == {held.bank.settings.alarms_per_day}
    kinds = tuple(msgspec.structs.replace(kind, alarms_per_day=0.5) for kind in CONTENT.site.area_types)
    wider = msgspec.structs.replace(CONTENT, site=msgspec.structs.replace(CONTENT.site, area_types=kinds))
    play([published(wider, "v2")], engine=held)
    assert set(held.bank.budget) == {0.5}
    assert set(Engine.restore(held.snapshot()).bank.budget) == {0.5}


@pytest.mark.parametrize("restart", [False, True])
def test_a_rule_published_under_a_standing_danger_rings_without_another_reading(restart: bool) -> None:
    engine = Engine(0)
    play([published(CONTENT), tick(START), frame_of([(0, START + 1, 7.0)], START + 1), tick(START + 2)], engine=engine)
    stricter = a_rule("strict", where={"quantity": "displacement"}, when="value > 6")
    changed = msgspec.structs.replace(CONTENT, rules=(*CONTENT.rules, stricter))
    play([published(changed, "v2", START + 3)], engine=engine)
    if restart:
        engine = Engine.restore(engine.snapshot())
    found = flat(play([tick(START + 4), tick(START + 5)], engine=engine), AlarmTransition)
    assert [(one.rule, one.scope, one.edge, one.time) for one in found] == [("strict", "p0", "alarm", START + 4)]
