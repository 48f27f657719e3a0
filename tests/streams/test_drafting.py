"""Drafts of rules against a data folder and a site folder: opened, checked, put in force, written back, remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rules.rule import load_rules
from sensors.document import DocumentError
from streams import bundle, drafting, publication, rule_source
from streams.bundle import Bundle
from streams.draft_desk import DraftDesk, SlowError
from streams.settings import Settings
from tests.streams.small_site import site
from tests.streams.taking import Taking

RULES = """\
# What the river may do.
rules:
  # Displacement: asked for by the road department.
  - id: creep
    title: {zh: 位移, en: displacement}
    where: {quantity: displacement}
    levels:
      orange: {when: value > 20}   # far below the limit
    rationale: &why
      cause: rain
      consequence: it slides
      response: close the road
      time_to_respond: 30 min
      owner: roads
      review: "2027-01-31"
    tests:
      - {name: calm, step: 1m, point: {values: "0*3"}, expect: none*3}
      - {name: high, step: 1m, point: {values: "0 30*2"}, expect: none orange*2}

  # Another one.
  - id: fast
    title: {zh: 快, en: fast}
    where: {quantity: displacement}
    levels: {red: {when: value > 50}}
    rationale: {cause: x, consequence: x, response: x, time_to_respond: 1 min, owner: roads, review: "2027-01-31"}
    tests:
      - {name: calm, step: 1m, point: {values: "0*3"}, expect: none*3}
"""


class Place:
    """A site folder with its rules in force in a data folder."""

    def __init__(self, folder: Path, approval: Any = "one", more: str = "") -> None:
        self.folder, self.data = folder / "site", folder / "data"
        (self.folder / "rules").mkdir(parents=True)
        self.file = self.folder / "rules" / "all.yaml"
        self.file.write_text(RULES, encoding="utf-8")
        if more:
            (self.folder / "rules" / "more.yaml").write_text(more, encoding="utf-8")
        self.site = msgspec.structs.replace(site(), approval=approval)
        rules = load_rules(self.folder / "rules", self.site, self.folder)
        self.worker = Taking(self.data, Bundle(site=self.site, rules=rules), keeps=approval == "one")

    def close(self) -> None:
        self.worker.close()

    @property
    def content(self) -> Bundle:
        return bundle.unpack(publication.read(self.data))

    def open(self, id: str = "creep") -> dict[str, Any]:
        found = drafting.opened(self.folder, self.data, id)
        assert found is not None
        return found

    def publish(self, text: str, base: str, id: str = "creep") -> dict[str, Any]:
        return drafting.publish(self.folder, self.data, id, text, base, "user:li", "calmer")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def test_a_rule_is_opened_as_somebody_wrote_it(place: Place) -> None:
    opened = place.open()
    assert opened["in_folder"] and opened["text"].startswith("rules:\n- id: creep\n  title: {zh: 位移")
    assert "# far below the limit" in opened["text"] and "Another one" not in opened["text"]
    place.file.write_text(RULES.replace("value > 20", "value > 22").replace("0 30*2", "0 30*2"))
    other = place.open()  # the folder says something else than what is in force
    assert not other["in_folder"] and "value > 20" in other["text"] and other["base"] == opened["base"]
    assert drafting.opened(place.folder, place.data, "none") is None


def test_a_draft_takes_force_alone_and_the_folder_says_it_too(place: Place) -> None:
    opened = place.open()
    before = place.content.rules
    done = place.publish(opened["text"].replace("value > 20", "value > 25"), opened["base"])
    assert (done["changed"], done["waiting"], done["folder"]) == (True, False, "written")
    assert place.content.rules[0].levels.orange.when == "value > 25"  # type: ignore[union-attr]
    assert place.content.rules[1] == before[1]
    assert place.file.read_text() == RULES.replace("value > 20", "value > 25")  # not a byte more
    assert load_rules(place.folder / "rules", place.site, place.folder) == place.content.rules
    assert place.open()["base"] == done["base"] != opened["base"]


TEMPLATE = """\
templates:
  - id: tilts
    parameters: {most: {unit: mm, default: 20}}
    for: [{types: [slope]}, {areas: [a1], with: {most: 30}}]
    rule:
      title: {zh: 倾, en: tilt}
      where: {quantity: displacement}
      levels: {orange: {when: "value > {most}"}}
      rationale: {cause: x, consequence: x, response: x, time_to_respond: 1 min, owner: roads, review: "2027-01-31"}
      tests: [{name: calm, step: 1m, point: {values: "0*3"}, expect: none*3}]
"""


def test_a_draft_of_what_a_template_makes_says_where_that_is(tmp_path: Path) -> None:
    place = Place(tmp_path, more=TEMPLATE)
    try:
        (place.folder / "rules" / "broken.yaml").write_text("templates: [", encoding="utf-8")
        opened = place.open("tilts.a1")
        made_from = {"id": "tilts", "file": "rules/more.yaml", "line": 2}
        assert opened["template"] == made_from and "value > 30" in opened["text"] and not opened["in_folder"]
        text = opened["text"].replace("value > 30", "value > 35")
        done = place.publish(text, opened["base"], "tilts.a1")
        assert done["folder"] == "differs" and done["template"] == made_from
        assert place.open("tilts.a1")["template"] == made_from  # it is still the folder's template that takes it back
        assert place.open("creep")["template"] is None
    finally:
        place.close()


def test_who_began_from_another_version_does_not_overwrite_it(place: Place) -> None:
    opened = place.open()
    place.publish(opened["text"].replace("value > 20", "value > 25"), opened["base"])
    with pytest.raises(drafting.MovedError):
        place.publish(opened["text"].replace("value > 20", "value > 28"), opened["base"])
    assert "value > 25" in place.file.read_text()


def test_a_folder_that_says_something_else_is_left_alone(place: Place) -> None:
    opened = place.open()
    other = RULES.replace("value > 20", "value > 21")
    place.file.write_text(other)
    done = place.publish(opened["text"].replace("value > 20", "value > 25"), opened["base"])
    assert done["folder"] == "differs" and place.file.read_text() == other


def test_a_draft_holds_its_own_rule_and_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = place.open()
    for text in (opened["text"].replace("id: creep", "id: crawl"), RULES):
        with pytest.raises(DocumentError, match="the draft of creep holds that rule alone"):
            place.publish(text, opened["base"])
    with pytest.raises(DocumentError, match="the rule's test 'high' fails"):
        place.publish(opened["text"].replace("value > 20", "value > 35"), opened["base"])
    monkeypatch.setenv("FORESHOCK_RETENTION_DAYS", "7")  # else the next start would refuse what was written back
    with pytest.raises(DocumentError, match="the log is kept for 7"):
        place.publish(opened["text"].replace("value > 20", "value > 20 and mean('8d') >= 0"), opened["base"])
    assert publication.proposed(place.data) is None


def test_a_new_rule_is_added_and_has_no_place_in_the_folder_yet(place: Place) -> None:
    text = place.open("fast")["text"].replace("id: fast", "id: faster")
    done = place.publish(text, "", "faster")
    assert [rule.id for rule in place.content.rules] == ["creep", "fast", "faster"]
    assert done["folder"] == "differs"


def test_the_history_has_each_wording_and_which_is_in_force(place: Place) -> None:
    opened = place.open()
    first = place.publish(opened["text"].replace("value > 20", "value > 25"), opened["base"])
    fast = place.open("fast")
    place.publish(fast["text"].replace("value > 50", "value > 60"), fast["base"], "fast")
    told = drafting.history(place.data, "creep")
    assert [one["version"] for one in told] == [first["version"], first["before"]]  # not when another rule changed
    assert told[0]["fields"] == [["levels.orange.when", "value > 20", "value > 25"]]
    assert [one["in_force"] for one in told] == [True, False]
    back = place.publish(told[1]["text"], told[0]["base"])  # the way back: the wording of then, as a draft
    assert back["folder"] == "written"
    assert place.file.read_text() == RULES.replace("value > 50", "value > 60")  # its comment and layout as well
    assert place.content.rules[0].levels.orange.when == "value > 20"  # type: ignore[union-attr]
    assert [one["in_force"] for one in drafting.history(place.data, "creep")] == [True, False, False]


def test_where_it_takes_two_persons_the_draft_waits_and_the_folder_stays(tmp_path: Path) -> None:
    place = Place(tmp_path, approval="two")
    try:
        opened = place.open()
        done = place.publish(opened["text"].replace("value > 20", "value > 25"), opened["base"])
        assert done["waiting"] and done["folder"] == "differs" and done["base"] == opened["base"]
        assert place.file.read_text() == RULES
    finally:
        place.close()


def test_a_check_names_line_and_field_and_tells_each_test(place: Place) -> None:
    text = place.open()["text"]
    sound = drafting.check(text, place.content)
    assert not sound["problems"] and [one["state"] for one in sound["tests"]] == ["passed", "passed"]
    assert sound["rules"][0]["how"] == "same" and not sound["rules"][0]["raise_version"]
    changed = drafting.check(text.replace("value > 20", "value > 25"), place.content)["rules"][0]
    assert changed["raise_version"] and changed["fields"] == [["levels.orange.when", "value > 20", "value > 25"]]
    raised = text.replace("value > 20", "value > 25").replace("id: creep\n", "id: creep\n  version: 2\n")
    assert not drafting.check(raised, place.content)["rules"][0]["raise_version"]
    high = drafting.check(text.replace("value > 20", "value > 35"), place.content)
    assert [one["state"] for one in high["tests"]] == ["passed", "failed"]
    assert "expected orange" in high["tests"][1]["said"]
    assert high["problems"][0]["line"] == high["tests"][1]["line"] == 16
    typo = drafting.check(text.replace("value > 20", "valu > 20"), place.content)
    assert (typo["problems"][0]["line"], typo["problems"][0]["field"]) == (6, "rules[0].levels.orange.when")
    assert "did you mean 'value'?" in typo["problems"][0]["message"]
    assert {one["state"] for one in typo["tests"]} == {"not_run"}
    assert drafting.check("rules: [", place.content)["problems"][0]["message"].startswith("not YAML")
    assert drafting.check("", place.content)["problems"][0]["line"] == 1  # an editor has no line 0


def test_words_name_what_the_site_has(place: Place) -> None:
    words = drafting.words(place.content)
    assert "displacement" in words["quantities"] and "score" in words["names"] and words["rules"] == ["creep", "fast"]


def test_lines_that_cannot_stand_alone_are_left_to_their_file(place: Place) -> None:
    """An alias means what an anchor elsewhere says: the rule is opened as it is in force, written out."""
    first, _, second = RULES.partition("    rationale: {")
    place.file.write_text(f"{first}    rationale: *why\n{second.partition(chr(10))[2]}")
    rules = load_rules(place.folder / "rules", place.site, place.folder)
    assert rule_source.find(place.folder, rules[0]) is not None
    assert rule_source.find(place.folder, rules[1]) is None


def test_the_desk_checks_in_a_process_that_is_ended_when_it_takes_too_long(place: Place) -> None:
    desk = DraftDesk(Settings(data=str(place.data), site=str(place.folder)))
    try:
        text = place.open()["text"]
        assert [one["state"] for one in desk.check(text)["tests"]] == ["passed", "passed"]
        assert desk.check("rules: [")["problems"]
        place.publish(text.replace("value > 20", "value > 25"), place.open()["base"])
        assert desk.check(text)["rules"][0]["how"] == "changed"  # held against what is in force now
        desk._seconds = 0.0
        with pytest.raises(SlowError, match="not checked within 0 s"):
            desk.check(text)
        assert desk._process is None
    finally:
        desk.close()
