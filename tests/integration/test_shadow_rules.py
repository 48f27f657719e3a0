"""Rules run in the shadow of a running product and are promoted, where the site takes two persons."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.few_rules import with_rules
from tests.integration.running import Running, running
from tests.waiting import until

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = with_rules(tmp_path_factory.mktemp("shadow") / "site", "slopes.yaml", "people.yaml")
    main = folder / "site.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "\napproval: two\n", encoding="utf-8")
    return folder


def change(site: Path, year: int) -> None:
    """Change one thing of one rule."""
    for file in sorted((site / "rules").rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if (found := re.search(r"review: \"\d{4}", text)) is not None:
            file.write_text(text.replace(found.group(), f'review: "{year}', 1), encoding="utf-8")
            return
    raise AssertionError("no rule has a review date")


def status(product: Running) -> dict[str, Any]:
    told = product.command("rules", "shadow", "--status", "--json")
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_from_the_shadow_into_force_by_two_persons(site: Path) -> None:
    data = site.parent / "data"
    with running(data, "--site", str(site)) as product:
        refused = product.command("rules", "shadow", str(site), "--reason", "same")
        assert refused.returncode == 1 and "就是现行规则" in refused.stderr
        change(site, 2041)
        begun = product.command("rules", "shadow", str(site), "--reason", "later review")
        assert begun.returncode == 0, begun.stdout + begun.stderr
        first = status(product)
        assert first["state"] == "running" and first["reason"] == "later review" and first["rules"] > 5
    with running(data, "--site", str(site)) as product:  # the changed folder takes no force by a restart either
        assert status(product)["id"] == first["id"] and status(product)["state"] == "running"
        promoted = product.command("rules", "promote", "--reason", "three calm nights")
        assert promoted.returncode == 0 and "等待第二人批准" in promoted.stdout, promoted.stderr
        assert until(lambda: "等待批准" in product.command("rules", "history").stdout, 10)
        own = product.command("rules", "approve", "1")
        assert own.returncode == 1 and "自己" in own.stderr
        analyst = product.token("analyst")
        (waits,) = analyst.get("/proposals").json()["items"]
        assert waits["state"] == "waiting" and waits["why"] == "three calm nights" and waits["difference"]
        answer = analyst.post("/proposals/1/approve", json={"reason": "looked at it"})
        assert answer.status_code == 200, answer.text
        assert until(lambda: status(product)["state"] == "promoted", 30)
        (done, _) = analyst.get("/publications").json()["items"][:2]
        assert done["in_force"] and done["version"] == waits["version"] and done["reason"] == "three calm nights"
        assert analyst.get("/proposals").json()["items"][0]["state"] == "approved"
        assert analyst.post("/proposals/1/approve", json={}).status_code == 409
        assert analyst.post("/rules/shadow/drop", json={"reason": "none"}).status_code == 409
        audit = product.token("administrator").get("/audit").json()["items"]
        assert {"rules.shadow", "rules.promote", "rules.approve"} <= {one["action"] for one in audit}


@pytest.fixture(scope="module", autouse=True)
def _cleaned(site: Path) -> Iterator[None]:
    yield
    shutil.rmtree(site.parent, ignore_errors=True)
