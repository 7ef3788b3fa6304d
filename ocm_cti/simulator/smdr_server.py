"""SMDR of the simulated PBX over TCP: the telnet-like dialogue, then a line for each call that has ended.

Documented are user and password, the patterns, page heads and that records outlast a reset; the dialogue (prompts,
commands ``smdr``, ``help``, ``q``) is that of others' clients; what is neither is a row of Settings (``smdr_...``).
Records wait for a client that is not there, and go to every client that is logged in.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ocm_cti.simulator.effects import CallAccount
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.smdr_lines import line_of, page_head

PASSWORD_PROMPT = "Enter Password:"
PROMPT = "-"
HELP = ("SMDR    log in and print call records", "HELP    this list", "Q       leave")
NEW_LINES = {"crlf": "\r\n", "cr": "\r", "lf": "\n"}
#: IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD, IAC DO TERMINAL-TYPE
NEGOTIATION = bytes((255, 251, 1, 255, 251, 3, 255, 253, 24))
IAC, OPTION = 255, range(251, 255)
MAX_INPUT = 200


class Asked(enum.Enum):
    COMMAND = "command"
    PASSWORD = "password"
    NOTHING = "prints records"


class SmdrServer(Factory):
    """One for the PBX; each connection is a SmdrClient. Fed by ``call_ended``; ``print_line`` prints anything else."""

    noisy = False

    def __init__(self, settings: Settings, log: Callable[[str], None]) -> None:
        self.settings = settings
        self._log = log
        self._clients: set[SmdrClient] = set()
        self._waiting: deque[str] = deque(maxlen=max(1, settings.smdr_kept_records))
        self._sent: deque[str] = deque(maxlen=settings.smdr_sent_again)

    def buildProtocol(self, addr: Any) -> SmdrClient:
        return SmdrClient(self)

    def call_ended(self, account: CallAccount) -> None:
        """Print the call, now or when somebody reads."""
        if account.answered or account.direction == "in" or self.settings.smdr_unanswered:
            self.print_line(line_of(account, self.settings))

    def print_line(self, line: str) -> None:
        readers = [client for client in self._clients if client.asked is Asked.NOTHING]
        if not readers:
            self._waiting.append(line)
            return
        self._sent.append(line)
        for client in readers:
            client.print_line(line)

    def close(self) -> None:
        """Drop the clients (the PBX is switched off or reset); records that nobody has read are kept."""
        for client in list(self._clients):
            client.transport.loseConnection()

    @property
    def kept(self) -> list[str]:
        """Lines that nobody has read."""
        return list(self._waiting)

    # What the connections tell

    def connected(self, client: SmdrClient) -> None:
        self._clients.add(client)

    def disconnected(self, client: SmdrClient) -> None:
        self._clients.discard(client)

    def logged_in(self, client: SmdrClient) -> None:
        self._log(f"SMDR: a client reads, {len(self._waiting)} records waited for it")
        again, waiting = list(self._sent), list(self._waiting)
        self._waiting.clear()
        self._sent.extend(waiting)
        for line in again + waiting:
            client.print_line(line)

    def refused(self) -> None:
        self._log("SMDR: a client gave a wrong user or password")


class SmdrClient(Protocol):
    """One connection to the printer port."""

    transport: Any

    def __init__(self, server: SmdrServer) -> None:
        self._server = server
        self._settings = server.settings
        self._new_line = NEW_LINES[server.settings.smdr_new_line]
        self._typed = bytearray()
        self._skip = 0  # octets of a telnet command still to come
        self._after_cr = False
        self._lines_of_page = 0
        self.asked = Asked.COMMAND if server.settings.smdr_login else Asked.NOTHING

    def connectionMade(self) -> None:
        self._server.connected(self)
        if self._settings.smdr_telnet:
            self.transport.write(NEGOTIATION)
        if self.asked is Asked.NOTHING:
            self._server.logged_in(self)
            return
        if self._settings.smdr_banner:
            self._write(self._settings.smdr_banner + self._new_line)
        self._write(PROMPT)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server.disconnected(self)

    def dataReceived(self, data: bytes) -> None:
        for octet in data:
            if self._skip:
                self._skip -= 1
                if self._skip == 1 and octet not in OPTION:
                    self._skip = 0
            elif octet == IAC:
                self._skip = 2
            elif octet in b"\r\n":
                if not (octet == 10 and self._after_cr):
                    self._entered()
            elif len(self._typed) < MAX_INPUT:
                self._typed.append(octet)
            self._after_cr = octet == 13

    def print_line(self, line: str) -> None:
        """One record, with the head of a page before it where one begins."""
        page = self._settings.smdr_page_lines
        if page and self._lines_of_page == 0:
            for head in page_head(self._settings):
                self._write(head + self._new_line)
            self._lines_of_page = 2
        self._write(line + self._new_line)
        self._lines_of_page += 1
        if page and self._lines_of_page >= max(page, 3):
            self._write("\f" if self._settings.smdr_form_feed else self._new_line * 3)
            self._lines_of_page = 0

    def _entered(self) -> None:
        typed, self._typed = self._typed.decode("latin-1").strip(), bytearray()
        if self._settings.smdr_echo:
            self._write((typed if self.asked is Asked.COMMAND else "*" * len(typed)) + self._new_line)
        if self.asked is Asked.PASSWORD:
            self._password(typed)
            return
        match typed.casefold():
            case "q":
                self._write("Goodbye." + self._new_line)
                self.transport.loseConnection()
            case "help":
                self._write(self._new_line.join(HELP) + self._new_line)
                self._prompt()
            case user if self.asked is Asked.COMMAND and user == self._settings.smdr_user.casefold():
                self.asked = Asked.PASSWORD
                self._write(PASSWORD_PROMPT)
            case _:
                self._prompt()

    def _prompt(self) -> None:
        if self.asked is not Asked.NOTHING:
            self._write(PROMPT)

    def _password(self, typed: str) -> None:
        if typed.casefold() == self._settings.smdr_password.casefold():
            self.asked = Asked.NOTHING
            self._write(self._new_line)
            self._server.logged_in(self)
            return
        self._server.refused()
        match self._settings.smdr_wrong_password:
            case "prompt":
                self.asked = Asked.COMMAND
                self._write(self._new_line + PROMPT)
            case "password":
                self._write(self._new_line + PASSWORD_PROMPT)
            case "words":
                self.asked = Asked.COMMAND
                self._write(self._new_line + "Password incorrect" + self._new_line + PROMPT)
            case _:
                self.transport.loseConnection()

    def _write(self, text: str) -> None:
        self.transport.write(text.encode("latin-1", errors="replace"))
