"""Reading and writing single SIP messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip import addresses, messages
from protocols.sip.addresses import NameAddress, Target, Via
from protocols.sip.messages import BadRequest, Request, Response

#: RFC 4475 section 3.1.1.1, "a short tortuous INVITE", less what the peer's octets do not survive in a Python source
TORTURE = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 150\r\ncseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
    b"Content-Type: application/sdp\r\nRoute:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
    b"  secondparam ; q = 0.33\r\n"
    b"\r\n"
) + b"x" * 160


def test_the_tortuous_invite_of_rfc_4475() -> None:
    """Folded, compact, oddly spaced and oddly cased, and right."""
    request = messages.read(TORTURE)
    assert isinstance(request, Request)
    assert request.to_address.uri == "sip:vivekg@chair-dnrc.example.com" and request.to_address.tag == "1918181833n"
    assert request.from_address.display_name == 'J Rosenberg \\"' and request.from_address.tag == "98asjd8"
    assert (request.cseq.sequence, request.number("Max-Forwards"), len(request.body)) == (9, 68, 150)
    assert (request.via.host, request.via.branch, request.via.transport) == ("192.0.2.2", "390skdjuw", "UDP")
    assert len(request.all("Via")) == 3
    assert request.contact_uri == "sip:jdrosen@example.com"
    assert len(request.sdp) == 150


GOOD = (
    b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: 1@x\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        (b"\r\n\r\n", b"\r\n"),
        (b"OPTIONS sip:a@b SIP/2.0", b"OPTIONS sip:a@b"),
        (b"OPTIONS sip:a@b SIP/2.0", b"OPT{IONS sip:a@b SIP/2.0"),
        (b"OPTIONS sip:a@b SIP/2.0", b"SIP/2.0 2000 OK"),
        (b"OPTIONS sip:a@b SIP/2.0", b"GET / HTTP/1.1"),
        (b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n", b""),
        (b"192.0.2.1", b"192.0.2.1:99999"),
        (b"192.0.2.1;", b"a b;"),
        (b"From: <sip:c@d>;tag=1\r\n", b""),
        (b"<sip:c@d>", b"<sip:c@d"),
        (b"<sip:c@d>", b'"a" b <sip:c@d>'),
        (b"<sip:c@d>", b'a " <sip:c@d>'),
        (b"To: <sip:a@b>", b"To: "),
        (b"Call-ID: 1@x\r\n", b""),
        (b"CSeq: 1 OPTIONS", b"CSeq: OPTIONS"),
        (b"CSeq: 1 OPTIONS", b"CSeq: 4294967296 OPTIONS"),
        (b"CSeq: 1 OPTIONS", b"CSeq: " + b"9" * 5000 + b" OPTIONS"),
        (b"Call-ID: 1@x", b"Call-ID 1@x"),
        (b"Call-ID: 1@x", b"Call-ID: \xff"),
        (b"Call-ID: 1@x", b"Call-ID: 1\n@x"),
        (b"Call-ID: 1@x", b"Call-ID: 1\r@x"),
        (b"Call-ID: 1@x", b"Call-ID: 1\0@x"),
    ],
)
def test_what_cannot_even_be_answered(find: bytes, put: bytes) -> None:
    """RemoteProtocolError and not its answerable kind; unbroken, the message is read."""
    assert isinstance(messages.read(GOOD), Request)
    assert find in GOOD
    with pytest.raises(RemoteProtocolError) as caught:
        messages.read(GOOD.replace(find, put))
    assert not isinstance(caught.value, BadRequest)


def test_a_response_cut_on_the_way_is_dropped() -> None:
    """Content-Length beyond the datagram; what is beyond Content-Length is cut off."""
    response = GOOD.replace(b"OPTIONS sip:a@b SIP/2.0", b"SIP/2.0 200 OK")
    with pytest.raises(RemoteProtocolError):
        messages.read(response.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\nabc"))
    assert messages.read(response.replace(b"\r\n\r\n", b"\r\nl: 2\r\n\r\nabc")).body == b"ab"


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:301@192.0.2.1:5070;transport=udp", "301", "192.0.2.1", 5070),
        ("sip:pbx1", "", "pbx1", None),
        ("SIP:a%20b:secret@h_1?Subject=x", "a b", "h_1", None),
        ("sips:x;y=z@[2001:db8::1]:1;lr", "x;y=z", "[2001:db8::1]", 1),
        ("tel:+7-495-123;phone-context=x", "+7-495-123", "", None),
        ("sip:*97@h", "*97", "h", None),
    ],
)
def test_uris(text: str, user: str, host: str, port: int | None) -> None:
    """Those that are met in the field."""
    target = Target.read(text)
    assert (target.text, target.user, target.host, target.port) == (text, user, host, port)


@pytest.mark.parametrize(
    "text", ["", "sip:", "http://x", "sip:a@b c", "sip:a@b:70000", "sip:a@b:x", "tel:", "sip:a@<b>"]
)
def test_no_uris(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Target.read(text)


def test_parameters_of_addresses() -> None:
    """Without brackets they belong to the header; quoted ones lose their quotes; separators in quotes are none."""
    assert NameAddress.read("sip:a@b;tag=x").parameters == {"tag": "x"}
    address = NameAddress.read('"A, B; <c>" <sip:a@b;lr>;Q="1;2";flag')
    assert (address.display_name, address.uri) == ("A, B; <c>", "sip:a@b;lr")
    assert address.parameters == {"q": "1;2", "flag": None}
    assert addresses.split_outside('"a,b" <sip:x,y@z>;p="\\",", c,,', ",") == ['"a,b" <sip:x,y@z>;p="\\","', "c"]


def test_what_is_written_can_be_read() -> None:
    """Names and users with every kind of letter survive."""
    address = NameAddress.read(addresses.address(addresses.sip_uri("й @;:", "h", 5), 'Иван "Г" \\', "t"))
    assert (address.display_name, Target.read(address.uri).user, address.tag) == ('Иван "Г" \\', "й @;:", "t")


def test_a_line_break_never_leaves() -> None:
    """It would begin a header of somebody else's making."""
    with pytest.raises(LocalProtocolError):
        messages.make_headers([("Subject", "a\r\nVia: x")])
    with pytest.raises(LocalProtocolError):
        addresses.address("sip:a@b", "a\nb")


def test_a_response_to_a_request() -> None:
    """Via, From, Call-ID, CSeq as they came; the tag joins To; 100 takes the Timestamp with it."""
    request = messages.read(GOOD.replace(b"\r\n\r\n", b"\r\nTimestamp: 5\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n\r\n"))
    assert isinstance(request, Request)
    response = messages.read(messages.response_to(request, 699, tag="t").octets())
    assert isinstance(response, Response)
    assert (response.code, response.phrase, response.to_address.text) == (699, "Global Failure", "<sip:a@b>;tag=t")
    assert response.headers.getlist("Via") == request.headers.getlist("Via")
    assert response.headers.get("Timestamp") is None
    assert messages.response_to(request, 100).headers.get("Timestamp") == "5"


@given(st.binary())
def test_any_octets_are_a_message_or_refused(octets: bytes) -> None:
    """Nothing but RemoteProtocolError comes out, and what was read can be written."""
    for trial in (octets, GOOD[:30] + octets + GOOD[30:], GOOD[:-2] + octets + b"\r\n\r\n"):
        try:
            message = messages.read(trial)
        except RemoteProtocolError:
            continue
        assert messages.read(message.octets()).call_id == message.call_id


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 60000 + "b",
        '"' + "\\" * 60000,
        '"' * 60000,
        "<" * 60000,
        ";" * 60000,
        "," * 60000,
        "SIP/2.0/UDP h" + " " * 60000 + "x",
        "sip:" + "@" * 60000,
        "sip:" + ";" * 60000,
    ],
    ids=lambda text: text[:16].strip(),
)
@pytest.mark.timeout(20)
def test_long_lines_take_linear_time(text: str) -> None:
    """A datagram made to keep a regular expression busy does not: quadratic time would be minutes here."""
    for reader in (NameAddress.read, Via.read, Target.read):
        try:
            reader(text)
        except RemoteProtocolError:
            continue
    for name in (b"Via", b"From", b"To", b"CSeq", b"Contact"):
        try:
            message = messages.read(GOOD.replace(b"\r\n\r\n", b"\r\n%s: %s\r\n\r\n" % (name, text.encode())))
        except RemoteProtocolError:
            continue
        assert message.all("Via")
