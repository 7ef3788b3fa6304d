"""Renders what is going to be said before anybody is called: a person is dialable only when his message is there.

Goes through the ``preparing`` tasks of every running campaign in the order of calling, many people at a time so that
every synthesizer is busy, and makes those whose audio lies on disk ``waiting``. Whose message can't be made for a while
is tried again; after some tries he is let through all the same, so that his attempts and their outcome say what is
wrong with him and the campaign comes to its end. When speech itself is down (``SpeechDown``), nobody pays for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock, Timer
from ocm_cti.domain.fragments import Fragment, SpeechDown
from ocm_cti.domain.scenarios import Scenario, parse, required_fragments
from ocm_cti.store import readiness
from ocm_cti.store.readiness import Unprepared
from ocm_cti.store.transactions import Store

POLL_S = 1.0
#: The first are to be called soon; then so many at a time that no worker waits for us.
PEOPLE_AT_FIRST = 8
PEOPLE_AT_ONCE = 100
#: Whose message could not be made is tried again this much later, so many times.
AGAIN_S = 30.0
TRIES = 3
#: Who is ready need not wait for the others of his turn any longer than this.
READY_AFTER_S = 0.5
#: So many fragments are remembered as made, and so long; beyond it they are asked for again, which costs a look at the
#: disk. By then the folder of prompts could have let go of what nobody was told (``speech.cache.IN_USE_S``).
FRAGMENTS_REMEMBERED = 50_000
REMEMBERED_S = 1800.0


class Prompts(Protocol):
    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]: ...


class LookAhead:
    """Owned by the service; ``start`` and ``stop`` once each. ``more_ready``: somebody has become dialable."""

    def __init__(
        self,
        store: Store,
        prompts: Prompts,
        clock: Clock,
        now: Callable[[], datetime],
        more_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._prompts = prompts
        self._clock = clock
        self._now = now
        self._more_ready = more_ready
        self._log = Logger()
        self._loop = LoopingCall(self._pass)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._scenarios: dict[str, Scenario] = {}
        self._made: dict[tuple[Fragment, str], None] = {}
        self._remembered_since_s = 0.0
        self._passed: dict[int, int] = {}  # campaign -> the last task that was tried
        self._tries: dict[int, int] = {}  # task -> how often its message could not be made
        self._again_at_s: float | None = None
        self._stopped: Deferred[Any] | None = None

    def start(self) -> None:
        def failed(failure: Failure) -> None:
            self._log.failure("nothing is prepared ahead any more", failure)

        self._stopped = self._loop.start(POLL_S).addErrback(failed)

    def stop(self) -> Deferred[Any]:
        """Fires when the fragments in work are done; harmless before ``start``."""
        if self._loop.running:
            self._loop.stop()
        return self._stopped or succeed(None)

    @inlineCallbacks
    def _pass(self) -> Any:
        try:
            if self._again_at_s is not None and self._clock.seconds() >= self._again_at_s:
                self._again_at_s = None
                self._passed.clear()
            yield self._prepare_all()
        except Exception:
            self._log.failure("nothing could be prepared ahead this time")

    @inlineCallbacks
    def _prepare_all(self) -> Any:
        """In turn, the most urgent campaigns first: behind a long list nobody who is urgent waits."""
        at_once: dict[int, int] = {}
        while self._loop.running:
            running = yield self._store.read(readiness.to_prepare)
            self._passed = {one: self._passed[one] for one, _ in running if one in self._passed}
            busy = False
            urgent = min((priority for _, priority in running), default=0)
            for campaign_id, priority in running:
                if busy and priority > urgent:
                    break  # those who are more urgent have the next turn too
                people = yield self._store.read(
                    partial(
                        readiness.unprepared,
                        campaign_id=campaign_id,
                        after_task_id=self._passed.get(campaign_id, 0),
                        limit=at_once.get(campaign_id, PEOPLE_AT_FIRST),
                    )
                )
                if not people or not self._loop.running:
                    continue
                busy, urgent = True, priority
                yield self._prepare(people)
                self._passed[campaign_id] = people[-1].task_id
                at_once[campaign_id] = PEOPLE_AT_ONCE
            if not busy:
                return

    @inlineCallbacks
    def _prepare(self, people: list[Unprepared]) -> Any:
        """All of them at a time; the ledger knows now and then who is ready, and in the end what became of all."""
        early = _Early(self._store, self._clock, self._now, self._more_ready)
        making = [maybeDeferred(self._one, person).addCallback(early.ready, person.task_id) for person in people]
        try:
            results = yield DeferredList(making, consumeErrors=True)
        finally:
            early.stop()
        if not self._loop.running:
            return  # what failed now failed because we end
        ready = [person.task_id for person, (done, _) in zip(people, results, strict=True) if done]
        wrong = {
            person.task_id: failure.value for person, (done, failure) in zip(people, results, strict=True) if not done
        }
        for task_id, error in wrong.items():
            self._log.warn("the message of task {task} can't be prepared: {error}", task=task_id, error=error)
            if not isinstance(error, SpeechDown):
                self._tries[task_id] = self._tries.get(task_id, 0) + 1
        let_through = [task_id for task_id in wrong if self._tries.get(task_id, 0) >= TRIES]
        again = [task_id for task_id in wrong if task_id not in let_through]
        for task_id in let_through:
            del self._tries[task_id]
        if again and self._again_at_s is None:
            self._again_at_s = self._clock.seconds() + AGAIN_S
        now = self._now()

        def write(conn: Any) -> None:
            readiness.ready(conn, ready + let_through, now)
            readiness.failed(conn, again)

        yield self._store.run(write)
        if ready or let_through:
            self._more_ready()

    def _one(self, person: Unprepared) -> Deferred[Any]:
        making = self._said(person.scenario, person.language, person.variables)
        if person.machine:
            making.addCallback(lambda _: self._said(person.machine, "", person.variables))
        return making

    def _said(self, text: str, language: str, variables: Mapping[str, str]) -> Deferred[Any]:
        """Make what this scenario says; ``language`` "": in its own."""
        scenario = self._scenarios.get(text) or parse(text)
        self._scenarios[text] = scenario
        language = language or scenario.language
        wanted = {(fragment, language) for fragment in required_fragments(scenario, variables, language)}
        if self._clock.seconds() - self._remembered_since_s > REMEMBERED_S:
            self._forget()
        missing = [key for key in wanted if key not in self._made]
        if not missing:
            return succeed(None)

        def made(_: object) -> None:
            if len(self._made) + len(missing) > FRAGMENTS_REMEMBERED:
                self._forget()
            self._made.update(dict.fromkeys(missing))

        return self._prompts.prepare([fragment for fragment, _ in missing], language).addCallback(made)

    def _forget(self) -> None:
        self._made.clear()
        self._remembered_since_s = self._clock.seconds()


class _Early:
    """Those of one turn whose messages are there before the others': a slow voice must not leave lines idle."""

    def __init__(self, store: Store, clock: Clock, now: Callable[[], datetime], more_ready: Callable[[], None]) -> None:
        self._store, self._clock, self._now, self._more_ready = store, clock, now, more_ready
        self._log = Logger()
        self._ready: list[int] = []
        self._timer: Timer | None = None
        self._over = False

    def ready(self, _: object, task_id: int) -> None:
        self._ready.append(task_id)
        if self._timer is None and not self._over:
            self._timer = self._clock.callLater(READY_AFTER_S, self._write)

    def stop(self) -> None:
        """All are done; the turn itself writes what is left."""
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _write(self) -> None:
        self._timer = None
        task_ids, self._ready = self._ready, []

        def failed(failure: Failure) -> None:
            self._log.warn("who is ready could not be written yet: {error}", error=failure.value)

        writing = self._store.run(lambda conn: readiness.ready(conn, task_ids, self._now()))
        writing.addCallback(lambda _: self._more_ready()).addErrback(failed)
