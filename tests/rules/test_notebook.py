"""Rules run over a table: what changed, what each clause stood at, and a picture of both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import rules
from rules.compiler import CompileError
from rules.rule import Rule
from sensors.history import HistoryError, table, unix_seconds
from sensors.observation import CameraEvent, Report
from sensors.site import Site
from tests.rules.stage import a_point, a_rule, a_site

START = 1_700_000_000.0


def history(*values: float, point: str = "p", step: float = 10.0) -> pd.DataFrame:
    return table(np.full(len(values), point, object), START + step * np.arange(len(values)), np.array(values))


def seen(kind: str, at: float) -> CameraEvent:
    return CameraEvent(area="a", camera="cam", kind=kind, event=f"{kind}{at}", time=START + at, received=START + at)


def levels(run: rules.Run) -> list[tuple[float, str, str]]:
    times = unix_seconds(run.transitions["time"]) - START
    return list(zip(times.tolist(), run.transitions["before"], run.transitions["after"], strict=True))


@pytest.fixture
def site() -> Site:
    return a_site(a_point("p"), a_point("q"), a_point("r", area="b"))


def test_a_level_is_raised_after_its_delay_by_the_clock_and_left_again(site: Site) -> None:
    rule = a_rule(when="value > 2 m", **{"for": "5 s"})
    run = rules.run(rule, history(1, 3, 3, 1), site)
    assert levels(run) == [(15.0, "none", "yellow"), (30.0, "yellow", "none")]
    (alarm,) = run.alarms.itertuples()
    assert (alarm.rule, alarm.scope, alarm.highest) == ("r", "p", "yellow")
    assert (alarm.ended - alarm.begun).total_seconds() == 15.0
    first = run.transitions.iloc[0]
    assert unix_seconds(run.transitions["onset"])[0] == START + 10.0
    assert first["clause"] == "value > 2 m" and first["why"] == "value > 2 m: 3"


def test_an_alarm_that_lasts_has_no_end_and_the_highest_level_it_had(site: Site) -> None:
    rule = a_rule(levels={"blue": {"when": "value > 2"}, "orange": {"when": "value > 4"}})
    run = rules.run(rule, history(3, 5, 3), site)
    assert run.alarms["highest"].tolist() == ["orange"] and run.alarms["ended"].isna().all()


def test_values_say_what_each_clause_stood_at_unknown_ones_too(site: Site) -> None:
    rule = a_rule(when="value > 2 m and mean('1m') > 1 m", clear="value < 1 m")
    values = rules.run(rule, history(1, 3), site).values
    when = values[values["part"] == "when"]
    assert when.loc[when["term"] == "value", "value"].tolist() == [1.0, 3.0]
    assert when.loc[when["term"] == "value", "holds"].tolist() == [False, True]
    assert when.loc[when["term"] == "mean('1m')", "value"].tolist() == [1.0, 2.0]
    assert set(values["part"]) == {"when", "clear"} and set(values["threshold"]) == {2.0, 1.0}
    unknown = rules.run(a_rule(when="rate('10m') > 1 m/h"), history(1, 3), site).values
    assert unknown["value"].isna().all() and set(unknown["holds"]) == {None}


def test_silence_and_events_count_by_the_clock(site: Site) -> None:
    silent = rules.run(a_rule(when="age > 30 s", kind="data_quality"), history(1, 1, step=60.0), site)
    assert levels(silent) == [(31.0, "none", "yellow"), (60.0, "yellow", "none")]
    rule = a_rule(when="seen('debris', '20 s') and value > 2")
    run = rules.run(rule, history(3, 3, 3, 3, 3), site, events=[seen("debris", 12.0)])
    assert levels(run)[0][:2] == (12.0, "none") and levels(run)[1][0] == 33.0


def test_a_report_is_an_event(site: Site) -> None:
    report = Report(id="1", area="a", category="gas", time=START + 5, received=START + 5)
    run = rules.run(a_rule(when="seen('report-gas', '1h')", scope="area"), history(1, 1, 1), site, events=[report])
    assert [(one.scope, one.after) for one in run.transitions.itertuples()] == [("a", "yellow")]


def test_figures_across_an_area_take_the_points_of_the_table(site: Site) -> None:
    both = pd.concat([history(1, 3, 3), history(1, 1, 3, point="q"), history(9, 9, 9, point="r")])
    run = rules.run(a_rule(when="area.count(value > 2) >= 2", scope="area"), both, site)
    assert levels(run) == [(20.0, "none", "yellow")] and run.transitions["scope"].tolist() == ["a"]


def test_a_coarser_tick_is_late_by_no_more_than_itself(site: Site) -> None:
    rule = a_rule(when="value > 2 m", **{"for": "3 s"})
    fine = levels(rules.run(rule, history(1, 3, 3), site))[0][0]
    coarse = levels(rules.run(rule, history(1, 3, 3), site, tick=5.0))[0][0]
    assert fine <= coarse <= fine + 5.0
    with pytest.raises(HistoryError, match="a tick takes time"):
        rules.run(rule, history(1), site, tick=0.0)


def test_a_variant_changes_fields_and_refuses_what_a_rule_does_not_have() -> None:
    rule = a_rule(when="value > 2")
    other = rules.variant(rule, {"levels.yellow.when": "value > 4", "levels.red.when": "value > 9", "for": "1 min"})
    assert (other.levels.yellow.when, other.levels.red.when, other.hold) == ("value > 4", "value > 9", "1 min")
    assert rule.levels.yellow.when == "value > 2"
    for changes, said in (
        ({"levle": 1}, "unknown field `levle`"),
        ({"levels.violet.when": "value > 1"}, "no levels.violet.when"),
        ({"levels.yellow.when": 3}, "Expected `str`"),
        ({"title.zh.x": "x"}, "zh has no fields"),
    ):
        with pytest.raises(ValueError, match=said):
            rules.variant(rule, changes)


def test_the_picture_has_the_readings_each_number_and_the_levels(site: Site) -> None:
    rule = a_rule(when="value > 2 m and mean('1m') > 1 m")
    run = rules.run(rule, history(1, 3, 3, 0, step=30.0), site)
    drawn = run.plot()
    assert drawn._repr_html_() == drawn.html
    assert drawn.html.count("<figure>") == 2 and "mean(&#x27;1m&#x27;)" in drawn.html
    assert ">yellow<" in drawn.html.replace("</title>", "<") and "<script" not in drawn.html
    assert "</span>黄" in drawn.html and drawn.html.count('class="limit"') == 2, (
        "what each is held against, the value too"
    )
    assert ">06:14</text>" in drawn.html and str(run.alarms["begun"].dt.tz) == "Asia/Shanghai", "the site's zone"
    with pytest.raises(HistoryError, match="nothing is known"):
        run.plot("q", "r")
    quiet = rules.run(a_rule(when="value > 99"), history(1, 2), site, scopes=[])
    with pytest.raises(HistoryError, match="no condition changed"):
        quiet.plot()


@pytest.mark.parametrize(
    ("rule", "points", "said"),
    [
        (a_rule(when="value > 2", where={"points": ["q"]}), "p", "covers no point of the table; it covers q"),
        (a_rule(when="value > 2"), "z", "the site has no point z"),
    ],
)
def test_a_table_that_a_rule_has_nothing_to_do_with_is_refused(site: Site, rule: Rule, points: str, said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        rules.run(rule, history(1, point=points), site)


def test_an_empty_table_a_wrong_scope_and_a_misfit_are_refused(site: Site) -> None:
    with pytest.raises(HistoryError, match="no reading"):
        rules.run(a_rule(when="value > 2"), history(1).iloc[:0], site)
    with pytest.raises(HistoryError, match="do not look at pp"):
        rules.run(a_rule(when="value > 2"), history(1), site, scopes=["pp"])
    with pytest.raises(CompileError, match="mm/h"):
        rules.run(a_rule(when="value > 2 mm/h"), history(1), site)
