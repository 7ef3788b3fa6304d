"""``/events``: the live stream of the monitor, server-sent events from the reactor itself.

While somebody watches, a picture is taken twice a second and rendered once for each group of watchers who see the same:
the same octets go to all of them. Who doesn't read fast enough misses frames: the latest one is always enough.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from flask_babel import force_locale
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer  # type: ignore[import-untyped]

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office import Office, Snapshot
from ocm_cti.office.monitor import picture
from web import live, security
from web.language import COOKIE as LANGUAGE_COOKIE
from web.language import LANGUAGES

TICK_S = 0.5
#: A proxy ends a connection on which nothing comes.
SIGN_OF_LIFE_TICKS = 30
#: So often it is looked whether a watcher is still logged in.
SESSION_TICKS = 60
#: Enough for an office; each costs a connection.
MOST_WATCHERS = 500


@implementer(IPushProducer)
class Watcher:
    """One browser that watches. Twisted tells it when its connection is full."""

    def __init__(self, request: Any, token: str, caller: Caller, language: str) -> None:
        self.token = token
        self.caller = caller
        self.language = language
        self.sent = b""
        self._request = request
        self._paused = False
        self._over = False

    @property
    def group(self) -> tuple[str, bool, frozenset[str]]:
        return live.group_of(self.caller, self.caller.may(Scope.OPERATE), self.language)

    def begin(self) -> None:
        request = self._request
        for name, value in security.HEADERS.items():
            request.setHeader(name.encode(), value.encode())
        request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-accel-buffering", b"no")
        request.write(b"retry: 2000\n\n")
        request.registerProducer(self, True)

    def send(self, frame: bytes) -> None:
        """The same frame again is not sent; nor any while his connection is full."""
        if not self._paused and not self._over and frame != self.sent:
            self.sent = frame
            self._request.write(frame)

    def breathe(self) -> None:
        if not self._paused and not self._over:
            self._request.write(b":\n\n")

    def end(self, last: bytes = b"") -> None:
        if not self._over:
            self._over = True
            if last and not self._paused:
                self._request.write(last)
            self._request.unregisterProducer()
            self._request.finish()

    def gone(self, reason: object) -> None:
        self._over = True

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False

    def stopProducing(self) -> None:
        self._over = True


class Events(Resource):
    """``in_thread`` runs what blocks in the panel's own threads."""

    isLeaf = True

    def __init__(
        self, app: APIFlask, office: Office, clock: Any, in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._app = app
        self._office = office
        self._in_thread = in_thread
        self._watchers: set[Watcher] = set()
        self._log = Logger()
        self._ticks = 0
        self._closed = False
        self._loop = LoopingCall(self._tick)
        self._loop.clock = clock

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def render_GET(self, request: Any) -> object:
        if self._closed or len(self._watchers) >= MOST_WATCHERS:
            request.setResponseCode(503)
            return b""
        token = (request.getCookie(security.COOKIE.encode()) or b"").decode("ascii", "replace")
        language = (request.getCookie(LANGUAGE_COOKIE.encode()) or b"").decode("ascii", "replace")
        wanted = request.args.get(b"language", [b""])[0].decode("ascii", "replace")
        language = next((one for one in (wanted, language) if one in LANGUAGES), "en")
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def enter(caller: Caller | None) -> None:
            if gone:
                return
            if caller is None or self._closed:
                request.setResponseCode(401 if caller is None else 503)
                request.finish()
                return
            watcher = Watcher(request, token, caller, language)
            request.notifyFinish().addBoth(lambda reason: self._left(watcher, reason))
            watcher.begin()
            self._watchers.add(watcher)
            if not self._loop.running:
                self._loop.start(TICK_S).addErrback(
                    lambda failure: self._log.failure("the live stream failed", failure)
                )

        def fail(failure: Any) -> None:
            self._log.failure("a watcher could not be let in", failure)
            if not gone:
                request.setResponseCode(503)
                request.finish()

        self._in_thread(lambda: self._caller_of(token)).addCallback(enter).addErrback(fail)
        return NOT_DONE_YET

    def close(self) -> None:
        """End every stream; nobody is let in any more."""
        self._closed = True
        if self._loop.running:
            self._loop.stop()
        for watcher in list(self._watchers):
            watcher.end()
        self._watchers.clear()

    # --- inside ---

    def _caller_of(self, token: str) -> Caller | None:
        visitor = self._office.accounts.visitor(token) if token else None
        return None if visitor is None or visitor.account.must_change else visitor.caller

    def _left(self, watcher: Watcher, reason: object) -> None:
        watcher.gone(reason)
        self._watchers.discard(watcher)
        if not self._watchers and self._loop.running:
            self._loop.stop()

    def _tick(self) -> Deferred[None]:
        self._ticks += 1
        if self._ticks % SIGN_OF_LIFE_TICKS == 0:
            for watcher in list(self._watchers):
                watcher.breathe()
        if self._ticks % SESSION_TICKS == 0:
            self._look_at_sessions()
        shown = self._office.floor.refresh().addCallback(self._show)
        return shown.addErrback(lambda failure: self._log.failure("a live frame could not be made", failure))

    def _show(self, snapshot: Snapshot) -> None:
        frames: dict[tuple[str, bool, frozenset[str]], bytes] = {}
        for watcher in list(self._watchers):
            group = watcher.group
            if group not in frames:
                frames[group] = self.frame(snapshot, watcher.caller, watcher.language)
            watcher.send(frames[group])

    def frame(self, snapshot: Snapshot, caller: Caller, language: str) -> bytes:
        """One event, as everybody of the caller's group gets it."""
        shown = picture(snapshot, caller)
        with self._app.test_request_context(), force_locale(language):
            parts = live.parts(shown, caller.may(Scope.OPERATE))
        body = json.dumps({"shape": live.shape(shown), "parts": parts}, ensure_ascii=False)
        return f"event: frame\ndata: {body}\n\n".encode()

    def _look_at_sessions(self) -> None:
        watchers = list(self._watchers)

        def look() -> list[Watcher]:
            return [watcher for watcher in watchers if self._caller_of(watcher.token) != watcher.caller]

        def end(over: list[Watcher]) -> None:
            for watcher in over:
                watcher.end(b"event: over\ndata: \n\n")

        self._in_thread(look).addCallback(end).addErrback(
            lambda failure: self._log.failure("the watchers' sessions could not be looked at", failure)
        )
