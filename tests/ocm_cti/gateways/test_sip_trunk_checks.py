"""What ``ocm check`` says of an operator's trunk."""

from __future__ import annotations

from typing import Any

import pytest
from sip_trunk_bench import SipTrunkBench
from twisted.internet.defer import Deferred, succeed


class Operator:
    """In place of Ping: says what he is told to, or nothing at all."""

    says: tuple[bool, str] | None = (True, "")
    stopped = 0

    def __init__(self, settings: Any, host: str, reactor: Any, told: Any) -> None:
        assert settings.options_ping_s > 60, "asked once"
        self._told = told

    def start(self) -> None:
        if self.says is not None:
            self._told(*self.says)
            self._told(*self.says)

    def stop(self) -> Deferred[None]:
        type(self).stopped += 1
        return succeed(None)


def found(**changed: Any) -> list[tuple[bool, str, str]]:
    bench = SipTrunkBench(local_host="127.0.0.1", **changed)
    bench.gateway._make_ping = Operator
    bench.start()
    results: list[Any] = []
    bench.gateway.checks().addBoth(results.append)
    bench.until(lambda: results, "checked")
    assert isinstance(results[0], list), results[0]
    return results[0]


def test_an_account_that_is_registered() -> None:
    (line,) = found()
    assert line == (True, "account 4950000", "registered by udp")


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ((True, ""), (True, "answers OPTIONS")),
        ((False, "x:5060 does not answer OPTIONS"), (False, "x:5060 does not answer OPTIONS")),
        (None, (False, "can't be asked by OPTIONS: no UDP port of ours is free (the log says more)")),
    ],
)
def test_without_a_registration_the_operator_is_asked_by_options(
    monkeypatch: pytest.MonkeyPatch, says: Any, line: tuple[bool, str]
) -> None:
    monkeypatch.setattr(Operator, "says", says)
    monkeypatch.setattr(Operator, "stopped", 0)
    account, operator = found(registers=False)
    assert account[0] and "only a call shows" in account[2]
    assert (operator[0], operator[2]) == line
    assert operator[1].startswith("operator ")
    assert Operator.stopped == 1
