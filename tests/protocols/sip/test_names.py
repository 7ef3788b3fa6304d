"""Hosts given by name: asked once a minute, in order, and an old answer rather than none."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from protocols.sip.names import FRESH_S, Names, NoAddress


class Case:
    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[tuple[str, Deferred[str]]] = []
        self.names = Names(self.resolve, self.clock)
        self.found: list[Any] = []

    def resolve(self, host: str) -> Deferred[str]:
        self.asked.append((host, Deferred()))
        return self.asked[-1][1]

    def find(self, host: str) -> None:
        self.names.find(host).addBoth(lambda result: self.found.append(getattr(result, "value", result)))


def test_addresses_are_not_asked_for() -> None:
    case = Case()
    case.find("192.0.2.1")
    case.find("::1")
    assert case.found == ["192.0.2.1", "::1"] and case.asked == []


def test_asked_once_and_answered_in_order() -> None:
    case = Case()
    case.find("a")
    case.find("b")
    case.find("a")
    case.asked[1][1].callback("192.0.2.2")
    case.asked[0][1].callback("192.0.2.1")
    assert case.found == ["192.0.2.2", "192.0.2.1", "192.0.2.1"]
    case.find("a")
    assert len(case.asked) == 2 and case.found[-1] == "192.0.2.1"


def test_an_old_answer_is_used_while_a_new_one_is_sought() -> None:
    case = Case()
    case.find("a")
    case.asked[0][1].callback("192.0.2.1")
    case.clock.advance(FRESH_S)
    case.find("a")
    case.find("a")
    assert len(case.asked) == 2 and case.found == ["192.0.2.1"] * 3
    case.asked[1][1].errback(OSError("no way"))
    case.find("a")
    assert len(case.asked) == 3 and case.found[-1] == "192.0.2.1"
    case.asked[2][1].callback("192.0.2.7")
    case.find("a")
    assert case.found[-1] == "192.0.2.7"


def test_not_found() -> None:
    case = Case()
    case.find("a")
    case.find("a")
    case.asked[0][1].errback(OSError("no such host"))
    assert [(type(found), str(found)) for found in case.found] == [
        (NoAddress, "a can't be looked up: no such host")
    ] * 2
    case.find("a")
    assert len(case.asked) == 2  # the next one may find it
    nobody = Case()
    nobody.names = Names(None, nobody.clock)
    nobody.find("a")
    assert str(nobody.found[0]) == "nobody to look up a"
