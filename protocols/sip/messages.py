"""Reading and writing SIP messages, over the library ``sipmessage``.

The library reads the header block, keeps headers and writes what is ours. What a peer wrote is kept and sent back as
the text it was: Via, From, To, Record-Route and Contact must return octet by octet (a re-encoded ``branch`` or route
parameter is another one), and the library's URI grammar refuses hosts that real installations have (``pbx1``). Hence
the lenient readers of ``addresses``. Reading raises RemoteProtocolError and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from sipmessage import CSeq, Headers
from sipmessage import Message as LibraryMessage

from protocols.errors import RemoteProtocolError

from .addresses import NameAddress, Target, Via, one_line, split_outside

#: Of RFC 3261 section 21 and its extensions; what is not here is sent with the phrase of its class.
PHRASES: dict[int, str] = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK",
    300: "Multiple Choices", 302: "Moved Temporarily",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
    421: "Extension Required", 422: "Session Interval Too Small",
    423: "Interval Too Brief", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 500: "Server Internal Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
    505: "Version Not Supported", 513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline",
    604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted",
}  # fmt: skip
_CLASS_PHRASES = {
    1: "Progress",
    2: "OK",
    3: "Redirection",
    4: "Request Failure",
    5: "Server Failure",
    6: "Global Failure",
}

_FOLD = re.compile(rb"\r\n[ \t]+")
_SPACE_BEFORE_COLON = re.compile(rb"(?m)^([^\s:]+)[ \t]+:")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


def phrase_of(code: int) -> str:
    return PHRASES.get(code) or _CLASS_PHRASES.get(code // 100, "Unknown")


class Message:
    """What requests and responses have in common. Reading a property of a received message may raise
    RemoteProtocolError; ``read`` has tried the five mandatory ones (8.1.1)."""

    def __init__(self, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body

    def all(self, name: str) -> list[str]:
        """All values of a header that is a comma-separated list, over all its lines, as texts."""
        return [piece for line in self.headers.getlist(name) for piece in split_outside(line, ",")]

    def number(self, name: str) -> int | None:
        """A header that is a number (``90`` of ``90;refresher=uac``); None when it is absent or no number."""
        digits = re.match(r"\s*(\d{1,10})\b", self.headers.get(name) or "")
        return int(digits[1]) if digits else None

    def _one(self, name: str) -> str:
        value = self.headers.get(name)
        if not value:
            raise RemoteProtocolError(f"no {name} header")
        return value

    @cached_property
    def call_id(self) -> str:
        return self._one("Call-ID")

    @cached_property
    def cseq(self) -> CSeq:
        try:
            cseq = CSeq.parse(self._one("CSeq"))
        except ValueError as error:
            raise RemoteProtocolError(f"not a CSeq: {self._one('CSeq')[:80]!r}") from error
        if cseq.sequence >= 2**32:
            raise RemoteProtocolError("CSeq beyond 32 bits (8.1.1.5)")
        return cseq

    @cached_property
    def from_address(self) -> NameAddress:
        return NameAddress.read(self._one("From"))

    @cached_property
    def to_address(self) -> NameAddress:
        return NameAddress.read(self._one("To"))

    @cached_property
    def via(self) -> Via:
        values = self.all("Via")
        if not values:
            raise RemoteProtocolError("no Via header")
        return Via.read(values[0])

    @property
    def contact_uri(self) -> str | None:
        """URI of the first Contact, as text; None when there is none or it is ``*``."""
        contacts = self.all("Contact")
        if not contacts or contacts[0] == "*":
            return None
        return NameAddress.read(contacts[0]).uri

    @property
    def content_type(self) -> str:
        """Lower case, without parameters; "" when there is none."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def sdp(self) -> bytes:
        """The body where it is SDP, else b""."""
        return self.body if self.content_type == "application/sdp" else b""

    def _octets(self, start_line: str) -> bytes:
        self.headers.set("Content-Length", str(len(self.body)))
        return f"{start_line}\r\n{self.headers}".encode() + self.body


class Request(Message):
    """``uri`` is the Request-URI as text."""

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def octets(self) -> bytes:
        return self._octets(f"{self.method} {self.uri} SIP/2.0")


class Response(Message):
    def __init__(self, code: int, phrase: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.code = code
        self.phrase = phrase

    def octets(self) -> bytes:
        return self._octets(f"SIP/2.0 {self.code} {self.phrase}")


class BadRequest(RemoteProtocolError):
    """A request with something wrong in it, but whole enough to be answered with ``code``."""

    def __init__(self, message: str, request: Request, code: int = 400) -> None:
        super().__init__(message)
        self.request = request
        self.code = code


def read(octets: bytes) -> Request | Response:
    """Read one datagram. RemoteProtocolError: drop it; BadRequest: it may be answered."""
    head, separator, body = octets.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    if not separator or not rest:
        raise RemoteProtocolError("no end of headers within the datagram")
    if _STRAY.search(head):
        # Sent back in a response, it would begin a header of the peer's making.
        raise RemoteProtocolError("a stray line break or NUL in the headers")
    rest = _SPACE_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", b"\r\n" + rest)[2:])
    try:
        start = first.decode("utf-8").split(" ", 2)
        headers = LibraryMessage.parse(b"SIP/2.0 200 OK\r\n" + rest + b"\r\n\r\n").headers
    except ValueError as error:
        raise RemoteProtocolError(f"no SIP headers: {error}") from error
    if len(start) < 3:
        raise RemoteProtocolError("neither a request line nor a status line")
    message: Request | Response
    if start[0] == "SIP/2.0":
        if not re.match(r"[1-6]\d\d\Z", start[1]):
            raise RemoteProtocolError(f"not a response code: {start[1][:20]!r}")
        message = Response(int(start[1]), start[2], headers, body)
    elif re.match(r"SIP/\d+\.\d+\Z", start[2]) and _TOKEN.match(start[0]) and start[1]:
        message = Request(start[0], start[1], headers, body)
    else:
        raise RemoteProtocolError("neither a request line nor a status line")
    # Without these five nobody could match an answer, so that a request lacking one is not worth one.
    _ = message.via, message.from_address, message.to_address, message.call_id, message.cseq
    if isinstance(message, Request):
        _check_request(message, start[2])
    _cut_body(message)
    return message


def _check_request(request: Request, version: str) -> None:
    if version != "SIP/2.0":
        raise BadRequest(f"version {version}", request, 505)
    if request.cseq.method != request.method:
        raise BadRequest("CSeq names another method", request)
    try:
        Target.read(request.uri)
    except RemoteProtocolError as error:
        raise BadRequest(str(error), request, 416) from error


def _cut_body(message: Message) -> None:
    length = message.number("Content-Length")
    if length is None:
        return
    if length > len(message.body):
        # 18.3: a datagram cut on the way. A request is answered with 400, a response dropped.
        reason = f"Content-Length {length}, but {len(message.body)} octets of body"
        raise BadRequest(reason, message) if isinstance(message, Request) else RemoteProtocolError(reason)
    message.body = message.body[:length]


def make_headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    headers = Headers()
    for name, value in pairs:
        headers.add(name, one_line(value))
    return headers


def with_via(request: Request, via: str) -> Request:
    """The request with ``via`` as its first header."""
    pairs = [("Via", via)]
    pairs += [(name, value) for name in request.headers.keys() for value in request.headers.getlist(name)]  # noqa: SIM118
    return Request(request.method, request.uri, make_headers(pairs), request.body)


def with_proof(request: Request, answers: Iterable[tuple[str, str]]) -> Request:
    """The request with the answers to challenges after its CSeq."""
    more = list(answers)
    pairs: list[tuple[str, str]] = []
    for name in request.headers.keys():  # noqa: SIM118
        pairs += [(name, value) for value in request.headers.getlist(name)]
        if name == "CSeq":
            pairs += more
    return Request(request.method, request.uri, make_headers(pairs), request.body) if more else request


def response_to(
    request: Request,
    code: int,
    *,
    tag: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    phrase: str = "",
) -> Response:
    """The response to a request (8.2.6): Via, From, Call-ID, CSeq as they came; ``tag`` joins To where it has none."""
    to = request.to_address
    pairs = [("Via", via) for via in request.headers.getlist("Via")]
    pairs.append(("From", request.from_address.text))
    pairs.append(("To", to.text if to.tag or not tag else f"{to.text};tag={tag}"))
    pairs += [("Call-ID", request.call_id), ("CSeq", f"{request.cseq.sequence} {request.cseq.method}")]
    if code == 100 and (stamp := request.headers.get("Timestamp")):
        pairs.append(("Timestamp", stamp))
    return Response(code, phrase or phrase_of(code), make_headers([*pairs, *headers]), body)
