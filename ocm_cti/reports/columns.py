"""Columns of the single rows: one table for CSV, XLSX and JSON.

English headings are names that programs rely on, by their text and by their place: new ones go to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocm_cti.reports.words import Words


@dataclass(frozen=True)
class Column:
    """``field`` of the row under ``heading``. ``is_number``: a telephone number, which may begin with its plus;
    ``is_code``: a word of ours (an outcome, a cause), which has a translation; ``is_answer``: so have some answers;
    ``is_file``: leads to a recording. ``told`` and ``empty``: where it is not English, another heading, and what stands
    for nothing."""

    heading: str
    field: str
    width: int = 12
    is_number: bool = False
    is_code: bool = False
    is_file: bool = False
    is_answer: bool = False
    told: str = ""
    empty: str = ""

    def title(self, words: Words) -> str:
        return self.heading if words.language == "en" else words(self.told or self.heading)

    def text(self, value: object, words: Words) -> object:
        """``value`` in these words, if any of it is ours."""
        if not value and self.empty and words.language != "en":
            return words(self.empty)
        if not isinstance(value, str):
            return value
        return words.code(value) if self.is_code else words.answers(value) if self.is_answer else value


#: Where those of the first versions end.
_BILL = (
    Column("billed s", "billed_s", 9),
    Column("cost", "cost", 9),
    Column("currency", "currency", 9),
)
PEOPLE = (
    Column("campaign", "campaign_id", 9),
    Column("list", "list_name", 18),
    Column("name", "name", 30),
    Column("number", "number", 16, is_number=True),
    Column("outcome", "outcome", 17, is_code=True, empty="open"),
    Column("attempts", "attempts", 10),
    Column("not counted", "not_counted", 12),
    Column("last attempt at", "last_attempt_at", 19),
    Column("answered at", "answered_at", 19),
    Column("keys", "keys", 10),
    Column("heard s", "heard_s", 12),
    Column("of s", "of_s", 8),
    Column("reply recording", "recordings", 24, is_file=True),
    Column("answers", "answers", 30, is_answer=True),
    Column("cause", "cause", 22, is_code=True),
    Column("native cause", "native_cause", 26),
    Column("why", "why", 18, is_code=True),
    *_BILL,
    Column("id", "key", 14, is_number=True),
    Column("first attempt at", "first_attempt_at", 19),
    Column("next call at", "next_call_at", 19),
    Column("times answered", "times_answered", 10),
    Column("reached after start s", "reached_after_start_s", 12),
    Column("reached after first try s", "reached_after_first_s", 12),
    Column("own scenario", "scenario", 14),
)
ATTEMPTS = (
    Column("campaign", "campaign_id", 9),
    Column("list", "list_name", 18),
    Column("name", "name", 30),
    Column("attempt", "attempt_no", 9),
    Column("number", "number", 16, is_number=True),
    Column("gateway", "gateway"),
    Column("port", "port", 8),
    Column("state", "state", 10, is_code=True),
    Column("outcome", "outcome", 17, is_code=True, empty="open"),
    Column("counted", "counted", 9),
    Column("claimed at", "claimed_at", 19),
    Column("answered at", "answered_at", 19),
    Column("ended at", "ended_at", 19),
    Column("ended by", "ended_by", 10, is_code=True),
    Column("answer certain", "certain", 13),
    Column("keys", "keys", 10),
    Column("heard s", "heard_s", 12),
    Column("of s", "of_s", 8),
    Column("reply recording", "recordings", 24, is_file=True),
    Column("answers", "answers", 30, is_answer=True),
    Column("cause", "cause", 22, is_code=True),
    Column("native cause", "native_cause", 26),
    *_BILL,
    Column("trunk", "trunks", 8),
    Column("rang s", "rang_s", 8),
    Column("talked s", "talked_s", 9),
    Column("id", "key", 14, is_number=True),
    Column("attempt id", "attempt_id", 10),
)
ANSWERS = (
    Column("campaign", "campaign_id", 9),
    Column("list", "list_name", 18),
    Column("name", "name", 30),
    Column("number", "number", 16, is_number=True),
    Column("id", "key", 14, is_number=True),
    Column("attempt id", "attempt_id", 10),
    Column("at", "at", 19, told="end of the call"),
    Column("step", "step", 16, is_answer=True),
    Column("question", "question", 40, is_answer=True),
    Column("answer", "value", 12, is_answer=True),
    Column("meaning", "meaning", 24, is_code=True),
    Column("reply recording", "recording", 24, is_file=True),
    Column("reply file", "file", 40),
)


def headings(columns: Sequence[Column], words: Words) -> list[str]:
    return [column.title(words) for column in columns]
