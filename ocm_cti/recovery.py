"""What an earlier run left in flight is brought to an end before anybody is called again.

What was never sent is given back. Of what was, the switch is asked: each gateway about its own, as soon as its link is
up, and none of its ports is used until it has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock, Timer
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.gateways.interface import Gateway, InFlight, LinkState, Settled
from ocm_cti.store import attempts, campaigns
from ocm_cti.store.transactions import Connection, Store

#: After the store failed in the middle of it.
AGAIN_S = 2.0


class Recovery:
    """Of one node. ``begin`` once, before any gateway is started; ``settled`` is called when one of them is free."""

    def __init__(
        self,
        store: Store,
        gateways: Mapping[str, Gateway],
        clock: Clock,
        now: Callable[[], datetime],
        node: str,
        show_number: Callable[[str], str],
        settled: Callable[[], None],
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._clock = clock
        self._now = now
        self._node = node
        self._show = show_number
        self._settled = settled
        self._log = Logger()
        self._in_flight: dict[str, list[InFlight]] = {}
        self._asking: set[str] = set()
        self._timers: dict[str, Timer] = {}
        self._stopped = False
        self.found = 0

    def begin(self) -> Deferred[None]:
        """Read the ledger, end what needs no switch for that; fires when it is committed."""
        return self._store.read(lambda conn: attempts.in_flight(conn, self._node)).addCallback(self._sort)

    def stop(self) -> None:
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def concerns(self, gateway: str) -> bool:
        """Whether it has not yet answered for all that it was calling."""
        return gateway in self._in_flight

    def _sort(self, rows: Sequence[attempts.InFlightRow]) -> Deferred[None]:
        never_sent = [row.attempt_id for row in rows if row.state == AttemptState.CLAIMED.value]
        sent = [row for row in rows if row.state != AttemptState.CLAIMED.value]
        lost = [row.attempt_id for row in sent if row.gateway not in self._gateways]
        for row in sent:
            if row.gateway in self._gateways:
                self._in_flight.setdefault(row.gateway, []).append(
                    InFlight(row.attempt_id, row.port, row.number, row.native_id)
                )
        self.found = len(rows)
        if rows:
            self._log.warn(
                "{count} attempts were in flight when this server ended last: {never_sent} were never sent, "
                "{asked} will be asked of their switch, {lost} belong to gateways that are not configured any more",
                count=len(rows),
                never_sent=len(never_sent),
                asked=len(sent) - len(lost),
                lost=len(lost),
            )
        return self._end({**dict.fromkeys(never_sent, True), **dict.fromkeys(lost, False)})

    def _end(self, never_reached: Mapping[int, bool]) -> Deferred[None]:
        """Of each attempt: whether the person's telephone cannot have rung."""

        def write(conn: Connection) -> None:
            for attempt_id, never in never_reached.items():
                attempts.settle(conn, attempt_id, never_reached=never, now=self._now())
            for campaign in campaigns.running(conn):
                campaigns.finish_if_done(conn, campaign, self._now())

        return self._store.run(write)

    def gateway_is_up(self, gateway: Gateway) -> None:
        """Ask it, if there is something to ask."""
        rows = self._in_flight.get(gateway.name)
        if not rows or gateway.name in self._asking or gateway.name in self._timers:
            return
        self._asking.add(gateway.name)

        def answered(answers: dict[int, Settled]) -> Deferred[None]:
            found = {row.attempt_id: answers.get(row.attempt_id, Settled.UNKNOWN) for row in rows}
            for row in rows:
                self._log.warn(
                    "attempt {attempt} ({number} on {port}) was in flight at the crash: {answer}",
                    attempt=row.attempt_id,
                    number=self._show(row.number),
                    port=row.port,
                    answer=found[row.attempt_id].value,
                )
            return self._end({one: answer is Settled.NEVER_REACHED for one, answer in found.items()})

        def done(_: None) -> None:
            del self._in_flight[gateway.name]
            self._asking.discard(gateway.name)
            self._settled()

        def failed(failure: Failure) -> None:
            # If the link went, the next "up" asks anew; if it was the store that failed, nobody but us will.
            self._asking.discard(gateway.name)
            self._log.failure("attempts of {gateway} could not be settled yet", failure, gateway=gateway.name)
            if not self._stopped:
                self._timers[gateway.name] = self._clock.callLater(AGAIN_S, again)

        def again() -> None:
            del self._timers[gateway.name]
            if gateway.health.state is LinkState.UP:
                self.gateway_is_up(gateway)

        maybeDeferred(gateway.settle, rows).addCallback(answered).addCallbacks(done, failed)
