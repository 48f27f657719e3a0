"""Reports about one person that come more and more often, from a hotline's request to the alarm that says why."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.running import Running, running
from tests.waiting import until

pytestmark = pytest.mark.server

AREA, OTHER = "village-01", "village-02"
PHONE = "0755-2700-1234"
DAY = 86400.0


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("reports") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def hotline(product: Running) -> httpx.Client:
    return product.token("gateway")


@pytest.fixture(scope="module")
def duty(product: Running) -> httpx.Client:
    return product.token("duty")


def report(hotline: httpx.Client, number: str, days_ago: float, subject: str, area: str = AREA) -> None:
    body = {
        "id": f"hotline-{number}", "category": "family-dispute", "area": area, "subject": subject,
        "text": "楼上夫妻争吵", "time": time.time() - days_ago * DAY,
    }  # fmt: skip
    answer = hotline.post("/reports", json=body)
    assert answer.status_code == 200, answer.text


def alarm(duty: httpx.Client, rule: str, area: str = AREA) -> dict[str, Any] | None:
    listed = duty.get("/alarms", params={"state": "all"}).json()["items"]
    found = next((one for one in listed if one["rule"] == rule and one["area"] == area), None)
    return None if found is None else dict(duty.get(f"/alarms/{found['id']}").json())


def test_reports_about_one_person_rise_to_an_alarm_that_says_so_in_both_languages(
    product: Running, hotline: httpx.Client, duty: httpx.Client
) -> None:
    for number, days_ago in enumerate((6.5, 4.5)):
        report(hotline, f"2026-{number:04}", days_ago, PHONE)
    until(lambda: (alarm(duty, "repeated-family-dispute") or {}).get("level") == "yellow", 30.0, "the repetition")
    assert alarm(duty, "rising-family-dispute") is None, "two are a repetition, not a rise"
    for number, days_ago in enumerate((3.0, 1.5, 0.0), 2):
        report(hotline, f"2026-{number:04}", days_ago, PHONE)
    until(lambda: (alarm(duty, "rising-family-dispute") or {}).get("level") == "orange", 30.0, "the rise")
    found = alarm(duty, "rising-family-dispute")
    assert found is not None
    why = found["explanation"]
    assert why["score"] > 0.997
    assert re.match(r"[45] reports of family-dispute about one person within 28 d, by week 0 · ", why["score_reason"])
    assert re.match(r"同一当事人 28 天内被上报 family-dispute [45] 次，逐周 0 · ", why["score_reason_zh"])


def test_the_repetition_names_the_reports_and_nobody_by_name(
    product: Running, duty: httpx.Client, hotline: httpx.Client
) -> None:
    found = alarm(duty, "repeated-family-dispute")
    assert found is not None
    [seen, *_] = found["explanation"]["events"]
    listed = duty.get("/reports", params={"category": "family-dispute"}).json()["items"]
    assert len(listed) == 5 and len({one["subject"] for one in listed}) == 1, "one person, by a hash"
    assert seen["report"] in {one["id"] for one in listed}
    kept = [file for file in Path(product.data).rglob("*") if file.is_file()]
    assert kept and not any(PHONE.encode() in file.read_bytes() for file in kept), "the number stands nowhere"


def test_reports_about_several_persons_are_no_rise_and_one_told_twice_counts_once(
    product: Running, hotline: httpx.Client, duty: httpx.Client
) -> None:
    for number in range(5):
        report(hotline, f"other-{number:04}", 5.0 - number, f"person {number}", OTHER)
    body = {"id": "hotline-twice-01", "category": "family-dispute", "area": OTHER, "subject": "person 0"}
    first, again = (hotline.post("/reports", json=body).json() for _ in range(2))
    assert first["id"] == again["id"]
    until(lambda: len(duty.get("/reports", params={"area": OTHER}).json()["items"]) == 6, 30.0, "the journal")
    until(lambda: (alarm(duty, "repeated-family-dispute", OTHER) or {}).get("level") == "yellow", 30.0, "two of one")
    assert alarm(duty, "rising-family-dispute", OTHER) is None


def test_all_of_it_replays(product: Running) -> None:
    answer = product.command("replay", "--json")
    assert answer.returncode == 0 and '"agrees":true' in answer.stdout.replace(" ", ""), answer.stdout + answer.stderr
