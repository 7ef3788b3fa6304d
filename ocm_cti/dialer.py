"""Wakes on the clock and on events, claims due tasks for idle ports, launches their attempts and finishes them.

The order that keeps people from being called twice: claim (committed) -> prompts ready -> ``placing`` (committed) ->
``Gateway.place``. A crash before the last commit leaves an attempt of which the telephone system never heard; a crash
after it is asked of the switch at the next start (``recover``), before any port is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.attempt import Attempt, LineState
from ocm_cti.clock import Clock, Timer
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.fragments import Fragment
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.why_not import GatewayNow, World
from ocm_cti.gateways.interface import Gateway, Health, LinkState
from ocm_cti.recovery import Recovery
from ocm_cti.store import attempts, campaigns, tasks
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.turns import Shares, Turns

#: Campaigns are also started and stopped by other processes (the commands); this is how soon we see it.
POLL_S = 1.0
#: After the store failed (disk full, locked) the dialer places nothing and tries again this much later.
STORE_RETRY_S = 2.0


class Prompts(Protocol):
    """Where audio comes from; fires when every fragment is a file on disk, fails when one can't be made."""

    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]: ...


class CallBook(Protocol):
    """Who keeps what the switches write down about calls, and finds the attempts that it is about."""

    def recorded(self, record: CallRecord) -> None: ...

    def attempt_over(self, gateway: str) -> None:
        """An attempt's outcome is in the ledger: records that came before may belong to it."""


@dataclass(frozen=True)
class Line:
    """One port as the monitor shows it; ``number`` and ``name`` are "" on an idle one."""

    gateway: str
    port: str
    state: LineState
    number: str
    name: str
    since_at: datetime
    reason: str = ""  # why it is out of service
    campaign_id: int | None = None


@dataclass(frozen=True)
class _Claimed:
    """What one look into the ledger gave: (gateway, port, claim); when the next person is due; whose calls to end.

    ``cut_off``: it was broken off, others may be due.
    """

    claims: Sequence[tuple[str, str, tasks.Claim]]
    due_at: datetime | None
    hanging_up: frozenset[int]
    cut_off: bool = False


class Dialer:
    """All campaigns of one node over all its gateways. Observes every gateway; owns every attempt in flight."""

    def __init__(
        self,
        store: Store,
        gateways: Sequence[Gateway],
        prompts: Prompts,
        recordings: Path,
        clock: Clock,
        now: Callable[[], datetime],
        node: str,
        *,
        show_numbers: bool = False,
        call_book: CallBook | None = None,
    ) -> None:
        """``now`` gives aware UTC; ``recordings`` is where replies go; ``node`` names this server in the ledger."""
        self._call_book = call_book
        self._store = store
        self._gateways = {gateway.name: gateway for gateway in gateways}
        self._prompts = prompts
        self._recordings = recordings
        self._clock = clock
        self._now = now
        self._node = node
        self._show = (lambda number: number) if show_numbers else mask
        self._log = Logger()
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._recovery = Recovery(store, self._gateways, clock, now, node, self._show, self.wake)
        self._recovered = False
        self._claiming = False
        self._wake_again = False
        self._in_doubt = False  # whether the last claims are in the ledger is not known
        self._timer: Timer | None = None
        self._stopping = False
        self._idle: Deferred[None] | None = None
        self._shares = Shares()
        self._since_at = now()

    def start(self) -> Deferred[None]:
        """Recover what an earlier run left in flight, then connect; fires when the ledger has been read."""
        return self._recovery.begin().addCallback(self._connect)

    def stop(self, drain_s: float = 0.0) -> Deferred[None]:
        """Claim nothing more, let calls go on for ``drain_s``, then hang up; fires when every outcome is written."""
        self._stopping = True
        self._cancel_timer()
        self._recovery.stop()
        if not self._attempts and not self._claiming:
            return succeed(None)
        if self._idle is None:
            self._idle = Deferred()
        self._timer = self._clock.callLater(drain_s, self.hang_up_all)  # told again: the last word counts
        return self._idle

    @property
    def lines(self) -> list[Line]:
        """Every port, busy or idle, in the order of the configuration."""
        lines = []
        for gateway in self._gateways.values():
            for port in gateway.ports:
                attempt = self._attempts.get((gateway.name, port))
                if attempt is not None:
                    lines.append(
                        Line(
                            gateway.name,
                            port,
                            attempt.line_state,
                            attempt.claim.number,
                            attempt.claim.name,
                            attempt.since_at,
                            campaign_id=attempt.claim.campaign_id,
                        )
                    )
                else:
                    reason = gateway.port_reason(port)
                    state = LineState.OUT_OF_SERVICE if reason else LineState.IDLE
                    lines.append(Line(gateway.name, port, state, "", "", self._since_at, reason))
        return lines

    @property
    def recovered(self) -> int:
        """How many attempts an earlier run had left in flight."""
        return self._recovery.found

    @property
    def calls_up(self) -> int:
        """Attempts that have no outcome in the ledger yet."""
        return len(self._attempts)

    def world(self) -> World:
        """What is to be known beside the ledger of why somebody is not being called."""
        idle = Counter(name for name, _ in self._free_ports())
        gateways = {}
        for name, gateway in self._gateways.items():
            settling = self._recovery.concerns(name)
            up = gateway.health.state is LinkState.UP and not settling
            reason = "it is being asked about the calls of before" if settling else gateway.health.reason
            gateways[name] = GatewayNow(up, "" if up else reason or gateway.health.state.value, idle[name])
        up_by_campaign = Counter(attempt.claim.campaign_id for attempt in self._attempts.values())
        return World(not self._stopping, gateways, dict(up_by_campaign))

    # --- what gateways tell us (GatewayObserver) ---

    def port_freed(self, gateway: Gateway, port: str) -> None:
        self.wake()

    def health_changed(self, gateway: Gateway, health: Health) -> None:
        self._log.info(
            "gateway {gateway}: {state} {reason}", gateway=gateway.name, state=health.state.value, reason=health.reason
        )
        if health.state is LinkState.UP:
            self._recovery.gateway_is_up(gateway)
            self.wake()

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None:
        if self._call_book is not None:
            self._call_book.recorded(record)

    # --- recovery after a crash ---

    def _connect(self, _: None) -> None:
        if self._stopping:
            return
        self._recovered = True
        for gateway in self._gateways.values():
            gateway.start(self)
        self.wake()

    # --- claiming ---

    def wake(self) -> None:
        """Look for due tasks now; harmless at any time."""
        try:
            self._look()
        except Exception:
            self._claiming = False
            self._broke(Failure())  # type: ignore[no-untyped-call]

    def _broke(self, failure: Failure) -> None:
        """A fault of ours that nobody expected. On idle lines nobody else would wake us."""
        self._in_doubt = True  # some of those who were claimed may not have been launched
        self._log.failure("nobody could be called this time", failure)
        self._idle_if_so()
        self._sleep(STORE_RETRY_S)

    def _look(self) -> None:
        if self._stopping or not self._recovered:
            return
        if self._claiming:
            self._wake_again = True
            return
        free = self._free_ports()
        if not free and not self._attempts:
            self._sleep(POLL_S)
            return
        self._claiming = True
        self._cancel_timer()
        now = self._now()

        up = Counter(attempt.claim.campaign_id for attempt in self._attempts.values())
        in_doubt, known = self._in_doubt, {attempt.claim.attempt_id for attempt in self._attempts.values()}

        def claim(conn: Connection) -> _Claimed:
            if in_doubt:
                attempts.give_back(conn, self._node, known, now)
            if not free:
                return _Claimed([], None, campaigns.hanging_up(conn))
            shares = replace(self._shares)
            turns = Turns(conn, now, shares, up)
            found = [(gateway, port, turns.claim(gateway, port, self._node)) for gateway, port in free]
            self._shares = shares
            claims = [(gateway, port, claim) for gateway, port, claim in found if claim is not None]
            return _Claimed(claims, tasks.next_due_at(conn, now), campaigns.hanging_up(conn), turns.cut_off)

        self._store.run(claim).addCallbacks(self._claimed, self._claim_failed).addErrback(self._broke)

    def _free_ports(self) -> list[tuple[str, str]]:
        free: list[tuple[str, str]] = []
        for gateway in self._gateways.values():
            if self._recovery.concerns(gateway.name):
                continue
            ports = [port for port in gateway.idle_ports if (gateway.name, port) not in self._attempts]
            starts_left = gateway.starts_left
            if starts_left is not None:
                # Those who are about to be called will each take a start of it.
                about_to = sum(key[0] == gateway.name and not one.is_placed for key, one in self._attempts.items())
                ports = ports[: max(0, starts_left - about_to)]
            free += [(gateway.name, port) for port in ports]
        return free

    def _claimed(self, result: _Claimed) -> None:
        self._claiming = self._in_doubt = False
        for gateway, port, claim in result.claims:
            self._launch(self._gateways[gateway], port, claim)
        self._hang_up(result.hanging_up)
        if self._stopping:
            self._idle_if_so()
            return
        if self._wake_again:
            self._wake_again = False
            self.wake()
            return
        if result.cut_off:
            self._sleep(0)  # whoever else has something to write is in between
            return
        wait_s = POLL_S if result.due_at is None else (result.due_at - self._now()) / timedelta(seconds=1)
        # Already due and yet not claimed: the person is being called just now; asking again at once would only spin.
        self._sleep(wait_s if 0 < wait_s < POLL_S else POLL_S)

    def _claim_failed(self, failure: Failure) -> None:
        self._claiming = False
        self._in_doubt = True  # a database that is far away may have committed and could not say so
        self._log.failure("no task could be claimed; nothing is called until the store works again", failure)
        self._idle_if_so()
        self._sleep(STORE_RETRY_S)

    def _launch(self, gateway: Gateway, port: str, claim: tasks.Claim) -> None:
        attempt = Attempt(
            gateway,
            port,
            claim,
            self._store,
            self._prompts.prepare,
            self._recordings,
            self._clock,
            self._now,
            self._show,
        )
        self._attempts[gateway.name, port] = attempt
        if self._stopping:
            attempt.hang_up()  # before anything is sent
        maybeDeferred(attempt.run).addBoth(self._attempt_over, gateway.name, port)

    def _attempt_over(self, result: object, gateway: str, port: str) -> None:
        del self._attempts[gateway, port]
        if isinstance(result, Failure):
            self._in_doubt = True
            self._log.failure("an attempt ended in a fault of ours", result)
        elif self._call_book is not None:
            self._call_book.attempt_over(gateway)
        self._idle_if_so()
        self.wake()

    def _idle_if_so(self) -> None:
        if self._stopping and not self._attempts and not self._claiming and self._idle is not None:
            self._cancel_timer()
            idle, self._idle = self._idle, None
            idle.callback(None)

    def hang_up_all(self) -> None:
        """End every call now; each still gets its outcome."""
        self._hang_up({attempt.claim.campaign_id for attempt in self._attempts.values()})

    def _hang_up(self, campaign_ids: Collection[int]) -> None:
        for attempt in list(self._attempts.values()):
            if attempt.claim.campaign_id in campaign_ids:
                try:
                    attempt.hang_up()
                except Exception:  # of one call; the others are to be ended, and the dialer goes on
                    self._log.failure("attempt {attempt} could not be ended", attempt=attempt.claim.attempt_id)

    # --- the clock ---

    def _sleep(self, seconds: float) -> None:
        if self._stopping:
            return  # the timer is now the one that hangs up
        self._cancel_timer()
        self._timer = self._clock.callLater(seconds, self.wake)

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
