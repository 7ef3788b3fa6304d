"""The second call of a transfer: the one from our extension to the operator."""

from __future__ import annotations

from typing import Any

from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_reading import Told
from protocols.csta.panasonic import call_id, connection_id, dialing_number

#: Where the results of the services that begin it name it.
RESULT_FIELDS = ("initiatedCall", "callingDevice")


class SecondCall:
    """Its callID and, where the PBX rings our extension for it, its SIP dialog; None while there is none."""

    def __init__(self, around: Surroundings, extension: str) -> None:
        self.call_id: bytes | None = None
        self.voice_id: str | None = None
        self._around = around
        self._extension = extension
        self._early: list[Told] = []

    @property
    def connection(self) -> Any:
        """Ours; None while the callID is not known."""
        if self.call_id is None:
            return None
        return connection_id(self.call_id, dialing_number(self._extension))

    def keep(self, told: Told) -> None:
        """An event that may be about it; its callID is not known yet."""
        self._early.append(told)

    def learn(self, result: Any) -> list[Told] | None:
        """The result of the request that began it: what was told of it before; None when it names no call."""
        fields = result if isinstance(result, dict) else {}
        device = next((fields[name] for name in RESULT_FIELDS if name in fields), None)
        number = None if device is None else call_id(device)
        if number is None:
            return None
        self.call_id = number
        early, self._early = self._early, []
        return [told for told in early if told.call_id == number]

    def offered(self, voice_id: str) -> None:
        """The PBX rings our extension for it: pick up."""
        self.voice_id = voice_id
        self._around.voice.answer(voice_id).addErrback(
            lambda failure: self._around.log.warn("second call not picked up: {why}", why=failure.getErrorMessage())
        )

    def drop(self) -> None:
        """Clear whatever there is of it, and don't wait for it."""
        if self.connection is not None:
            self._around.ask("clearConnection", {"connectionToBeCleared": self.connection}).addErrback(lambda _: None)
        self.hang_up()

    def hang_up(self) -> None:
        """End its SIP dialog, if it has one."""
        if self.voice_id is not None:
            self._around.voice.hang_up(self.voice_id)
