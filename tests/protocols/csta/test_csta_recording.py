"""The text form of a recorded session."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.csta.recording import (
    ConnectionEnded,
    Direction,
    Recorded,
    format_apdu,
    format_end,
    format_entry,
    parse,
    parse_line,
)
from protocols.errors import RemoteProtocolError

AT = datetime(2023, 11, 23, 3, 26, 0, 125000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("> 64 03 80 01 00", Recorded(Direction.TO_SWITCH, bytes.fromhex("6403800100"))),
        ("<6403800100  # the PBX gives up", Recorded(Direction.TO_CLIENT, bytes.fromhex("6403800100"))),
        ("2023-11-23T03:26:00.125Z > a1", Recorded(Direction.TO_SWITCH, b"\xa1", AT)),
        ("2023-11-23 05:26:00.125+02:00 > a1", Recorded(Direction.TO_SWITCH, b"\xa1", AT)),
        ("2023-11-23T03:26:00.125 < A1", Recorded(Direction.TO_CLIENT, b"\xa1", AT)),
        ("2023-11-23T03:26:00.125Z |", ConnectionEnded(AT)),
        ("|", ConnectionEnded()),
        ("   ", None),
        ("# > A1", None),
    ],
)
def test_line(line: str, entry: object) -> None:
    assert parse_line(line) == entry


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("> A1 0", "odd number"),
        ("> A1 XX", "no line of a recording"),
        ("A1 0C", "no line of a recording"),
        ("2023-13-23T03:26:00Z > A1", "no time"),
        ("2023-11-23T25:26:00Z |", "no time"),
        ("0001-01-01T00:00:00+14:00 |", "no time"),
        (">", "no line of a recording"),
    ],
)
def test_bad_line(line: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        parse_line(line)


def test_a_bad_line_is_named() -> None:
    with pytest.raises(RemoteProtocolError, match="line 3: "):
        list(parse(["> A1", "# nothing", "> nonsense"]))


def test_written_form() -> None:
    east = AT.astimezone(timezone(timedelta(hours=7)))
    assert format_apdu(Direction.TO_SWITCH, b"\xa1\x02", east) == "2023-11-23T03:26:00.125Z > A1 02"
    assert format_apdu(Direction.TO_CLIENT, b"\xa1\x02") == "< A1 02"
    assert format_end(AT) == "2023-11-23T03:26:00.125Z |"
    assert Direction.TO_CLIENT.opposite is Direction.TO_SWITCH


times = st.none() | st.datetimes(
    AT.replace(tzinfo=None),
    AT.replace(tzinfo=None, year=2100),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))]),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


@given(
    st.lists(
        st.builds(Recorded, st.sampled_from(Direction), st.binary(min_size=1, max_size=40), times)
        | st.builds(ConnectionEnded, times)
    )
)
def test_what_is_written_is_read_again(entries: list[Recorded | ConnectionEnded]) -> None:
    assert list(parse(format_entry(entry) for entry in entries)) == entries


@given(st.text(max_size=60))
def test_any_text_is_an_entry_or_a_typed_error(line: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_line(line)
