"""Sheets on paper: that Chinese is there as glyphs, and that text from outside cannot spoil a sheet."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from alerts.paper import FONTS, NoFont, Paper, find_font


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def ink(pdf: bytes) -> float:
    """Share of the first page's pixels that are dark."""
    grey = pypdfium2.PdfDocument(pdf)[0].render(scale=1, grayscale=True).to_numpy()
    return float((grey < 128).mean())


def test_chinese_and_english_are_printed_as_glyphs_of_an_embedded_font() -> None:
    paper = Paper("边坡预案 Slope plan", head="宝安", foot="页脚", mark="演练")
    paper.facts([("区域", "后山"), ("空", "")])
    paper.heading("步骤")
    paper.checks([("关闭场地", "社区", True), ("Leave", "", False)])
    paper.table(["姓名"], [["消防"]], (1,))
    paper.signatures(["交班", "接班"])
    pdf = paper.bytes()
    said = text_of(pdf)
    for wanted in ("边坡预案", "宝安", "页脚", "演练", "后山", "1. 关闭场地", "2. Leave", "消防", "接班", "1 / 1"):
        assert wanted in said, wanted
    assert "空" not in said
    assert b"/FontFile" in pdf  # no reader needs the font
    blank = Paper(" ").bytes()
    assert ink(pdf) > ink(blank) + 0.003


def test_a_long_table_goes_on_with_its_head_on_the_next_page() -> None:
    paper = Paper("表")
    paper.table(["编号", "名称"], [[str(n), "行"] for n in range(120)], (1, 3))
    pdf = paper.bytes()
    assert len(pypdfium2.PdfDocument(pdf)) == 3
    assert text_of(pdf).count("编号") == 3


def test_text_from_outside_is_shown_as_it_is() -> None:
    shown = {
        "a\x00b\x1bc": "abc",
        "left\u202eright": "leftright",  # a mark of direction could turn a sentence round
        "**bold** <b>": "**bold** <b>",
        "some \U0001f9ff thing": "some ? thing",  # no glyph: it is seen that something stood there
    }
    paper = Paper("x")
    for text in shown:
        paper.paragraph(text)
    said = text_of(paper.bytes()).splitlines()
    for text, wanted in shown.items():
        assert wanted in said, text


def test_a_text_without_end_is_cut() -> None:
    paper = Paper("x")
    paper.paragraph("字" * 100_000)
    assert len(pypdfium2.PdfDocument(paper.bytes())) < 5


def test_the_font_that_is_wanted_is_taken_or_refused(tmp_path: Path) -> None:
    known = next(name for name in FONTS if Path(name).is_file())
    assert find_font() == Path(known)
    assert find_font(known) == Path(known)
    with pytest.raises(NoFont, match="FORESHOCK_PDF_FONT"):
        find_font(str(tmp_path / "none.ttf"))
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(NoFont, match="cannot be used"):
        Paper("x", font=broken)
