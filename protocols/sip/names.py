"""Addresses of hosts given by name: looked up once a minute, and an old answer is better than none."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

#: An answer is used for so long without asking again.
FRESH_S: Final = 60.0

_log = Logger()


class Seconds(Protocol):
    def seconds(self) -> float: ...


class NoAddress(Exception):
    """A host has no address that we could find out; the text names it and says why."""


class Names:
    """``resolve`` (``reactor.resolve``) finds the address of a host; None: nobody can."""

    def __init__(self, resolve: Callable[[str], Deferred[str]] | None, clock: Seconds) -> None:
        self._resolve = resolve
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}
        self._asking: dict[str, list[Deferred[str]]] = {}

    def find(self, host: str) -> Deferred[str]:
        """The address; has fired already where it is known. Fires in the order of the questions. NoAddress."""
        if is_address(host):
            return succeed(host)
        address, known_at = self._known.get(host, ("", 0.0))
        if address and host not in self._asking:
            if self._clock.seconds() - known_at >= FRESH_S:
                # What is sent now must not wait, nor overtake what was sent before.
                self._ask(host)
            return succeed(address)
        if address:
            return succeed(address)
        waiting: Deferred[str] = Deferred()
        if host in self._asking:
            self._asking[host].append(waiting)
            return waiting
        if self._resolve is None:
            return fail(NoAddress(f"nobody to look up {host}"))
        self._ask(host, waiting)
        return waiting

    def _ask(self, host: str, *waiting: Deferred[str]) -> None:
        if self._resolve is not None:
            self._asking[host] = list(waiting)
            maybeDeferred(self._resolve, host).addCallbacks(
                self._found, self._not_found, callbackArgs=(host,), errbackArgs=(host,)
            )

    def _found(self, address: str, host: str) -> None:
        self._known[host] = (address, self._clock.seconds())
        for waiting in self._asking.pop(host, []):
            waiting.callback(address)

    def _not_found(self, failure: Failure, host: str) -> None:
        why = failure.getErrorMessage()
        _log.warn("{host} can't be looked up: {why}", host=host, why=why)
        for waiting in self._asking.pop(host, []):
            waiting.errback(NoAddress(f"{host} can't be looked up: {why}"))


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
