"""One attempt in flight: from the committed claim to the outcome in the ledger.

Save, then send: ``placing`` is committed before the gateway hears of the call, and the port is given back only when the
outcome is committed. A store that fails (disk full, database locked) is asked again and again; the attempt waits.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.conversation import Conversation
from ocm_cti.domain import outcomes
from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.fragments import Fragment
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.scenario_actions import RunResult
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenarios import Scenario, parse, required_fragments
from ocm_cti.gateways.interface import Call, EndedBy, Gateway, Native, NotPlaced
from ocm_cti.store import attempts
from ocm_cti.store.tasks import Claim
from ocm_cti.store.transactions import Connection, Store

STORE_RETRY_S = 2.0
OCTETS_PER_MS = 8  # prompts are raw A-law at 8 kHz
OURS = "ocm"


class LineState(enum.Enum):
    """What a port is doing, for the monitor."""

    OUT_OF_SERVICE = "out of service"
    IDLE = "idle"
    PREPARING = "preparing"
    DIALING = "dialing"
    RINGING = "ringing"
    TALKING = "talking"
    CLOSING = "closing"


class Attempt:
    """Observes its call (``CallObserver``). ``run`` fires when the outcome is in the ledger, whatever happened."""

    def __init__(
        self,
        gateway: Gateway,
        port: str,
        claim: Claim,
        store: Store,
        prepare: Callable[[Iterable[Fragment], str], Deferred[dict[Fragment, Path]]],
        recordings: Path,
        clock: Clock,
        now: Callable[[], datetime],
        show_number: Callable[[str], str],
        *,
        by_hand: bool = False,
    ) -> None:
        """``by_hand``: a single call, whose campaign was stopped with its claim so that nothing follows it."""
        self._by_hand = by_hand
        self.claim = claim
        self.line_state = LineState.PREPARING
        self.since_at = now()
        self._gateway = gateway
        self._port = port
        self._store = store
        self._prepare = prepare
        self._recordings = recordings
        self._clock = clock
        self._now = now
        self._log = Logger()
        self._shown = show_number(claim.number)
        self._fragments: dict[Fragment, Path] = {}
        self._scenario: Scenario | None = None
        self._language = claim.language
        self._machine: Scenario | None = None
        self._for_machine: dict[Fragment, Path] = {}
        self._is_machine = False
        self._run: Run | None = None
        self._call: Call | None = None
        self._conversation: Conversation | None = None
        self._certain = True
        self._asked_the_switch = False
        self._cancelled = False
        self._over = False
        self._done: Deferred[None] = Deferred()

    def run(self) -> Deferred[None]:
        """Prepare the prompts, commit, place the call, see it through, write the outcome."""
        try:
            self._scenario = parse(self.claim.scenario)
            self._language = self.claim.language or self._scenario.language
            fragments = required_fragments(self._scenario, self.claim.variables, self._language)
            self._machine = parse(self.claim.machine) if self.claim.machine else None
            for_machine = required_fragments(self._machine, self.claim.variables) if self._machine else []
        except ValueError as error:
            self._never_placed(f"the scenario can't be said to this person: {error}")
            return self._done
        preparing = maybeDeferred(self._prepare, fragments, self._language)
        if self._machine is not None:
            preparing.addCallback(self._prepare_for_machine, for_machine, self._machine.language)
        preparing.addCallbacks(self._prepared, self._not_prepared).addErrback(self._broken)
        return self._done

    @property
    def is_placed(self) -> bool:
        """The gateway has been asked to call."""
        return self._asked_the_switch

    def hang_up(self) -> None:
        """Asked by the operator or by a shutdown, at any stage."""
        self._cancelled = True
        if self._call is not None:
            self._call.hang_up()

    # --- before the call ---

    def _prepare_for_machine(
        self, fragments: dict[Fragment, Path], more: Iterable[Fragment], language: str
    ) -> Deferred[dict[Fragment, Path]]:
        """What a machine would get: kept apart, as its language may be another."""

        def made(its_own: dict[Fragment, Path]) -> dict[Fragment, Path]:
            self._for_machine = its_own
            return fragments

        return self._prepare(more, language).addCallback(made)

    def _prepared(self, fragments: dict[Fragment, Path]) -> None:
        if self._scenario is None:
            raise RuntimeError("prompts were prepared for no scenario")
        self._fragments = fragments
        self._run = self._new_run(self._scenario, self._language)
        if self._cancelled:
            self._never_placed("stopped before it was placed")
            return
        placing = self._store.run(lambda conn: attempts.place(conn, self.claim.attempt_id, self._now(), self._by_hand))
        placing.addCallbacks(self._place, self._not_committed).addErrback(self._broken)

    def _new_run(self, scenario: Scenario, language: str) -> Run:
        lengths_ms = {fragment: path.stat().st_size // OCTETS_PER_MS for fragment, path in self._fragments.items()}
        return Run(scenario, self.claim.variables, language, lengths_ms.__getitem__)

    def _not_prepared(self, failure: Failure) -> None:
        self._never_placed(f"the message could not be prepared: {failure.getErrorMessage()}")

    def _not_committed(self, failure: Failure) -> None:
        if isinstance(failure.value, attempts.NoLonger):
            self._cancelled = True  # not a fault of the line
            self._never_placed(failure.getErrorMessage())
            return
        self._never_placed(f"the ledger could not be written: {failure.getErrorMessage()}")

    def _place(self, _: object) -> None:
        if self._cancelled:
            self._never_placed("stopped before it was placed")
            return
        self._log.info(
            "ROBOTRUNK {port} -> {number}: attempt {attempt}",
            port=self._port,
            number=self._shown,
            attempt=self.claim.attempt_id,
        )
        self._asked_the_switch = True
        try:
            self._call = self._gateway.place(
                self._port,
                self.claim.number,
                self.claim.attempt_id,
                self.claim.ring_timeout_s,
                self.claim.caller_id,
                self,
            )
        except NotPlaced as refusal:
            self._never_placed(str(refusal))

    def _broken(self, failure: Failure) -> None:
        """A fault of ours that nobody expected. Whether the switch has heard of the call is the question."""
        self._log.failure("attempt {attempt} broke", failure, attempt=self.claim.attempt_id)
        if self._asked_the_switch:
            self.failed(Cause.UNKNOWN, Native(OURS, "fault", failure.getErrorMessage()))
        else:
            self._never_placed(failure.getErrorMessage())

    def _never_placed(self, why: str) -> None:
        self._log.warn("attempt {attempt} was not placed: {why}", attempt=self.claim.attempt_id, why=why)
        self.failed(Cause.LINE_FAULT, Native(OURS, "not-placed", why))

    # --- what the call tells us (CallObserver) ---

    def dialing(self) -> None:
        self._step(LineState.DIALING, AttemptState.DIALING)

    def ringing(self) -> None:
        self._step(LineState.RINGING, AttemptState.RINGING)

    def machine(self) -> bool:
        if self._machine is None:
            return False
        self._fragments = self._for_machine
        self._run = self._new_run(self._machine, self._machine.language)
        self._is_machine = True
        return True

    def answered(self, certain: bool) -> None:
        self._certain = certain
        self._step(LineState.TALKING, AttemptState.ANSWERED)
        if self._call is None or self._run is None:
            raise RuntimeError("a gateway reported an answer before place() returned")
        self._conversation = Conversation(
            self._call, self._run, self._fragments, self._recording_path, self._clock, self._log, self._dont_call
        )
        self._conversation.start()

    def digit(self, digit: str) -> None:
        if self._conversation is not None:
            self._conversation.digit(digit)

    def _dont_call(self, stop_list: str) -> None:
        """He has asked for it: it must not be lost with this process. What fails here is written with the outcome."""
        asked_at = self._now()

        def job(conn: Connection) -> None:
            attempts.put_on_stop_lists(conn, self.claim.attempt_id, [stop_list], asked_at)

        self._store.run(job).addErrback(
            lambda failure: self._log.failure(
                "attempt {attempt}: the stop list {name} is written when the call is over",
                failure,
                attempt=self.claim.attempt_id,
                name=stop_list,
            )
        )

    def failed(self, cause: Cause, native: Native) -> None:
        if self._over:
            return
        self._over = True
        if self._cancelled and cause is Cause.LINE_FAULT:
            cause = Cause.CANCELLED
        self._finish(outcomes.of_failure(cause), cause, native, None, EndedBy.US)

    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None:
        if self._over:
            return
        self._over = True
        self.line_state = LineState.CLOSING
        conversation = self._conversation
        if conversation is None:
            self._finish(outcomes.of_failure(Cause.UNKNOWN), cause, native, None, by)
            return

        def result(heard: RunResult) -> None:
            if conversation.fault:
                self._finish_heard(cause, EndedBy.FAULT, Native(OURS, "conversation", conversation.fault), heard)
            else:
                self._finish_heard(cause, by, native, heard)

        def broken(failure: Failure) -> None:
            self._log.failure("the end of attempt {attempt} broke", failure, attempt=self.claim.attempt_id)
            fault = Native(OURS, "fault", failure.getErrorMessage())
            self._finish(Outcome.UNKNOWN, cause, fault, None, EndedBy.FAULT)

        maybeDeferred(conversation.call_over).addCallback(result).addErrback(broken)

    def _finish_heard(self, cause: Cause, by: EndedBy, native: Native, heard: RunResult) -> None:
        outcome = outcomes.of_answered(
            confirmed=heard.confirmed,
            heard_out=heard.heard_out,
            fault=by is EndedBy.FAULT or self._cancelled,  # we stopped: not the person's doing
            transferred=cause is Cause.TRANSFERRED or bool(heard.transferred_to),
            machine=self._is_machine,
        )
        if self._cancelled and outcome is Outcome.LINE_FAULT:
            cause = Cause.CANCELLED
        self._finish(outcome, cause, native, heard, by)

    # --- the ledger ---

    def _step(self, line: LineState, state: AttemptState) -> None:
        self.line_state = line
        self.since_at = self._now()
        self._mark(state).addErrback(
            lambda failure: self._log.failure(
                "attempt {attempt}: state {state} was not written", failure, attempt=self.claim.attempt_id, state=state
            )
        )

    def _mark(self, state: AttemptState) -> Deferred[object]:
        at, native_id = self._now(), self._call.native_id if self._call is not None else None
        return self._store.run(lambda conn: attempts.mark(conn, self.claim.attempt_id, state, at, native_id=native_id))

    def _recording_path(self, step: str) -> Path:
        return self._recordings / f"{self.claim.attempt_id}-{step}.wav"

    def _finish(self, outcome: Outcome, cause: Cause, native: Native, heard: RunResult | None, by: EndedBy) -> None:
        self.line_state = LineState.CLOSING
        ended_at = self._now()
        finish = attempts.Finish(
            outcome=outcome,
            cause=cause,
            native_system=native.system,
            native_code=native.code,
            native_text=native.text,
            ended_at=ended_at,
            ended_by=by.value,
            certain=self._certain,
            heard_ms=heard.heard_ms if heard else 0,
            of_ms=heard.of_ms if heard else 0,
            keys=heard.keys if heard else "",
            answers=self._answers(heard) if heard else (),
            recordings=heard.recordings if heard else (),
            stop_lists=heard.stop_lists if heard else (),
        )
        self._log.info(
            "ROBOTRUNK {port} -> {number}: attempt {attempt} is {outcome} ({system} {code} {text})",
            port=self._port,
            number=self._shown,
            attempt=self.claim.attempt_id,
            outcome=outcome.value,
            system=native.system,
            code=native.code,
            text=native.text,
        )
        self._write(finish)

    def _answers(self, heard: RunResult) -> tuple[tuple[str, str], ...]:
        """What the report says beside each step: what was answered, whom the person was handed over to, and on which
        stop lists he asked to be put."""
        handed_over = (("transferred to", heard.transferred_to),) if heard.transferred_to else ()
        return (*heard.answers, *handed_over, *(("stop list", name) for name in heard.stop_lists))

    def _write(self, finish: attempts.Finish) -> None:
        def job(conn: Connection) -> None:
            attempts.finish(conn, self.claim.attempt_id, finish, self._now())

        def again(failure: Failure) -> None:
            self._log.failure(
                "the outcome of attempt {attempt} could not be written; trying until it is",
                failure,
                attempt=self.claim.attempt_id,
            )
            deferLater(self._clock, STORE_RETRY_S, self._write, finish)  # type: ignore[arg-type]

        self._store.run(job).addCallbacks(lambda _: self._done.callback(None), again)
