"""Renders what is going to be said before the dialer needs it, so that no port waits for the synthesizer.

Goes through every running campaign once, in the order of its tasks, one person at a time. It only fills the cache: a
person whose part fails here fails again, visibly, when he is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.domain.fragments import Fragment
from ocm_cti.domain.scenarios import Scenario, parse, required_fragments
from ocm_cti.store import campaigns, tasks
from ocm_cti.store.transactions import Store

POLL_S = 1.0
PEOPLE_AT_ONCE = 50


class Prompts(Protocol):
    def prepare(self, fragments: Iterable[Fragment], language: str) -> Deferred[dict[Fragment, Path]]: ...


class LookAhead:
    """Owned by the service; ``start`` and ``stop`` once each."""

    def __init__(self, store: Store, prompts: Prompts, clock: Clock) -> None:
        self._store = store
        self._prompts = prompts
        self._log = Logger()
        self._loop = LoopingCall(self._pass)
        self._loop.clock = clock  # type: ignore[assignment]  # Twisted's interface, ours is a part of it
        self._scenarios: dict[str, Scenario] = {}  # by text: a campaign may have several
        self._prepared: dict[int, int] = {}  # campaign -> the last task whose message is ready
        self._stopped: Deferred[Any] | None = None

    def start(self) -> None:
        def failed(failure: Failure) -> None:
            self._log.failure("nothing is prepared ahead any more", failure)

        self._stopped = self._loop.start(POLL_S).addErrback(failed)

    def stop(self) -> Deferred[Any]:
        """Fires when the fragment in work is done; harmless before ``start``."""
        if self._loop.running:
            self._loop.stop()
        return self._stopped or succeed(None)

    @inlineCallbacks
    def _pass(self) -> Any:
        try:
            yield self._prepare_all()
        except Exception:
            self._log.failure("nothing could be prepared ahead this time")

    @inlineCallbacks
    def _prepare_all(self) -> Any:
        running = yield self._store.read(lambda conn: list(campaigns.running(conn)))
        for campaign_id in running:
            while self._loop.running:
                people = yield self._store.read(
                    partial(
                        tasks.waiting_people,
                        campaign_id=campaign_id,
                        after_task_id=self._prepared.get(campaign_id, 0),
                        limit=PEOPLE_AT_ONCE,
                    )
                )
                if not people:
                    break
                for person in people:
                    if not self._loop.running:
                        return
                    try:
                        scenario = self._scenarios.get(person.scenario) or parse(person.scenario)
                        self._scenarios[person.scenario] = scenario
                        language = person.language or scenario.language
                        fragments = required_fragments(scenario, person.variables, language)
                        yield self._prompts.prepare(fragments, language)
                    except Exception as error:
                        self._log.warn(
                            "the message of task {task} can't be prepared: {error}", task=person.task_id, error=error
                        )
                    self._prepared[campaign_id] = person.task_id
