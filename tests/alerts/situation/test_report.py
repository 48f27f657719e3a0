"""Situation reports from a journal in either database: what is counted, where, against what, and what is left out."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from alerts.situation import Facts, report, reported, span_of
from alerts.situation.facts import gather
from alerts.situation.report import merged, spread, top_place, worse
from alerts.situation.sheet import situation_pdf, summary, title_of
from tests.alerts.cases import change
from tests.alerts.situation.played import DAY, LIMIT, MONDAY, watched, weeks

SITE = watched()
WEEK = span_of("week", date(2026, 11, 16), SITE.zone)


@pytest.fixture
def told(journal: Journal) -> Any:
    journal.record(weeks())
    return lambda place="d", span=WEEK, **more: reported(journal, SITE, place, span, **more)


def test_a_week_says_what_came_how_long_it_took_and_what_got_worse(told: Any) -> None:
    found = told()
    now = found["now"]
    assert now["alarms"] == 7
    assert now["levels"] == {"red": 1, "orange": 0, "yellow": 6, "blue": 0}, "an alarm is of its highest level"
    assert now["series"]["yellow"] == [0, 0, 6, 0, 0, 0, 0] and now["series"]["red"][3] == 1
    assert now["peaks"] == {"red": 1, "orange": 0, "yellow": 6, "blue": 0}
    assert now["dispositions"] == {"real": 1, "nuisance": 6, "test": 0, "duplicate": 0, "none": 0}
    assert now["nuisance"]["share"] == pytest.approx(6 / 7)
    assert now["times"]["acknowledge"] == {"count": 7, "median": 120.0, "most": pytest.approx(2430 * 0.4 + 120 * 0.6)}
    assert now["times"]["accept"] == {"count": 1, "median": 400.0, "most": 400.0}
    assert (now["times"]["on_scene"]["median"], now["times"]["resolve"]["median"]) == (1200.0, 3000.0)
    assert now["times"]["close"]["median"] == 600.0
    assert now["orders"] == 1
    assert found["left_out"] == 1, "the simulated one"
    assert [(one["what"], one["now"], one["before"]) for one in found["worse"]][:2] == [
        ("serious", 1, 0),
        ("alarms", 7, 1),
    ]
    assert {"what": "type", "type": "river", "now": 6, "before": 1} in found["worse"]
    assert found["rules"][0] == {"rule": "level", "title": {"zh": "位移", "en": "creep"}, "alarms": 6}
    worst, *others = found["actors"]
    assert (worst["area"], worst["rule"], worst["rings"], worst["stale"]) == ("river-1", "level", 6, 0)
    assert worst["share"] == pytest.approx(6 / sum(one["rings"] for one in found["actors"])) and others
    assert found["types"] == [
        {"type": "river", "field": "natural", "red": 0, "orange": 0, "yellow": 6, "blue": 0, "alarms": 6, "before": 1},
        {"type": "slope", "field": "natural", "red": 1, "orange": 0, "yellow": 0, "blue": 0, "alarms": 1, "before": 0},
    ]


def test_whom_people_told_of_is_no_bad_actor(told: Any, journal: Journal) -> None:
    at = MONDAY + 2 * DAY
    told()
    journal.record([Record(0, 10**6, tuple(Desk(SITE).condition(change(2, rule="@dispute", scope="h1", time=at), at)))])
    assert "h1" not in {one["scope"] for one in told()["actors"]} and told()["now"]["alarms"] == 8


def test_time_that_a_warning_won_is_until_an_alarm_says_that_the_limit_is_reached(told: Any) -> None:
    found = told()
    assert found["now"]["lead"] == {"count": 1, "median": 2400.0, "most": 2400.0, "limits": 1}
    assert [(one["point"], one["seconds"]) for one in found["leads"]] == [("p1", 2400.0)]


def test_a_sensor_without_data_is_missing_in_its_place_for_as_long(told: Any) -> None:
    heard = told()["now"]["availability"]["points"]
    assert heard["share"] == pytest.approx(1 - 2 / 14), "two days of two points' week"
    assert heard["series"] == pytest.approx([1, 0.5, 0.5, 1, 1, 1, 1])
    assert told("c1")["now"]["availability"]["points"]["share"] == 1.0
    assert told("c2")["poor"] == [
        {
            "id": "p7",
            "area": "river-1",
            "name": {"zh": "p7区", "en": "p7"},
            "share": pytest.approx(5 / 7),
            "troubles": 1,
        }
    ]


def test_what_was_never_heard_of_is_counted_apart_and_not_as_in_order(told: Any) -> None:
    heard = told(never={"p1", "k1"})["now"]["availability"]
    assert heard["points"] | {"series": []} == {"total": 2, "never": 1, "share": pytest.approx(5 / 7), "series": []}
    assert heard["cameras"]["share"] is None


def test_a_place_has_what_lies_in_it_and_no_more(told: Any) -> None:
    assert told("c1")["now"]["alarms"] == 1
    assert told("c2")["now"]["alarms"] == 6
    whole = told("s1")
    assert [(one["place"], one["alarms"], one["before"]) for one in whole["places"]] == [("c1", 1, 0), ("c2", 6, 1)]
    assert told("s2")["now"]["alarms"] == 0
    with pytest.raises(KeyError):
        told("nowhere")


def test_before_the_journal_begins_nothing_is_known_to_compare_with(told: Any) -> None:
    early = told(span=span_of("week", date(2026, 11, 9), SITE.zone))
    assert not early["compared"] and not early["worse"]
    assert early["known_from"] < early["end"]
    assert summary(early, SITE, "en")[0].startswith("The record begins at 2026-11-")
    nothing = told(span=span_of("week", date(2026, 11, 2), SITE.zone))
    assert nothing["now"]["availability"]["points"] == {"total": 2, "never": 0, "share": None, "series": [None] * 7}
    assert nothing["known_from"] >= nothing["end"]
    assert summary(nothing, SITE, "en") == ["Nothing was recorded in this period: what happened is not known."]


def test_a_day_is_told_by_the_hour_and_one_that_lasts_as_far_as_it_goes(told: Any) -> None:
    day = span_of("day", date(2026, 11, 18), SITE.zone)
    assert told(span=day)["now"]["series"]["yellow"][::2] == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    half = told(span=day.until(MONDAY + 2 * DAY + 3 * 3600))
    assert half["now"]["alarms"] == 2 and half["end"] - half["begin"] == half["before"]["end"] - half["before"]["begin"]


def test_only_the_spans_own_rows_are_looked_at(tmp_path: Path, empty: Path) -> None:
    journal = Journal(shutil.copy(empty, tmp_path / "journal.sqlite"))  # PostgreSQL walks tables that are so small
    journal.record(weeks())
    asked: list[str] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("EXPLAIN") or statement.endswith("ORDER BY transitions.position\n LIMIT ? OFFSET ?"):
            return  # one is this test's own, the other reads one row
        with journal.engine.connect() as other:
            plan = other.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        asked.extend(str(row[-1]) for row in plan)

    sa.event.listen(journal.engine, "before_cursor_execute", note)
    gather(journal, WEEK, {"p1": LIMIT})
    walked = [
        step for step in asked if step.startswith("SCAN") and not step.startswith(("SCAN (subquery", "SCAN anon"))
    ]
    assert asked and all("exercises" in step for step in walked), walked


def test_a_report_is_printed_in_both_languages_with_its_figures() -> None:
    facts = Facts(
        span=WEEK,
        since=WEEK.begin - 30 * DAY,
        times={leg: [] for leg in ("acknowledge", "accept", "on_scene", "resolve", "close")},
    )
    facts.alarms["slope-1", "red", 2] = 3
    facts.times["accept"] = [("slope-1", 90.0), ("slope-1", 150.0)]
    before = Facts(span=WEEK.before(SITE.zone), since=facts.since, times={leg: [] for leg in facts.times})
    found = report(SITE, "d", facts, before)
    for language, wanted in (
        ("zh-CN", ("周报", "变差的项目", "中位数", "slope区", "2 分 00 秒")),
        ("en", ("Weekly report", "What got worse", "Median", "2 min 00 s", "2026-11-16 – 2026-11-22")),
    ):
        document = pypdfium2.PdfDocument(situation_pdf(found, SITE, language, MONDAY))
        said = "\n".join(page.get_textpage().get_text_range() for page in document)
        assert all(one in said for one in wanted), said
        assert summary(found, SITE, language)[0].endswith("3 (0)")
        assert "2026-11-16" in title_of(found, SITE, language)
    blank = pypdfium2.PdfDocument(situation_pdf({**found, "known_from": None}, SITE, "zh-CN", MONDAY))
    said = "\n".join(page.get_textpage().get_text_range() for page in blank)
    assert "情况不明" in said and "变差的项目" not in said


def test_spreads_and_spells_hold_at_their_edges() -> None:
    assert spread([]) == {"count": 0, "median": None, "most": None}
    assert spread([5.0]) == {"count": 1, "median": 5.0, "most": 5.0}
    assert spread(float(n) for n in range(101)) == {"count": 101, "median": 50.0, "most": 90.0}
    assert merged([(5, 7), (1, 3), (2, 4), (4, 4.5)]) == [(1, 4.5), (5, 7)]
    assert top_place(SITE) == "d"


def test_few_cases_are_not_called_worse() -> None:
    facts = Facts(
        span=WEEK,
        since=0.0,
        times={leg: [("slope-1", 60.0)] for leg in ("acknowledge", "accept", "on_scene", "resolve", "close")},
    )
    slow = Facts(span=WEEK, since=0.0, times={leg: [("slope-1", 6000.0)] * 2 for leg in facts.times})
    assert worse(report(SITE, "d", slow, facts)["now"], report(SITE, "d", facts, facts)["now"]) == []
    many = {leg: [("slope-1", 60.0)] * 4 for leg in facts.times}
    late = {leg: [("slope-1", 600.0)] * 4 for leg in facts.times}
    found = worse(
        report(SITE, "d", Facts(span=WEEK, since=0.0, times=late), facts)["now"],
        report(SITE, "d", Facts(span=WEEK, since=0.0, times=many), facts)["now"],
    )
    assert [one["what"] for one in found] == ["acknowledge", "accept", "on_scene", "resolve", "close"]
