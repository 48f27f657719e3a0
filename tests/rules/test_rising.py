"""Reports about one person that rise: judged at each, told by week, ended by the clock, kept over restarts."""

from __future__ import annotations

import numpy as np
import pytest

from models.repeats import DAY
from sensors.observation import SIMULATED
from tests.rules.stage import a_rule
from tests.rules.test_reports import Street, levels

RISE = a_rule("rise", when="rising('dispute', '28d') > 0.98", scope="area")
KEY = ("rising", "report-dispute", 28 * DAY)


def score(street: Street, *, real: bool = False) -> float:
    return float(street.evaluator.rising.column(KEY, np.array([0]), real=real)[0])


def reported(street: Street, *days: float, subject: str = "x", quality: int = 0) -> list[tuple[str, int]]:
    return [
        found for day in days for found in levels(street.report(day * DAY, "dispute", subject=subject, quality=quality))
    ]


def test_a_fourth_report_in_a_month_about_one_person_warns_and_says_in_which_weeks() -> None:
    street = Street(RISE)
    assert not reported(street, 0, 9, 16)
    [change] = street.report(20 * DAY, "dispute", subject="x")
    assert change.after == 2 and change.why is not None
    assert "4 reports of dispute about one person within 28 d, by week 0 · 1 · 1 · 2 (the" in change.why.score_reason
    assert "同一当事人 28 天内被上报 dispute 4 次，逐周 0 · 1 · 1 · 2（最近在后）" in change.why.score_reason_zh
    assert "x" not in change.why.score_reason.split(), "nobody is named, not even by a hash"
    assert [told.report for told in change.why.events] == [f"r{20 * DAY:g}"]


def test_it_ends_when_a_week_passes_without_another() -> None:
    street = Street(RISE)
    reported(street, 0, 9, 16, 20)
    assert not street.tick(26.9 * DAY)
    assert levels(street.tick(27.1 * DAY)) == [("a", 0)]


def test_reports_about_several_people_or_nobody_are_no_rise() -> None:
    street = Street(RISE)
    assert not [*reported(street, 0, 10, subject="x"), *reported(street, 11, 20, subject="y")]
    assert not [*reported(street, 21, 22, 23, 24, 25, subject="")]


def test_neighbours_who_tell_of_the_same_quarrel_count_once() -> None:
    street = Street(RISE)
    assert not reported(street, 0, 0.01, 0.02, 0.1, 0.15)


def test_one_who_is_reported_every_week_is_no_news_until_it_is_more() -> None:
    street = Street(RISE)
    reported(street, *range(0, 180, 7))
    street.tick(184 * DAY)
    assert score(street) < 0.98
    assert reported(street, *(185 + 0.5 * n for n in range(12))) == [("a", 2)]


def test_the_town_s_own_rate_is_learnt() -> None:
    seldom, often = Street(RISE), Street(RISE)
    for street, gap, count in ((seldom, 170.0, 2), (often, 10.0, 12)):
        told = sorted((person * 0.3 + n * gap, person) for person in range(40) for n in range(count))
        for day, person in told:
            street.report(day * DAY, "dispute", subject=f"p{person}")
    rates = [street.evaluator.rising._rates["report-dispute"].value * DAY for street in (seldom, often)]
    assert rates[0] < 1 / 80 < 1 / 30 < rates[1]


def test_simulated_reports_warn_as_simulation_only() -> None:
    street = Street(RISE)
    changes = [c for day in (0, 9, 16, 20) for c in street.report(day * DAY, "dispute", subject="x", quality=SIMULATED)]
    assert [change.simulated for change in changes] == [True]
    assert score(street, real=True) == 0.0


def test_it_goes_on_over_a_restart_to_the_same_bits() -> None:
    street = Street(RISE)
    reported(street, 0, 9, 16)
    other = street.restarted()
    assert reported(other, 20) == reported(street, 20) == [("a", 2)]
    assert score(other) == score(street)
    assert street.evaluator.rising.state() == other.evaluator.rising.state()


def test_persons_are_bounded_and_forgotten_after_half_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.rising.MOST_PERSONS", 10)
    street = Street(RISE)
    for n in range(50):
        street.report(n * DAY, "dispute", subject=f"p{n}")
    assert len(street.evaluator.rising.state().persons) == 10
    street.report(400 * DAY, "dispute", subject="late")
    [kept] = street.evaluator.rising.state().persons
    assert kept.subject == "late"


def test_a_clock_that_is_set_back_leaves_nothing_in_the_future() -> None:
    street = Street(RISE)
    reported(street, 0, 9, 16, 20)
    street.evaluator.step(-15 * DAY)
    [person] = street.evaluator.rising.state().persons
    assert max(person.real) <= street.evaluator.clock
    assert 0.0 <= score(street) <= 1.0
