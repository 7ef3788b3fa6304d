"""The AMI link against a real Asterisk, over TCP and TLS."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from asterisk_process import GATEWAY, PrivateAsterisk
from peers import require
from twisted.internet import ssl
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.selectreactor import SelectReactor
from twisted.protocols.tls import TLSMemoryBIOFactory

from protocols.ami.link import ActionRefused, AmiLink, LinkLost
from protocols.ami.messages import Event


class Wrapped:
    """What ``wrapClientTLS`` does, which would write by the clock of Twisted's own reactor."""

    def __init__(self, reactor: Any, plain: Any, options: Any) -> None:
        self._parts = reactor, plain, options

    def connect(self, factory: Any) -> Any:
        reactor, plain, options = self._parts
        wrapped = TLSMemoryBIOFactory(options, True, factory, clock=reactor)
        return plain.connect(wrapped).addCallback(lambda protocol: protocol.wrappedProtocol)


class Talk:
    """A link and its owner; the reactor runs only inside ``until``."""

    def __init__(self, port: int, user: str, secret: str, **more: Any) -> None:
        self.reactor: Any = SelectReactor()
        self.reactor.startRunning(installSignalHandlers=False)
        self.told: list[tuple[str, str]] = []
        self.events: list[Event] = []
        endpoint: Any = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)
        if (options := more.pop("tls", None)) is not None:
            endpoint = Wrapped(self.reactor, endpoint, options)
        self.link = AmiLink(endpoint, username=user, secret=secret, clock=self.reactor, owner=self, **more)
        self.link.start()

    def link_up(self, version: str) -> None:
        self.told.append(("up", version))

    def link_down(self, reason: str) -> None:
        self.told.append(("down", reason))

    def link_refused(self, reason: str) -> None:
        self.told.append(("refused", reason))

    def event(self, event: Event) -> None:
        self.events.append(event)

    def until(self, condition: Any, what: str, patience_s: float = 30.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never: {what}; {self.told}"
            self.reactor.iterate(0.01)

    def result(self, asked: Any) -> Any:
        results: list[Any] = []
        asked.addBoth(results.append)
        self.until(lambda: results, "answered")
        return results[0]

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def close(self) -> None:
        self.result(self.link.stop())
        self.until(lambda: not self.reactor.getDelayedCalls(), "no timer is left", 15)
        self.reactor.stop()
        self.reactor.iterate(0)


@pytest.fixture
def talk(asterisk: PrivateAsterisk) -> Iterator[Talk]:
    made = Talk(asterisk.ami_port, *GATEWAY)
    made.until(lambda: made.link.is_up, "logged in")
    yield made
    made.close()


@pytest.mark.asterisk16
def test_a_call_from_originate_to_hangup(talk: Talk) -> None:
    answer = talk.result(
        talk.link.ask(
            "Originate",
            ("ActionID", "o-1"),
            ("Channel", "Local/echo@sim"),
            ("Context", "gw-agi"),
            ("Exten", "s"),
            ("Priority", "1"),
            ("ChannelId", "ami-test-1"),
            ("Async", "true"),
        )
    )
    assert answer.response == "Success"
    talk.until(lambda: talk.named("AsyncAGIStart") and talk.named("OriginateResponse"), "answered")
    (told,) = talk.named("OriginateResponse")
    assert (told.action_id, told.get("Response"), told.get("Reason")) == ("o-1", "Success", "4")
    rows = talk.result(talk.link.ask_list("CoreShowChannels"))
    assert "ami-test-1" in [row.get("Uniqueid") for row in rows]
    assert talk.result(talk.link.ask("Hangup", ("Channel", "ami-test-1"), ("Cause", "16"))).response == "Success"
    talk.until(lambda: [e for e in talk.named("Hangup") if e.get("Uniqueid") == "ami-test-1"], "hung up")
    gone = talk.result(talk.link.ask("Hangup", ("Channel", "ami-test-1")))
    assert gone.check(ActionRefused)
    assert "No such channel" in gone.value.message


@pytest.mark.asterisk16
def test_what_the_user_may_not_do(talk: Talk) -> None:
    refused = talk.result(talk.link.ask("Command", ("Command", "core show version")))
    assert refused.check(ActionRefused)
    assert "denied" in refused.value.message


@pytest.mark.asterisk16
@pytest.mark.parametrize("who", [(GATEWAY[0], "wrong"), ("nobody", GATEWAY[1])])
def test_who_is_not_let_in(asterisk: PrivateAsterisk, who: tuple[str, str]) -> None:
    made = Talk(asterisk.ami_port, *who)
    made.until(lambda: made.told, "refused")
    assert made.told == [("refused", "Authentication failed")]
    made.close()


def test_plain_login(asterisk: PrivateAsterisk) -> None:
    made = Talk(asterisk.ami_port, *GATEWAY, md5=False)
    made.until(lambda: made.link.is_up, "logged in")
    made.close()


def test_a_switch_that_restarts(tmp_path: Path) -> None:
    require("asterisk")
    own = PrivateAsterisk.start(tmp_path)
    made = Talk(own.ami_port, *GATEWAY, retry_min_s=0.2, retry_max_s=0.5)
    try:
        made.until(lambda: made.link.is_up, "logged in")
        own.kill()
        made.until(lambda: not made.link.is_up, "the loss is noticed")
        assert made.result(made.link.ask("Ping")).check(LinkLost)
        own.start_again()
        made.until(lambda: made.link.is_up, "logged in again")
        assert made.result(made.link.ask("Ping")).get("Ping") == "Pong"
        assert [name for name, _ in made.told][:2] == ["up", "down"]
    finally:
        made.close()
        own.stop()


def test_tls(tmp_path: Path) -> None:
    """With a certificate that is trusted, and one that is not."""
    require("asterisk")
    pem, key = tmp_path / "ami.pem", tmp_path / "ami.key"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made_pem = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key))
    subprocess.run([*made_pem, "-out", str(pem), *subject], check=True, capture_output=True, timeout=60)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {pem}\ntlsprivatekey = {key}\n"
    own = PrivateAsterisk.start(tmp_path / "asterisk", manager=f"[general](+)\n{settings}")
    try:
        trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(pem.read_text())])
        for trust, expected in ((trusted, "up"), (None, "down")):
            options = ssl.optionsForClientTLS("localhost", trustRoot=trust)
            made = Talk(port, *GATEWAY, tls=options)
            made.until(lambda made=made: made.told, "logged in or refused")
            assert made.told[0][0] == expected, (made.told, own.log()[-2000:])
            assert expected == "up" or "certificate" in made.told[0][1].lower(), made.told
            if expected == "up":
                assert made.result(made.link.ask("Ping")).get("Ping") == "Pong"
            made.close()
    finally:
        own.stop()
