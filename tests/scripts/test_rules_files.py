"""`foreshock rules check`, `list`, `format`, `import`, `export`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rules.layout import laid_out
from tests.few_rules import with_rules
from tests.scripts.test_cli import run, sentence

ENGLISH = ("--language", "en")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make a copy of the example with two files of rules: the rest would only take time."""
    return with_rules(tmp_path / "district", "people.yaml", "reports.yaml")


def test_rules_that_are_sound_are_counted_and_a_mistake_has_file_line_and_column(small: Path) -> None:
    told = json.loads(run("rules", "check", small, "--json").stdout)
    assert told["problems"] == [] and told["tests"] > told["rules"] >= 6
    file = small / "rules" / "people.yaml"
    file.write_text(file.read_text().replace("value == 1,", "value == 1 kg,"))
    result = run("rules", "check", small, *ENGLISH)
    assert result.exit_code == 1 and "people.yaml" in result.output and "column" in result.output


def test_what_can_hardly_be_meant_is_warned_of_and_a_long_list_says_how_many_more_there_are(small: Path) -> None:
    file = small / "rules" / "people.yaml"
    before = file.read_text()
    assert "!" not in run("rules", "check", small, *ENGLISH).output
    file.write_text(before.replace("{types: [lift]", "{tags: [nothing-has-it], types: [lift]"))
    (told,) = {one["message"] for one in json.loads(run("rules", "check", small, "--json").stdout)["doubts"]}
    assert told == "no point of this site has the tag 'nothing-has-it'"
    shown = run("rules", "check", small)
    assert shown.exit_code == 0 and "people.yaml:" in shown.output and "nothing-has-it" in shown.output
    chinese = run("rules", "check", small).output  # the site's language
    assert "条规则无误" in chinese and "不像是有意为之" in chinese
    file.write_text("rules:\n" + "".join(f"  - id: r{number}\n" for number in range(30)))
    result = run("rules", "check", small)
    count = len(json.loads(run("rules", "check", small, "--json").stdout)["problems"])
    assert result.exit_code == 1 and count > 50 and f"另有 {count - 50} 个未列出" in result.output
    assert f"{count - 50} more are not listed" in " ".join(run("rules", "check", small, *ENGLISH).output.split())


def test_rules_are_listed_with_what_they_cover(small: Path) -> None:
    told = {one["rule"]: one for one in json.loads(run("rules", "list", small, "--json").stdout)}
    assert told["lift-trapped"]["levels"] == ["orange"] and told["lift-trapped"]["places"] == 13
    assert told["repeated-family-dispute"]["places"] == 17
    shown = run("rules", "list", small, "--rule", "lift-*").output
    assert "测点 13 处" in shown and "（示例）" not in shown and "crowd-count" not in shown
    assert "13 point(s)" in run("rules", "list", small, "--rule", "lift-*", *ENGLISH).output


def test_a_review_that_is_past_due_is_warned_of_and_the_rules_stay_sound(small: Path) -> None:
    file = small / "rules" / "people.yaml"
    before = file.read_text()
    assert "review was due" not in run("rules", "check", small, *ENGLISH).output
    file.write_text(before.replace('"2027-09-30"', '"2024-09-30"', 1))
    result = run("rules", "check", small, *ENGLISH)
    assert result.exit_code == 0
    assert "crowd-density: its review was due on 2024-09-30" in " ".join(result.output.split())
    assert json.loads(run("rules", "check", small, "--json").stdout)["review_overdue"] == ["crowd-density"]
    shown = run("rules", "list", small, "--rule", "crowd-*", *ENGLISH).output
    assert "review 2024-09-30 (past due)" in shown and "review 2027-09-30 (past due)" not in shown
    told = json.loads(run("rules", "list", small, "--rule", "crowd-*", "--json").stdout)
    assert [one["rule"] for one in told if one["review_overdue"]] == ["crowd-density"]


def test_files_are_laid_out_and_a_check_changes_nothing(small: Path) -> None:
    file = small / "rules" / "people.yaml"
    file.write_text(
        file.read_text().replace(
            "{when: value == 1, clear: value == 0, for: 5 s}", "{for: 5 s, when: value == 1, clear: value == 0}"
        )
    )
    before = file.read_text()
    assert (
        "not laid out" in sentence(run("rules", "format", small, "--check", "--language", "en"))
        and file.read_text() == before
    )
    assert run("rules", "format", small).exit_code == 0
    assert "{when: value == 1, clear: value == 0, for: 5 s}" in file.read_text()
    assert run("rules", "format", small, "--check").exit_code == 0
    (small / "rules" / "broken.yaml").write_text("rules: [")
    assert "stay as they are" in sentence(run("rules", "format", small, "--language", "en"))
    assert "保持原样" in sentence(run("rules", "format", small))


def test_rules_go_from_one_site_into_another(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "lifts.json"
    before = json.loads(run("rules", "list", small, "--json").stdout)
    assert "2 条规则已写入" in run("rules", "export", file, "--site", small, "--rule", "lift-*").output
    taken = run("rules", "import", file, "--site", small)
    assert taken.exit_code == 1 and "处规则的编号" in sentence(taken)
    assert "lifts.json:" in taken.output and f"{small}/rules/people.yaml:" in taken.output
    people = small / "rules" / "people.yaml"
    kept = re.split(r"(?m)^(?=  - id: )", people.read_text())
    people.write_text("".join(part for part in kept if not part.startswith("  - id: lift-")))
    dry = run("rules", "import", file, "--site", small, "--dry-run", "--language", "en")
    assert "2 rules would be in" in dry.output
    assert not (small / "rules" / "imported.yaml").exists()
    assert run("rules", "import", file, "--site", small).exit_code == 0
    after = json.loads(run("rules", "list", small, "--json").stdout)
    assert sorted(after, key=lambda one: one["rule"]) == sorted(before, key=lambda one: one["rule"])
    imported = small / "rules" / "imported.yaml"
    assert laid_out(imported.read_text(), "imported.yaml") == imported.read_text()
    assert "--replace" in sentence(run("rules", "import", file, "--site", small))


def test_nothing_is_written_of_what_is_wrong_or_outside_the_rules(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("rules: [{id: a}]")
    assert "未写入任何内容" in sentence(run("rules", "import", file, "--site", small))
    assert "rules/ 下的 .yaml 文件" in sentence(run("rules", "import", file, "--site", small, "--out", "../other.yaml"))
    assert "不以 .json 或 .yaml 结尾" in sentence(run("rules", "export", tmp_path / "a.txt", "--site", small))
