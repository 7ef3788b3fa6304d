"""What a user agent tells its owner. Every call ends in exactly one ``Refused`` or ``Ended``; nothing follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sipmessage import Headers


class HeaderView(Mapping[str, str]):
    """Headers of a message, by name in any case; the first value where a header came several times."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers.keys())

    def __len__(self) -> int:
        return len(self._headers.keys())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._headers.get(name) is not None

    def __repr__(self) -> str:
        return f"HeaderView({dict(self)!r})"


class Event:
    """Base of all events."""


@dataclass(frozen=True)
class Registered(Event):
    """The registrar took our binding. Told when it begins (again), not at every refresh. ``expires_s``: as granted.
    ``user`` is the account's ``key``, here and below."""

    user: str
    expires_s: int


@dataclass(frozen=True)
class RegistrationFailed(Event):
    """A REGISTER was refused or not answered (code 408); it is tried again after a growing delay."""

    user: str
    code: int
    reason: str


@dataclass(frozen=True)
class Unregistered(Event):
    """An ``unregister`` is through: answered, or given up; the registration is forgotten."""

    user: str


@dataclass(frozen=True)
class Incoming(Event):
    """Somebody calls us; 100 has been sent. Do ``ring``, ``answer`` or ``refuse``. ``sdp`` is b"" when the caller waits
    for our offer (then his answer comes with ``Confirmed``). ``to_user`` is the user part of the Request-URI."""

    call: str
    from_uri: str
    to_user: str
    sdp: bytes
    headers: Mapping[str, str] = field(compare=False)
    display_name: str = ""
    source: tuple[str, int] = ("", 0)


@dataclass(frozen=True)
class Ringing(Event):
    """A provisional answer other than 100. With ``sdp`` there may be early media, which is not an answer."""

    call: str
    code: int
    sdp: bytes | None
    early_media: bool


@dataclass(frozen=True)
class Answered(Event):
    """Our INVITE was answered with 2xx (and the ACK is sent). ``sdp`` is their answer."""

    call: str
    sdp: bytes
    headers: Mapping[str, str] = field(compare=False, default_factory=dict)


@dataclass(frozen=True)
class Refused(Event):
    """Our INVITE came to nothing: a final answer of 300 to 699. Terminal.

    With ``made_here`` there was none: 408 when nobody answered, 503 when the connection to the peer broke; ``unsent``:
    the INVITE could not even be sent. ``q850`` is the cause in the Reason header, ``retry_after_s`` Retry-After.
    """

    call: str
    code: int
    reason: str
    headers: Mapping[str, str] = field(compare=False, default_factory=dict)
    q850: int | None = None
    retry_after_s: int | None = None
    made_here: bool = field(compare=False, default=False)
    unsent: bool = field(compare=False, default=False)


@dataclass(frozen=True)
class Confirmed(Event):
    """The ACK for our 200 came: the call stands. ``sdp`` is their answer where the offer was ours, else b""."""

    call: str
    sdp: bytes = b""


@dataclass(frozen=True)
class Ended(Event):
    """The call is over. ``fault``: neither side wished it (no ACK, session timer ran out, 481 inside). ``q850`` is the
    cause in the Reason header of their BYE or CANCEL. Terminal."""

    call: str
    by_them: bool
    reason: str
    headers: Mapping[str, str] = field(compare=False, default_factory=dict)
    fault: bool = False
    q850: int | None = None


@dataclass(frozen=True)
class Reoffered(Event):
    """A re-INVITE or UPDATE inside the call (hold, new codec, new address): do ``answer_offer`` or ``refuse_offer``.
    ``sdp`` is b"" when they ask for our offer; their answer then comes with ``Confirmed``."""

    call: str
    sdp: bytes


@dataclass(frozen=True)
class Reanswered(Event):
    """Our ``reoffer`` was taken; ``sdp`` is their answer."""

    call: str
    sdp: bytes


@dataclass(frozen=True)
class ReofferRefused(Event):
    """Our ``reoffer`` was refused; the session goes on as it was. 491: both offered at once, try again a bit later."""

    call: str
    code: int
    reason: str


@dataclass(frozen=True)
class DigitInfo(Event):
    """A key sent by SIP INFO (application/dtmf-relay or application/dtmf): one of 0-9 * # A-D."""

    call: str
    digit: str


@dataclass(frozen=True)
class ReferDone(Event):
    """Our ``refer`` went well: the other side has taken its party over. Hang up, if it does not. One of ReferDone and
    ReferFailed is told for each ``refer``, unless the call ends before."""

    call: str


@dataclass(frozen=True)
class ReferFailed(Event):
    """Our ``refer`` came to nothing, and the call stands as before. ``code`` is that of the answer to REFER, or that of
    the call to the destination as a NOTIFY told it; 408 when nobody told anything."""

    call: str
    code: int
    reason: str


@dataclass(frozen=True)
class Bound(Event):
    """Registrar: a user registered (told when the binding begins or its contact changes, not at refreshes)."""

    user: str
    contact: str


@dataclass(frozen=True)
class Unbound(Event):
    """Registrar: a user's binding was taken back or ran out."""

    user: str


@dataclass(frozen=True)
class Malformed(Event):
    """A datagram that is no SIP, or breaks it; it was dropped or answered with 400. For a log and a counter."""

    source: tuple[str, int]
    reason: str
