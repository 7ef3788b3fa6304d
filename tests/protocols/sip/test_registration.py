"""Registrations: ours at a registrar of ours, and ours at one written out by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from protocols.sip.digest import DigestClient
from protocols.sip.events import Bound, Registered, RegistrationFailed, Unbound, Unregistered
from protocols.sip.messages import read
from protocols.sip.registrar import Binding, Registrar
from protocols.sip.user_agent import Account, UserAgent

PBX = ("127.0.0.1", 5062)
ACCOUNT = Account("301", "secret", *PBX, domain="pbx", display_name="Robot")


@pytest.fixture
def registrar() -> Registrar:
    return Registrar("pbx", {"301": "secret", "302": "other"}, least_s=60)


@pytest.fixture
def pbx(wire: Any, registrar: Registrar) -> UserAgent:
    agent: UserAgent = wire.join("p", 5062, registrar)
    return agent


def test_register_and_stay(wire: Any, alice: UserAgent, pbx: UserAgent, registrar: Registrar) -> None:
    """Challenge, answer, binding; then refreshed at half of the time granted, each time without a new challenge."""
    alice.register(ACCOUNT, wire.now)
    assert wire.told(alice) == [Registered("301", 120)]
    assert wire.told(pbx) == [Bound("301", "sip:301@127.0.0.1:5061")]
    assert registrar.bindings == {"301": Binding("127.0.0.1", 5061, "sip:301@127.0.0.1:5061")}
    assert wire.heads() == ["REGISTER", "401 REGISTER", "REGISTER", "200 REGISTER"]
    begin = wire.now
    wire.log.clear()
    wire.run(290.0)
    assert wire.lines(begin) == [(at, head) for at in (60, 120, 180, 240) for head in ("REGISTER", "200 REGISTER")]
    assert wire.told(alice) == [] and wire.told(pbx) == []


def test_nonces_grow_old(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """After five minutes the registrar says stale=true, and the refresh goes on with the new nonce."""
    alice.register(ACCOUNT, wire.now)
    wire.run(400.0)
    assert sum(b"stale=true" in octets for _, _, octets in wire.log) == 1
    assert wire.told(alice) == [Registered("301", 120)]


def test_unregister(wire: Any, alice: UserAgent, pbx: UserAgent, registrar: Registrar) -> None:
    """The binding is taken back and nothing is left; a second wish, or one for a stranger, changes nothing."""
    alice.register(ACCOUNT, wire.now)
    wire.carry()
    alice.unregister("301", wire.now)
    alice.unregister("301", wire.now)
    assert wire.told(alice) == [Registered("301", 120), Unregistered("301")]
    assert wire.told(pbx)[-1] == Unbound("301") and registrar.bindings == {}
    alice.unregister("301", wire.now)
    wire.run(60.0)
    assert alice.next_timeout() is None and wire.told(alice) == []


def test_unregister_at_once(wire: Any, alice: UserAgent, pbx: UserAgent, registrar: Registrar) -> None:
    """While the REGISTER is still out: it is let through first, and then taken back."""
    alice.register(ACCOUNT, wire.now)
    alice.unregister("301", wire.now)
    assert wire.told(alice) == [Unregistered("301")]
    assert registrar.bindings == {} and wire.told(pbx)[-1] == Unbound("301")


def test_unregister_from_the_dead(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """Given up with timer F."""
    alice.register(ACCOUNT, wire.now)
    wire.carry()
    wire.lose = lambda octets: True
    alice.unregister("301", wire.now)
    wire.run(33.0)
    assert wire.told(alice)[-1] == Unregistered("301")
    assert alice.next_timeout() is None


def test_binding_runs_out(wire: Any, alice: UserAgent, pbx: UserAgent, registrar: Registrar) -> None:
    """A robot that dies without a word is unbound when its time is over."""
    alice.register(ACCOUNT, wire.now)
    wire.carry()
    del wire.agents["127.0.0.1", 5061]
    wire.run(119.0)
    assert registrar.bindings
    wire.run(2.0)
    assert wire.told(pbx)[-1] == Unbound("301") and registrar.bindings == {}


def test_interval_too_brief(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """423 names the least, and that is asked for."""
    alice.register(Account("301", "secret", *PBX, expires_s=20), wire.now)
    assert wire.told(alice) == [Registered("301", 60)]
    assert wire.heads()[-4:] == ["REGISTER", "423 REGISTER", "REGISTER", "200 REGISTER"]


@pytest.mark.parametrize(("user", "password"), [("301", "wrong"), ("999", "secret")])
def test_wrong_password(wire: Any, alice: UserAgent, pbx: UserAgent, user: str, password: str) -> None:
    """Told as 403, tried again once a minute and no faster; nobody is bound."""
    alice.register(Account(user, password, *PBX), wire.now)
    assert wire.told(alice) == [RegistrationFailed(user, 403, "Forbidden")]
    count = len(wire.log)
    wire.run(59.0)
    assert len(wire.log) == count
    wire.run(2.0)
    assert len(wire.told(alice)) == 1
    alice.unregister(user, wire.now)
    assert wire.told(alice) == [Unregistered(user)]
    assert wire.told(pbx) == []


def test_md5_alone(wire: Any, alice: UserAgent) -> None:
    """A registrar of the older kind."""
    wire.join("p", 5062, Registrar("pbx", {"301": "secret"}, algorithms=["MD5"]))
    alice.register(ACCOUNT, wire.now)
    assert wire.told(alice) == [Registered("301", 120)]
    assert not any(b"SHA" in octets for _, _, octets in wire.log)


def test_somebody_elses_number(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """302's password does not bind 301."""
    account = Account("302", "other", *PBX)
    alice.register(account, wire.now)
    wire.carry()
    wire.log.clear()
    wire.lose = lambda octets: octets.startswith(b"REGISTER")
    wire.run(61.0)
    refresh = wire.log[0][2].replace(b"To: <sip:302@", b"To: <sip:301@")
    pbx.receive_datagram(refresh.replace(b"branch=z9hG4bK", b"branch=z9hG4bKother"), ("127.0.0.1", 5061), wire.now)
    assert b"SIP/2.0 403" in pbx.datagrams_to_send()[-1][0]


def test_registrar_is_away_and_comes_back(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """408 of our own making, growing delays up to a minute, and Registered when it is back."""
    wire.lose = lambda octets: True
    begin = wire.now
    alice.register(ACCOUNT, wire.now)
    wire.run(600.0)
    events = wire.told(alice)
    assert set(events) == {RegistrationFailed("301", 408, "no answer from the registrar")}
    # 32 s for each try, and 2, 4, 8, 16, 32, 60, 60 s between them
    tries = {re.search(rb"CSeq: (\d+)", octets)[1]: at for at, _, octets in reversed(wire.log)}  # type: ignore[index]
    assert sorted(round(at - begin) for at in tries.values()) == [0, 34, 70, 110, 158, 222, 314, 406, 498, 590]
    wire.lose = lambda octets: False
    wire.run(100.0)
    assert wire.told(alice) == [Registered("301", 120)]


def test_registered_anew(wire: Any, alice: UserAgent, pbx: UserAgent, registrar: Registrar) -> None:
    """A second ``register`` of a user replaces the first; only one keeps refreshing."""
    alice.register(ACCOUNT, wire.now)
    alice.register(ACCOUNT, wire.now)
    wire.carry()
    alice.register(Account("301", "secret", *PBX, expires_s=600), wire.now)
    assert wire.told(alice) == [Registered("301", 120), Registered("301", 600)]
    wire.log.clear()
    wire.run(299.0)
    assert wire.heads() == []


def test_registration_returns_after_a_restart_of_the_registrar(wire: Any, alice: UserAgent, pbx: UserAgent) -> None:
    """A registrar that has forgotten everything is registered at with the next refresh, unnoticed."""
    alice.register(ACCOUNT, wire.now)
    wire.carry()
    again = Registrar("pbx", {"301": "secret"})
    wire.join("q", 5062, again)
    wire.run(61.0)
    assert wire.told(alice) == [Registered("301", 120)]
    assert list(again.bindings) == ["301"]


# -- a registrar written out by hand


def asked(wire: Any, agent: UserAgent) -> str:
    wire.carry()
    texts: list[str] = [octets.decode() for octets, _ in wire.held]
    wire.held.clear()
    return texts[-1]


def reply(wire: Any, agent: UserAgent, request: str, code: int, more: str = "") -> None:
    kept = [line for line in request.split("\r\n") if re.match("Via|From|To|Call-ID|CSeq", line)]
    text = "\r\n".join([f"SIP/2.0 {code} Said so", *kept, *more.split("\n")]).rstrip() + "\r\n\r\n"
    agent.receive_datagram(text.encode(), ("192.0.2.1", 5060), wire.now)
    wire.carry()


@pytest.fixture
def first(wire: Any, alice: UserAgent) -> str:
    wire.held = []
    alice.register(Account("301", "secret", "192.0.2.1"), wire.now)
    return asked(wire, alice)


@pytest.mark.parametrize(
    ("more", "granted_s"),
    [
        ("Contact: <sip:301@127.0.0.1:5061>;expires=40\nExpires: 900", 40),
        ("Contact: <sip:other@192.0.2.7>;expires=7, <sip:301@127.0.0.1:5061;x=y>;expires=41", 41),
        ("Contact: <broken\nContact: <sip:301@127.0.0.1:5061>;expires=x\nExpires: 42", 42),
        ("Expires: 43", 43),
        ("Contact: <sip:301@nat.example:40000>;expires=44", 44),
        ("", 120),
    ],
)
def test_what_was_granted(wire: Any, alice: UserAgent, first: str, more: str, granted_s: int) -> None:
    """Our own Contact's expires, else the Expires header, else what we asked for; refreshed at half of it."""
    reply(wire, alice, first, 200, more)
    assert wire.told(alice) == [Registered("301", granted_s)]
    wire.run(granted_s / 2 - 0.1)
    assert wire.held == []
    wire.run(0.2)
    assert "CSeq: 2 REGISTER" in asked(wire, alice)


def test_retry_after_is_obeyed(wire: Any, alice: UserAgent, first: str) -> None:
    """503 with Retry-After: not before."""
    reply(wire, alice, first, 503, "Retry-After: 300 (maintenance)")
    assert wire.told(alice) == [RegistrationFailed("301", 503, "Said so")]
    wire.run(299.0)
    assert wire.held == []
    wire.run(2.0)
    reply(wire, alice, asked(wire, alice), 200)
    assert wire.told(alice) == [Registered("301", 120)]


def test_a_provisional_answer_is_no_answer(wire: Any, alice: UserAgent, first: str) -> None:
    """100 Trying for a REGISTER: wait on."""
    reply(wire, alice, first, 100)
    assert wire.told(alice) == []
    reply(wire, alice, first, 200)
    assert wire.told(alice) == [Registered("301", 120)]


@pytest.mark.parametrize("more", ["", "Min-Expires: 60", "Min-Expires: x"])
def test_senseless_423(wire: Any, alice: UserAgent, first: str, more: str) -> None:
    """A 423 that does not ask for more is a refusal like any other, and no loop."""
    reply(wire, alice, first, 423, more)
    assert wire.told(alice) == [RegistrationFailed("301", 423, "Said so")]
    assert wire.held == []


def test_lost_and_found(wire: Any, alice: UserAgent, first: str) -> None:
    """A refresh that fails is told and tried again after 2 s, however often; the next success is told again."""
    reply(wire, alice, first, 200)
    for _ in range(3):
        wire.run(60.1)
        reply(wire, alice, asked(wire, alice), 500)
        wire.run(2.1)
        reply(wire, alice, asked(wire, alice), 200)
    assert [type(event) for event in wire.told(alice)] == [Registered, *[RegistrationFailed, Registered] * 3]


# -- the registrar, asked by hand


def register(pbx: UserAgent, wire: Any, more: str, seq: int, user: str = "301", call_id: str = "r@x") -> str:
    """One REGISTER with right credentials; the answer to it."""
    digest = DigestClient("301", "secret", lambda: "cnonce")
    answered: dict[tuple[str, str], int] = {}
    for branch in ("one", "two"):
        lines = [
            "REGISTER sip:pbx SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bK{branch}{seq}{call_id}",
            "From: <sip:301@pbx>;tag=1",
            f"To: <sip:{user}@pbx>",
            f"Call-ID: {call_id}",
            f"CSeq: {seq} REGISTER",
            *(f"{name}: {value}" for name, value in digest.headers("REGISTER", "sip:pbx")),
            *more.split("\n"),
        ]
        text = "\r\n".join(line for line in lines if line) + "\r\n\r\n"
        pbx.receive_datagram(text.encode(), ("192.0.2.5", 5060), wire.now)
        ((octets, _),) = pbx.datagrams_to_send()
        response = read(octets)
        if getattr(response, "code", 0) != 401:
            break
        assert digest.take(response, answered)  # type: ignore[arg-type]
    return octets.decode()


@pytest.mark.parametrize(
    ("more", "code", "contact"),
    [
        ("Contact: <sip:301@192.0.2.5>", 200, "<sip:301@192.0.2.5>;expires=3600"),
        ("Contact: <sip:301@192.0.2.5>;expires=90\nExpires: 7", 200, "<sip:301@192.0.2.5>;expires=90"),
        ("Contact: <sip:301@192.0.2.5>\nExpires: 99999", 200, "<sip:301@192.0.2.5>;expires=3600"),
        ("Contact: <sip:301@192.0.2.5>\nExpires: 59", 423, ""),
        ("Contact: <sip:301@192.0.2.5>\nExpires: 0", 200, ""),
        ("Contact: <mailto:x>", 400, ""),
        ("Contact: <broken", 400, ""),
        ("Contact: *\nExpires: 0", 200, ""),
        ("Contact: *", 400, ""),
        ("", 200, ""),
    ],
)
def test_what_the_registrar_answers(wire: Any, pbx: UserAgent, more: str, code: int, contact: str) -> None:
    """Section 10.3: bind, query, take back, refuse."""
    text = register(pbx, wire, more, 1)
    assert text.startswith(f"SIP/2.0 {code} ")
    assert [line for line in text.split("\r\n") if line.startswith("Contact")] == (
        [f"Contact: {contact}"] if contact else []
    )
    assert ("Min-Expires: 60" in text) is (code == 423)


def test_an_overtaken_register(wire: Any, pbx: UserAgent, registrar: Registrar) -> None:
    """An older CSeq of the same Call-ID does not undo a newer one (10.3 step 7)."""
    register(pbx, wire, "Contact: <sip:new@192.0.2.5>", 5)
    assert register(pbx, wire, "Contact: <sip:old@192.0.2.5>", 4).startswith("SIP/2.0 500")
    assert registrar.bindings["301"].contact == "sip:new@192.0.2.5"
    assert register(pbx, wire, "Contact: <sip:other@192.0.2.5>", 1, call_id="s@x").startswith("SIP/2.0 200")


def test_moving_is_told(wire: Any, pbx: UserAgent) -> None:
    """A new Contact of the same user is told; the same again is not."""
    for contact in ("a", "a", "b"):
        register(pbx, wire, f"Contact: <sip:{contact}@192.0.2.5>", 1, call_id=contact)
    assert wire.told(pbx) == [Bound("301", "sip:a@192.0.2.5"), Bound("301", "sip:b@192.0.2.5")]
    register(pbx, wire, "Contact: *\nExpires: 0", 9)
    assert wire.told(pbx) == [Unbound("301")]


def test_another_users_address(wire: Any, pbx: UserAgent) -> None:
    """Who proves to be 301 may not register 302."""
    assert register(pbx, wire, "Contact: <sip:a@192.0.2.5>", 1, user="302").startswith("SIP/2.0 403")


def test_a_registrar_needs_its_agent() -> None:
    """Used by itself it says what is missing."""
    with pytest.raises(RuntimeError, match="challenge="):
        Registrar("pbx", {}).register(None, 0.0)  # type: ignore[arg-type]


def test_no_log_shows_a_password() -> None:
    assert "hush" not in repr(Account("301", "hush", "127.0.0.1"))
