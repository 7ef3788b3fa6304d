"""The looks of paper: styles, tables, the page with its number. A4, upright."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Table

from ocm_cti.reports.pdf_charts import DARK, GREY, INK, PALE, RULE
from ocm_cti.reports.pdf_fonts import BOLD, PLAIN
from ocm_cti.reports.words import Words

MARGIN = 18 * mm
#: Characters of a paragraph.
_LONGEST = 300
WIDTH = A4[0] - 2 * MARGIN
_TOP, _FOOT = 16 * mm, 18 * mm

TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=20, leading=25, textColor=INK)
UNDER_TITLE = ParagraphStyle("under title", fontName=PLAIN, fontSize=9.5, leading=13, textColor=GREY)
HEADING = ParagraphStyle(
    "heading", fontName=BOLD, fontSize=13, leading=17, textColor=DARK, spaceBefore=14, spaceAfter=5
)
SUBHEADING = ParagraphStyle("subheading", fontName=BOLD, fontSize=10.5, leading=14, textColor=INK, spaceBefore=8)
NOTE = ParagraphStyle("note", fontName=PLAIN, fontSize=8.5, leading=11.5, textColor=GREY, spaceAfter=4)
CELL = ParagraphStyle("cell", fontName=PLAIN, fontSize=8.5, leading=10.5, textColor=INK)
NUMBER = ParagraphStyle("number", parent=CELL, alignment=TA_RIGHT)
HEAD = ParagraphStyle("head", parent=CELL, fontName=BOLD, fontSize=8)
NUMBER_HEAD = ParagraphStyle("number head", parent=HEAD, alignment=TA_RIGHT)
TILE = ParagraphStyle("tile", fontName=BOLD, fontSize=16, leading=20, textColor=DARK, alignment=TA_CENTER)
TILE_NAME = ParagraphStyle("tile name", fontName=PLAIN, fontSize=8, leading=10, textColor=GREY, alignment=TA_CENTER)


def text(words: object, style: ParagraphStyle) -> Paragraph:
    """Words as they are: nothing in them is markup. What would fill a page is cut: no cell goes over two."""
    told = str(words)
    return Paragraph(escape(told if len(told) <= _LONGEST else told[:_LONGEST] + "…"), style)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[float]) -> Table:
    """``widths`` are shares of the page. Cells that are no text stand on the right; headings stand on every page."""
    numbers = [bool(rows) and all(not isinstance(row[place], str) for row in rows) for place in range(len(headings))]
    cells: list[list[Paragraph]] = [
        [text(heading, NUMBER_HEAD if right else HEAD) for heading, right in zip(headings, numbers, strict=True)]
    ]
    for row in rows:
        cells.append(
            [
                text("" if value is None else value, NUMBER if right else CELL)
                for value, right in zip(row, numbers, strict=True)
            ]
        )
    whole = sum(widths)
    return Table(
        cells,
        colWidths=[WIDTH * width / whole for width in widths],
        repeatRows=1,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, DARK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE),
            ("TOPPADDING", (0, 0), (-1, -1), 2.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.8),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ],
    )


def tiles(shown: Sequence[tuple[str, str]]) -> Table:
    """(name, figure) side by side."""
    width = WIDTH / len(shown)
    # As large as the longest of them bears on one line.
    longest = max(stringWidth(figure, BOLD, 1.0) for _, figure in shown)
    size = min(17.0, (width - 12) / longest)
    tile = ParagraphStyle("tile", parent=TILE, fontSize=size, leading=size * 1.3)
    return Table(
        [[text(figure, tile) for _, figure in shown], [text(name, TILE_NAME) for name, _ in shown]],
        colWidths=[width] * len(shown),
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), PALE),
            ("LINEAFTER", (0, 0), (-2, -1), 3, (1, 1, 1)),
            ("TOPPADDING", (0, 0), (-1, 0), 8),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 2),
            ("TOPPADDING", (0, 1), (-1, 1), 0),
            ("BOTTOMPADDING", (0, 1), (-1, 1), 8),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ],
    )


def build(path: Path, title: str, words: Words, story: list[Any]) -> None:
    """Lay the story out on pages. Raises OSError."""
    document = BaseDocTemplate(str(path), pagesize=A4, title=title, author="OCM", lang=words.language)
    # Without the padding of the usual frame, which moves text from the edge of tables and charts.
    sides = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
    frame = Frame(MARGIN, _FOOT, WIDTH, A4[1] - _FOOT - _TOP, **sides)
    document.addPageTemplates(PageTemplate(frames=[frame]))

    class Numbered(Canvas):  # type: ignore[misc]
        """Pages are finished when it is known how many there are."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._kept, 1):
                self.__dict__.update(page)
                self.setFont(PLAIN, 8)
                self.setFillColor(GREY)
                self.drawString(MARGIN, 10 * mm, title)
                told = words("page {page} of {pages}", page=number, pages=len(self._kept))
                self.drawRightString(A4[0] - MARGIN, 10 * mm, told)
                super().showPage()
            super().save()

    document.build(story, canvasmaker=Numbered)
