"""The way of one account to its operator: registered or not, refused, resting after a fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ocm_cti.clock import Clock
from ocm_cti.gateways.interface import LinkState
from ocm_cti.gateways.sip_trunk_causes import ACCOUNT_REFUSED
from ocm_cti.gateways.sip_trunk_machine import Verdict
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings, TrunkAccount


class Line:
    """``changed``: look at ``reason`` and ``state`` again. ``lost``: the operator does not answer any more.

    ``process`` is the number of the voice process that holds its registration.
    """

    def __init__(
        self,
        account: TrunkAccount,
        process: int,
        settings: SipTrunkSettings,
        clock: Clock,
        changed: Callable[[], None],
        lost: Callable[[Line], None],
    ) -> None:
        self.account = account
        self.process = process
        self._settings = settings
        self._clock = clock
        self._changed = changed
        self._lost = lost
        self._registered = False
        self._refusal = ""  # the registrar's words; "": not yet known
        self._absence = ""  # why the operator is not there, by OPTIONS
        self._faults = 0
        self._rest: Any = None
        self._fault = ""
        self._refused = False  # the fault was that the operator does not want the account

    @property
    def key(self) -> str:
        return self.account.key

    @property
    def reason(self) -> str:
        """Why no call can go this way now, for people; "" when one can."""
        if self._settings.registers and not self._registered:
            return f"is not registered: {self._refusal}" if self._refusal else self._awaited
        if self._absence:
            return self._absence
        return f"rests after a fault: {self._fault}" if self._rest is not None else ""

    @property
    def _awaited(self) -> str:
        host, port = self._settings.registrar_hop
        return f"is being registered; {host}:{port} ({self._settings.transport}) has not answered yet"

    @property
    def state(self) -> LinkState:
        if self._settings.registers and not self._registered:
            if not self._refusal:
                return LinkState.CONNECTING
            return LinkState.REFUSED if _is_refusal(self._refusal) else LinkState.DOWN
        if self._absence:
            return LinkState.DOWN
        if self._rest is not None:
            return LinkState.REFUSED if self._refused else LinkState.DOWN
        return LinkState.UP

    # What is told

    def told(self, registered: bool, reason: str) -> None:
        """What became of its registration."""
        if registered == self._registered and reason == self._refusal:
            return
        was_registered, self._registered = self._registered, registered
        self._refusal = "" if registered else reason or "the registration was given back"
        if was_registered and not registered and not _is_refusal(reason):
            self._lost(self)
        self._changed()

    def process_lost(self) -> None:
        """The voice process that held the registration is gone; the next one asks for it again."""
        self._registered, self._refusal = False, ""
        self._changed()

    def pinged(self, is_there: bool, why: str) -> None:
        """What OPTIONS have shown."""
        was_absent, self._absence = bool(self._absence), "" if is_there else why
        if self._absence and not was_absent:
            self._lost(self)
        self._changed()

    def call_over(self, verdict: Verdict | None) -> None:
        """A call of this account is over: after a fault of the way it rests, the longer the more there are."""
        if verdict is None or not verdict.of_trunk:
            if verdict is not None and verdict.native.system == "sip":
                self._faults = 0  # the operator works for us
            return
        if self._rest is not None:
            return  # calls that fail beside each other have the same fault
        self._refused = verdict.native.system == "sip" and verdict.native.code in _REFUSED_CODES
        self._fault = f"{verdict.native.code} {verdict.native.text}" if self._refused else verdict.native.text
        rest_s = min(self._settings.rest_after_fault_s * 2.0 ** min(self._faults, 16), self._settings.rest_max_s)
        self._faults += 1
        if rest_s > 0:
            self._rest = self._clock.callLater(rest_s, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._changed()

    def close(self) -> None:
        """No timer is left."""
        rest, self._rest = self._rest, None
        if rest is not None and rest.active():
            rest.cancel()


_REFUSED_CODES = {str(code) for code in ACCOUNT_REFUSED}


def _is_refusal(reason: str) -> bool:
    """``403 Forbidden``, and not ``408 no answer from the registrar``: he is there and does not want us."""
    code = re.match(r"([346])[0-9]{2}\b", reason)
    return code is not None and code[0] != "408"
