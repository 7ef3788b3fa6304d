"""A client's side of one AMI connection: greeting, login, actions and what answers them. No I/O, no clock.

    association = Association(username, secret)
    association.receive_data(octets)                    # whatever came
    while (happened := association.next_event()) is not None: ...
    octets = association.data_to_send()                 # whatever is to go
    action_id = association.ask("Ping")                 # once it is logged in

    GREETING ── greeted ──▶ CHALLENGE ── challenged ──▶ LOGIN ── accepted ──▶ READY
        └──────────────────────┴──── refused, no AMI ────┴─────▶ CLOSED ◀── goodbye ┘

Events that come before the login is through are kept and told after it. The answer to an action is told once, as
``Answered``, ``Listed`` or ``ActionFailed``; an answer that nobody waits for is dropped.
"""

from __future__ import annotations

import enum
import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from protocols.ami.messages import Event, Message, Reader, Response, write
from protocols.errors import LocalProtocolError, RemoteProtocolError


class State(enum.Enum):
    GREETING = "waiting for the greeting"
    CHALLENGE = "waiting for the challenge"
    LOGIN = "waiting for the login to be accepted"
    READY = "logged in"
    CLOSED = "closed"


@dataclass(frozen=True)
class LoggedIn:
    """``version`` of the manager interface, as greeted (11.0.0: Asterisk 22)."""

    version: str


@dataclass(frozen=True)
class LoginRefused:
    """Wrong user or secret, or an address that is not permitted. Nothing follows."""

    reason: str


@dataclass(frozen=True)
class Answered:
    action_id: str
    response: Response


@dataclass(frozen=True)
class Listed:
    """The answer to an action that was asked for a list: all its rows, without the one that ends it."""

    action_id: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class ActionFailed:
    """``Response: Error``; ``message`` is Asterisk's own."""

    action_id: str
    message: str


@dataclass(frozen=True)
class Happened:
    """An event that nobody asked for."""

    event: Event


@dataclass(frozen=True)
class Broken:
    """This is no AMI, or the server has said goodbye. Nothing follows."""

    reason: str


AssociationEvent = LoggedIn | LoginRefused | Answered | Listed | ActionFailed | Happened | Broken

#: Who asks for the challenge and logs in; no action of the owner's is called so.
_CHALLENGE: Final = "ocm-challenge"
_LOGIN: Final = "ocm-login"


@dataclass
class _Open:
    """An action without its answer so far."""

    action: str
    is_list: bool
    rows: list[Event] = field(default_factory=list)


class Association:
    """One connection. ``md5`` logs in by challenge (the secret never goes over the wire); else in plain text."""

    def __init__(self, username: str, secret: str, *, md5: bool = True) -> None:
        self.state = State.GREETING
        self._username = username
        self._secret = secret
        self._md5 = md5
        self._reader = Reader()
        self._out = bytearray()
        self._events: deque[AssociationEvent] = deque()
        self._early: list[Event] = []
        self._open: dict[str, _Open] = {}
        self._count = 0

    def receive_data(self, octets: bytes) -> None:
        """Take what came; raises nothing, whatever it is."""
        if self.state is State.CLOSED:
            return
        try:
            messages = self._reader.receive(octets)
        except RemoteProtocolError as error:
            self._close(Broken(str(error)))
            return
        if self.state is State.GREETING and self._reader.version is not None:
            self._greeted()
        for message in messages:
            self._received(message)

    def next_event(self) -> AssociationEvent | None:
        return self._events.popleft() if self._events else None

    def data_to_send(self) -> bytes:
        waiting, self._out = bytes(self._out), bytearray()
        return waiting

    def ask(self, action: str, headers: Iterable[tuple[str, str]] = (), *, is_list: bool = False) -> str:
        """Send an action; returns its ActionID, which is made here unless it stands among the headers.

        ``is_list``: it is answered by events up to the one that says ``Complete``. LocalProtocolError when it can't be
        sent: not logged in, a value with a line end, an ActionID that is in use; nothing was sent then.
        """
        if self.state is not State.READY:
            raise LocalProtocolError(f"{action} can't be asked now: {self.state.value}")
        given = tuple(headers)
        action_id = next((value for key, value in given if key.lower() == "actionid"), "")
        if not action_id:
            self._count += 1
            action_id = f"ocm-{self._count}"
            given = (("ActionID", action_id), *given)
        if action_id in self._open:
            raise LocalProtocolError(f"ActionID {action_id} waits for its answer")
        self._out += write(action, given)
        self._open[action_id] = _Open(action, is_list)
        return action_id

    def forget(self, action_id: str) -> None:
        """Nobody waits for this answer any more."""
        self._open.pop(action_id, None)

    # Login

    def _greeted(self) -> None:
        if self._md5:
            self.state = State.CHALLENGE
            self._send("Challenge", ("ActionID", _CHALLENGE), ("AuthType", "MD5"))
        else:
            self._log_in(("Secret", self._secret))

    def _log_in(self, *proof: tuple[str, str]) -> None:
        self.state = State.LOGIN
        self._send("Login", ("ActionID", _LOGIN), ("Username", self._username), *proof, ("Events", "on"))

    def _send(self, action: str, *headers: tuple[str, str]) -> None:
        try:
            self._out += write(action, headers)
        except LocalProtocolError as error:
            self._close(LoginRefused(str(error)))

    def _challenged(self, response: Response) -> None:
        challenge = response.get("Challenge")
        if not challenge:
            self._close(LoginRefused(f"no challenge came, but {response.message or response.response!r}"))
            return
        # MD5 is what the manager interface has; for anything that is not on loopback there is TLS.
        key = hashlib.md5((challenge + self._secret).encode(), usedforsecurity=False).hexdigest()
        self._log_in(("AuthType", "MD5"), ("Key", key))

    def _answered_at_login(self, response: Response) -> None:
        """Responses come in the order of the actions: one without an ActionID is for the one that waits."""
        if response.is_error:
            self._close(LoginRefused(response.message or "the login was refused"))
        elif self.state is State.CHALLENGE and response.action_id in ("", _CHALLENGE):
            self._challenged(response)
        elif self.state is State.LOGIN and response.action_id in ("", _LOGIN):
            self.state = State.READY
            self._events.append(LoggedIn(self._reader.version or ""))
            early, self._early = self._early, []
            self._events.extend(Happened(event) for event in early)

    # What comes

    def _received(self, message: Message) -> None:
        if self.state is State.CLOSED:
            return
        if isinstance(message, Event):
            self._event(message)
        elif isinstance(message, Response) and self.state is State.READY:
            self._response(message)
        elif isinstance(message, Response):
            self._answered_at_login(message)
        # A block that is neither is of no use to anybody; its lines were for a reader of a console.

    def _event(self, event: Event) -> None:
        waiting = self._open.get(event.action_id)
        if self.state is not State.READY:
            self._early.append(event)
        elif waiting is None or not waiting.is_list:
            self._events.append(Happened(event))
        elif _ends_list(event):
            del self._open[event.action_id]
            self._events.append(Listed(event.action_id, tuple(waiting.rows)))
        else:
            waiting.rows.append(event)

    def _response(self, response: Response) -> None:
        if response.response.lower() == "goodbye":
            self._close(Broken("the server has said goodbye"))
            return
        action_id = response.action_id
        if not action_id and len(self._open) == 1:
            action_id = next(iter(self._open))  # nobody else can be meant
        waiting = self._open.get(action_id)
        if waiting is None:
            return
        if response.is_error:
            del self._open[action_id]
            self._events.append(ActionFailed(action_id, response.message))
        elif not waiting.is_list:
            del self._open[action_id]
            self._events.append(Answered(action_id, response))

    def _close(self, why: LoginRefused | Broken) -> None:
        self.state = State.CLOSED
        self._open.clear()
        self._events.append(why)


def _ends_list(event: Event) -> bool:
    """Asterisk says ``EventList: Complete``; old ones only name the event so (``CoreShowChannelsComplete``)."""
    said = event.get("EventList").lower()
    return said in ("complete", "cancelled") or (not said and event.name.endswith("Complete"))
