"""One port of a Panasonic gateway: a robot extension, what it still needs to be usable, and the call that it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallObserver
from ocm_cti.gateways.panasonic_around import PortSurroundings, Surroundings
from ocm_cti.gateways.panasonic_causes import OURS, trunks_busy
from ocm_cti.gateways.panasonic_machine import Verdict
from ocm_cti.gateways.panasonic_placed import PlacedCall
from ocm_cti.gateways.panasonic_reading import DeviceForm, Seen, read_event, read_snapshot
from ocm_cti.gateways.panasonic_registration import Registration
from protocols.csta.link import LinkLost, RequestFailed
from protocols.csta.panasonic import ListedDevice, PrivateEvent, connection_id, dialing_number, monitor_argument

#: After clearing what a crash left on an extension, it is looked at again this soon.
LOOK_AGAIN_S = 0.5


class LinkDown(Exception):
    """The link went before the PBX could be asked."""


class Port:
    """A port is idle when nothing is missing and it holds no call. Told by the gateway what link and voice say."""

    def __init__(self, extension: str, around: PortSurroundings) -> None:
        self.extension = extension
        self.call: PlacedCall | None = None
        self.first_look: list[Seen] | None = None  # what the PBX had there when this process first looked
        self.registration = Registration(extension, around, self._changed)
        self.in_service = True
        self._around = around
        self._own: frozenset[DeviceForm] = frozenset({("dialingNumber", extension)})
        self._device: dict[str, Any] = dialing_number(extension)
        self._link = 0  # counts links, so that answers of an old one are told from those of this one
        self._link_up = False
        self._monitored = False
        self._settled = False
        self._why_not_settled = ""
        self._faults = 0
        self._rest: Any = None
        self._formers: dict[bytes, float] = {}  # callIDs that calls here had -> when they were over
        self._retry: Any = None
        self._waiting: list[Deferred[None]] = []

    @property
    def monitored(self) -> bool:
        return self._monitored

    @property
    def idle(self) -> bool:
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it can't take a call now, for people; "" when it can."""
        if not self._link_up:
            return "no link to the PBX"
        if self.call is not None:
            return "in a call"
        if not self._monitored:
            return self._why_not_settled or "not monitored yet"
        if not self.in_service:
            return "out of service, says the PBX"
        if self.registration.reason:
            return self.registration.reason
        if not self._settled:
            return self._why_not_settled or "not looked at yet"
        if self._rest is not None:
            return "rests after a fault of the line"
        return self._around.held_back()

    # The link

    def link_up(self, listed: ListedDevice | None) -> None:
        """A new association: monitor and look. ``listed`` is our line of the device list, None without one."""
        self._link += 1
        self._link_up = True
        if listed is not None:
            self._own |= {listed.device["deviceIdentifier"]}
            self.in_service = listed.in_service
            if self._around.settings.monitor_by == "deviceNumber":
                self._device = listed.device
        self._monitor()

    def link_down(self, why: LinkDown) -> None:
        self._link_up = self._monitored = self._settled = False
        self._why_not_settled = ""
        _stop(self._retry)
        if self.call is not None:
            self.call.link_lost()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.errback(why)
        self._changed()

    def _monitor(self) -> None:
        self._retry = None
        link = self._link

        def monitored(result: Any) -> None:
            if link != self._link or not self._link_up:
                return
            self._monitored = True
            self._around.monitored(result["crossRefIdentifier"], self)
            if self.call is not None:
                self.call.link_back()
            self.look()

        self._around.ask("monitorStart", monitor_argument(self._device)).addCallback(monitored).addErrback(
            self._failed, "can't be monitored", self._monitor
        )

    def look(self) -> None:
        """Ask the PBX what it has on the extension."""
        self._retry = None
        link = self._link

        def looked(result: Any) -> None:
            if link == self._link and self._link_up:
                self._looked(read_snapshot(result))

        def unsupported(failure: Failure) -> None:
            if isinstance(failure.value, RequestFailed) and failure.value.value == "serviceNotSupported":
                looked(None)
            else:
                self._failed(failure, "can't be looked at", self.look)

        self._around.ask("snapshotDevice", {"snapshotObject": dialing_number(self.extension)}).addCallbacks(
            looked, unsupported
        ).addErrback(lambda failure: self._around.log.failure("extension {port}", failure, port=self.extension))

    def _looked(self, seen: list[Seen] | None) -> None:
        if seen is None:
            self._around.log.warn("extension {port}: the PBX gives no snapshots", port=self.extension)
        elif self.first_look is None:
            self.first_look = seen
        if self.call is not None:
            self.call.looked(seen)
            self._set_settled()
        elif seen:
            self._clear_left(seen)
        else:
            self._set_settled()

    def _clear_left(self, seen: Sequence[Seen]) -> None:
        """Calls of nobody: left from a crash, or made by somebody else."""
        self._settled = False
        self._why_not_settled = "the PBX has a call there that is not ours; it is being cleared"
        for one in seen:
            self._around.log.warn(
                "extension {port}: call {call} ({state}) is not ours: cleared",
                port=self.extension,
                call=one.call_id.hex(),
                state=one.own,
            )
            connection = connection_id(one.call_id, dialing_number(self.extension))
            self._around.ask("clearConnection", {"connectionToBeCleared": connection}).addErrback(self._not_cleared)
        _stop(self._retry)
        self._retry = self._around.clock.callLater(LOOK_AGAIN_S, self.look)
        self._changed()

    def _not_cleared(self, failure: Failure) -> None:
        if not isinstance(failure.value, LinkLost):
            self._around.log.info("extension {port}: {why}", port=self.extension, why=failure.getErrorMessage())

    def _failed(self, failure: Failure, what: str, again: Callable[[], None]) -> None:
        if isinstance(failure.value, LinkLost) or not self._link_up:
            return
        self._settled = False
        self._why_not_settled = f"{what}: {failure.getErrorMessage()}"
        self._around.log.warn("extension {port} {why}", port=self.extension, why=self._why_not_settled)
        _stop(self._retry)
        self._retry = self._around.clock.callLater(self._around.settings.port_retry_s, again)
        self._changed()

    def _set_settled(self) -> None:
        self._settled, self._why_not_settled = True, ""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)
        self._changed()

    def when_settled(self) -> Deferred[None]:
        """Fires when the PBX has been seen to have nothing of nobody there; fails with LinkDown."""
        if self._settled:
            return succeed(None)
        settled: Deferred[None] = Deferred(self._waiting_cancelled)
        self._waiting.append(settled)
        return settled

    def _waiting_cancelled(self, settled: Deferred[None]) -> None:
        if settled in self._waiting:
            self._waiting.remove(settled)

    def told(self, name: str, body: Any) -> None:
        """An event under our monitor."""
        told = read_event(name, body, self._own)
        if told is not None and self.call is not None:
            self.call.told(told)

    def told_privately(self, event: PrivateEvent) -> None:
        """A private event under our monitor."""
        if self.call is not None:
            self.call.told_privately(event)

    def voice_lost(self, reason: str) -> None:
        """The voice process is gone."""
        self.registration.lost(reason)
        if self.call is not None:
            self.call.voice_lost(reason)
        self._changed()

    # Service

    @property
    def out_of_service(self) -> bool:
        """Nothing else is known to be missing, but the PBX says that the extension does not work."""
        return self._link_up and self._monitored and not self.in_service

    def service_known(self, in_service: bool) -> None:
        """The device list was read again."""
        self.registration.is_new = False
        self.in_service = in_service
        self._changed()

    # Calls

    def place(self, digits: str, attempt_id: int, ring_timeout_s: float, observer: CallObserver) -> PlacedCall:
        """The port must be idle."""
        around = self._around
        surroundings = Surroundings(
            around.settings,
            around.clock,
            around.ask,
            self.look,
            around.voice,
            self._free,
            around.log,
            around.named,
            around.withdraw,
        )
        self.call = PlacedCall(surroundings, self.extension, attempt_id, ring_timeout_s, observer, self._formers)
        self.call.begin(digits)
        return self.call

    def _free(self) -> None:
        call, self.call = self.call, None
        if call is None:
            return
        now_s = self._around.clock.seconds()
        reuse_s = self._around.settings.call_id_reuse_s
        self._formers = {number: at for number, at in self._formers.items() if now_s - at < reuse_s}
        self._formers |= dict.fromkeys(call.call_ids, now_s)
        verdict = call.verdict
        if verdict is not None and _is_our_fault(verdict) and not trunks_busy(verdict.cause, verdict.native):
            self._take_rest()
        else:
            self._faults = 0
            if call.may_have_left_something:
                self.look_again()
        self._around.over(verdict)
        self._changed()

    def _take_rest(self) -> None:
        settings = self._around.settings
        rest_s = min(settings.rest_after_fault_s * 2.0 ** min(self._faults, 16), settings.rest_max_s)
        self._faults += 1
        _stop(self._rest)
        self._rest = self._around.clock.callLater(rest_s, self._rested)
        self.look_again()

    def look_again(self) -> None:
        """The PBX may have something there of which we don't know."""
        if self._link_up and self._monitored:
            self._settled = False
            self.look()

    def _rested(self) -> None:
        self._rest = None
        self._changed()

    def close(self) -> None:
        """No timer is left."""
        _stop(self._retry)
        _stop(self._rest)
        if self.call is not None:
            self.call.close()

    def _changed(self) -> None:
        self._around.changed(self)


def _is_our_fault(verdict: Verdict) -> bool:
    """Also where it is not known whether anybody was rung, and it was not the PBX that said so."""
    unseen = verdict.cause is Cause.UNKNOWN and verdict.by is None and verdict.native.system == OURS
    return unseen or verdict.cause is Cause.LINE_FAULT


def _stop(timer: Any) -> None:
    if timer is not None and timer.active():
        timer.cancel()
