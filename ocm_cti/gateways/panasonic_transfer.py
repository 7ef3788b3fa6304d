"""A transfer of an answered call to an extension of the PBX: the table of panasonic_transfers at work.

While it goes on our extension has two calls: the person's, perhaps on hold, and a second one to the operator. Whatever
breaks, the second one is cleared, and the port looks at its extension before it is used again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways import panasonic_calls as calls
from ocm_cti.gateways.interface import CallOver, TransferFailed
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_causes import make_call_error, nothing_to_clear
from ocm_cti.gateways.panasonic_reading import Seen, Told
from ocm_cti.gateways.panasonic_refer import Refer
from ocm_cti.gateways.panasonic_second import SecondCall
from ocm_cti.gateways.panasonic_transfers import LEAVES_BY_SUCCESS, METHODS, TABLE, Do, Event, State
from protocols.csta.link import LinkLost, RequestError, RequestFailed, RequestRejected
from protocols.csta.panasonic import connection_id, dialing_number

#: timer -> (setting that has its seconds, event when it fires)
TIMERS = {
    Do.TIME_WAIT: ("transfer_wait_s", Event.LATE),
    Do.TIME_LEAVE: ("clear_timeout_s", Event.LEAVE_LATE),
    Do.TIME_BLIND: ("blind_limit_s", Event.BLIND_LATE),
}

#: What a snapshot is taken for where the PBX has none.
UNSEEN = {State.CHECKING: Event.ON_HOLD, State.BLIND: Event.ON_HOLD, State.DOUBTING: Event.CONNECTED}

#: Requests that begin a transfer: until one of them has left, the person is connected with us.
FIRST = frozenset({"holdCall", "consultationCall", "singleStepTrans"})
#: The operator was given up; a call to him that begins now is wanted by nobody.
GIVEN_UP = frozenset({State.RETURNING, State.DOUBTING, State.OVER})

#: What is told of the second call -> whether the operator rings, or has answered
PROGRESS = {calls.Event.ALERTING: "ringing", calls.Event.ANSWERED: "answered"}
ENDS = frozenset({calls.Event.FAILED, calls.Event.FAR_CLEARED, calls.Event.OWN_CLEARED})


class Transfer:
    """One transfer. ``held`` is the callID of the person's call, ``happened`` tells the call machine.

    The owner asks it first about whatever concerns the extension; what it takes is True.
    """

    def __init__(
        self,
        around: Surroundings,
        extension: str,
        held: bytes,
        number: str,
        voice_id: str | None,
        happened: Callable[[calls.Event], None],
    ) -> None:
        self.state = State.OVER
        self.second = SecondCall(around, extension)
        self._around = around
        self._extension = extension
        self._held = held
        self._number = number
        self._voice_id = voice_id
        self._happened = happened
        self._timer: Any = None
        self._result: Deferred[None] = Deferred()
        self._refer = Refer(around, self._taken_over, self._not_taken_over, self._tell_kept)
        self._why = (Cause.UNKNOWN, "the transfer failed")

    @property
    def is_on(self) -> bool:
        return self.state is not State.OVER

    @property
    def is_agreed(self) -> bool:
        """The PBX says that it has connected them; only our own legs are still there."""
        return self.state is State.LEAVING

    def conclude(self) -> None:
        """The end of the call that was agreed to be handed over comes now, whatever it is."""
        self._occurred(Event.OUT)

    def begin(self) -> Deferred[None]:
        if re.fullmatch(r"[0-9*#]{1,32}", self._number) is None:
            return fail(TransferFailed(Cause.INVALID_NUMBER, f"{self._number!r} can't be dialled"))
        self.state, deeds = METHODS[self._around.settings.transfer]
        for do in deeds:
            self._carry_out(do)
        return self._result

    def abandon(self) -> None:
        """The call is over, or given up: nothing of the transfer is left behind."""
        if not self.is_on:
            return
        self.state = State.OVER
        self._stop()
        self.second.drop()
        self._result.errback(CallOver("the call is over"))
        self._tell_kept()

    # What is told

    def told(self, told: Told) -> bool:
        """An event of our extension."""
        if not self.is_on:
            return False
        if told.name == "transferred":
            return told.own and self._held in (told.call_id, told.second) and self._out()
        if told.call_id == self._held:
            if told.event is calls.Event.OWN_CLEARED:
                return self._refer.keeps(told.event) or (self.state in LEAVES_BY_SUCCESS and self._out())
            if told.name == "retrieved":
                self._occurred(Event.BACK)
            return False
        if self.second.call_id is None:
            self.second.keep(told)
        elif told.call_id == self.second.call_id:
            self._told_of_second(told)
        else:
            return False
        return True

    def _told_of_second(self, told: Told) -> None:
        if told.event is calls.Event.OWN_CLEARED and self.state is State.DROPPING:
            self._occurred(Event.DROPPED)
        elif told.event in ENDS:
            if self.state is State.WAITING:
                self._why = told.cause, f"the operator's call failed: {told.native.text}"
            self._occurred(Event.FAILED)
        elif told.event in PROGRESS:
            wanted = self._around.settings.transfer_waits_for
            if PROGRESS[told.event] == "answered" or wanted == "ringing":
                self._occurred(Event.READY)

    def _out(self) -> bool:
        if self.state not in LEAVES_BY_SUCCESS and self.state is not State.REFERRING:
            return False
        self._occurred(Event.OUT)
        # Our connections are gone by the word of the PBX.
        self._happened(calls.Event.OWN_CLEARED)
        return True

    def looked(self, seen: Sequence[Seen] | None) -> bool:
        """A snapshot of our extension; None: the PBX has none."""
        if not self.is_on:
            return False
        if seen is None:
            self._occurred(UNSEEN.get(self.state, Event.CONNECTED))
            return True
        person = next((one for one in seen if one.call_id == self._held), None)
        seconds = [one.call_id for one in seen if one.call_id != self._held]
        if person is None and self._refer.keeps(calls.Event.ABSENT):
            return True
        if person is None:
            if self.state not in LEAVES_BY_SUCCESS:
                return False
            self._occurred(Event.NOTHING)
            return False  # the call machine hears that nothing is there as well
        if seconds:
            self.second.call_id = self.second.call_id or seconds[0]
            self._occurred(Event.SECOND)
        else:
            self._occurred(Event.ON_HOLD if person.own == "hold" else Event.CONNECTED)
        return True

    def link_lost(self) -> None:
        self._occurred(Event.LINK_LOST)

    def voice_left(self) -> bool:
        """The SIP dialog of our extension was ended by the PBX."""
        if self._refer.keeps(calls.Event.VOICE_LEFT):
            return True
        if self.state in LEAVES_BY_SUCCESS:
            self._occurred(Event.OUT)
        return False  # the call machine hears that its leg is gone as well

    # A second dialog, where the PBX rings our extension for the second call

    @property
    def awaits_ring(self) -> bool:
        return self.state in (State.CALLING, State.WAITING) and self.second.voice_id is None

    # The table at work

    def _occurred(self, event: Event) -> None:
        before = self.state
        row = TABLE.get((before, event))
        if row is None:
            return
        self.state, deeds = row
        self._around.log.debug(
            "extension {port}: transfer: {event}: {before} -> {after}",
            port=self._extension,
            event=event.name,
            before=before.value,
            after=self.state.value,
        )
        if event is Event.LATE:
            self._why = Cause.NO_ANSWER, "the operator did not answer in time"
        elif event in (Event.LINK_LOST, Event.UNSURE, Event.UNASKED):
            self._why = Cause.LINE_FAULT, event.value
        for do in deeds:
            self._carry_out(do)

    def _carry_out(self, do: Do) -> None:
        device = dialing_number(self._extension)
        person = connection_id(self._held, device)
        to = dialing_number(self._number)
        match do:
            case Do.HOLD:
                self._ask("holdCall", {"callToBeHeld": person}, Event.HELD)
            case Do.CONSULT:
                self._ask("consultationCall", {"existingCall": person, "consultedDevice": to}, Event.CALLED)
            case Do.MAKE:
                self._ask("makeCall", {"callingDevice": device, "calledDirectoryNumber": to}, Event.CALLED)
            case Do.STEP:
                self._ask("singleStepTrans", {"activeCall": person, "transferredTo": to}, Event.AGREED)
            case Do.REFER if self._voice_id is not None:
                self._refer.ask(self._voice_id, self._number)
            case Do.JOIN:
                self._ask("transferCall", {"heldCall": person, "activeCall": self.second.connection}, Event.AGREED)
            case Do.DROP:
                self._ask("clearConnection", {"connectionToBeCleared": self.second.connection}, Event.DROPPED)
            case Do.RETRIEVE:
                self._ask("retrieveCall", {"callToBeRetrieved": person}, Event.BACK)
            case Do.LOOK:
                self._around.look()
            case Do.STOP:
                self._stop()
            case Do.DONE:
                self._done()
            case Do.FAIL:
                self.second.hang_up()
                self._result.errback(TransferFailed(*self._why))
                self._tell_kept()
            case Do.STRAND:
                self.second.drop()
                self._happened(calls.Event.STRANDED)
                self._result.errback(CallOver("the person could not be got back from hold"))
            case _ if do in TIMERS:
                setting, event = TIMERS[do]
                self._stop()
                after_s = getattr(self._around.settings, setting)
                self._timer = self._around.clock.callLater(after_s, self._occurred, event)

    def _done(self) -> None:
        # The verdict is made before anybody can hang up; the report of it comes when the legs are gone.
        self._happened(calls.Event.HANDED_OVER)
        self.second.hang_up()
        self._result.callback(None)
        self._tell_kept()

    def _stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # Requests

    def _ask(self, operation: str, argument: Any, then: Event) -> None:
        asked_in = self.state
        self._around.ask(operation, argument).addCallbacks(
            self._answered, self._refused, callbackArgs=(then, asked_in), errbackArgs=(operation, then, asked_in)
        ).addErrback(lambda failure: self._around.log.failure("extension {port}", failure, port=self._extension))

    def _answered(self, result: Any, then: Event, asked_in: State) -> None:
        if then is Event.CALLED:
            self._called(result)
        elif self.state is asked_in:
            self._occurred(then)

    def _called(self, result: Any) -> None:
        early = self.second.learn(result)
        if early is None:
            self._occurred(Event.UNSURE)
        elif self.state in GIVEN_UP:
            self.second.drop()  # or the person has gone meanwhile
        elif self.state is State.CALLING:
            self._occurred(Event.CALLED)
            for told in early:
                self._told_of_second(told)

    def _refused(self, failure: Failure, operation: str, then: Event, asked_in: State) -> None:
        error = failure.value
        if self.state is not asked_in:
            return
        if isinstance(error, LinkLost):
            # It may have gone before this was asked: then link_lost has been told already.
            self._occurred(Event.LINK_LOST if error.sent or operation not in FIRST else Event.UNASKED)
        elif then is Event.DROPPED and isinstance(error, RequestError) and nothing_to_clear(error):
            self._occurred(Event.DROPPED)
        elif isinstance(error, RequestFailed | RequestRejected):
            if asked_in not in (State.DROPPING, State.RETURNING):
                cause, native = make_call_error(error)
                self._why = cause, f"the PBX refuses {operation}: {native.text}"
            self._occurred(Event.REFUSED)
        else:
            self._occurred(Event.UNSURE)

    # By SIP

    def _taken_over(self) -> None:
        if not self.is_on:
            self._happened(calls.Event.HANDED_OVER)  # after we had given up waiting
            return
        self._occurred(Event.AGREED)
        if self._refer.leg_ended:
            self._occurred(Event.OUT)

    def _not_taken_over(self, cause: Cause, text: str) -> None:
        self._why = cause, text
        self._occurred(Event.REFUSED)

    def _tell_kept(self) -> None:
        """What the call machine has not heard yet of the end of our legs."""
        for event in self._refer.kept():
            self._happened(event)
