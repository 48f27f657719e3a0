"""Sheets on paper: plans, handovers and drill reports as PDF (A4), with Chinese and English glyphs embedded."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, TextMode
from fpdf.errors import FPDFException
from fpdf.fonts import FontFace

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/adobe-source-han-sans/SourceHanSansSC-Regular.otf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
"""Where systems keep a font with Chinese glyphs; the first that is there is taken."""

MOST_TEXT = 4000
"""Characters printed of one text."""

_GREY = (110, 110, 110)
_RULE = (190, 190, 190)
_MARK = (176, 60, 0)
_CHINESE = 2  # of the Noto collection: Japanese, Korean, simplified Chinese, …
_PRINTING = threading.Lock()  # a large font takes a second and 100 MB: one sheet at a time


class NoFont(RuntimeError):
    """Raised when there is no font with Chinese glyphs to print with."""


def find_font(wanted: str = "") -> Path:
    """Return the font file to print with: the one that is wanted, else the system's. Raise `NoFont`."""
    for name in (wanted,) if wanted else FONTS:
        if Path(name).is_file():
            return Path(name)
    if wanted:
        raise NoFont(f"there is no font {wanted}: FORESHOCK_PDF_FONT names a .ttf, .otf or .ttc with Chinese glyphs")
    raise NoFont("no font with Chinese glyphs was found: install fonts-noto-cjk, or name one in FORESHOCK_PDF_FONT")


class _Sheet(FPDF):
    """A4 with a running head and page numbers."""

    def __init__(self, head: str, foot: str, mark: str) -> None:
        super().__init__(format="A4")
        self._head, self._foot, self._mark = head, foot, mark

    def header(self) -> None:
        """Write the running head, and what the sheet is a mark of."""
        self.set_font("body", size=8)
        self.set_text_color(*_GREY)
        self.cell(0, 5, self._head, align="L")
        if self._mark:
            self.set_text_color(*_MARK)
            self.set_x(self.l_margin)
            self.cell(0, 5, self._mark, align="R")
        self.ln(8)
        self.set_text_color(0)

    def footer(self) -> None:
        """Write when it was printed, and the page's number."""
        self.set_y(-14)
        self.set_font("body", size=8)
        self.set_text_color(*_GREY)
        self.cell(0, 5, self._foot, align="L")
        self.set_x(self.l_margin)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(0)


class Paper:
    """Write one sheet from top to bottom; `bytes()` ends it. Everything is plain text: nothing in it is markup."""

    def __init__(self, title: str, *, head: str = "", foot: str = "", mark: str = "", font: Path | None = None) -> None:
        file = font or find_font()
        self._pdf = _Sheet(_plain(head), _plain(foot), _plain(mark))
        try:
            self._glyphs = _glyphs(file)
            self._pdf.add_font("body", fname=file, collection_font_number=_number(file))
        except (OSError, TTLibError, FPDFException, ValueError, KeyError, IndexError) as error:
            raise NoFont(f"the font {file} cannot be used: {error}") from error
        self._pdf.set_margins(18, 14, 18)
        self._pdf.set_auto_page_break(True, margin=20)
        self._pdf.set_title(_plain(title))
        self._pdf.set_creator("Foreshock")
        self._pdf.add_page()
        self._write(title, size=17, bold=True, line=8)
        self._pdf.ln(2)

    def heading(self, text: str) -> None:
        """Begin a section; it does not stay alone at the foot of a page."""
        pdf = self._pdf
        if pdf.will_page_break(24):
            pdf.add_page()
        pdf.ln(3)
        self._write(text, size=12, bold=True, line=6)
        pdf.set_draw_color(*_RULE)
        pdf.line(pdf.l_margin, pdf.get_y() + 0.5, pdf.w - pdf.r_margin, pdf.get_y() + 0.5)
        pdf.ln(2)

    def paragraph(self, text: str, *, quiet: bool = False) -> None:
        """Write a paragraph."""
        self._pdf.set_text_color(*(_GREY if quiet else (0, 0, 0)))
        self._write(text, size=9 if quiet else 10, line=5)
        self._pdf.set_text_color(0)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Write names and values, one a line; those without a value are left out."""
        kept = [row for row in rows if row[1]]
        if kept:
            self._table([], kept, (1, 4), borders=False)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """Write a table; its head is repeated on every page."""
        self._table(head, rows, widths, borders=True)

    def plot(self, plot: Callable[[FPDF, float, float, float, float], None], height: float) -> None:
        """Leave a plot room over the sheet's width: it is given the PDF, left, top, width and height in mm."""
        pdf = self._pdf
        if pdf.will_page_break(height + 2):
            pdf.add_page()
        pdf.set_font("body", size=7)
        top = pdf.get_y()
        with pdf.local_context():
            plot(pdf, pdf.l_margin, top, pdf.epw, height)
        pdf.set_text_color(0)
        pdf.set_xy(pdf.l_margin, top + height + 2)

    def checks(self, steps: Sequence[tuple[str, str, bool]]) -> None:
        """Write a checklist: text, a note under it, and whether it is ticked. A box is drawn, no glyph is needed."""
        pdf = self._pdf
        for number, (text, note, ticked) in enumerate(steps, 1):
            if pdf.will_page_break(14):
                pdf.add_page()
            left, top = pdf.l_margin, pdf.get_y()
            pdf.set_draw_color(60, 60, 60)
            pdf.rect(left, top + 0.9, 3.6, 3.6)
            if ticked:
                pdf.set_line_width(0.5)
                pdf.polyline([(left + 0.7, top + 2.8), (left + 1.6, top + 3.8), (left + 3.1, top + 1.5)])
                pdf.set_line_width(0.2)
            pdf.set_x(left + 6)
            self._write(f"{number}. {text}", size=10, line=5, indent=6)
            if note:
                pdf.set_text_color(*_GREY)
                self._write(note, size=8, line=4, indent=6)
                pdf.set_text_color(0)
            pdf.ln(1)

    def signatures(self, labels: Sequence[str]) -> None:
        """Leave room to sign by hand, side by side."""
        pdf = self._pdf
        if pdf.will_page_break(24):
            pdf.add_page()
        pdf.ln(12)
        wide = (pdf.epw - 6 * (len(labels) - 1)) / len(labels)
        top = pdf.get_y()
        for n, label in enumerate(labels):
            left = pdf.l_margin + n * (wide + 6)
            pdf.line(left, top, left + wide, top)
            pdf.set_xy(left, top + 1)
            pdf.set_font("body", size=8)
            pdf.cell(wide, 5, self._safe(label))
        pdf.set_xy(pdf.l_margin, top + 8)

    def bytes(self) -> bytes:
        """End the sheet and return the PDF."""
        return bytes(self._pdf.output())

    def _write(self, text: str, *, size: float, line: float, bold: bool = False, indent: float = 0.0) -> None:
        pdf = self._pdf
        pdf.set_font("body", size=size)
        pdf.set_x(pdf.l_margin + indent)
        with pdf.local_context():
            if bold:  # drawn with a line around it: a second font of that size would double what a sheet costs
                pdf.set_draw_color(0)
                pdf.set_line_width(size * 0.011)
                pdf.text_mode = TextMode.FILL_STROKE
            pdf.multi_cell(pdf.epw - indent, line, self._safe(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _table(
        self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], *, borders: bool
    ) -> None:
        pdf = self._pdf
        pdf.set_font("body", size=9)
        pdf.set_draw_color(*_RULE)
        lines = TableBordersLayout.HORIZONTAL_LINES if borders else TableBordersLayout.NONE
        style = FontFace(emphasis=TextEmphasis.NONE, color=_GREY)
        with pdf.table(
            col_widths=tuple(widths),
            line_height=5,
            text_align="LEFT",
            borders_layout=lines,
            first_row_as_headings=bool(head),
            headings_style=style,
        ) as table:
            for cells in (*([head] if head else []), *rows):
                row = table.row()
                for cell in cells:
                    row.cell(self._safe(cell))
        pdf.ln(1)

    def _safe(self, text: str) -> str:
        """Replace what the font has no glyph for, so that it is seen that something stood there."""
        return "".join(one if one == "\n" or ord(one) in self._glyphs else "?" for one in _plain(text))


def printing() -> threading.Lock:
    """Return what to hold while a sheet is made."""
    return _PRINTING


def _plain(text: str) -> str:
    """Leave out what is no text (control characters, marks of direction), and what is too long."""
    kept = "".join(one for one in str(text)[:MOST_TEXT] if one == "\n" or unicodedata.category(one)[0] != "C")
    return kept + ("…" if len(str(text)) > MOST_TEXT else "")


def _number(file: Path) -> int:
    """Return which font of a collection speaks simplified Chinese: the third of Noto's, else the first."""
    return _CHINESE if file.suffix == ".ttc" and "CJK" in file.name else 0


@cache
def _glyphs(file: Path) -> frozenset[int]:
    """Read once for which characters a font has a glyph."""
    font = TTFont(file, fontNumber=_number(file), lazy=True)
    try:
        return frozenset(font.getBestCmap())
    finally:
        font.close()
