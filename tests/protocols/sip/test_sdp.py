"""Session descriptions: ours, and those that real peers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.sip import sdp
from protocols.sip.sdp import Agreed, SDPError


def description(*media: str, session: str = "c=IN IP4 192.0.2.1") -> bytes:
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", session, "t=0 0", *media, ""]).encode()


def test_our_offer_is_what_it_says() -> None:
    """Octet by octet, and read back by ourselves."""
    octets = sdp.offer("127.0.0.1", 4000, 7)
    assert octets == (
        b"v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n"
        b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        b"a=ptime:20\r\na=sendrecv\r\n"
    )
    offered = sdp.parse(octets)
    assert (offered.host, offered.port, offered.payload_types) == ("127.0.0.1", 4000, (8, 0))
    assert (offered.telephone_event_pt, offered.ptime_ms, offered.direction) == (101, 20, "sendrecv")
    assert not offered.on_hold


def test_offer_and_answer() -> None:
    """Both sides come to the same."""
    answer, ours = sdp.answer(sdp.offer("127.0.0.1", 4000), "127.0.0.2", 5000)
    theirs = sdp.accept(answer)
    assert ours == Agreed("PCMA", 8, 101, "127.0.0.1", 4000)
    assert theirs == Agreed("PCMA", 8, 101, "127.0.0.2", 5000)
    assert ours.may_send


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        pytest.param(["m=audio 9 RTP/AVP 0 8"], ("PCMA", 8, None), id="static-types-need-no-rtpmap"),
        pytest.param(["m=audio 9 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000"], ("PCMU", 0, 96), id="mu-law"),
        pytest.param(
            ["m=audio 9 RTP/AVP 18 3 100 121", "a=rtpmap:100 pcma/8000/1", "a=rtpmap:121 Telephone-Event/8000"],
            ("PCMA", 100, 121),
            id="dynamic-type-and-other-codecs",
        ),
        pytest.param(
            ["m=audio 9 RTP/AVP 8 97 98", "a=rtpmap:97 telephone-event/48000", "a=rtpmap:98 telephone-event/8000"],
            ("PCMA", 8, 98),
            id="event-of-another-clock",
        ),
        pytest.param(["m=audio 9 RTP/AVP 8 101"], ("PCMA", 8, None), id="event-without-rtpmap"),
        pytest.param(["m=audio 9 RTP/AVPF 8"], ("PCMA", 8, None), id="avpf"),
        pytest.param(["m=audio 9/1 RTP/AVP 8"], ("PCMA", 8, None), id="one-port"),
    ],
)
def test_codecs_of_an_offer(media: list[str], expected: tuple[str, int, int | None]) -> None:
    """A-law first, mu-law else, in the payload types of the offer; so is the answer."""
    answer, agreed = sdp.answer(description(*media), "127.0.0.1", 4000)
    assert (agreed.codec, agreed.pt, agreed.telephone_event_pt) == expected
    back = sdp.accept(answer)
    assert (back.codec, back.pt, back.telephone_event_pt) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff\xfe",
        description(),
        description("m=video 9 RTP/AVP 8"),
        description("m=audio 0 RTP/AVP 8"),
        description("m=audio 99999 RTP/AVP 8"),
        description("m=audio 9 RTP/SAVP 8"),
        description("m=audio x RTP/AVP 8"),
        description("m=audio 9 RTP/AVP 18"),
        description("m=audio 9 RTP/AVP 8", "a=rtpmap:8 G729/8000"),
        description("m=audio 9 RTP/AVP"),
        description("m=audio 9 RTP/AVP 8", session="c=nonsense"),
    ],
)
def test_what_we_cannot_speak(octets: bytes) -> None:
    """SDPError, for a 488."""
    with pytest.raises(SDPError):
        sdp.answer(octets, "127.0.0.1", 4000)


@pytest.mark.parametrize(
    ("lines", "session", "direction", "host", "may_send"),
    [
        ([], "c=IN IP4 192.0.2.1", "sendrecv", "192.0.2.1", True),
        (["a=sendonly"], "c=IN IP4 192.0.2.1", "recvonly", "192.0.2.1", False),
        (["a=recvonly"], "c=IN IP4 192.0.2.1", "sendonly", "192.0.2.1", True),
        (["a=inactive"], "c=IN IP4 192.0.2.1", "inactive", "192.0.2.1", False),
        ([], "c=IN IP4 192.0.2.1\r\na=sendonly", "recvonly", "192.0.2.1", False),
        (["a=sendrecv"], "c=IN IP4 192.0.2.1\r\na=sendonly", "sendrecv", "192.0.2.1", True),
        (["c=IN IP4 192.0.2.7"], "c=IN IP4 192.0.2.1", "sendrecv", "192.0.2.7", True),
        (["c=IN IP4 192.0.2.7/127"], "s=no session address", "sendrecv", "192.0.2.7", True),
        (["c=IN IP4 0.0.0.0"], "c=IN IP4 192.0.2.1", "sendrecv", "0.0.0.0", False),
        (["c=IN IP6 2001:db8::1"], "c=IN IP4 192.0.2.1", "sendrecv", "2001:db8::1", True),
    ],
)
def test_direction_and_address(lines: list[str], session: str, direction: str, host: str, may_send: bool) -> None:
    """At the session's or the media's level, the latter winning; the answer has the opposite direction."""
    octets = description("m=audio 9 RTP/AVP 8", *lines, session=session)
    answer, agreed = sdp.answer(octets, "127.0.0.1", 4000)
    assert (agreed.direction, agreed.remote_host, agreed.may_send) == (direction, host, may_send)
    assert f"a={direction}\r\n".encode() in answer
    assert sdp.parse(octets).on_hold is not may_send


def test_an_answer_has_as_many_media_lines() -> None:
    """Streams that we do not take are answered with port 0, in their place (RFC 3264 section 6)."""
    answer, agreed = sdp.answer(
        description("m=video 7 RTP/AVP 96", "m=audio 9 RTP/AVP 8", "a=ptime:30", "m=image 8 udptl t38"),
        "127.0.0.1",
        4000,
    )
    media = [line for line in answer.decode().split("\r\n") if line.startswith("m=")]
    assert media == ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 8", "m=image 0 udptl t38"]
    assert agreed.ptime_ms == 20
    assert sdp.parse(description("m=audio 9 RTP/AVP 8", "a=ptime:30")).ptime_ms == 30


def test_bare_line_feeds_are_read() -> None:
    """Some devices end their lines so."""
    assert sdp.parse(description("m=audio 9 RTP/AVP 8").replace(b"\r\n", b"\n")).port == 9


def test_ipv6_of_our_own() -> None:
    """The family is that of the address."""
    assert b"c=IN IP6 ::1\r\n" in sdp.offer("::1", 4000, direction="inactive")


LINES = st.sampled_from(
    [
        "m=audio 9 RTP/AVP 8 0 101",
        "m=audio 9 RTP/AVP",
        "m=video 1 x y",
        "m=",
        "c=IN IP4 1.2.3.4",
        "a=rtpmap:8 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:",
        "a=ptime:0",
        "a=ptime:9999999",
        "a=sendonly",
        "a=inactive",
        "\r",
        "=",
    ]
)


@given(st.one_of(st.binary(), st.lists(LINES | st.text()).map(lambda lines: "\r\n".join(lines).encode())))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    """SDPError or an answer that can itself be read."""
    try:
        answer, agreed = sdp.answer(octets, "127.0.0.1", 4000)
    except SDPError:
        return
    assert sdp.accept(answer).codec == agreed.codec
