"""The capacity model: near what was measured, never below what a simulation finds, and growing as it should."""

from __future__ import annotations

import json

import pytest

from scripts.capacity import BUSY, LOGGED, MEASURED, SCORED, SITES, SKEW, Site, cpu, drain, each, needs, size, wait
from scripts.capacity_trial import queue, skew
from streams.settings import load
from streams.topics import OBSERVATIONS, SCORES
from streams.topics_held import topic_specs
from tests.scripts.test_cli import ROOT


@pytest.mark.parametrize(("readings", "single", "least", "most"), MEASURED)
def test_the_cost_of_a_reading_is_near_what_was_measured(
    readings: float, single: float, least: float, most: float
) -> None:
    said = cpu(readings, single) / readings
    assert 0.8 * (least + most) / 2 <= said <= 1.45 * (least + most) / 2


def test_each_figure_of_the_model_is_one_of_the_page_of_figures() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for figure in ("131 µs", "14 and 131", "6.7–7.6 µs", "4.7–6.2 µs", "3.4–3.7 µs", "2.4–2.7 µs", "1 398 B"):
        assert figure in page, (
            f"docs/performance.md no longer has {figure}: take the new one over into scripts/capacity.py"
        )


@pytest.mark.parametrize(
    ("readings", "single", "partitions"), [(5_000, 1.0, 1), (60_000, 0.5, 4), (150_000, 0.0, 4), (100_000, 0.0, 1)]
)
def test_readings_wait_no_longer_and_cost_no_more_than_the_model_says(
    readings: float, single: float, partitions: int
) -> None:
    found, _ = queue(readings, single, partitions, seconds=6.0)
    assert found.wait <= wait(readings, single, partitions) <= 3.5 * found.wait
    assert found.busy <= 1.02 * cpu(readings, single, partitions)


def test_a_worker_that_is_asked_for_more_than_it_can_take_never_catches_up() -> None:
    assert wait(1.01 / each(0.0), 0.0, 1) == drain(1.0, 10.0) == float("inf")


@pytest.mark.parametrize("load", [0.3, BUSY, 0.8])
def test_a_backlog_is_worked_off_as_fast_as_the_model_says(load: float) -> None:
    _, caught = queue(load / each(0.0), 0.0, 1, seconds=60.0, away=10.0)
    assert caught == pytest.approx(drain(load, 10.0), rel=0.05)


@pytest.mark.parametrize("site", SITES, ids=[site.name for site in SITES])
def test_no_worker_has_more_groups_than_is_planned_for(site: Site) -> None:
    need = needs(site)
    assert skew(site.groups, need.partitions, need.workers) <= SKEW
    assert need.partitions <= site.groups and need.machines * site.cores * BUSY >= need.cpu
    assert need.wait < 0.5 and need.recover < 30


def test_more_readings_need_no_less_of_anything() -> None:
    former = needs(SITES[0])
    for readings in (10_000, 100_000, 1_000_000, 10_000_000):
        site = Site("", 2.0 * readings, readings, 0.5, readings)
        now = needs(site)
        for name in ("workers", "machines", "cpu", "brokers", "log", "archive", "network_log"):
            assert getattr(now, name) >= getattr(former, name), (readings, name)
        former = now
    assert needs(site._replace(archive_days=730)).archive == 2 * former.archive


@pytest.mark.parametrize("site", SITES, ids=[site.name for site in SITES])
def test_the_log_keeps_what_its_topics_do_for_as_long_as_they_do(site: Site) -> None:
    specs = topic_specs(load({}, retention_days=site.log_days), 1)
    seconds = {topic: specs[topic].retention_seconds or 0.0 for topic in (OBSERVATIONS, SCORES)}
    copies = site.replicas if needs(site).brokers else 1
    held = site.readings * (LOGGED * seconds[OBSERVATIONS] + SCORED * seconds[SCORES]) * copies
    assert needs(site).log == pytest.approx(held)


def test_the_page_shows_what_the_model_says() -> None:
    page = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
    for site in SITES:
        need = needs(site)
        for told in (f"{need.workers:,}, {need.bridges:,}", f"{need.partitions:,}", size(need.log), size(need.archive)):
            assert told in page, (site.name, told)


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    from scripts.capacity import capacity

    capacity(20_000, 0, 1.0, 10, False, 30.0, 365.0, 8, True)
    [told] = json.loads(capsys.readouterr().out)
    assert told["points"] == 40_000 and told["machines"] >= 1
