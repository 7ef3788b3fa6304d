"""The panel on a real port: static files, the live stream, an end that nobody waits for."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from panel_office import PASSWORD, Desk
from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers

from web import serving
from web.app import create_app
from web.events import Watcher
from web.security import COOKIE, HEADERS
from web.serving import Panel, PanelPortTaken
from web.static_files import files

pytestmark = pytest.mark.sockets


class Stream(Protocol):
    """Collects events; ``wait`` fires with the body of the next one of the kind."""

    def __init__(self) -> None:
        self.text = ""
        self.over: Deferred[None] = Deferred()
        self._waits: list[tuple[str, Deferred[str]]] = []

    def wait(self, kind: str) -> Deferred[str]:
        waited: Deferred[str] = Deferred()
        self._waits.append((kind, waited))
        self.dataReceived(b"")
        return waited

    def dataReceived(self, data: bytes) -> None:
        self.text += data.decode()
        while "\n\n" in self.text and self._waits:
            event, self.text = self.text.split("\n\n", 1)
            kind, waited = self._waits[0]
            if event.startswith(f"event: {kind}\n"):
                self._waits.pop(0)
                waited.callback(event.split("data: ", 1)[1])

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(None)


class TestServing(TestCase):
    """Each test has a panel of its own."""

    timeout = 60

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.desk = Desk.open(Path(folder.name))
        self.desk.user()
        self.app = create_app(self.desk.office)
        self.release = threading.Event()
        self.entered = threading.Event()

        def slow() -> str:
            self.entered.set()
            self.release.wait(30)
            return "slow but whole"

        self.app.add_url_rule("/login/slow", "static_slow", slow)
        self.panel = Panel(self.desk.office, reactor, self.app)
        self.panel.listen("127.0.0.1", 0)
        self.agent = Agent(reactor, pool=HTTPConnectionPool(reactor, persistent=False))

    @inlineCallbacks
    def tearDown(self) -> Any:
        self.release.set()
        yield self.panel.stop()
        self.desk.close()

    def get(self, path: str, **headers: str) -> Any:
        sent = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
        return self.agent.request(b"GET", (self.panel.url.rstrip("/") + path).encode(), sent)

    def cookie(self) -> str:
        token = self.desk.office.accounts.log_in("anna", PASSWORD, "127.0.0.1", "a test")
        return f"{COOKIE}={token}"

    @inlineCallbacks
    def test_flask_answers_everything_that_is_not_twisteds(self) -> Any:
        for path, status in (("/", 302), ("/login", 200), ("/api/v1/lists", 401), ("/static/none.css", 404)):
            answer = yield self.get(path)
            yield readBody(answer)
            self.assertEqual(answer.code, status, path)
            for name, value in HEADERS.items():
                self.assertEqual(answer.headers.getRawHeaders(name), [value])

    @inlineCallbacks
    def test_static_files_are_packed_and_kept(self) -> Any:
        known = files()["vendor/tabler.min.css"]
        answer = yield self.get(f"/static/vendor/tabler.min.css?v={known.version}", accept_encoding="gzip, br")
        body = yield readBody(answer)
        self.assertEqual(body, known.packed)
        self.assertLess(len(body) * 5, len(known.content))
        self.assertIn("immutable", answer.headers.getRawHeaders("cache-control")[0])
        self.assertEqual(answer.headers.getRawHeaders("content-type"), ["text/css; charset=utf-8"])
        answer = yield self.get("/static/vendor/tabler.min.css?v=older", if_none_match=known.version)
        self.assertEqual((answer.code, answer.headers.getRawHeaders("cache-control")), (304, ["no-cache"]))
        yield readBody(answer)

    @inlineCallbacks
    def test_the_stream_is_for_users_only(self) -> Any:
        for headers in ({}, {"cookie": f"{COOKIE}=nonsense"}):
            answer = yield self.get("/events", **headers)
            yield readBody(answer)
            self.assertEqual(answer.code, 401)
        self.assertEqual(self.panel.events.watchers, 0)

    @inlineCallbacks
    def test_the_stream_shows_what_changes_and_ends_with_the_session(self) -> Any:
        self.desk.people("debtors", 3)
        cookie = self.cookie()
        answer = yield self.get("/events?language=ru", cookie=cookie)
        self.assertEqual(answer.headers.getRawHeaders("content-type"), ["text/event-stream; charset=utf-8"])
        stream = Stream()
        answer.deliverBody(stream)
        first = json.loads((yield stream.wait("frame")))
        self.assertEqual(first["shape"], "")
        self.assertIn("линий свободно", first["parts"]["live-summary"])
        from ocm_cti.domain.access import Caller, Scope
        from ocm_cti.office.campaigns import Start

        caller = Caller("account:1", "anna", Scope.ADMIN)
        yield deferToThread(self.desk.office.campaigns.start, caller, Start("debtors"))
        second = json.loads((yield stream.wait("frame")))
        self.assertEqual(second["shape"], "1")
        self.assertIn("debtors_", second["parts"]["live-campaign-1-head"])
        self.desk.office.accounts.log_out(cookie.split("=", 1)[1])
        self.panel.events._look_at_sessions()
        yield stream.wait("over")
        yield stream.over
        self.assertEqual(self.panel.events.watchers, 0)

    @inlineCallbacks
    def test_the_end_ends_streams_and_waits_for_what_is_being_answered(self) -> Any:
        answer = yield self.get("/events", cookie=self.cookie())
        stream = Stream()
        answer.deliverBody(stream)
        slow = self.get("/login/slow", cookie=self.cookie())
        yield deferToThread(self.entered.wait, 30)
        stopped = self.panel.stop()
        yield stream.over
        self.assertNoResult(stopped)
        self.release.set()
        answer = yield slow
        body = yield readBody(answer)
        self.assertEqual(body, b"slow but whole")
        yield stopped

    @inlineCallbacks
    def test_the_end_does_not_wait_for_ever(self) -> Any:
        """A thread that hangs is left alone: joining it from the reactor would be a deadlock."""
        self.patch(serving, "DRAIN_S", 0.05)
        slow = self.get("/login/slow", cookie=self.cookie())
        yield deferToThread(self.entered.wait, 30)
        yield self.panel.stop()
        self.release.set()
        yield slow.addCallback(readBody)
        while self.panel._inside.count:
            yield deferLater(reactor, 0.01, lambda: None)
        yield deferToThread(self.panel._pool.stop)

    @inlineCallbacks
    def test_a_stranger_can_not_fill_the_disk(self) -> Any:
        """By the length that is said, or by what comes when none is said."""
        port = int(self.panel.url.rsplit(":", 1)[1].rstrip("/"))
        head = b"POST /login HTTP/1.1\r\nHost: x\r\n"
        chunk = b"10001\r\n" + b"x" * 0x10001  # one octet too many, and no more: else the answer may get lost
        ways = {
            "said": head + b"Content-Length: 100000000\r\n\r\n",
            "chunks": head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk,
        }
        for name, sent in ways.items():
            answer = yield deferToThread(exchange, port, sent)
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), (name, answer[:60]))
        cookie = f"Cookie: {self.cookie()}\r\n".encode()
        body = b"x" * 100_000
        answer = yield deferToThread(
            exchange, port, head + cookie + b"Connection: close\r\nContent-Length: 100000\r\n\r\n" + body
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:60])  # it came through, without a form's token

    def test_a_port_that_is_taken_is_told_in_one_line(self) -> None:
        other = Panel(self.desk.office, reactor, self.app)
        port = int(self.panel.url.rsplit(":", 1)[1].rstrip("/"))
        with self.assertRaisesRegex(PanelPortTaken, rf"127.0.0.1:{port}: the panel can't have this address: "):
            other.listen("127.0.0.1", port)


def exchange(port: int, sent: bytes) -> bytes:
    """What the server says to these octets until it closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        with contextlib.suppress(OSError):  # it may have closed already
            connection.sendall(sent)
        with contextlib.suppress(ConnectionResetError):
            while octets := connection.recv(65536):
                answer += octets
    return answer


class FakeRequest:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, octets: bytes) -> None:
        self.written.append(octets)


def test_who_does_not_read_misses_frames_and_gets_the_latest() -> None:
    from ocm_cti.domain.access import Caller, Scope

    request = FakeRequest()
    watcher = Watcher(request, "token", Caller("", "", Scope.READ), "en")
    watcher.send(b"1")
    watcher.send(b"1")
    watcher.pauseProducing()
    watcher.send(b"2")
    watcher.send(b"3")
    watcher.breathe()
    watcher.resumeProducing()
    watcher.send(b"4")
    assert request.written == [b"1", b"4"]
