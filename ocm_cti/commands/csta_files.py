"""Files with APDUs in them: which kind a file is, and what is in it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from ocm_cti.commands.csta_pcap import is_capture, of_capture
from protocols.csta import replay
from protocols.csta.capture import Captured, of_octets, of_text
from protocols.csta.recording import Recorded, parse
from protocols.errors import RemoteProtocolError

BEGINNING = 4096
"""Octets that tell text from raw octets."""


def read(path: str) -> Iterable[Captured]:
    """The APDUs of a packet capture, of a recording, of a log or of lines of hex, or of raw octets."""
    with open(path, "rb") as file:
        beginning = file.read(BEGINNING)
        file.seek(0)
        if is_capture(beginning):
            return of_capture(file)
        if is_text(beginning):
            return list(of_text(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")))
        return list(of_octets(file.read()))


def sessions(path: str) -> list[list[Recorded]]:
    """The connections in a recording of ours, or in a packet capture; RemoteProtocolError names a bad line."""
    with open(path, "rb") as file:
        beginning = file.read(BEGINNING)
        file.seek(0)
        if not is_capture(beginning):
            if not is_text(beginning):
                raise RemoteProtocolError(f"{path}: neither a recording nor a packet capture")
            return replay.sessions(parse(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")))
        flows: dict[str, list[Recorded]] = {}
        for captured in of_capture(file):
            if captured.direction is not None and not captured.fault:
                flows.setdefault(captured.flow, []).append(
                    Recorded(captured.direction, captured.apdu, captured.at),
                )
        return list(flows.values())


def is_text(beginning: bytes) -> bool:
    """Whether it reads as text: no control characters but those of lines. APDUs always have some."""
    return not any(octet < 0x20 and octet not in b"\t\r\n\f\x1b" for octet in beginning)
