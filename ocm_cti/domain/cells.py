"""Cells of CSV files that a spreadsheet opens by a double click: none of them may act as a formula."""

from __future__ import annotations

#: Excel takes these for the beginning of a formula, the wide ones in the east of Asia.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """With an apostrophe before what a spreadsheet would run."""
    return "'" + text if text.startswith(FORMULA) else text


def plain(text: str) -> str:
    """``neutral`` undone."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
