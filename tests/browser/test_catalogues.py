"""Both catalogues have the same texts with the same place-holders, and no text stands outside of them."""

from __future__ import annotations

import re
from pathlib import Path

from alerts import messages

SOURCES = Path(__file__).parents[2] / "alerts" / "console" / "web" / "src"
ENTRY = re.compile(r"^  '([^']+)': '((?:[^'\\]|\\.)*)',$", re.M)
HAN = re.compile(r"[\u3400-\u9fff]")
SAME = {"language.other"}  # each language names the other one in that one's own script
NEUTRAL = {"list.comma", "language.other"}  # no Chinese word in it is right


def catalogue(name: str) -> dict[str, str]:
    return dict(ENTRY.findall((SOURCES / "i18n" / f"{name}.ts").read_text("utf-8")))


def sources() -> list[Path]:
    return [path for path in SOURCES.rglob("*.ts*") if path.parent.name != "i18n"]


def test_catalogues_have_the_same_keys_and_place_holders() -> None:
    zh, en = catalogue("zh"), catalogue("en")
    assert len(zh) > 300
    assert zh.keys() == en.keys()
    for key in zh:
        assert sorted(re.findall(r"\{\w+\}", zh[key])) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_what_is_simulated_has_one_name_on_the_page_and_on_paper() -> None:
    for tongue in ("zh", "en"):
        words = catalogue(tongue)
        for key in ("simulation", "simulation.short"):
            assert words[key] == messages.text(key, tongue)


def test_each_text_is_in_its_own_language_and_not_empty() -> None:
    zh, en = catalogue("zh"), catalogue("en")
    assert not [key for key, text in en.items() if key not in SAME and (HAN.search(text) or not text)]
    assert not [key for key, text in zh.items() if key not in NEUTRAL and not HAN.search(text)]


def test_every_key_that_the_page_names_exists() -> None:
    known = catalogue("zh").keys()
    for path in sources():
        text = path.read_text("utf-8")
        for key in re.findall(r"\bt\(\s*'([^']+)'", text):
            assert key in known, f"{path.name}: {key}"
        for prefix in re.findall(r"\b(?:t\(`|tCode\(')([a-z_.]+)", text):
            assert any(key.startswith(prefix.rstrip(".") + ".") for key in known), f"{path.name}: {prefix}"


def test_no_text_stands_outside_the_catalogues() -> None:
    for path in sources():
        code = re.sub(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
        assert not HAN.search(code), f"Chinese in {path.name}"
        if path.suffix == ".tsx":
            words = re.findall(r">\s*([A-Z][a-z]+(?: [a-z]+)*)\s*</", code)
            assert not words, f"{path.name}: {words}"


def test_the_audit_is_searched_by_every_kind_of_what_is_audited() -> None:
    noted = re.compile(r"(?:record_audit|note|_give|append\(connection)\b[^\n]*?\s*[^\n]*?\"([a-z]+)\.[a-z_.]+\"")
    here = Path(__file__).parents[2]
    code = [
        path.read_text("utf-8") for folder in ("alerts/console", "streams") for path in (here / folder).rglob("*.py")
    ]
    kinds = {kind for text in code for kind in noted.findall(text)} | {"command", "mode"}  # which are put together
    assert {"silence", "rules", "site", "exercise", "user", "backup"} <= kinds
    offered = catalogue("zh")
    assert {f"audit.kind.{kind}" for kind in kinds} <= offered.keys()
    (listed,) = re.findall(
        r"KINDS = \[(.*?)\] as const", (SOURCES / "components" / "admin_audit.tsx").read_text(), re.S
    )
    assert set(re.findall(r"'(\w+)'", listed)) == {key[11:] for key in offered if key.startswith("audit.kind.")}


def test_every_text_is_used() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sources())
    prefixes = set(re.findall(r"\b(?:t\(`|tCode\(')([a-z_.]+)", code)) | {"feature.", "quantity."}
    for key in catalogue("zh"):
        named = f"'{key}'" in code
        built = any(key.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)
        assert named or built, f"nobody says {key}"
