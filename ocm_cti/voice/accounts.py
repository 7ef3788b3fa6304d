"""Our extensions at their registrars: who is registered, and how a number is written that one of them dials."""

from __future__ import annotations

import re
from typing import Final

from ocm_cti.voice.commands import DialFailed
from protocols.sip import addresses
from protocols.sip.addresses import DEFAULT_PORT
from protocols.sip.user_agent import Account

_DIALLED: Final = re.compile(r"\+?[0-9*#A-D]{1,64}")


class Accounts:
    """Whom we hold registrations for; the user agent holds them."""

    def __init__(self) -> None:
        self._known: dict[str, Account] = {}
        self._refusals: dict[str, str] = {}  # extension -> why it is not registered, "" not yet known

    def add(self, account: Account) -> None:
        """It is about to be registered; another one of the same extension is replaced."""
        self._known[account.user] = account
        self._refusals[account.user] = ""

    def remove(self, extension: str) -> None:
        self._known.pop(extension, None)
        self._refusals.pop(extension, None)

    def told(self, extension: str, registered: bool, reason: str) -> None:
        """What became of its registration."""
        if registered:
            self._refusals.pop(extension, None)
        elif extension in self._known:
            self._refusals[extension] = reason

    def of(self, extension: str) -> Account | None:
        """The account of an extension, also of one that is not registered at the moment."""
        return self._known.get(extension)

    def registered(self, extension: str) -> Account:
        """The account of a registered extension. DialFailed when it is not."""
        account = self._known.get(extension)
        if account is None or extension in self._refusals:
            why = self._refusals.get(extension, "")
            raise DialFailed(f"extension {extension} is not registered" + (f": {why}" if why else ""))
        return account


def address_at(account: Account, digits: str) -> str:
    """The SIP URI of a number dialled at the switch of ``account``. ValueError for what is no number."""
    if _DIALLED.fullmatch(digits) is None:
        raise ValueError(f"{digits!r} can't be dialled")
    port = None if account.registrar_port == DEFAULT_PORT else account.registrar_port
    return addresses.sip_uri(digits, account.realm_host, port)
