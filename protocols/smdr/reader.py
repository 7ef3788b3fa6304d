"""Text as it comes from the PBX -> records; no I/O. What can't be read is kept with its reason, never lost."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

from protocols.smdr.layouts import begins_like_a_record, is_rule, is_title
from protocols.smdr.records import Decoder, Form, SmdrRecord, Unreadable

#: Pattern C has 120 columns. Longer than this is no line but noise; its beginning is kept.
MAX_LINE = 512
#: Two calls may look the same in whole minutes; so many lines are remembered to tell them apart.
REMEMBERED = 4096
NO_DATE = "does not begin with a date"
#: Carriage return, line feed (in any combination) and the form feed between two pages.
LINE_ENDS = "\r\n\f\v"


@dataclass(frozen=True)
class Recorded:
    """A record. ``copy`` counts lines that read the same, from 1, since the reader was made."""

    record: SmdrRecord
    copy: int


@dataclass(frozen=True)
class Unread:
    """A line that could not be read; ``reason`` says why. ``copy`` as in Recorded; 1 where it is no record at all."""

    raw: str
    reason: str
    copy: int


@dataclass(frozen=True)
class Line:
    """A whole line without its end; ``cut`` when it was longer than MAX_LINE and the rest is thrown away."""

    text: str
    cut: bool = False


class Lines:
    """Cuts text into lines, however it was split on its way; empty lines are dropped (CR LF gives one)."""

    def __init__(self) -> None:
        self._pending = ""
        self._cut = False

    @property
    def pending(self) -> str:
        """What has come of a line that has not ended yet: a prompt, perhaps."""
        return self._pending

    def feed(self, text: str) -> list[Line]:
        lines = []
        for character in text:
            if character in LINE_ENDS:
                lines += self.finish()
            elif len(self._pending) < MAX_LINE:
                # Not NUL, XON, XOFF, bells. What the encoding does not know keeps its place: columns count.
                if character >= " " and character != "\x7f":
                    self._pending += character
            else:
                self._cut = True
        return lines

    def finish(self) -> list[Line]:
        """The line that has begun, as it stands; none when nothing has."""
        line, self._pending = Line(self._pending, self._cut), ""
        self._cut = False
        return [line] if line.text.strip() else []


class Reader:
    """Lines of a PBX that sends records, in their order."""

    def __init__(self, form: Form | None = None) -> None:
        self.decoder = Decoder(form)
        self._seen: OrderedDict[str, int] = OrderedDict()

    def read(self, line: Line, received_on: date | None = None) -> Recorded | Unread | None:
        """One line; None for the titles and the rule at the head of a page, which say nothing of a call."""
        text = line.text.rstrip()
        if text[:1] == "-" and begins_like_a_record(text[1:]):
            text = text[1:]  # a prompt was left standing before it
        if is_rule(text):
            return None
        if is_title(text) and not begins_like_a_record(text):
            self.decoder.saw_titles(text)
            return None
        if line.cut:
            return Unread(text, f"longer than {MAX_LINE} characters", self._copy(text))
        if not begins_like_a_record(text):
            return Unread(text, NO_DATE, 1)  # kept once: whatever else a PBX prints at the head of each page
        try:
            return Recorded(self.decoder.decode(text, received_on), self._copy(text))
        except Unreadable as error:
            return Unread(text, str(error), self._copy(text))

    def broken(self, line: Line) -> Unread:
        """The line during which the connection ended."""
        return Unread(line.text.rstrip(), "the connection ended within the line", self._copy(line.text.rstrip()))

    def _copy(self, text: str) -> int:
        copy = self._seen.pop(text, 0) + 1
        self._seen[text] = copy
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return copy
