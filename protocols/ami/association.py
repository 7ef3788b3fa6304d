"""A client's side of one AMI connection: greeting, login, actions and what answers them. No I/O, no clock.

    association = Association(username, secret)
    association.receive_data(octets)                    # whatever came
    while (happened := association.next_event()) is not None: ...
    octets = association.data_to_send()                 # whatever is to go
    action_id = association.ask("Ping")                 # once it is logged in

    GREETING ── greeted ──▶ CHALLENGE ── challenged ──▶ LOGIN ── accepted ──▶ READY
        └──────────────────────┴──── refused, no AMI ────┴─────▶ CLOSED ◀── goodbye ┘

Events that come before the login is through are kept and told after it. The answer to an action is told once, as
``Answered``, ``Listed`` or ``ActionFailed``; an answer that nobody waits for is dropped. What is done with what comes
in each state is the table at the end of this file.
"""

from __future__ import annotations

import enum
import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from protocols.ami.messages import Event, Message, Reader, Response, octets_of, write
from protocols.errors import LocalProtocolError, RemoteProtocolError


class State(enum.Enum):
    GREETING = "waiting for the greeting"
    CHALLENGE = "waiting for the challenge"
    LOGIN = "waiting for the login to be accepted"
    READY = "logged in"
    CLOSED = "closed"


class Came(enum.Enum):
    """What can come; every message is one of them."""

    GREETING = "a greeting"
    EVENT = "an event"
    SUCCESS = "Response: Success, or any other that is not named here (Follows)"
    ERROR = "Response: Error"
    GOODBYE = "Response: Goodbye"
    OTHER = "neither event nor response"  # lines for a reader of a console; of no use to anybody


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
            for message in self._reader.receive(octets):
                self._greet()
                self._came(_kind(message), message)
            self._greet()
        except RemoteProtocolError as error:
            self._close(Broken(str(error)))

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

    def _greet(self) -> None:
        """The greeting is a line, no message."""
        if self.state is State.GREETING and self._reader.version is not None:
            self._came(Came.GREETING, Message(()))

    def _came(self, kind: Came, message: Message) -> None:
        step = STEPS.get((self.state, kind))
        if step is not None:
            step(self, message)

    def _greeted(self, _: Message) -> None:
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

    def _challenged(self, response: Message) -> None:
        """Responses come in the order of the actions: one without an ActionID is for the one that waits."""
        if response.action_id not in ("", _CHALLENGE):
            return
        challenge = response.get("Challenge")
        if not challenge:
            self._close(LoginRefused(f"no challenge came, but {response.get('Message') or response.get('Response')!r}"))
            return
        try:
            proof = octets_of("challenge", challenge) + octets_of("secret", self._secret)
        except LocalProtocolError as error:
            self._close(LoginRefused(str(error)))
            return
        # MD5 is what the manager interface has; for anything that is not on loopback there is TLS.
        self._log_in(("AuthType", "MD5"), ("Key", hashlib.md5(proof, usedforsecurity=False).hexdigest()))

    def _accepted(self, response: Message) -> None:
        if response.action_id not in ("", _LOGIN):
            return
        self.state = State.READY
        self._events.append(LoggedIn(self._reader.version or ""))
        early, self._early = self._early, []
        self._events.extend(Happened(event) for event in early)

    def _refused(self, response: Message) -> None:
        self._close(LoginRefused(response.get("Message") or "the login was refused"))

    def _keep(self, event: Message) -> None:
        if isinstance(event, Event):
            self._early.append(event)

    # Once it is logged in

    def _told(self, event: Message) -> None:
        if not isinstance(event, Event):
            return
        waiting = self._open.get(event.action_id)
        if waiting is None or not waiting.is_list:
            self._events.append(Happened(event))
        elif _ends_list(event):
            del self._open[event.action_id]
            self._events.append(Listed(event.action_id, tuple(waiting.rows)))
        else:
            waiting.rows.append(event)

    def _answered(self, response: Message) -> None:
        action_id, waiting = self._meant(response)
        if waiting is not None and not waiting.is_list and isinstance(response, Response):
            del self._open[action_id]
            self._events.append(Answered(action_id, response))

    def _failed(self, response: Message) -> None:
        action_id, waiting = self._meant(response)
        if waiting is not None:
            del self._open[action_id]
            self._events.append(ActionFailed(action_id, response.get("Message")))

    def _goodbye(self, response: Message) -> None:
        """The answer to a Logoff, and the end."""
        if response.action_id:
            self._answered(response)
        self._close(Broken("the server has said goodbye"))

    def _meant(self, response: Message) -> tuple[str, _Open | None]:
        action_id = response.action_id
        if not action_id and len(self._open) == 1:
            action_id = next(iter(self._open))  # nobody else can be meant
        return action_id, self._open.get(action_id)

    def _close(self, why: LoginRefused | Broken) -> None:
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._open.clear()
        self._early.clear()
        self._events.append(why)

    def _left(self, _: Message) -> None:
        self._close(Broken("the server has said goodbye before the login"))


Step = Callable[[Association, Message], None]

#: What is done with what comes; a pair that is not here is passed over.
STEPS: Final[dict[tuple[State, Came], Step]] = {
    (State.GREETING, Came.GREETING): Association._greeted,
    #
    (State.CHALLENGE, Came.EVENT): Association._keep,
    (State.CHALLENGE, Came.SUCCESS): Association._challenged,
    (State.CHALLENGE, Came.ERROR): Association._refused,
    (State.CHALLENGE, Came.GOODBYE): Association._left,
    #
    (State.LOGIN, Came.EVENT): Association._keep,
    (State.LOGIN, Came.SUCCESS): Association._accepted,
    (State.LOGIN, Came.ERROR): Association._refused,
    (State.LOGIN, Came.GOODBYE): Association._left,
    #
    (State.READY, Came.EVENT): Association._told,
    (State.READY, Came.SUCCESS): Association._answered,
    (State.READY, Came.ERROR): Association._failed,
    (State.READY, Came.GOODBYE): Association._goodbye,
}


def _kind(message: Message) -> Came:
    if isinstance(message, Event):
        return Came.EVENT
    if not isinstance(message, Response):
        return Came.OTHER
    return {"error": Came.ERROR, "goodbye": Came.GOODBYE}.get(message.response.lower(), Came.SUCCESS)


def _ends_list(event: Event) -> bool:
    """Asterisk says ``EventList: Complete``; old ones only name the event so (``CoreShowChannelsComplete``)."""
    said = event.get("EventList").lower()
    return said in ("complete", "cancelled") or (not said and event.name.endswith("Complete"))
