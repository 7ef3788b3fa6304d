"""Digest access authentication (RFC 8760 over RFC 7616/2617): the asking side and the side that verifies."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .addresses import split_outside
from .messages import Message, Response

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda octets: hashlib.md5(octets, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda octets: hashlib.sha256(octets).hexdigest(),
}
#: response code -> (header with the challenge, header with the answer)
HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
NONCE_LIFE_S = 300.0


def read_parameters(text: str) -> tuple[str, dict[str, str]]:
    """``Digest realm="x", qop="auth,auth-int"`` -> ("digest", {"realm": "x", ...}). The library splits at any comma."""
    scheme, _, rest = text.strip().partition(" ")
    found = {}
    for piece in split_outside(rest, ","):
        name, _, value = piece.partition("=")
        value = value.strip()
        if len(value) > 1 and value.startswith('"') and value.endswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found[name.strip().lower()] = value
    return scheme.lower(), found


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def digest_response(
    algorithm: str,
    user: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    qop: str,
    nc: str,
    cnonce: str,
) -> str:
    """The ``response`` parameter (RFC 7616 section 3.4.1); ``qop`` is "auth" or "" (RFC 2069)."""
    h = _HASHES[algorithm]
    ha1 = h(f"{user}:{realm}:{password}".encode())
    ha2 = h(f"{method}:{uri}".encode())
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return h(f"{ha1}:{middle}:{ha2}".encode())


@dataclass
class Challenge:
    """One realm's challenge as far as it concerns the answer; ``used`` counts the answers given with its nonce."""

    header: str
    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str | None
    stale: bool
    used: int = 0


def challenges(response: Response) -> list[Challenge]:
    """The challenges of a 401 or 407 that we can answer, one per realm: the first algorithm that we know (RFC 8760
    section 2.3: the peer puts the preferred one first)."""
    found: dict[str, Challenge] = {}
    asking, answering = HEADERS[response.code]
    for text in response.headers.getlist(asking):
        scheme, values = read_parameters(text)
        algorithm = values.get("algorithm", "MD5").upper()
        qops = [qop.strip().lower() for qop in values.get("qop", "").split(",") if qop.strip()]
        if scheme != "digest" or algorithm not in _HASHES or "nonce" not in values or (qops and "auth" not in qops):
            continue
        realm = values.get("realm", "")
        qop = "auth" if qops else ""
        stale = values.get("stale", "").lower() == "true"
        found.setdefault(
            realm, Challenge(answering, realm, values["nonce"], algorithm, qop, values.get("opaque"), stale)
        )
    return list(found.values())


def why_unanswerable(response: Response) -> str:
    """Why no challenge of a 401 or 407 can be answered, in words; "" when one can be."""
    if challenges(response):
        return ""
    texts = response.headers.getlist(HEADERS[response.code][0])
    for text in texts:
        scheme, values = read_parameters(text)
        if scheme != "digest":
            return f"it asks for {scheme[:40] or 'nothing'} authentication, which is not supported"
        if "nonce" not in values:
            return "its challenge has no nonce"
        if values.get("algorithm", "MD5").upper() not in _HASHES:
            return f"it asks for the algorithm {values['algorithm'][:40]}, which is not supported"
        return f"it asks for qop={values.get('qop', '')[:40]}, and only auth is supported"
    return "no challenge in it"


class DigestClient:
    """Answers challenges for one user. It keeps the last nonce of every realm, so that the next request need not be
    refused first. ``once`` of a request: the (header, realm) pairs answered for it so far; see ``take``."""

    def __init__(self, user: str, password: str, token: Callable[[], str]) -> None:
        self._user = user
        self._password = password
        self._token = token
        self._known: dict[tuple[str, str], Challenge] = {}

    def take(self, response: Response, answered: dict[tuple[str, str], int]) -> bool:
        """Note the challenges of a 401 or 407. True when the request is worth sending again: a realm that it has not
        answered yet, or a nonce that had grown old (``stale``), twice at most. ``answered`` is the request's own."""
        worth = False
        for challenge in challenges(response):
            key = (challenge.header, challenge.realm)
            times = answered.get(key, 0)
            if times == 0 or (challenge.stale and times < 2):
                answered[key] = times + 1
                self._known[key] = challenge
                worth = True
            else:
                self._known.pop(key, None)
        return worth

    def headers(self, method: str, uri: str) -> list[tuple[str, str]]:
        """Authorization and Proxy-Authorization for the realms known; every call counts the nonces up."""
        return [(challenge.header, self._answer(challenge, method, uri)) for challenge in self._known.values()]

    def _answer(self, challenge: Challenge, method: str, uri: str) -> str:
        challenge.used += 1
        nc, cnonce = f"{challenge.used:08x}", self._token() if challenge.qop else ""
        response = digest_response(
            challenge.algorithm, self._user, challenge.realm, self._password, method, uri, challenge.nonce,
            challenge.qop, nc, cnonce,
        )  # fmt: skip
        parts = [
            f"username={quoted(self._user)}", f"realm={quoted(challenge.realm)}", f"nonce={quoted(challenge.nonce)}",
            f"uri={quoted(uri)}", f"response={quoted(response)}", f"algorithm={challenge.algorithm}",
        ]  # fmt: skip
        if challenge.qop:
            # qop and nc go without quotes (RFC 7616 section 3.4).
            parts += [f"cnonce={quoted(cnonce)}", f"qop={challenge.qop}", f"nc={nc}"]
        if challenge.opaque is not None:
            parts.append(f"opaque={quoted(challenge.opaque)}")
        return "Digest " + ", ".join(parts)


@dataclass
class _Nonce:
    issued_at: float
    counts: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Verdict:
    """``user`` is who has proved himself, None when nobody has. ``stale``: right, but with an old nonce."""

    user: str | None
    claimed: str = ""
    stale: bool = False
    offered: bool = False


class DigestServer:
    """Makes challenges and verifies the answers to them, for a registrar. ``token`` makes the nonces."""

    def __init__(self, realm: str, token: Callable[[], str], algorithms: Iterable[str] = ("SHA-256", "MD5")) -> None:
        self.realm = realm
        self.algorithms = tuple(algorithms)
        self._token = token
        self._nonces: dict[str, _Nonce] = {}

    def challenge(self, now: float, stale: bool = False) -> list[tuple[str, str]]:
        """WWW-Authenticate headers, one per algorithm, all with one new nonce."""
        # Kept a lifetime longer than they are good for, so that an old one can be told from a foreign one.
        while self._nonces and now - next(iter(self._nonces.values())).issued_at > 2 * NONCE_LIFE_S:
            del self._nonces[next(iter(self._nonces))]  # they stand in the order of their issue
        nonce = self._token()
        self._nonces[nonce] = _Nonce(now)
        tail = ", stale=true" if stale else ""
        return [
            (
                "WWW-Authenticate",
                f'Digest realm={quoted(self.realm)}, nonce={quoted(nonce)}, algorithm={algorithm}, qop="auth"{tail}',
            )
            for algorithm in self.algorithms
        ]

    def verify(self, request: Message, method: str, password_of: Callable[[str], str | None], now: float) -> Verdict:
        """Judge the Authorization header for our realm. Whatever is in it, the answer is a Verdict."""
        for text in request.headers.getlist("Authorization"):
            scheme, values = read_parameters(text)
            if scheme == "digest" and values.get("realm") == self.realm:
                return self._judge(values, method, password_of, now)
        return Verdict(None)

    def _judge(
        self, values: dict[str, str], method: str, password_of: Callable[[str], str | None], now: float
    ) -> Verdict:
        user, algorithm = values.get("username", ""), values.get("algorithm", "MD5").upper()
        wrong = Verdict(None, user, offered=True)
        password = password_of(user)
        if password is None or algorithm not in self.algorithms or values.get("qop", "") not in ("", "auth"):
            return wrong
        expected = digest_response(
            algorithm, user, self.realm, password, method, values.get("uri", ""), values.get("nonce", ""),
            values.get("qop", ""), values.get("nc", ""), values.get("cnonce", ""),
        )  # fmt: skip
        if not hmac.compare_digest(expected.encode(), values.get("response", "").lower().encode()):
            return wrong
        seen = self._nonces.get(values.get("nonce", ""))
        if seen is None or now - seen.issued_at > NONCE_LIFE_S or not self._fresh(seen, values):
            return Verdict(None, user, stale=True, offered=True)
        return Verdict(user, user, offered=True)

    @staticmethod
    def _fresh(seen: _Nonce, values: dict[str, str]) -> bool:
        """False for a replay: a nonce count that was used before."""
        if not values.get("qop"):
            return True
        try:
            count = int(values.get("nc", ""), 16)
        except ValueError:
            return False
        if count in seen.counts:
            return False
        seen.counts.add(count)
        return True
