"""All that is kept of a person, over the API: given, taken away, audited, and never made where there was nothing."""

from __future__ import annotations

from starlette.testclient import TestClient

from alerts.console.accounts import list_audit
from alerts.console.persons import pseudonym
from alerts.outcome import Reported

from .conftest import Configure, Desktop, Engine


def test_all_of_a_person_is_given_and_taken_away(client: TestClient, desktop: Desktop, engine: Engine) -> None:
    administrator = desktop.token("administrator")
    engine.condition()
    alarm = engine.open_incident()["alarms"][0]
    duty = desktop.log_in(client, "duty")
    said = {"text": "my sister lives there"}
    assert client.post(f"/api/v1/alarms/{alarm}/comment", json=said, headers=duty).status_code == 200
    told = client.post("/api/v1/users/duty/export", headers=administrator).json()
    assert told["account"]["name"] == "duty" and len(told["sessions"]) == 1
    assert told["journal"] and {line["actor"] for line in told["journal"]} == {"user:duty"}
    gone = client.post("/api/v1/users/duty/erase", headers=administrator).json()
    assert gone["erased"] and (gone["lines"], gone["left"]) == (0, len(told["journal"])), "the case is open"
    engine.condition(level=0)
    incident = f"/api/v1/incidents/{engine.open_incident()['id']}"
    client.post(f"{incident}/acknowledge", json={}, headers=administrator)
    closed = client.post(f"{incident}/close", json={"disposition": "test"}, headers=administrator)
    assert closed.status_code == 200, closed.text
    gone = client.post("/api/v1/users/duty/erase", headers=administrator).json()
    assert gone["lines"] >= len(told["journal"]) and gone["left"] == 0
    left = client.post("/api/v1/users/duty/export", headers=administrator).json()
    assert left["journal"] == [] and left["account"]["erased"]
    assert "sister" not in client.get(f"/api/v1/alarms/{alarm}", headers=administrator).text
    back = client.patch("/api/v1/users/duty", json={"disabled": False}, headers=administrator)
    assert (back.status_code, back.json()["error"]["code"]) == (422, "erased")
    noted = [(one.action, one.detail) for one in list_audit(desktop.console.accounts, action="journal", target="duty")]
    assert noted[0] == ("journal.erase", {"lines": gone["lines"], "left": 0})


def test_reports_about_somebody_are_found_by_what_they_were_called(
    client: TestClient, desktop: Desktop, engine: Engine
) -> None:
    administrator, asked = desktop.token("administrator"), {"subject": " 138 0000 "}
    subject = pseudonym(desktop.console.subject_key, "138 0000")
    photo = "f" * 64
    desktop.config.photos.mkdir()
    file = desktop.config.photos / f"{photo}.jpg"
    file.write_bytes(b"x")
    one = Reported(
        id="r1", area="slope-1", category="smoke", time=1.0, received=1.0, text="t", subject=subject, photo=photo
    )
    engine.record([one])
    told = client.post("/api/v1/subjects/export", json=asked, headers=administrator).json()
    assert [report["id"] for report in told["items"]] == ["r1"] and told["subject"] == subject
    gone = client.post("/api/v1/subjects/erase", json=asked, headers=administrator).json()
    assert gone == {"subject": subject, "lines": 1, "left": 0} and not file.exists()
    assert client.post("/api/v1/subjects/export", json=asked, headers=administrator).json()["items"] == []
    assert "138" not in str(list_audit(desktop.console.accounts, action="journal")), "by the hash alone"


def test_where_there_is_no_journal_none_is_made(configure: Configure) -> None:
    config = configure(journal="sqlite:////nowhere/journal.sqlite")
    desktop = Desktop(config)
    desktop.user("duty")
    with desktop.client() as client:
        gone = client.post("/api/v1/users/duty/erase", headers=desktop.token("administrator")).json()
    assert (gone["erased"], gone["lines"]) == (True, 0)
