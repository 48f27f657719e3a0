"""The analyst's tutorial as it is written, on the real product: from a rule that annoys to one that was taken back.

Meanwhile people act on the alarm, the worker is killed, and rules are published; all of it must replay as it was.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from streams.embedded.reader import LogReader
from streams.stretch import offset_at
from streams.topics import OBSERVATIONS
from tests.browser.conftest import browser as browser
from tests.browser.signing import enter
from tests.integration.running import PASSWORD, ROOT, Mqtt, Running, foreshock, running
from tests.scripts.test_cli import run
from tests.test_docs import DOCS, Block, blocks
from tests.waiting import until

pytestmark = pytest.mark.server

PAGE = DOCS / "tutorials" / "analyst.md"
STEPS = [one for one in blocks(PAGE) if one.label.startswith("session")]
BEFORE = [one for one in blocks(PAGE) if one.label == "before"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("analyst")
    shutil.copytree(ROOT / "examples" / "district", made / "my-district")
    return made


@pytest.fixture(scope="module")
def product(folder: Path) -> Iterator[Running]:
    for step in BEFORE:
        for line in step.text.strip().splitlines():
            result = type_in(folder, line, 0)
            assert result.exit_code == 0, result.output
    with running(folder / "my-data", "--site", str(folder / "my-district")) as started:
        yield started


def type_in(folder: Path, line: str, port: int) -> Result:
    """Run a line of the page as an analyst would, in the folder; in this process: twenty starts take a minute."""
    program, *words = shlex.split(line, comments=True)
    assert program == "foreshock"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("FORESHOCK_")]:
            patch.delenv(name)
        if port:
            patch.setenv("FORESHOCK_MQTT_PORT", str(port))
        return run(*words)


def edit(folder: Path, change: Block) -> None:
    """Do what a diff of the page says."""
    file = folder / change.label.partition("=")[2]
    text = file.read_text(encoding="utf-8")
    for hunk in change.text.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in (" ", sign)) for sign in "-+")
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def quoted(block: Block, said: str) -> None:
    """Hold each line that the page quotes against what was said; `about`: but for its numbers and the space between."""
    for line in block.text.strip().splitlines():
        pattern = r"\s+".join(re.escape(word) for word in line.split())
        if block.label == "said about":
            pattern = re.sub(r"\d+", r"\\d+", pattern)
        assert line == "…" or re.search(pattern, said), f"{line!r} is not in {said}"


def keep_only(rules: Path, changed: Path) -> None:
    """Take the other files of rules away: they were checked once, and the page quotes nothing of them."""
    for file in rules.glob("*.yaml"):
        if file != changed:
            file.unlink()


def test_a_draft_is_answered_as_the_page_says(folder: Path, tmp_path: Path) -> None:
    """What `check` says of a rule that its tests refuse, and of one that is none; on a copy."""
    shutil.copytree(folder / "my-district", tmp_path / "my-district")
    said, compared = "", 0
    for block in blocks(PAGE):
        if block.language == "diff" and block.label.startswith("draft"):
            edit(tmp_path, block)
            keep_only(tmp_path / "my-district" / "rules", tmp_path / block.label.partition("=")[2])
        elif block.label == "draft":
            said = type_in(tmp_path, block.text.strip().splitlines()[-1], 0).output
        elif block.label == "said" and said:
            quoted(block, said)
            compared += 1
    assert compared == 3


def test_the_page_has_every_step() -> None:
    text = " ".join(one.text for one in STEPS)
    order = ["rules cost", "rules tune", "rules check", "rules test", "replay", "--rules", "rules shadow", "rules drop"]
    order += ["rules publish", "rules rollback"]
    places = [text.index(step) for step in order]
    assert places == sorted(places)


def test_the_week_was_judged_when_its_incidents_were_closed(product: Running) -> None:
    """A bus rings yellow in another shed each evening, a tapped line once: each is closed as what it was."""
    duty = product.token("duty", "analyst")
    found = duty.get("/alarms", params={"state": "all", "limit": 500}).json()["items"]
    assert [one["area"] for one in found if one["rule"] == "no-data"] == ["village-02"]
    charged = {(one["area"], one["level"]) for one in found if one["rule"] == "charging-current"}
    assert charged == {(f"village-0{number}", "yellow") for number in (3, 4, 5, 6)}
    spans = [one["onset"] for one in found]
    assert max(spans) - min(spans) > 5 * 86400


def test_people_act_on_what_is_raised_and_the_worker_dies(product: Running) -> None:
    duty = product.token("duty", "analyst")
    mqtt = Mqtt(product.mqtt_port)
    mqtt.overload()

    def overloaded() -> list[dict[str, Any]]:
        found = duty.get("/alarms", params={"area": "village-01"}).json()["items"]
        return [one for one in found if one["rule"] == "charging-current"]

    (alarm,) = until(overloaded, 30)
    assert until(lambda: duty.get(f"/alarms/{alarm['id']}").json()["level"] == "orange", 30)
    (dispatch,) = until(lambda: duty.get("/dispatches").json()["items"], 30)
    assert duty.post(f"/incidents/{alarm['incident']}/acknowledge", json={}).status_code == 200
    field = product.token("field", unit=dispatch["unit"])
    assert field.post(f"/dispatches/{dispatch['id']}/accept", json={}).status_code == 200
    explains_as_the_console_does(product, duty.get(f"/alarms/{alarm['id']}").json())
    shelf = {"seconds": 600, "reason": "the bus stays for an hour"}
    assert duty.post(f"/alarms/{alarm['id']}/shelve", json=shelf).status_code == 200
    before = product.children()["worker"]
    os.kill(before, signal.SIGKILL)
    until(lambda: product.children().get("worker", before) != before, 30, "another worker")
    mqtt.publish("foreshock/readings/village-02/village-02-charging-1", "20.5")
    until(lambda: 20.5 in duty.get("/points/village-02-charging-1/trace").json()["value"], 30, "the trace")
    assert until(lambda: duty.post(f"/alarms/{alarm['id']}/unshelve", json={"reason": "done"}).status_code == 200, 30)
    mqtt.calm()
    mqtt.close()


def explains_as_the_console_does(product: Running, alarm: dict[str, Any]) -> None:
    """`rules explain` works the moment out anew from the log; the console shows what the engine said then."""

    def stands() -> dict[str, Any] | None:
        told = product.command("rules", "explain", alarm["rule"], alarm["scope"], "--json")
        assert told.returncode == 0, told.stderr
        found: dict[str, Any] = json.loads(told.stdout)
        return found if found["level"] == alarm["level"] else None  # the offset is committed a little later

    found = until(stands, 30)
    why = next(one["why"] for one in found["levels"] if one["level"] == alarm["level"])
    shown = alarm["explanation"]
    assert shown["terms"] and shown["clear_terms"]
    for name in ("clause", "clear", "hold", "clear_after", "points"):
        assert why.get(name) == shown.get(name), name
    for name in ("terms", "clear_terms"):
        said = [
            {key: one.get(key) for key in ("name", "value", "op", "threshold", "unit", "holds")} for one in why[name]
        ]
        assert said == [{key: one.get(key) for key in said[0]} for one in shown[name]], name


@pytest.mark.timeout(400)  # some twenty commands
def test_the_session_runs_as_it_is_written(product: Running, folder: Path) -> None:
    said: list[tuple[str, str]] = []
    answered = 0
    for step in blocks(PAGE):
        if step.label.startswith("session="):
            edit(folder, step)
        elif step.label == "said about":
            quoted(step, "\n".join(text for _, text in said[answered:]))
        if step.label != "session":
            continue
        answered = len(said)
        for line in step.text.strip().splitlines():
            result = type_in(folder, line, product.mqtt_port)
            assert result.exit_code == 0, f"{line}: {result.output}"
            said.append((line, result.stdout))
    compared = next(text for line, text in said if "--rules" in line)
    judged, swept = (text for line, text in said if "tune" in line)
    nuisances = re.search(r"charging-current +1 real, ([67]) nuisance, 0 test, 0 duplicate", judged)
    assert nuisances is not None, judged
    assert re.search(rf"lost 0 .* level changed {nuisances[1]} ", compared), compared  # the real one stays what it was
    assert re.search(r"dispatches +│ +1 │ +1 │", compared), compared
    assert any("run in the shadow" in text for _, text in said)
    assert re.search(r"precision 1[24]% \(.*, of [78]\) · recall 100%", judged)
    assert re.search(r"nuisances: village-0[345]-charging-1 [23]", judged)
    assert "by hour" in swept and re.search(r"^● ", swept, re.MULTILINE) and "nothing was changed" in swept
    page = (folder / "compared.html").read_text(encoding="utf-8")
    assert "charging-current" in page and "<script" not in page
    history = next(text for line, text in said if "history" in line)
    assert "→ value > 44 A or (night and " in history
    same, kept = re.findall(r"(\d+) of them alarm transitions", said[-1][1])  # of the whole log, and of the journal
    assert "outcomes are the same" in said[-1][1] and int(same) == int(kept) >= 5


def test_all_that_happened_replays_as_it_was_from_anywhere(product: Running, folder: Path) -> None:
    """From where people came to the middle of the last minute: a worker was killed, rules published and taken back.

    The whole was replayed at the end of the session; here neither end of the log is one of the replay.
    """
    with LogReader(product.data / "log.sqlite") as log:
        partitions = range(log.topics()[OBSERVATIONS])
        now = time.time()
        cut = next(
            int(now - back) for back in (10, 20, 40, 80) if all(
                offset_at(log, p, now - back, 0, log.end(OBSERVATIONS, p)) for p in partitions
            )
        )  # fmt: skip
    between = f"--from {int(product.started)} --to {cut}"
    found = json.loads(type_in(folder, f"foreshock replay --json --data my-data {between}", product.mqtt_port).stdout)
    assert found["agrees"] and found["recorded"] >= 5, found["first"]
    assert "Traceback" not in product.said


@pytest.mark.timeout(500)  # as above: it starts processes, and waits for each
def test_the_same_is_done_by_the_page(browser: Any, product: Running, folder: Path) -> None:
    """The rule that annoys is found, changed, tried over the week, run in the shadow, put in force and taken back."""
    expect = pytest.importorskip("playwright.sync_api").expect
    words = ("users", "add", "lin", "--role", "analyst", "--language", "en", "--data", product.data)
    added = foreshock(*words, given=f"{PASSWORD}\n{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    page = enter(browser, product.address, "lin", PASSWORD, viewport={"width": 1440, "height": 1000})
    page.goto(f"{product.address}/#/rules?find=charging-current")
    row = page.locator("tr[data-rule=charging-current]")
    expect(row).to_contain_text("Tangwei village: charging current 1", timeout=60_000)  # where it annoyed
    row.get_by_role("link", name="Edit charging-current").click()
    page.context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    code = page.get_by_role("textbox", name=re.compile("charging-current"))
    tests, road = page.locator("[data-test=tests]"), page.locator("[data-test=road]")
    expect(tests).to_contain_text("1 of 1 pass", timeout=60_000)
    written = (folder / "my-district" / "rules" / "fire.yaml").read_text(encoding="utf-8")  # changed above
    (rule,) = re.findall(r"^  - id: charging-current\n(?:(?!  - ).*\n)*", written, re.MULTILINE)
    code.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(f"rules:\n{rule}")
    expect(tests).to_contain_text("2 of 2 pass", timeout=60_000)
    road.get_by_role("button", name="Try on the past").click()
    page.get_by_label("Over the last").select_option(str(7 * 86400))
    page.get_by_role("button", name="Replay", exact=True).click()
    found = page.locator("[data-test=replay]")
    expect(found.get_by_role("heading", name="Done")).to_be_visible(timeout=300_000)
    expect(found.locator("[data-test=changes]")).to_contain_text("charging-current")
    found.get_by_role("link", name="Back to the draft of charging-current").click()
    for button in ("In the shadow", "Put in force"):
        expect(page.locator("[data-test=problems]")).to_contain_text("No problems", timeout=60_000)
        road.get_by_label(re.compile("^Why")).fill("as the week said")
        road.get_by_role("button", name=button).click()
        if button == "In the shadow":
            page.get_by_role("link", name="Back to the draft of charging-current").click()
    history = page.locator("[data-test=rule-history] > ul > li")
    expect(history.first).to_contain_text(re.compile(r"In force.* lin as the week said.*→ value > 44 A", re.DOTALL))
    page.get_by_label("Why back").fill("not by the page")
    history.nth(1).get_by_role("button", name=re.compile("^Back to this")).click()
    expect(history.first).to_contain_text(re.compile(r"In force.* lin not by the page", re.DOTALL))
    done = [one["action"] for one in product.token("administrator").get("/audit").json()["items"]]
    assert {"rules.draft", "replays.start", "rules.shadow"} <= set(done) and done.count("rules.publish") == 2
    page.context.close()
