"""Lines out of text in any pieces, page heads skipped, nothing lost."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.smdr.login import Credentials, Session
from protocols.smdr.reader import MAX_LINE, Line, Lines, Reader, Recorded, Unread
from protocols.smdr.records import Form

DAY = date(2026, 11, 23)
A = "22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05"
A2 = "22/11/26 10:04AM   302 02 984951234506              0'12 00:00'00"
TITLE = "  Date     Time    Ext CO        Dial Number        Ring Duration  Acc code   CD"
RULE = "-" * 80


def numbers(events: list[object]) -> list[str]:
    return [event.record.number if isinstance(event, Recorded) else f"? {event}" for event in events]


def session() -> Session:
    return Session(Form("auto", "dd/mm/yy"))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\r\n\r\n", "\f\r\n", "\n\r", "\x00\r\n"])
def test_every_line_end(end: str) -> None:
    text = end.join([TITLE, RULE, A, TITLE, RULE, A2, ""])
    assert numbers(session().receive(text.encode(), DAY)) == ["984951234501", "984951234506"]  # type: ignore[arg-type]


def test_a_line_that_has_not_ended_waits() -> None:
    reading = session()
    assert reading.receive(A.encode(), DAY) == []
    assert numbers(reading.receive(b"\r", DAY)) == ["984951234501"]  # type: ignore[arg-type]


def test_flow_control_and_bells_are_no_text() -> None:
    lines = Lines().feed("\x11" + A[:30] + "\x13\x07\x00" + A[30:] + "\r\n")
    assert lines == [Line(A)]


def test_a_line_without_end_is_bounded_and_its_beginning_kept() -> None:
    reading = session()
    assert reading.receive(b"x" * 1_000_000, DAY) == []
    (read,) = reading.receive(b"\n", DAY)
    assert read == Unread("x" * MAX_LINE, "longer than 512 characters", 1)
    assert numbers(reading.receive(A.encode() + b"\n", DAY)) == ["984951234501"]  # type: ignore[arg-type]


def test_what_cannot_be_read_is_kept_with_its_reason() -> None:
    (read,) = session().receive(b"22/11/26 what is this\r\n", DAY)
    assert isinstance(read, Unread)
    assert read.raw == "22/11/26 what is this"
    assert "A, B, C" in read.reason


def test_octets_outside_ascii_are_kept() -> None:
    (read,) = session().receive(b"\xa3 \xff\xfe\r\n", DAY)
    assert isinstance(read, Unread)
    assert read.raw.encode("latin-1") == b"\xa3 \xff\xfe"


def test_a_character_that_the_encoding_does_not_know_keeps_its_place() -> None:
    line = "22/11/26 10:03AM   301 01 984951234501         00:01'05 00001.95\x80\xa0"
    (read,) = Session(Form("B", "dd/mm/yy")).receive(line.encode("latin-1") + b"\r\n", DAY)
    assert isinstance(read, Recorded)
    assert (str(read.record.cost), read.record.currency) == ("1.95", "\x80")


def test_what_is_printed_on_every_page_is_kept_once() -> None:
    reader = Reader(Form("A", "dd/mm/yy"))
    reads = [reader.read(Line("KX-NS1000  SMDR"), DAY) for _ in range(3)]
    assert reads == [Unread("KX-NS1000  SMDR", "does not begin with a date", 1)] * 3


def test_equal_lines_are_counted_so_that_one_sent_again_can_be_told_from_another_call() -> None:
    reader = Reader(Form("A", "dd/mm/yy"))
    reads = [reader.read(Line(line), DAY) for line in (A, A2, A, A)]
    assert [read.copy for read in reads if read is not None] == [1, 1, 2, 3]


def test_a_prompt_left_before_a_record_is_no_part_of_it() -> None:
    reader = Reader(Form("A", "dd/mm/yy"))
    read = reader.read(Line("-" + A), DAY)
    assert isinstance(read, Recorded)
    assert read.record.raw == A


def test_titles_tell_the_pattern_before_the_first_record() -> None:
    text = f"{TITLE}\r\n{RULE}\r\n22/11/26 01:10PM  1203    LOG IN\r\n"
    (read,) = session().receive(text.encode(), DAY)
    assert isinstance(read, Recorded)
    assert read.record.text == "LOG IN"


def test_a_line_broken_by_the_end_of_the_connection_is_kept() -> None:
    reading = session()
    reading.receive((A + "\r\n" + A2[:20]).encode(), DAY)
    assert reading.end() == [Unread(A2[:20], "the connection ended within the line", 1)]


def test_a_serial_line_has_no_telnet_and_no_prompts() -> None:
    reading = session()
    reading.receive(b"-", DAY)
    assert reading.quiet() == []
    assert reading.to_send() == b""
    assert reading.end() == [Unread("-", "the connection ended within the line", 1)]


TEXTS = st.lists(
    st.sampled_from([A, A2, TITLE, RULE, "", "-", "SMDR", "Enter Password:", "noise", "\xff\xfb\x01", "\f", "x" * 700]),
    max_size=8,
).map(lambda lines: "\r\n".join(lines).encode("latin-1"))


@settings(max_examples=100)
@given(TEXTS, st.lists(st.integers(1, 40), max_size=60), st.booleans())
def test_any_chunks_give_the_same_events(octets: bytes, sizes: list[int], login: bool) -> None:
    credentials = Credentials() if login else None
    whole, parts = Session(Form(), credentials), Session(Form(), credentials)
    expected = [*whole.receive(octets, DAY), *whole.end()]
    events, at = [], 0
    for size in [*sizes, len(octets)]:
        events += parts.receive(octets[at : at + size], DAY)
        at += size
    assert [str(event) for event in [*events, *parts.end()]] == [str(event) for event in expected]
    assert sorted(parts.to_send()) == sorted(whole.to_send())  # an answer and telnet's refusals in whatever order
    assert parts.state is whole.state


@settings(max_examples=100)
@given(st.binary(max_size=400), st.booleans(), st.booleans())
def test_any_octets_give_events_and_no_error(octets: bytes, login: bool, quiet: bool) -> None:
    reading = Session(Form(), Credentials() if login else None)
    reading.receive(octets, DAY)
    if quiet:
        reading.quiet()
    reading.receive(octets, DAY)
    reading.quiet()
    reading.end()
