"""What the PBX gives in pieces: its device list, and a snapshot that it promises under a cross reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from protocols.csta.panasonic import (
    ListedDevice,
    device_list_cross_reference,
    get_device_list,
    parse_device_segment,
)

Ask = Callable[[str, Any], Deferred[Any]]
#: Pieces that came before their promise are kept for so many references and connections: a PBX may send both at once.
EARLY = 16
EARLY_ENTRIES = 1024


class DeviceListFailed(Exception):
    """The PBX promised a device list and did not finish it."""


class SnapshotFailed(Exception):
    """The PBX promised a snapshot and did not finish it."""


class DeviceLists:
    """Escape for the list -> its result with a cross reference -> Escapes from the PBX, one for each segment."""

    def __init__(self, ask: Ask, clock: Clock, timeout_s: float) -> None:
        self._ask = ask
        self._clock = clock
        self._timeout_s = timeout_s
        self._coming: Deferred[list[ListedDevice]] | None = None
        self._reference: bytes | None = None
        self._segments: dict[int, tuple[ListedDevice, ...]] = {}

    def read(self, category: str) -> Deferred[list[ListedDevice]]:
        """All segments of one category; DeviceListFailed, or as a request fails. One at a time."""
        if self._coming is not None:
            return fail(DeviceListFailed("another device list is on its way"))
        coming: Deferred[list[ListedDevice]] = Deferred()
        self._coming, self._reference, self._segments = coming, None, {}

        def promised(result: Any) -> Deferred[list[ListedDevice]]:
            self._reference = device_list_cross_reference(result)
            return coming

        def over(result: Any) -> Any:
            self._coming = None
            if timer.active():
                timer.cancel()
            coming.addErrback(lambda _: None)  # it may have failed while the promise was still to come
            if not coming.called:
                coming.cancel()
            return result

        timer = self._clock.callLater(self._timeout_s, self.lost, "the device list was not finished in time")
        return self._ask("escape", get_device_list(category)).addCallback(promised).addBoth(over)

    def told(self, argument: dict[str, Any]) -> None:
        """An Escape of the PBX; a segment that comes twice counts once."""
        segment, coming = parse_device_segment(argument), self._coming
        if segment is None or coming is None or coming.called:
            return
        if self._reference is not None and segment.cross_reference != self._reference:
            return
        self._segments[segment.segment] = segment.devices
        if segment.last:
            coming.callback([device for devices in self._segments.values() for device in devices])

    def lost(self, reason: str) -> None:
        if self._coming is not None and not self._coming.called:
            self._coming.errback(DeviceListFailed(reason))


class _Pieces:
    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.segments: set[int] = set()
        self.last = False
        self.waiting: Deferred[Any] | None = None
        self.timer: Any = None


class Snapshots:
    """SnapshotDevice -> its result with a cross reference -> snapshotDeviceData invokes until the last segment.

    Pieces count only while a request is on its way or its pieces are: one said twice, or late, would otherwise stand
    there as the answer to the next promise under the same reference.
    """

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._pieces: dict[bytes, _Pieces] = {}
        self._asked = 0  # requests without a result yet

    def of(self, answer: Deferred[Any]) -> Deferred[Any]:
        """A SnapshotDevice request: its result with the connections in it, at once or when they came."""
        self._asked += 1

        def answered(result: Any) -> Any:
            self._asked -= 1
            try:
                return result if isinstance(result, Failure) else self._whole(result)
            finally:
                if not self._asked:
                    self._forget_early()

        return answer.addBoth(answered)

    def _whole(self, result: Any) -> Any:
        match result:
            case {"crossRefIDorSnapshotData": ("serviceCrossRefID", bytes(reference))}:
                pieces = self._pieces.setdefault(reference, _Pieces())
                if pieces.last:
                    del self._pieces[reference]
                    return _snapshot(pieces)
                if pieces.waiting is not None:
                    raise SnapshotFailed(f"the PBX promises two snapshots under one reference {reference.hex()}")
                pieces.waiting = Deferred()
                pieces.timer = self._clock.callLater(self._timeout_s, self._late, reference)
                return pieces.waiting
        return result

    def told(self, argument: dict[str, Any]) -> None:
        """A snapshotDeviceData of the PBX; a segment that comes twice counts once."""
        reference = argument["serviceCrossRefID"]
        if reference not in self._pieces:
            if not self._asked:
                return
            if len(self._pieces) >= EARLY:
                self._forget_early()
        pieces = self._pieces.setdefault(reference, _Pieces())
        segment = argument.get("segmentID")
        if segment is not None and segment in pieces.segments:
            return
        if pieces.waiting is None and (pieces.last or len(pieces.entries) > EARLY_ENTRIES):
            return
        if segment is not None:
            pieces.segments.add(segment)
        pieces.entries += argument["snapshotData"]
        pieces.last = argument["lastSegment"]
        if pieces.last and pieces.waiting is not None:
            del self._pieces[reference]
            pieces.timer.cancel()
            pieces.waiting.callback(_snapshot(pieces))

    def lost(self, reason: str) -> None:
        pieces, self._pieces = self._pieces, {}
        for each in pieces.values():
            if each.waiting is not None:
                each.timer.cancel()
                each.waiting.errback(SnapshotFailed(reason))

    def _late(self, reference: bytes) -> None:
        pieces = self._pieces.pop(reference)
        if pieces.waiting is not None:
            pieces.waiting.errback(SnapshotFailed("the snapshot was not finished in time"))

    def _forget_early(self) -> None:
        for reference in [reference for reference, pieces in self._pieces.items() if pieces.waiting is None]:
            del self._pieces[reference]


def _snapshot(pieces: _Pieces) -> dict[str, Any]:
    return {"crossRefIDorSnapshotData": ("snapshotData", pieces.entries)}
