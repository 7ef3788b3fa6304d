"""Prompts that Asterisk fetches from us by HTTP (res_http_media_cache): signed links that expire, and nothing else.

    {base}/{expires, Unix time}/{signature}/{key}.wav

A link stays the same for a whole validity period, so that Asterisk's cache, which goes by the link, fetches once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import struct
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import BAD_REQUEST, FORBIDDEN, GONE, INTERNAL_SERVER_ERROR, NOT_FOUND, PARTIAL_CONTENT
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ocm_cti.clock import Clock
from ocm_cti.gateways.agi_prompts import InThread, Prompt, Published
from protocols.rtp import g711

RATE_HZ = 8000
#: TESTED (22): Asterisk takes the length of a WAV's data for its place in the file, and stops a header's length early.
NEVER_READ = bytes(44)
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_LINK = re.compile(r"([0-9]{1,12})/([0-9a-f]{32})/([0-9a-f]{40})\.wav")


def wav(alaw: bytes) -> bytes:
    """8 kHz, mono, 16 bit: what Asterisk plays from a file named .wav."""
    linear = g711.decode_alaw(alaw) + NEVER_READ
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    data = struct.pack("<4sI", b"data", len(linear)) + linear
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


class UrlPrompts:
    """What may be fetched, and by which link."""

    def __init__(self, base: str, valid_s: float, clock: Clock, secret: bytes = b"") -> None:
        self.base = base.rstrip("/")
        self._valid_s = valid_s
        self._clock = clock
        self._secret = secret or secrets.token_bytes(32)
        self._prompts: dict[str, tuple[Prompt, int]] = {}  # key -> and until when
        self._cleaned_s = clock.seconds()

    def publish(self, paths: Sequence[Path]) -> Deferred[Published]:
        """PlayFailed when a file is not there."""
        prompt = Prompt.of(paths)
        expires = self._expires
        self._clean()
        self._prompts[prompt.key] = prompt, expires
        return succeed(
            Published(f"{self.base}/{expires}/{self._signature(prompt.key, expires)}/{prompt.key}.wav", prompt.octets)
        )

    def find(self, link: str) -> Prompt | int:
        """What ``link`` (below the base) is for, or the HTTP code that it is refused with."""
        match = _LINK.fullmatch(link)
        if match is None:
            return NOT_FOUND
        expires, signature, key = int(match[1]), match[2], match[3]
        if not hmac.compare_digest(signature, self._signature(key, expires)):
            return FORBIDDEN
        if expires <= self._clock.seconds() or key not in self._prompts:
            return GONE
        return self._prompts[key][0]

    @property
    def _expires(self) -> int:
        """From one to two periods from now, and the same for a whole period."""
        period = int(self._valid_s)
        return (int(self._clock.seconds()) // period + 2) * period

    def _signature(self, key: str, expires: int) -> str:
        return hmac.new(self._secret, f"{expires}/{key}".encode(), hashlib.sha256).hexdigest()[:32]

    def _clean(self) -> None:
        now_s = self._clock.seconds()
        if now_s - self._cleaned_s > self._valid_s:
            self._cleaned_s = now_s
            self._prompts = {key: kept for key, kept in self._prompts.items() if kept[1] > now_s}


class PromptSite(Resource):
    """GET and HEAD of links that ``prompts`` gave out; ranges of octets."""

    isLeaf = True

    def __init__(self, prompts: UrlPrompts, in_thread: InThread, log: Logger) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._prompts = prompts
        self._in_thread = in_thread
        self._log = log

    def render_GET(self, request: Any) -> Any:
        link = request.path.decode("ascii", "replace")
        found = self._prompts.find("/".join(link.split("/")[-3:]))
        if isinstance(found, int):
            return self._refuse(request, found)
        request.setHeader(b"Content-Type", b"audio/wav")
        request.setHeader(b"ETag", f'"{found.key}"'.encode())
        request.setHeader(b"Cache-Control", b"private, max-age=86400, immutable")
        request.setHeader(b"Expires", formatdate(_wall_s(request) + 86_400, usegmt=True).encode())
        request.setHeader(b"Accept-Ranges", b"bytes")
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        reading = self._in_thread(lambda: wav(found.read()))
        reading.addCallback(self._answer, request, gone).addErrback(self._broken, request, gone)
        return NOT_DONE_YET

    render_HEAD = render_GET

    def _answer(self, octets: bytes, request: Any, gone: list[object]) -> None:
        if gone:
            return
        match = _RANGE.fullmatch((request.getHeader("range") or "").strip())
        if match is not None and (match[1] or match[2]):
            first, last = _span(match[1], match[2], len(octets))
            if first > last:
                request.setHeader(b"Content-Range", f"bytes */{len(octets)}".encode())
                request.setResponseCode(416)
                octets = b""
            else:
                request.setHeader(b"Content-Range", f"bytes {first}-{last}/{len(octets)}".encode())
                request.setResponseCode(PARTIAL_CONTENT)
                octets = octets[first : last + 1]
        request.setHeader(b"Content-Length", str(len(octets)).encode())
        if request.method != b"HEAD":
            request.write(octets)
        request.finish()

    def _broken(self, failure: Failure, request: Any, gone: list[object]) -> None:
        self._log.warn("a prompt could not be given to Asterisk: {why}", why=failure.getErrorMessage())
        if not gone:
            request.setResponseCode(INTERNAL_SERVER_ERROR)
            request.finish()

    def _refuse(self, request: Any, code: int) -> bytes:
        self._log.info(
            "a link to a prompt is refused to {host}: {code}", host=request.getClientAddress().host, code=code
        )
        request.setResponseCode(code)
        request.setHeader(b"Content-Type", b"text/plain")
        return _REFUSALS.get(code, b"no\n")


_REFUSALS = {
    NOT_FOUND: b"not found\n",
    FORBIDDEN: b"not a link of ours\n",
    GONE: b"expired\n",
    BAD_REQUEST: b"bad request\n",
}


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """RFC 9110 14.1.2: ``a-b``, ``a-``, ``-n`` from the end."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


def _wall_s(request: Any) -> float:
    return float(request.channel.site.wall_s())


class QuietSite(Site):
    """No log line a request; ``clock`` for its time-outs."""

    def __init__(self, resource: Resource, reactor: Any) -> None:
        super().__init__(resource, reactor=reactor, timeout=30)  # type: ignore[no-untyped-call]
        self.noisy = False
        self._clock = reactor

    def log(self, request: Any) -> None:
        pass

    def wall_s(self) -> float:
        return float(self._clock.seconds())
