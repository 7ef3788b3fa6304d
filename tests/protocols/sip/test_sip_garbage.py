"""Whatever arrives, the agent lives, forgets it, and goes on with its calls."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.sip.events import Answered, Ended, Incoming
from protocols.sip.registrar import Registrar
from protocols.sip.user_agent import Account, UserAgent

SOURCE = ("192.0.2.9", 5060)
FROM, TO, VIA = "From: <sip:a@b>;tag=1", "To: <sip:301@h>", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK"

methods = st.sampled_from(
    ["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "UPDATE", "PRACK", "NOTIFY", "REFER", "x"]
)
odd_values = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "*", "<", '"', "0", "-1", "9" * 30, "<sip:a@b>;tag=a1", ";;", ",", "<sip:>", "timer", "100rel"]
    ),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Contact",
                "Record-Route",
                "Route",
                "Require",
                "Expires",
                "Session-Expires",
                "Supported",
                "Authorization",
                "Content-Type",
                "Content-Length",
                "WWW-Authenticate",
                "Proxy-Authenticate",
                "Min-Expires",
                "Event",
                "Subscription-State",
                "Refer-To",
                "Retry-After",
                "Reason",
                "To",
                "From",
                "Via",
                "CSeq",
                "X",
            ]
        ),
        odd_values,
    ),
    max_size=5,
)


def agent(port: int = 5060, registrar: Registrar | None = None) -> UserAgent:
    numbers = itertools.count()
    return UserAgent("127.0.0.1", port, token=lambda: f"a{next(numbers)}", challenge=registrar)


def drained(one: UserAgent) -> list[object]:
    one.datagrams_to_send()
    return list(iter(one.next_event, None))


def time_passes(one: UserAgent, now: float) -> None:
    while (at := one.next_timeout()) is not None and at < now:
        one.advance(at)
        one.datagrams_to_send()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(methods, st.integers(0, 3), headers, st.binary(max_size=40)), max_size=6))
def test_any_requests(requests: list[tuple[str, int, list[tuple[str, str]], bytes]]) -> None:
    """Requests with odd headers, in any order: nothing is raised, calls that came about can be refused, and in the end
    nothing is left."""
    one = agent(registrar=Registrar("r", {"301": "pw"}))
    events: list[object] = []
    for method, seq, more, body in requests:
        lines = [f"{method} sip:301@h SIP/2.0", f"{VIA}{seq}", FROM, TO, f"CSeq: {seq} {method}", "Call-ID: 1"]
        lines += ["Contact: <sip:a@192.0.2.9>", *(f"{name}: {value}" for name, value in more)]
        octets = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        one.receive_datagram(octets, SOURCE, 0.0)
        events += drained(one)
    for event in events:
        if isinstance(event, Incoming) and event.call in one._book.calls:
            one.refuse(event.call, 486, 0.0)
    time_passes(one, 100.0)
    assert not (one._core.servers or one._core.clients or one._core.invites or one._book.dialogs or one._book.calls)
    assert one.next_timeout() is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(90, 700), headers, st.binary(max_size=40), st.booleans()), max_size=6))
def test_any_responses(responses: list[tuple[int, list[tuple[str, str]], bytes, bool]]) -> None:
    """Responses with odd headers to an INVITE and a REGISTER: nothing is raised, the call gets one terminal event."""
    one = agent()
    account = Account("301", "pw", "192.0.2.9")
    call = one.invite("sip:x@h", from_user="301", destination=SOURCE, sdp=b"v=0\r\n", credentials=account, now=0.0)
    one.register(account, 0.0)
    sent = [octets for octets, _ in one.datagrams_to_send()]
    events: list[object] = []
    for code, more, body, to_register in responses:
        request = sent[-1 if to_register else 0].decode()
        kept = [
            line for line in request.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        lines = [f"SIP/2.0 {code} x", *kept, *(f"{name}: {value}" for name, value in more)]
        one.receive_datagram("\r\n".join(lines).encode() + b"\r\n\r\n" + body, SOURCE, 0.0)
        events += list(iter(one.next_event, None))
        sent += [octets for octets, _ in one.datagrams_to_send() if octets.startswith((b"INVITE", b"REGISTER"))]
    one.hang_up(call, 0.0)
    one.unregister("301", 0.0)
    time_passes(one, 200.0)
    events += drained(one)
    terminal = [event for event in events if type(event).__name__ in ("Ended", "Refused")]
    assert len(terminal) == 1
    assert not (one._core.clients or one._book.dialogs or one._book.calls or one._registrations)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damage_on_the_way(data: st.DataObject) -> None:
    """Octets of a good call are changed, cut or doubled on the way: both agents live, and both come to an end."""
    one, other = agent(5060), agent(5061)
    call = one.invite("sip:301@127.0.0.1", from_user="1", destination=("127.0.0.1", 5061), sdp=b"v=0\r\n", now=0.0)
    events: list[tuple[int, object]] = []  # both agents of this test give their calls the same names
    ways = ((one, other, 5060), (other, one, 5061))
    for turn in range(8):
        for source, target, port in ways:
            for octets, _ in source.datagrams_to_send():
                damage = data.draw(st.sampled_from(["none", "none", "change", "cut", "twice"]))
                if damage == "change":
                    at = data.draw(st.integers(0, len(octets) - 1))
                    octets = octets[:at] + data.draw(st.binary(max_size=3)) + octets[at + 1 :]
                elif damage == "cut":
                    octets = octets[: data.draw(st.integers(0, len(octets)))]
                for _ in range(2 if damage == "twice" else 1):
                    target.receive_datagram(octets, ("127.0.0.1", port), float(turn))
            while (event := target.next_event()) is not None:
                events.append((id(target), event))
                if isinstance(event, Incoming):
                    target.answer(event.call, b"v=0\r\n", float(turn))
                if isinstance(event, Answered):
                    target.hang_up(event.call, float(turn))
            source.advance(float(turn))
    one.hang_up(call, 8.0)
    for now in range(8, 400):
        for source, target, port in ways:
            source.advance(float(now))
            for octets, _ in source.datagrams_to_send():
                target.receive_datagram(octets, ("127.0.0.1", port), float(now))
            while (event := source.next_event()) is not None:
                events.append((id(source), event))
                if isinstance(event, Incoming):
                    source.refuse(event.call, 486, float(now))
    assert one.at_rest or not one._book.calls
    ended = [(agent_of, event.call) for agent_of, event in events if isinstance(event, Ended)]
    assert len(set(ended)) == len(ended)


def test_many_calls_leave_memory_flat() -> None:
    """A thousand calls, answered, refused and cancelled, a second apart: nothing of them stays."""
    one, other = agent(5060), agent(5061)
    ways = ((one, other, 5060), (other, one, 5061))
    most = 0

    def carry(now: float) -> list[Incoming]:
        incoming = []
        for _ in range(6):
            for source, target, port in ways:
                for octets, _ in source.datagrams_to_send():
                    target.receive_datagram(octets, ("127.0.0.1", port), now)
                incoming += [event for event in iter(source.next_event, None) if isinstance(event, Incoming)]
        return incoming

    for number in range(1000):
        now = float(number)
        for source, _, _ in ways:
            source.advance(now)
        call = one.invite("sip:9@h", from_user="1", destination=("127.0.0.1", 5061), sdp=b"v=0\r\n", now=now)
        (incoming,) = carry(now)
        if number % 3 == 0:
            other.refuse(incoming.call, 486, now)
        elif number % 3 == 1:
            other.answer(incoming.call, b"v=0\r\n", now)
        carry(now)
        one.hang_up(call, now)
        carry(now)
        most = max(most, len(other._core.servers))
    assert most < 80  # 32 s of transactions
    for source, _, _ in ways:
        source.advance(1100.0)
        core, book = source._core, source._book
        assert not (core.servers or core.clients or core.invites or book.calls or book.dialogs or len(core.alarms))
