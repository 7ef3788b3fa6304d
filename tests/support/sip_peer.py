"""A SIP peer written out by hand, who sends what only a stranger would send."""

from __future__ import annotations

import re
from typing import Any

from protocols.sip.events import Confirmed, Incoming
from protocols.sip.user_agent import UserAgent

PEER = ("192.0.2.9", 5070)


class Peer:
    """A stranger at ``PEER`` who sends texts. ``last`` is the newest message of the agent."""

    def __init__(self, wire: Any, agent: UserAgent) -> None:
        self.wire = wire
        self.agent = agent
        wire.held = []

    def send(self, text: str, body: str = "", source: tuple[str, int] = PEER) -> None:
        octets = text.strip().replace("\n", "\r\n").encode()
        octets += f"\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        self.agent.receive_datagram(octets, source, self.wire.now)
        self.wire.carry()

    def taken(self) -> list[str]:
        """All that the agent has sent since the last question."""
        self.wire.carry()
        texts, self.wire.held = [octets.decode() for octets, _ in self.wire.held], []
        return texts

    def heads(self) -> list[str]:
        return [text.split("\r\n", 1)[0] for text in self.taken()]

    def codes(self) -> list[int]:
        return [int(head.split()[1]) for head in self.heads()]

    def request(
        self,
        method: str,
        seq: int,
        *,
        tag: str = "",
        more: str = "",
        body: str = "",
        branch: str = "",
        ours: str = "pt",
    ) -> None:
        """A request of the peer in the dialog ``x@peer``; ``tag`` is the agent's."""
        to = f"<sip:301@127.0.0.1:5061>{';tag=' + tag if tag else ''}"
        self.send(
            f"""{method} sip:301@127.0.0.1:5061 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5070;branch={branch or f"z9hG4bK{method}{seq}"}
From: "Ivan" <sip:100@pbx1>;tag={ours}
To: {to}
Call-ID: x@peer
CSeq: {seq} {method}
Contact: <sip:100@192.0.2.9:5070>
{more}""".strip(),
            body,
        )

    def respond(self, request: str, code: int, *, tag: str = "pt", more: str = "", body: str = "") -> None:
        """A response to what the agent sent."""
        keep = [line for line in request.split("\r\n") if re.match(r"Via|From|Call-ID|CSeq", line)]
        to = field(request, "To")
        to += f";tag={tag}" if tag and "tag=" not in to else ""
        self.send("\n".join([f"SIP/2.0 {code} Whatever", *keep, f"To: {to}", *more.split("\n")]).strip(), body)


def field(text: str, name: str) -> str:
    """The value of a header; all values joined with " | " when there are several."""
    return " | ".join(line.partition(": ")[2] for line in text.split("\r\n") if line.startswith(f"{name}: "))


SDP = "Content-Type: application/sdp"


def standing(peer: Peer, more: str = "") -> tuple[str, str]:
    """A call from the peer that stands: its key and the agent's tag."""
    peer.request("INVITE", 1, more=f"{SDP}\n{more}".strip(), body="v=0\r\n")
    incoming = peer.wire.told(peer.agent)[-1]
    assert isinstance(incoming, Incoming)
    peer.agent.answer(incoming.call, b"v=0\r\nours", peer.wire.now)
    ok = peer.taken()[-1]
    tag = field(ok, "To").partition("tag=")[2]
    peer.request("ACK", 1, tag=tag)
    assert peer.wire.told(peer.agent) == [Confirmed(incoming.call)]
    return incoming.call, tag
