"""Situation reports over HTTP: which span, which place, what was never heard, and on paper."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from alerts.console.situations import FRESH, MOVED, Situations
from alerts.journal import Journal
from alerts.queries import Reader
from alerts.situation import Facts, Span, gather, latest, span_of

from .conftest import Desktop, Engine, make_site


def test_today_is_told_as_far_as_it_goes(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    engine.condition(level=3)
    today = datetime.now(UTC).astimezone(tz=None)
    answer = client.get(f"/api/v1/situation?period=day&day={_local_today()}", headers=desktop.token("viewer"))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["now"]["alarms"] == 1 and found["now"]["levels"]["orange"] == 1
    assert found["now"]["orders"] == 1
    assert found["end"] <= time.time() + 1 and found["place"] == "d"
    assert found["now"]["availability"]["points"]["never"] == 3, "nothing was heard of any sensor"
    assert [one["place"] for one in found["places"]] == ["s"]
    assert today is not None


def _local_today() -> str:
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(make_site().zone)).date().isoformat()


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ("place=none", 404, "place"),
        ("day=yesterday", 422, "day"),
        ("day=2999-01-01", 422, "day"),
        ("period=year", 422, "period"),
    ],
)
def test_what_there_is_not_is_refused_by_name(
    client: TestClient, desktop: Desktop, engine: Engine, asked: str, status: int, field: str
) -> None:
    answer = client.get(f"/api/v1/situation?{asked}", headers=desktop.token("viewer"))
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_it_is_printed(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    answer = client.get("/api/v1/situation/report.pdf?language=en", headers=desktop.token("viewer"))
    assert answer.headers["content-type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert 'filename="situation-d-week-' in answer.headers["content-disposition"]


def test_a_span_is_counted_once_for_all_places_and_again_when_it_may_have_changed(engine: Engine) -> None:
    counted = []

    class Watched(Journal):
        def first(self) -> float | None:
            counted.append(1)
            return super().first()

    journal = Watched(engine.journal.engine.url.database or "")
    site, now, situations = make_site(), time.time(), Situations()
    span = latest("day", now, site.zone)
    for place, at, total in (("d", now, 2), ("s", now + 1, 2), ("d", now + 11 * FRESH, 4)):
        situations.report(journal, site, place, span, at, set())
        assert len(counted) == total
    running = span_of("day", span.first, site.zone).until(span.begin + 3600)
    situations.report(journal, site, "d", running, span.begin + 3600, set())
    assert len(counted) == 6
    journal.close()


def test_a_span_that_lasts_is_counted_anew_when_the_journal_has_moved_but_not_for_each_who_looks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[float] = []

    def count(reader: Reader, span: Span, limits: Mapping[str, float]) -> Facts:
        counted.append(span.end)
        return gather(reader, span, limits)

    monkeypatch.setattr("alerts.console.situations.gather", count)
    site, situations, now = make_site(), Situations(), time.time()
    whole = span_of("month", datetime.now(UTC).date(), site.zone)

    def look(at: float) -> float:
        found = situations.report(engine.journal, site, "d", whole.until(at), at, set())
        begin, end = found["before"]["begin"], found["before"]["end"]
        assert end - begin == pytest.approx(min(found["end"] - found["begin"], end - begin)), (
            "as much of the one before"
        )
        return float(found["end"])

    assert look(now) == look(now + 9) == look(now + FRESH - 1)
    assert len(counted) == 2, "it and the one before"
    engine.condition(level=2)
    assert look(now + FRESH - 1) == now + FRESH - 1
    engine.condition(level=3)
    assert look(now + FRESH + MOVED - 2) == now + FRESH - 1, "a flood moves it all the time"
    assert len(counted) == 4
    assert look(now + FRESH + MOVED) == now + FRESH + MOVED
    assert len(counted) == 6
