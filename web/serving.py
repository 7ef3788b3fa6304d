"""The panel on a TCP port, in the process of the server: Twisted's HTTP, Flask in threads of its own.

Style sheets and the live stream are answered by the reactor. At the end nobody waits for anybody: the port is closed,
streams are ended, requests that are being answered get a few seconds, and threads that are still busy then are left to
die with the process (joining them from the reactor, which they wait for, would never end).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from apiflask import APIFlask
from twisted.internet.defer import inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource

from ocm_cti.office import Office
from web import security
from web.app import create_app
from web.bodies import BoundedRequest
from web.events import Events
from web.static_files import files

THREADS = 8
DRAIN_S = 3.0
DRAIN_POLL_S = 0.02
YEAR = b"public, max-age=31536000, immutable"


class PanelPortTaken(Exception):
    """The address of the panel is not to be had."""


class Panel:
    """One panel over one office. ``listen`` and ``stop`` once each, on the reactor."""

    def __init__(self, office: Office, reactor: Any, app: APIFlask | None = None) -> None:
        self.office = office
        self.app = app if app is not None else create_app(office)
        self._reactor = reactor
        self._log = Logger()
        self._port: Any = None
        self._pool = ThreadPool(0, THREADS, name="panel")
        self._pool.threadFactory = partial(threading.Thread, daemon=True)  # type: ignore[assignment]
        self._inside = Inside(self.app)
        self.events = Events(self.app, office, reactor, partial(deferToThreadPool, reactor, self._pool))

    def listen(self, host: str, tcp_port: int) -> None:
        """Raises PanelPortTaken. Port 0: any that is free."""
        root: Any = _Root(WSGIResource(self._reactor, self._pool, self._inside))  # type: ignore[no-untyped-call]
        root.putChild(b"static", Static())  # type: ignore[no-untyped-call]
        root.putChild(b"events", self.events)
        site = Site(root, requestFactory=BoundedRequest, parsePOSTFormSubmission=False)  # type: ignore[no-untyped-call]
        site.displayTracebacks = False
        site.noisy = False
        try:
            self._port = self._reactor.listenTCP(tcp_port, site, interface=host)
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or error.socketError
            raise PanelPortTaken(f"{host}:{tcp_port}: the panel can't have this address: {reason}") from None
        self._pool.start()

    @property
    def url(self) -> str:
        """Where a browser finds it; "" when it doesn't listen."""
        if self._port is None:
            return ""
        where = self._port.getHost()
        host = "127.0.0.1" if where.host in ("0.0.0.0", "::") else where.host
        return f"http://[{host}]:{where.port}/" if ":" in host else f"http://{host}:{where.port}/"

    @inlineCallbacks
    def stop(self) -> Any:
        """Within DRAIN_S or a little more, whatever is going on."""
        if self._port is None:
            return
        port, self._port = self._port, None
        yield port.stopListening()
        self.events.close()
        deadline_s = self._reactor.seconds() + DRAIN_S
        while self._inside.count and self._reactor.seconds() < deadline_s:
            yield deferLater(self._reactor, DRAIN_POLL_S, lambda: None)
        if self._inside.count == 0:
            self._pool.stop()
        else:
            self._log.warn("{count} requests of the panel were cut off", count=self._inside.count)


class Inside:
    """Counts the requests that a WSGI application is answering, to the last octet."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.count = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._enter(1)
        try:
            return _Counted(self._application(environ, start_response), partial(self._enter, -1))
        except BaseException:
            self._enter(-1)
            raise

    def _enter(self, change: int) -> None:
        with self._lock:
            self.count += change


class _Counted:
    def __init__(self, body: Iterable[bytes], closed: Callable[[], None]) -> None:
        self._body = body
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._closed()


class _Root(Resource):
    """Everything that has no resource of its own is Flask's."""

    def __init__(self, wsgi: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._wsgi = wsgi

    def getChild(self, path: bytes, request: Any) -> Any:
        request.prepath.pop()
        request.postpath.insert(0, path)
        return self._wsgi


class Static(Resource):
    """Out of memory, packed once. An address with the file's version may be kept by the browser for ever."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        found = files().get(b"/".join(request.postpath).decode("utf-8", "replace"))
        for name, value in security.HEADERS.items():
            request.setHeader(name.encode(), value.encode())
        if found is None:
            request.setResponseCode(404)
            return b""
        request.setHeader(b"content-type", found.content_type.encode())
        request.setHeader(b"vary", b"accept-encoding")
        is_exact = request.args.get(b"v", [b""])[0] == found.version.encode()
        request.setHeader(b"cache-control", YEAR if is_exact else b"no-cache")
        if request.setETag(found.version.encode()) is not None:
            return b""
        encodings = (request.getHeader(b"accept-encoding") or b"").lower()
        if found.packed is not None and b"gzip" in encodings:
            request.setHeader(b"content-encoding", b"gzip")
            return found.packed
        return found.content
