"""A 2xx to INVITE is repeated by the core, not by the transaction, until its ACK comes (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from collections.abc import Callable

from .core import Core
from .messages import Request
from .server_transaction import ServerTransaction
from .transactions import T1_S, T2_S


class UntilAck:
    """Repeats the 2xx of ``transaction`` at T1, doubling up to T2. Then one of ``confirmed`` (with the ACK) or, 64*T1
    after the first, ``gave_up`` is called, once."""

    def __init__(
        self,
        core: Core,
        transaction: ServerTransaction,
        now: float,
        confirmed: Callable[[Request, float], None],
        gave_up: Callable[[float], None],
    ) -> None:
        self._core = core
        self._transaction = transaction
        self._confirmed = confirmed
        self._gave_up = gave_up
        self._interval_s = T1_S
        self.open = True
        transaction.on_ack = self.acknowledged
        core.alarms.set(self, "repeat", now + self._interval_s)
        core.alarms.set(self, "give up", now + 64 * T1_S)

    def acknowledged(self, ack: Request, now: float) -> None:
        """An ACK in this dialog. One for another INVITE, or the second one, changes nothing."""
        if self.open and ack.cseq.sequence == self._transaction.request.cseq.sequence:
            self.close()
            self._confirmed(ack, now)

    def close(self) -> None:
        """No more repeats and no more calls back."""
        self.open = False
        self._core.alarms.cancel(self, "repeat")
        self._core.alarms.cancel(self, "give up")

    def alarm(self, name: str, now: float) -> None:
        if name == "give up":
            self.close()
            self._gave_up(now)
        else:
            self._transaction.repeat(now)
            self._interval_s = min(2 * self._interval_s, T2_S)
            self._core.alarms.set(self, "repeat", now + self._interval_s)
