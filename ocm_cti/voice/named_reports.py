"""What one life of a voice process tells, on its way to the client that outlives it."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """Who is told; calls are named for good."""

    def child_ready(self, sip_port: int) -> None: ...
    def child_registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def child_incoming(self, call_id: str, extension: str, caller: str) -> None: ...
    def child_ringing(self, call_id: str, code: int) -> None: ...
    def child_refused(
        self, call_id: str, code: int, reason: str, q850: int | None, retry_after_s: float | None
    ) -> None: ...
    def child_established(self, call_id: str) -> None: ...
    def child_digit(self, call_id: str, digit: str) -> None: ...
    def child_ended(self, call_id: str, by: str, reason: str, q850: int | None) -> None: ...


class NamedReports:
    """Reports of one process, its calls named so that no later process can have the same."""

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self.ready = client.child_ready
        self.registration_changed = client.child_registration_changed

    def incoming(self, call: str, extension: str, caller: str) -> None:
        self._client.child_incoming(self._prefix + call, extension, caller)

    def ringing(self, call: str, code: int) -> None:
        self._client.child_ringing(self._prefix + call, code)

    def refused(self, call: str, code: int, reason: str, q850: int | None, retry_after_s: float | None) -> None:
        self._client.child_refused(self._prefix + call, code, reason, q850, retry_after_s)

    def established(self, call: str) -> None:
        self._client.child_established(self._prefix + call)

    def digit(self, call: str, digit: str) -> None:
        self._client.child_digit(self._prefix + call, digit)

    def ended(self, call: str, by: str, reason: str, q850: int | None) -> None:
        self._client.child_ended(self._prefix + call, by, reason, q850)
