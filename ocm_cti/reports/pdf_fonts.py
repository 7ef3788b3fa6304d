"""The typeface of paper: Noto Sans, which has every letter of Russian, Ukrainian and their neighbours."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import pymupdf_fonts
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "OCM", "OCM-Bold"
#: The package's names for Noto Sans, Regular and Bold.
_SHIPPED = {PLAIN: "notos", BOLD: "notosbo"}


@cache
def register() -> None:
    """Make PLAIN and BOLD known to reportlab; only the letters used go into a file."""
    for name, shipped in _SHIPPED.items():
        pdfmetrics.registerFont(TTFont(name, BytesIO(pymupdf_fonts.fontbuffers[shipped]())))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def fitted(text: str, font: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than ``width`` points."""
    if pdfmetrics.stringWidth(text, font, size) <= width:
        return text
    while text and pdfmetrics.stringWidth(text + "…", font, size) > width:
        text = text[:-1]
    return text.rstrip() + "…"
