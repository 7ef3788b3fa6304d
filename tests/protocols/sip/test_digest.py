"""Digest authentication: the examples of the RFCs, both sides against each other, and what must not pass."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sipmessage import Headers

from protocols.sip.digest import DigestClient, DigestServer, digest_response, read_parameters
from protocols.sip.messages import Message, Response


def tokens() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"t{next(numbers)}"


def response(code: int, *pairs: tuple[str, str]) -> Response:
    headers = Headers()
    for name, value in pairs:
        headers.add(name, value)
    return Response(code, "", headers)


def request(pairs: list[tuple[str, str]]) -> Message:
    headers = Headers()
    for name, value in pairs:
        headers.add(name, value)
    return Message(headers)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, expected: str) -> None:
    """Section 3.9.1, both algorithms."""
    assert expected == digest_response(
        algorithm, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "auth", "00000001",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )  # fmt: skip


def test_the_example_of_rfc_2617_without_qop() -> None:
    """The old form of RFC 2069, worked out with the same words by hand: MD5(HA1:nonce:HA2)."""
    ha1 = md5(b"Mufasa:r:Circle Of Life").hexdigest()
    ha2 = md5(b"REGISTER:sip:pbx").hexdigest()
    assert (
        digest_response("MD5", "Mufasa", "r", "Circle Of Life", "REGISTER", "sip:pbx", "n", "", "", "")
        == md5(f"{ha1}:n:{ha2}".encode()).hexdigest()
    )


def test_parameters_with_commas_in_quotes() -> None:
    """qop="auth,auth-int" is one parameter; quotes may be escaped; names come in any case."""
    assert read_parameters('Digest REALM="a \\"b\\", c", qop="auth,auth-int",nonce=x , stale') == (
        "digest",
        {"realm": 'a "b", c', "qop": "auth,auth-int", "nonce": "x", "stale": ""},
    )


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
def test_both_sides(algorithms: tuple[str, ...]) -> None:
    """The client answers what the server asks, twice with one nonce, and the counts differ."""
    server = DigestServer("pbx", tokens(), algorithms)
    client = DigestClient("301", 'p"w', tokens())
    assert client.headers("REGISTER", "sip:pbx") == []
    assert client.take(response(401, *server.challenge(0.0)), {})
    for nc in ("00000001", "00000002"):
        headers = client.headers("REGISTER", "sip:pbx")
        assert f"nc={nc}" in headers[0][1] and f"algorithm={algorithms[0]}" in headers[0][1]
        assert server.verify(request(headers), "REGISTER", {"301": 'p"w'}.get, 1.0).user == "301"
        # The very same answer again is a replay.
        verdict = server.verify(request(headers), "REGISTER", {"301": 'p"w'}.get, 1.0)
        assert (verdict.user, verdict.stale) == (None, True)


def test_what_the_server_does_not_take() -> None:
    """Wrong password, method, user, realm, algorithm, qop, count; an old nonce and a foreign one are stale."""
    users = {"301": "pw"}.get
    server = DigestServer("pbx", tokens())
    client = DigestClient("301", "pw", tokens())
    client.take(response(401, *server.challenge(0.0)), {})

    def verify(find: str, put: str, method: str = "REGISTER", now: float = 1.0) -> tuple[str | None, bool, bool]:
        (header,) = client.headers("REGISTER", "sip:pbx")
        assert find in header[1]
        verdict = server.verify(request([(header[0], header[1].replace(find, put))]), method, users, now)
        return verdict.user, verdict.stale, verdict.offered

    wrong = (None, False, True)
    assert verify('"301"', '"301"') == ("301", False, True)
    assert verify('"301"', '"302"') == wrong
    assert verify('response="', 'response="0') == wrong
    assert verify("nc=", "nc=1") == wrong
    assert verify("qop=auth", "qop=auth-int") == wrong
    assert verify("algorithm=SHA-256", "algorithm=MD4") == wrong
    assert verify('realm="pbx"', 'realm="other"') == (None, False, False)
    assert verify("Digest", "Basic") == (None, False, False)
    assert verify("Digest", "Digest", method="INVITE") == wrong
    assert verify("Digest", "Digest", now=301.0) == (None, True, True)
    server.challenge(700.0)
    assert verify("Digest", "Digest", now=700.0) == (None, True, True)  # long forgotten
    assert len(server._nonces) == 1


def test_challenges_that_the_client_answers() -> None:
    """The first algorithm that it knows, per realm; 401 and 407 apart; what it does not know is no reason to try."""
    client = DigestClient("u", "p", tokens())
    assert not client.take(
        response(401, ("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=SHA-512-256')), {}
    )
    assert not client.take(response(401, ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth-int"')), {})
    assert not client.take(response(401, ("WWW-Authenticate", "Basic realm=r")), {})
    assert not client.take(response(401, ("WWW-Authenticate", 'Digest realm="r"')), {})
    assert not client.take(response(401), {})
    once: dict[tuple[str, str], int] = {}
    assert client.take(
        response(
            401,
            ("WWW-Authenticate", 'Digest realm="r", nonce="n1", algorithm=TOKEN'),
            ("WWW-Authenticate", 'Digest realm="r", nonce="n2", opaque="o", algorithm=md5'),
            ("WWW-Authenticate", 'Digest realm="r", nonce="n3", algorithm=SHA-256'),
        ),
        once,
    )
    assert client.take(response(407, ("Proxy-Authenticate", 'Digest realm="p", nonce="n4"')), once)
    headers = dict(client.headers("INVITE", "sip:x"))
    assert 'nonce="n2"' in headers["Authorization"] and 'opaque="o"' in headers["Authorization"]
    assert 'nonce="n4"' in headers["Proxy-Authorization"] and "qop" not in headers["Proxy-Authorization"]
    again = ("Proxy-Authenticate", 'Digest realm="p", nonce="n5", stale=TRUE')
    assert client.take(response(407, again), once)
    assert not client.take(response(407, again), once)


@given(st.text())
def test_any_authorization_header_is_judged(text: str) -> None:
    """Garbage is nobody, and raises nothing."""
    server = DigestServer("pbx", tokens())
    assert server.verify(request([("Authorization", text)]), "REGISTER", {"301": "pw"}.get, 0.0).user is None
    assert (
        server.verify(
            request([("Authorization", f'Digest realm="pbx", username="301", {text}')]),
            "REGISTER",
            {"301": "pw"}.get,
            0.0,
        ).user
        is None
    )
