"""The telnet-like dialogue before the records: prompt "-", user, "Enter Password:", password, then records. No I/O.

DOC (M-NS1000 p356): telnet to the main board, user SMDR and its password. RE (clients of others): the prompts, CR after
each answer, commands ``smdr``, ``help``, ``q`` ("Goodbye."). How a wrong password is answered is not known: taken as
refused are a second prompt and a line with one of REFUSING. A device server in front of a serial line has no
dialogue at all: a line that begins with a date ends it as well.

A prompt has no line end, and a line of dashes may come in pieces that look like one, so prompts are judged only when
nothing more comes for a while (``quiet``).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

from protocols.errors import RemoteProtocolError
from protocols.smdr.layouts import begins_like_a_record, is_rule, is_title
from protocols.smdr.reader import Lines, Reader, Recorded, Unread
from protocols.smdr.records import Form

IAC, SE, SB, WILL, WONT, DO, DONT = 255, 240, 250, 251, 252, 253, 254
#: What we say to an offer: nothing of it is wanted.
REFUSALS = {WILL: DONT, DO: WONT}
REFUSING = ("incorrect", "invalid", "denied", "wrong", "fail", "error", "refused")
GOODBYE = "goodbye"
MAX_TRIES = 2  # user names answered by the same prompt again


class SmdrError(RemoteProtocolError):
    """The PBX does not send us records."""


class LoginRefused(SmdrError):
    """User or password are not accepted; asking again soon is of no use."""


class LoggedOut(SmdrError):
    """The PBX has ended the session: its prompt stands there again, or it said goodbye."""


@dataclass(frozen=True)
class LoggedIn:
    """Records come from here on, when there are any."""


@dataclass(frozen=True)
class Over:
    """The connection is of no more use; ``error`` says why."""

    error: SmdrError


SmdrEvent = Recorded | Unread | LoggedIn | Over


@dataclass(frozen=True)
class Credentials:
    """What is said to the prompts; the prompts themselves are RE and may be set. Compared without case."""

    user: str = "SMDR"
    password: str = "PCCSMDR"
    user_prompt: str = "-"
    password_prompt: str = "Enter Password:"
    line_end: str = "\r"

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


class Telnet:
    """Takes telnet's own octets out of the stream; ``replies`` refuses whatever was offered, each option once."""

    def __init__(self) -> None:
        self._held = b""  # a command that has begun
        self._refused: set[tuple[int, int]] = set()

    def feed(self, octets: bytes) -> tuple[bytes, bytes]:
        """(text, replies)."""
        octets = self._held + octets
        self._held = b""
        text, replies, at = bytearray(), bytearray(), 0
        while at < len(octets):
            if octets[at] != IAC:
                text.append(octets[at])
                at += 1
                continue
            end = self._end_of_command(octets, at)
            if end is None:
                self._held = octets[at:][:MAX_COMMAND]
                break
            command = octets[at + 1]
            if command == IAC:
                text.append(IAC)
            elif command in REFUSALS and (command, octets[at + 2]) not in self._refused:
                self._refused.add((command, octets[at + 2]))
                replies += bytes((IAC, REFUSALS[command], octets[at + 2]))
            at = end
        return bytes(text), bytes(replies)

    @staticmethod
    def _end_of_command(octets: bytes, at: int) -> int | None:
        """Where the command that begins at ``at`` is over; None when more must come."""
        if at + 1 >= len(octets):
            return None
        command = octets[at + 1]
        if command == SB:
            end = octets.find(bytes((IAC, SE)), at + 2)
            if end < 0:
                return at + MAX_COMMAND if len(octets) - at > MAX_COMMAND else None
            return end + 2
        if command in (WILL, WONT, DO, DONT):
            return at + 3 if at + 2 < len(octets) else None
        return at + 2


MAX_COMMAND = 256  # a sub-negotiation longer than this is none


class State(enum.Enum):
    AWAIT_USER_PROMPT = "awaits the user prompt"
    AWAIT_PASSWORD_PROMPT = "awaits the password prompt"
    AWAIT_RECORDS = "awaits the answer to the password"
    RECORDS = "reads records"
    OVER = "over"


class Prompt(enum.Enum):
    USER = "user"
    PASSWORD = "password"


class Say(enum.Enum):
    USER = "user"
    PASSWORD = "password"
    REFUSED = "refused"
    LOGGED_OUT = "logged out"


DIALOGUE: dict[tuple[State, Prompt], tuple[Say, State]] = {
    (State.AWAIT_USER_PROMPT, Prompt.USER): (Say.USER, State.AWAIT_PASSWORD_PROMPT),
    (State.AWAIT_USER_PROMPT, Prompt.PASSWORD): (Say.PASSWORD, State.AWAIT_RECORDS),
    (State.AWAIT_PASSWORD_PROMPT, Prompt.PASSWORD): (Say.PASSWORD, State.AWAIT_RECORDS),
    (State.AWAIT_PASSWORD_PROMPT, Prompt.USER): (Say.USER, State.AWAIT_PASSWORD_PROMPT),  # at most MAX_TRIES times
    (State.AWAIT_RECORDS, Prompt.USER): (Say.REFUSED, State.OVER),
    (State.AWAIT_RECORDS, Prompt.PASSWORD): (Say.REFUSED, State.OVER),
    (State.RECORDS, Prompt.USER): (Say.LOGGED_OUT, State.OVER),
    (State.RECORDS, Prompt.PASSWORD): (Say.LOGGED_OUT, State.OVER),
}


class Session:
    """One connection: octets in, events and octets out. ``login`` None: records come without a dialogue (RS-232C)."""

    def __init__(self, form: Form | None = None, login: Credentials | None = None, encoding: str = "latin-1") -> None:
        self.reader = Reader(form)
        self.state = State.RECORDS if login is None else State.AWAIT_USER_PROMPT
        self._login = login or Credentials()
        self._telnet = Telnet() if login is not None else None
        self._lines = Lines()
        self._encoding = encoding
        self._to_send = bytearray()
        self._tries = 0

    def to_send(self) -> bytes:
        """What is to be sent now; it is not given a second time."""
        octets, self._to_send = bytes(self._to_send), bytearray()
        return octets

    def receive(self, octets: bytes, received_on: date | None = None) -> list[SmdrEvent]:
        """Whatever came, in whatever pieces; ``received_on`` is the day of today where the PBX is."""
        if self._telnet is not None:
            octets, replies = self._telnet.feed(octets)
            self._to_send += replies
        events: list[SmdrEvent] = []
        for line in self._lines.feed(octets.decode(self._encoding, errors="replace")):
            if self.state is not State.OVER:
                text = line.text.strip()
                if self.state is not State.RECORDS:
                    events += self._said(text)
                elif self._telnet is not None and text.casefold().startswith(GOODBYE):
                    events += self._over(LoggedOut(f"the PBX said {text[:80]!r}"))
                if self.state is State.RECORDS:
                    read = self.reader.read(line, received_on) if not self._is_echo(text) else None
                    events += [read] if read is not None else []
        return events

    def quiet(self) -> list[SmdrEvent]:
        """Nothing has come for a while: what stands there without a line end is a prompt, if it looks like one."""
        if self._telnet is None or self.state is State.OVER:
            return []
        pending = self._lines.pending.strip()
        prompt = self._prompt(pending)
        if prompt is not None:
            self._lines.finish()
            return self._prompted(prompt, pending)
        if self.state is State.AWAIT_RECORDS and not pending:
            self.state = State.RECORDS  # no complaint about the password: there is just no record yet
            return [LoggedIn()]
        return []

    def end(self) -> list[SmdrEvent]:
        """The connection is gone: the line that had begun is kept too."""
        lines = self._lines.finish()
        prompts = self._telnet is not None and any(self._prompt(line.text.strip()) for line in lines)
        if self.state is not State.RECORDS or prompts:
            return []
        return [self.reader.broken(line) for line in lines]

    # Within

    def _said(self, text: str) -> list[SmdrEvent]:
        """A whole line during the dialogue: the answer to the password, a banner, or an echo of ours."""
        if begins_like_a_record(text.lstrip("-")) or is_title(text):
            self.state = State.RECORDS
            return [LoggedIn()]
        if text.casefold().startswith(GOODBYE):
            return self._over(LoggedOut(f"the PBX said {text[:80]!r}"))
        prompt = self._prompt(text) if not is_rule(text) else None
        if prompt is not None:
            return self._prompted(prompt, text)
        if self.state is State.AWAIT_RECORDS and any(word in text.casefold() for word in REFUSING):
            return self._over(LoginRefused(f"the PBX refuses user {self._login.user}: {text[:80]!r}"))
        return []

    def _prompt(self, text: str) -> Prompt | None:
        words = text.casefold()
        if words.endswith(self._login.password_prompt.casefold()):
            return Prompt.PASSWORD
        wanted = self._login.user_prompt.casefold()
        if words == wanted or (self.state is State.AWAIT_USER_PROMPT and words.endswith(wanted)):
            return Prompt.USER
        return None

    def _prompted(self, prompt: Prompt, text: str) -> list[SmdrEvent]:
        say, following = DIALOGUE[self.state, prompt]
        if say is Say.USER:
            self._tries += 1
            if self._tries > MAX_TRIES:
                return self._over(LoginRefused(f"the PBX does not know user {self._login.user}"))
        if say is Say.REFUSED:
            return self._over(LoginRefused(f"the PBX refuses user {self._login.user} with this password"))
        if say is Say.LOGGED_OUT:
            return self._over(LoggedOut(f"the PBX asks again who we are: {text[-40:]!r}"))
        answer = self._login.user if say is Say.USER else self._login.password
        self._to_send += (answer + self._login.line_end).encode(self._encoding, errors="replace")
        self.state = following
        return []

    def _over(self, error: SmdrError) -> list[SmdrEvent]:
        self.state = State.OVER
        return [Over(error)]

    def _is_echo(self, text: str) -> bool:
        """Our own user name or the (hidden) password, which telnet gives back."""
        return self._telnet is not None and (
            text in (self._login.user, self._login.password) or not text.strip("*") or text == self._login.user_prompt
        )
