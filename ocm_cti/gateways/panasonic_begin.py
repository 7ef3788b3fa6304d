"""How a placed call comes about at the PBX: MakeCall, or an INVITE of our own, and which callID it got."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import Native
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Event, Way
from ocm_cti.gateways.panasonic_causes import OURS, make_call_error
from ocm_cti.gateways.panasonic_reading import Told
from ocm_cti.voice.client import VoiceProcessLost
from protocols.csta.link import LinkLost, RequestError, RequestFailed, RequestRejected
from protocols.csta.panasonic import call_id, dialing_number

Happened = Callable[..., None]

#: Events with which a call begins at our extension.
BEGINNINGS = frozenset({"serviceInitiated", "originated"})
#: Events that only a call that lives can cause: in want of a beginning they show one as well.
SIGNS_OF_LIFE = frozenset({"networkReached", "delivered", "established", "failed"})


class Beginning:
    """Until the callID is known, what the PBX tells is kept here; then it is replayed."""

    def __init__(
        self,
        around: Surroundings,
        extension: str,
        formers: Mapping[bytes, float],
        happened: Happened,
        replay: Callable[[Told], None],
    ) -> None:
        self.call_id: bytes | None = None
        self.asked = False  # MakeCall has no answer yet
        self._around = around
        self._extension = extension
        self._formers = formers  # callIDs that the extension had before
        self._happened = happened
        self._replay = replay
        self._early: list[Told] = []
        self._request: Deferred[Any] | None = None

    # By MakeCall

    def make(self, digits: str) -> None:
        argument = {"callingDevice": dialing_number(self._extension), "calledDirectoryNumber": dialing_number(digits)}
        self.asked = True
        self._request = self._around.ask("makeCall", argument)
        self._request.addCallbacks(self._made, self._not_made)

    def give_up(self) -> None:
        """The call is not wanted any more: a MakeCall that has not left for the PBX must not leave."""
        if self.asked and self._request is not None:
            self._around.withdraw(self._request)

    def _made(self, result: Any) -> None:
        self.asked = False
        # An answer may be empty (X.880), or one of another operation.
        device = result.get("callingDevice") if isinstance(result, dict) else None
        number = None if device is None else call_id(device)
        if number is None:
            self._around.log.warn("extension {port}: MakeCall result without a callID", port=self._extension)
            self._made_perhaps()
        else:
            self.learn(number)

    def _not_made(self, failure: Failure) -> None:
        self.asked = False
        error = failure.value
        if isinstance(error, RequestError) and not error.sent:
            self._happened(Event.REFUSED, Cause.LINE_FAULT, Native(OURS, "not-sent", failure.getErrorMessage()))
            return
        if isinstance(error, LinkLost):
            return  # link_lost follows
        if isinstance(error, RequestFailed | RequestRejected):
            self._happened(Event.REFUSED, *make_call_error(error))
            return
        self._around.log.warn("extension {port}: {reason}", port=self._extension, reason=failure.getErrorMessage())
        self._made_perhaps()

    def _made_perhaps(self) -> None:
        """The PBX may have made the call or not: its events or a snapshot tell, and until then nothing is refused."""
        numbers = {told.call_id for told in self._early if told.name in BEGINNINGS}
        if len(numbers) == 1:
            self.learn(numbers.pop())
        else:
            self._happened(Event.UNSURE)

    # By SIP

    def dial(self, digits: str, dialled: Callable[[str], None]) -> None:
        """INVITE from our extension; ``dialled`` gets the voice process' name of the call."""
        self._around.voice.dial(self._extension, digits).addCallbacks(dialled, self._not_dialled)

    def _not_dialled(self, failure: Failure) -> None:
        lost = isinstance(failure.value, VoiceProcessLost)
        native = Native(OURS, "dial", failure.getErrorMessage())
        # Where the process is gone, its INVITE may have left before it.
        self._happened(Event.VOICE_LOST if lost else Event.DIAL_FAILED, Cause.LINE_FAULT, native)

    # The callID

    def told(self, told: Told, way: Way) -> None:
        """An event of our extension while the callID is not known."""
        self._early.append(told)
        if way is Way.SIP and self._is_ours(told):
            self.learn(told.call_id)

    def _is_ours(self, told: Told) -> bool:
        # Nobody else uses the extension, and nothing was there when we dialled but what an older call left behind.
        begins = told.own and told.name in BEGINNINGS
        return begins or (told.name in SIGNS_OF_LIFE and told.call_id not in self._formers)

    def learn(self, number: bytes) -> None:
        """The callID is known; what was told of it before counts now."""
        if self.call_id is None:
            self.call_id = number
        self._happened(Event.MADE)
        early, self._early = self._early, []
        for told in _since_the_beginning(early, number):
            self._replay(told)


def _since_the_beginning(early: list[Told], number: bytes) -> list[Told]:
    """Without what came of an older call of the same callID before ours began."""
    ours = [told for told in early if told.call_id == number]
    begun = [at for at, told in enumerate(ours) if told.name in BEGINNINGS]
    cleared = [at for at, told in enumerate(ours) if told.name == "connectionCleared" and told.own]
    old = [at for at in cleared if begun and at < begun[-1]]
    return ours[old[-1] + 1 :] if old else ours
