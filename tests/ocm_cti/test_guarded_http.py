"""Posting over real HTTP on loopback, which is an address inside: refused, until it is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ocm_cti import guarded_http
from ocm_cti.domain.webhooks import networks
from ocm_cti.guarded_http import GuardedPost
from ocm_cti.webhooks import NotSent

pytestmark = pytest.mark.sockets

LOOPBACK = networks(["127.0.0.0/8"])


class Hook(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[bytes, bytes | None, bytes]] = []

    def render_POST(self, request: Any) -> Any:
        self.got.append((request.path, request.getHeader(b"webhook-id"), request.content.read()))
        if request.path == b"/elsewhere":
            request.redirect(b"/inside")
            return b""
        if request.path == b"/endless":
            request.write(b"x" * 1000)
            return NOT_DONE_YET
        if request.path == b"/never":
            return NOT_DONE_YET
        request.setResponseCode(int(request.path.lstrip(b"/") or 204))
        return b""


class TestGuardedPost(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.hook = Hook()
        self.port = reactor.listenTCP(0, Site(self.hook), interface="127.0.0.1")  # type: ignore[attr-defined]
        self.base = f"http://127.0.0.1:{self.port.getHost().port}"
        self.post = GuardedPost(reactor, LOOPBACK)
        self.addCleanup(self.port.stopListening)

    def refused(self, post: GuardedPost, url: str) -> Deferred[str]:
        sending: Deferred[Any] = post(url, {}, b"{}")
        return self.assertFailure(sending, NotSent).addCallback(str)  # type: ignore[no-any-return]

    @inlineCallbacks
    def test_it_arrives_and_the_status_comes_back(self) -> Any:
        for status in (200, 204, 404, 503):
            found = yield self.post(f"{self.base}/{status}", {"webhook-id": "msg_1"}, '{"имя": 1}'.encode())
            assert found == status
        assert self.hook.got[0] == (b"/200", b"msg_1", '{"имя": 1}'.encode())

    @inlineCallbacks
    def test_an_address_inside_is_not_spoken_to(self) -> Any:
        guarded = GuardedPost(reactor)
        said = yield self.refused(guarded, f"{self.base}/200")
        assert "127.0.0.1 is not on the public Internet" in said and 'allow = ["127.0.0.1"]' in said
        said = yield self.refused(guarded, self.base.replace("127.0.0.1", "localhost"))
        assert said.startswith("localhost: ")
        assert self.hook.got == []

    @inlineCallbacks
    def test_a_name_with_one_address_inside_among_others_is_none(self) -> Any:
        def both(host: str, tcp_port: int) -> Deferred[Sequence[str]]:
            return succeed(["8.8.8.8", "10.0.0.1"])

        said = yield self.refused(GuardedPost(reactor, resolve=both), "http://crm.example/")
        assert said.startswith("crm.example: 10.0.0.1 is not on the public Internet")

    @inlineCallbacks
    def test_what_was_looked_at_is_what_is_connected_to(self) -> Any:
        """A name that points elsewhere the second time it is asked for (DNS rebinding)."""
        asked = []

        def moving(host: str, tcp_port: int) -> Deferred[Sequence[str]]:
            asked.append(host)
            return succeed(["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"])

        url = f"http://crm.example:{self.port.getHost().port}/200"
        found = yield GuardedPost(reactor, LOOPBACK, moving)(url, {}, b"{}")
        assert (found, asked) == (200, ["crm.example"])

    @inlineCallbacks
    def test_redirects_are_not_followed(self) -> Any:
        found = yield self.post(f"{self.base}/elsewhere", {}, b"{}")
        assert found == 302
        assert [path for path, _, _ in self.hook.got] == [b"/elsewhere"]

    @inlineCallbacks
    def test_an_answer_without_end_is_not_waited_for(self) -> Any:
        found = yield self.post(f"{self.base}/endless", {}, b"{}")
        assert found == 200

    @inlineCallbacks
    def test_no_answer_is_told(self) -> Any:
        self.patch(guarded_http, "WITHIN_S", 0.2)
        said = yield self.refused(self.post, f"{self.base}/never")
        assert said.startswith("no answer within")

    @inlineCallbacks
    def test_what_breaks_is_told(self) -> Any:
        class Rude(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.write(b"not HTTP at all\r\n\r\n")
                self.transport.loseConnection()  # type: ignore[misc]

        rude = reactor.listenTCP(0, Factory.forProtocol(Rude), interface="127.0.0.1")  # type: ignore[attr-defined]
        url = f"http://127.0.0.1:{rude.getHost().port}/"
        said = yield self.refused(self.post, url)
        assert said.startswith("the connection broke: ")
        yield rude.stopListening()
        said = yield self.refused(self.post, url)
        assert said.startswith("no connection: ")

    @inlineCallbacks
    def test_a_name_that_nobody_has_and_what_is_no_address(self) -> Any:
        def nobody(host: str, tcp_port: int) -> Deferred[Sequence[str]]:
            return succeed([])

        said = yield self.refused(GuardedPost(reactor, resolve=nobody), "https://crm.example/")
        assert said == "crm.example has no address"
        said = yield self.refused(self.post, "ftp://crm.example/")
        assert "begins with https" in said

    @inlineCallbacks
    def test_tls_is_for_the_name(self) -> Any:
        """A server without TLS, or with a certificate of another name, gets nothing."""
        said = yield self.refused(self.post, self.base.replace("http:", "https:") + "/200")
        assert said
        assert self.hook.got == []
