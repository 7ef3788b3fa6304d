"""SDP offer and answer (RFC 4566, RFC 3264) for one G.711 audio stream with telephone-event (RFC 4733)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.errors import RemoteProtocolError

#: What we speak, best first: the prompts are A-law already. name -> static payload type (RFC 3551)
CODECS: dict[str, int] = {"PCMA": 8, "PCMU": 0}
TELEPHONE_EVENT_PT = 101
PTIME_MS = 20
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
#: Their direction -> ours (RFC 3264 section 6.1)
OPPOSITE = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}

_MEDIA = re.compile(r"([!-~]+) (\d{1,5})(?:/\d+)? ([!-~]+)((?: [!-~]+)*)\s*\Z")
_RTPMAP = re.compile(r"(\d{1,3}) ([^/\s]+)/(\d+)(?:/1)?\s*\Z")


class SDPError(RemoteProtocolError):
    """Not SDP, or nothing in it that we can speak: answer 488."""


@dataclass(frozen=True)
class MediaOffer:
    """The first usable audio section of a session description, an offer or an answer alike.

    ``payload_types`` in the order of the peer's preference, without telephone-event; ``codecs`` names those of them
    that we know. ``direction`` is as the peer sees it. ``ptime_ms`` None when he does not say.
    """

    host: str
    port: int
    payload_types: tuple[int, ...]
    telephone_event_pt: int | None
    ptime_ms: int | None
    direction: str
    codecs: tuple[tuple[int, str], ...] = ()
    sections: tuple[str, ...] = ()  # all m= lines, for an answer must have as many
    index: int = 0  # which of them this is

    @property
    def on_hold(self) -> bool:
        """Nothing of ours is wanted now: ``sendonly``, ``inactive``, or the old 0.0.0.0."""
        return self.direction in ("sendonly", "inactive") or self.host == "0.0.0.0"


@dataclass(frozen=True)
class Agreed:
    """What both sides will use. ``codec`` is ``PCMA`` or ``PCMU``; ``direction`` is ours; where ``remote_host`` is
    0.0.0.0 nothing is to be sent."""

    codec: str
    pt: int
    telephone_event_pt: int | None
    remote_host: str
    remote_port: int
    ptime_ms: int = PTIME_MS
    direction: str = "sendrecv"

    @property
    def may_send(self) -> bool:
        return self.direction in ("sendrecv", "sendonly") and self.remote_host != "0.0.0.0"


def parse(octets: bytes) -> MediaOffer:
    """Read a session description. SDPError when there is no audio over RTP/AVP in it. Unknown lines are passed over."""
    session: list[str] = []
    sections: list[list[str]] = []
    for line in octets.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        if line.startswith("m="):
            sections.append([line])
        elif line[1:2] == "=":
            (sections[-1] if sections else session).append(line)
    heads = tuple(section[0][2:] for section in sections)
    for index, section in enumerate(sections):
        m = _MEDIA.match(section[0][2:])
        # Port 0 is a refused or withdrawn stream; RTP/SAVP would need keys.
        if m and m[1] == "audio" and m[3] in ("RTP/AVP", "RTP/AVPF") and 0 < int(m[2]) < 65536:
            return _audio(int(m[2]), m[4].split(), session, section, heads, index)
    raise SDPError("no audio over RTP in the session description")


def _audio(
    port: int, formats: Sequence[str], session: list[str], section: list[str], heads: tuple[str, ...], index: int
) -> MediaOffer:
    names = {number: name for name, number in CODECS.items()}
    events: set[int] = set()
    direction, ptime_ms = "sendrecv", None
    for line in session + section:  # the media level after the session level, so that it wins
        name, _, value = line.partition(":")
        if name.removeprefix("a=") in DIRECTIONS and line.startswith("a="):
            direction = name.removeprefix("a=")
        elif name == "a=ptime" and re.match(r"\d{1,4}\s*\Z", value):
            ptime_ms = int(value) or None
        elif name == "a=rtpmap" and (m := _RTPMAP.match(value)):
            number, codec = int(m[1]), m[2].upper()
            names.pop(number, None)
            if codec in CODECS and m[3] == "8000":
                names[number] = codec
            elif codec == "TELEPHONE-EVENT" and m[3] == "8000":
                events.add(number)
    numbers = [int(text) for text in formats if re.match(r"\d{1,3}\Z", text) and int(text) < 128]
    return MediaOffer(
        host=_host(session, section),
        port=port,
        payload_types=tuple(number for number in numbers if number not in events),
        telephone_event_pt=next((number for number in numbers if number in events), None),
        ptime_ms=ptime_ms,
        direction=direction,
        codecs=tuple((number, names[number]) for number in numbers if number in names and number not in events),
        sections=heads,
        index=index,
    )


def _host(session: list[str], section: list[str]) -> str:
    for lines in (section, session):
        for line in lines:
            if m := re.match(r"c=IN IP[46] ([0-9A-Za-z.:\-]+)", line):
                return m[1]
    raise SDPError("no connection address (c=) for the audio")


def offer(host: str, port: int, session: int = 1, version: int = 1, *, direction: str = "sendrecv") -> bytes:
    """Our offer: PCMA, PCMU, telephone-event. ``session`` is one number per call; ``version`` grows with each offer."""
    return _write(host, port, session, version, list(CODECS.items()), TELEPHONE_EVENT_PT, direction)


def answer(
    offered: MediaOffer | bytes, host: str, port: int, session: int = 1, version: int = 1
) -> tuple[bytes, Agreed]:
    """Our answer to their offer, in their payload types. SDPError when they speak neither PCMA nor PCMU."""
    theirs = parse(offered) if isinstance(offered, bytes) else offered
    agreed = _agree(theirs)
    body = _write(
        host, port, session, version, [(agreed.codec, agreed.pt)], agreed.telephone_event_pt, agreed.direction, theirs
    )
    return body, agreed


def accept(answered: MediaOffer | bytes) -> Agreed:
    """What their answer to our offer comes to. SDPError when it is none that we can live with."""
    return _agree(parse(answered) if isinstance(answered, bytes) else answered)


def _agree(theirs: MediaOffer) -> Agreed:
    for codec in CODECS:
        for number, name in theirs.codecs:
            if name == codec:
                direction = OPPOSITE[theirs.direction]
                return Agreed(codec, number, theirs.telephone_event_pt, theirs.host, theirs.port, PTIME_MS, direction)
    raise SDPError(f"neither PCMA nor PCMU among the payload types {list(theirs.payload_types)}")


def _write(
    host: str,
    port: int,
    session: int,
    version: int,
    codecs: list[tuple[str, int]],
    event_pt: int | None,
    direction: str,
    to: MediaOffer | None = None,
) -> bytes:
    family = "IP6" if ":" in host else "IP4"
    formats = [number for _, number in codecs] + ([] if event_pt is None else [event_pt])
    profile = "RTP/AVP" if to is None else to.sections[to.index].split()[2]
    ours = [f"m=audio {port} {profile} {' '.join(map(str, formats))}"]
    ours += [f"a=rtpmap:{number} {name}/8000" for name, number in codecs]
    if event_pt is not None:
        ours += [f"a=rtpmap:{event_pt} telephone-event/8000", f"a=fmtp:{event_pt} 0-15"]
    ours += [f"a=ptime:{PTIME_MS}", f"a={direction}"]
    lines = ["v=0", f"o=- {session} {version} IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0"]
    if to is None:
        lines += ours
    else:
        for index, head in enumerate(to.sections):
            lines += ours if index == to.index else [_refused(head)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _refused(head: str) -> str:
    """Another m= line of theirs with port 0 (RFC 3264 section 6)."""
    media, _, rest = head.partition(" ")
    _, _, formats = rest.partition(" ")
    return f"m={media} 0 {formats}".rstrip()
