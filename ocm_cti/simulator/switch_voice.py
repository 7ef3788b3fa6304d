"""The PBX's own voice: recorded messages (OGM) of the message card, and the keys of who hears them.

Panasonic's resourceControl and its private events ogmStatus and digitsReport: that they exist is RE, how they behave
is INF.
"""

from __future__ import annotations

from ocm_cti.simulator.calls import Call, Person
from ocm_cti.simulator.effects import (
    Device,
    PlayAnnouncement,
    ReportPrivate,
    RequestError,
    StopAnnouncement,
    Timer,
    Trunk,
)
from ocm_cti.simulator.switch_features import WRONG_STATE, Features


class Voice(Features):
    """Messages are played to the simulated person in a call, the one outside before one at a desk."""

    def ogm_start(self, call_id: bytes, device: Device | None, ogm: str) -> None:
        """ogmStart: play a recorded message to the person in a call. His keys are told from now on."""
        call, side = self.connection(call_id, device)
        person = self._listener(call)
        if not self.settings.ogm_ports:
            raise RequestError("operation", "serviceNotSupported")
        if not ogm:
            raise RequestError("operation", "invalidParameterValue")
        if not self._talking(call) or person is None or call.ogm:
            raise RequestError(*WRONG_STATE)
        if not self.free_ogm_ports:
            raise RequestError("systemResourceAvailability", "resourceBusy")
        call.ogm, call.ogm_at, call.keys_told = ogm, side.device, True
        self._write(call, "ogm", ogm=ogm)
        self._effects.append(PlayAnnouncement(person.party, ogm))
        self._timer(call, Timer.OGM, self.settings.ogm_s)
        self._tell_ogm(call, "started")

    def ogm_stop(self, call_id: bytes, device: Device | None) -> None:
        """ogmStop: end the message before its time."""
        call, _ = self.connection(call_id, device)
        if not call.ogm:
            raise RequestError(*WRONG_STATE)
        self._ogm_over(call)

    @property
    def free_ogm_ports(self) -> int:
        return max(0, self.settings.ogm_ports - sum(bool(call.ogm) for call in self._calls.values()))

    def _listener(self, call: Call) -> Person | None:
        sides = sorted(call.sides, key=lambda side: not isinstance(side.device, Trunk))
        return next((side.who for side in sides if side.who is not None), None)

    def _ogm_over(self, call: Call) -> None:
        person = self._listener(call)
        if person is not None:
            self._effects.append(StopAnnouncement(person.party))
        self._tell_ogm(call, "ended")
        call.ogm = ""

    def _tell_ogm(self, call: Call, state: str) -> None:
        self._tell_private(call, "ogmStatus", {"state": state, "ogm": call.ogm})

    def _tell_private(self, call: Call, name: str, content: dict[str, str]) -> None:
        subject = call.ogm_at or call.extension
        devices = tuple(side.device for side in call.sides if side.up)
        self._effects.append(ReportPrivate(name, call.call_id, subject, devices, content))

    def party_presses(self, party: int, keys: str) -> None:
        """A simulated person pressed keys; told to the computer once a recorded message has been played to him."""
        for call in self.calls:
            if call.keys_told and any(side.who is not None and side.who.party == party for side in call.sides):
                self._tell_private(call, "digitsReport", {"digits": keys})
