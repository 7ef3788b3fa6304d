"""One CSTA association, without a wire: octets in by ``receive_data``, events out by ``next_event``; both roles.

    association = Association(Role.CLIENT)
    send(association.associate())
    association.receive_data(octets)
    while (event := association.next_event()) is not NEED_DATA: ...

Every other method returns the octets to send, framed. No I/O, no clock: time-outs are the link's business. What is
allowed when stands in states.py, what an operation carries in operations.py.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from protocols import acse, rose
from protocols.csta import operations
from protocols.csta.causes import UniversalFailure
from protocols.csta.framing import FrameReader, frame
from protocols.csta.states import TRANSITIONS, Input, State
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

CONTEXT_NAME = "1.3.12.0.218"  # what Panasonic PBXs use, as Phase II did; ECMA-285's own name is an open question
USER_INFORMATION_NAME = "1.3.12.0.285.200"  # application-context-information(200) of ECMA-285

# The constant that Panasonic's own driver sends, and the answer to it (three independent captures).
AARQ = bytes.fromhex("6023 80020780 A10706052B0C00815A BE14 2812 06072B0C00821D8148 A007 A005 03030008 00")
AARE = bytes.fromhex(
    "612F 80020780 A10706052B0C00815A A203020100 A305A103020101 BE14 2812 06072B0C00821D8148 A007 A005 03030008 00"
)

MAX_APDU = 240  # larger ones are not sent by these PBXs, and refused by clients in use
MAX_RECEIVED_APDU = 8192  # whether newer firmware keeps to 240 is not known; this bounds memory
MAX_INVOKE_ID = 32767
UNIVERSAL_FAILURE = 1  # the only error code of CSTA


class Role(enum.Enum):
    CLIENT = "client"
    SWITCH = "switch"


class NeedData(enum.Enum):
    """The type of the sentinel that ``next_event`` returns when there is no event until more octets come."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA


@dataclass(frozen=True)
class Associated:
    """Client: the switch accepted us. ``aare`` is its whole answer."""

    aare: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Refused:
    """Client: the switch does not want us; numbers as in acse.RESULTS and acse.DIAGNOSTICS[source]."""

    result: int
    source: str
    diagnostic: int


@dataclass(frozen=True)
class Aborted:
    """The peer broke the association off (ABRT); ``source`` as in acse.ABORT_SOURCES."""

    source: int
    diagnostic: str | int | None = None


@dataclass(frozen=True)
class Released:
    """The association ended in good order; in state RELEASE_REQUESTED the peer waits for ``confirm_release``."""


@dataclass(frozen=True)
class Closed:
    """The stream ended between two frames."""


@dataclass(frozen=True)
class AssociationRequested:
    """Switch: somebody wants to associate; answer with ``accept`` or ``refuse``."""

    aarq: dict[str, Any]


@dataclass(frozen=True)
class Invoked:
    """The peer asks for, or reports, something. ``invoke_id`` None: it cannot be answered.

    ``operation`` is the ECMA-285 name; where it is not declared, ``argument`` is the octets of the element (or None).
    """

    invoke_id: int | None
    operation: str
    argument: Any
    linked_id: int | None = None


@dataclass(frozen=True)
class Returned:
    """A positive answer; ``operation`` is "" when the answer is empty and the invoke is not ours."""

    invoke_id: int
    operation: str
    result: Any


@dataclass(frozen=True)
class Failed:
    """A negative answer: ``("universalFailure", (category, value))``, e.g. value ``invalidDeviceID`` of ``operation``.

    Any other error code than CSTA's: ``("error-<code>", octets or None)``. ``operation`` is "" for no invoke of ours.
    """

    invoke_id: int
    operation: str
    error: tuple[str, Any]


@dataclass(frozen=True)
class Rejected:
    """The peer could make nothing of our APDU; ``problem`` as in rose.PROBLEMS."""

    invoke_id: int | None
    problem: tuple[str, int]
    operation: str = ""


@dataclass(frozen=True)
class Undecoded:
    """An APDU whose argument, result or error does not fit its declaration; the association goes on.

    ``apdu`` is ``invoke``, ``returnResult`` or ``returnError``; ``octets`` its argument, ``reason`` what did not fit.
    """

    apdu: Literal["invoke", "returnResult", "returnError"]
    invoke_id: int | None
    operation: str
    octets: bytes
    reason: str


Event = (
    Associated
    | Refused
    | Aborted
    | Released
    | Closed
    | AssociationRequested
    | Invoked
    | Returned
    | Failed
    | Rejected
    | Undecoded
)


@dataclass(frozen=True)
class Prepared:
    """A request that fits its declaration and has no invoke id yet: it has not been sent."""

    operation: operations.Operation
    argument: bytes | None


class Association:
    """See the module. ``max_apdu`` limits what is sent, ``max_received_apdu`` what is taken, in octets.

    ``seen`` is shown each APDU that comes, before it is looked into, for a recording.
    """

    def __init__(
        self,
        role: Role,
        *,
        max_apdu: int = MAX_APDU,
        max_received_apdu: int = MAX_RECEIVED_APDU,
        bare_abort: bool = True,
        seen: Callable[[bytes], None] | None = None,
    ) -> None:
        self._role = role
        self._seen = seen
        self._state = State.UNASSOCIATED if role is Role.CLIENT else State.LISTENING
        self._max_apdu = max_apdu
        self._bare_abort = bare_abort
        self._reader = FrameReader(max_received_apdu)
        self._ended = False  # end of stream was received
        self._fault = RemoteProtocolError("nothing")  # what broke the association
        self._frames = 0
        self._last_invoke_id = 0
        self._outstanding: dict[int, operations.Operation] = {}
        self._aarq: dict[str, Any] = {}

    @property
    def role(self) -> Role:
        return self._role

    @property
    def state(self) -> State:
        return self._state

    @property
    def outstanding(self) -> frozenset[int]:
        """Invoke ids of ours that have not been answered."""
        return frozenset(self._outstanding)

    @property
    def held(self) -> int:
        """Octets of a frame that has begun and is not all there, once ``next_event`` gave NEED_DATA."""
        return self._reader.held

    @property
    def frames(self) -> int:
        """How many whole frames have come."""
        return self._frames

    # Receiving

    def receive_data(self, octets: bytes) -> None:
        """Take octets from the link; ``b""`` is the end of the stream. Ask ``next_event`` then."""
        if octets:
            self._reader.feed(octets)
        else:
            self._ended = True

    def next_event(self) -> Event | NeedData:
        """The next event, or NEED_DATA. RemoteProtocolError: the association is over, the link must be dropped."""
        while True:
            if self._state is State.BROKEN:
                raise self._fault.with_traceback(None)
            try:
                apdu = self._reader.next_apdu()
                event = self._end() if apdu is None else self._received(apdu)
            except NeedMoreData:
                self._break(RemoteProtocolError("an APDU is cut short by its frame"))
                continue
            except RemoteProtocolError as error:
                self._break(error)
                continue
            if event is not None:
                return event

    def _break(self, fault: RemoteProtocolError) -> None:
        self._fault, self._state = fault, State.BROKEN
        self._outstanding.clear()

    def _end(self) -> Event | NeedData:
        if not self._ended:
            return NEED_DATA
        if self._reader.held and self._state is not State.CLOSED:
            raise RemoteProtocolError("the stream ended in the middle of a frame")
        was = self._state
        self._move(Input.RECEIVE_END)
        return NEED_DATA if was is State.CLOSED else Closed()

    def _received(self, apdu: bytes) -> Event | None:
        self._frames += 1
        if self._seen is not None:
            self._seen(apdu)
        first = apdu[0]
        if rose.is_rose(first):
            self._move(Input.RECEIVE_ROSE)
            return None if self._state is State.CLOSED else self._received_rose(rose.decode(apdu))
        if first == 0x80:
            # An ABRT whose tag and length were lost in a frame: 00 03 80 01 00.
            apdu = bytes((0x64, len(apdu))) + apdu
        name, value = acse.decode(apdu)
        return self._received_acse(name, value)

    def _received_acse(self, name: str, value: dict[str, Any]) -> Event | None:
        refused = name == "aare" and value["result"] != 0
        received = {
            "aarq": Input.RECEIVE_AARQ,
            "aare": Input.RECEIVE_AARE_REFUSED if refused else Input.RECEIVE_AARE_ACCEPTED,
            "rlrq": Input.RECEIVE_RLRQ,
            "rlre": Input.RECEIVE_RLRE,
            "abrt": Input.RECEIVE_ABRT,
        }[name]
        before = self._state
        self._move(received)
        if before is State.CLOSED:
            return None
        if name == "aarq":
            self._aarq = value
            return AssociationRequested(value)
        if name == "aare":
            source, diagnostic = value["result-source-diagnostic"]
            known = diagnostic if isinstance(diagnostic, int) else 0
            return Refused(value["result"], source, known) if refused else Associated(value)
        if name == "abrt":
            return Aborted(value["abort-source"], value.get("abort-diagnostic"))
        return Released()

    def _received_rose(self, apdu: rose.Apdu) -> Event | None:
        match apdu:
            case rose.Invoke():
                return self._received_invoke(apdu)
            case rose.ReturnResult():
                return self._received_result(apdu)
            case rose.ReturnError():
                return self._received_error(apdu)
            case rose.Reject():
                mine = self._outstanding.pop(apdu.invoke_id, None) if apdu.invoke_id is not None else None
                return Rejected(apdu.invoke_id, apdu.problem, mine.name if mine else "")

    def _received_invoke(self, apdu: rose.Invoke) -> Event:
        operation = operations.by_code(apdu.opcode)
        try:
            argument = None if apdu.argument is None else operation.argument.decode_all(apdu.argument)
        except RemoteProtocolError as error:
            return Undecoded("invoke", apdu.invoke_id, operation.name, apdu.argument or b"", str(error))
        return Invoked(apdu.invoke_id, operation.name, argument, apdu.linked_id)

    def _received_result(self, apdu: rose.ReturnResult) -> Event:
        if apdu.invoke_id is None:
            raise RemoteProtocolError("a ReturnResult without an invoke id")
        operation = self._outstanding.pop(apdu.invoke_id, None)
        if apdu.opcode is not None:
            operation = operations.by_code(apdu.opcode)
        name = operation.name if operation else ""
        if apdu.result is None or operation is None:
            return Returned(apdu.invoke_id, name, apdu.result)
        try:
            return Returned(apdu.invoke_id, name, operation.result.decode_all(apdu.result))
        except RemoteProtocolError as error:
            return Undecoded("returnResult", apdu.invoke_id, name, apdu.result, str(error))

    def _received_error(self, apdu: rose.ReturnError) -> Event:
        if apdu.invoke_id is None:
            raise RemoteProtocolError("a ReturnError without an invoke id")
        operation = self._outstanding.pop(apdu.invoke_id, None)
        name = operation.name if operation else ""
        if apdu.errcode != UNIVERSAL_FAILURE or apdu.parameter is None:
            return Failed(apdu.invoke_id, name, (f"error-{apdu.errcode}", apdu.parameter))
        try:
            return Failed(apdu.invoke_id, name, ("universalFailure", UniversalFailure.decode_all(apdu.parameter)))
        except RemoteProtocolError as error:
            return Undecoded("returnError", apdu.invoke_id, name, apdu.parameter, str(error))

    # Sending

    def associate(self) -> bytes:
        """Client: the AARQ, always the same octets."""
        self._send(Input.SEND_AARQ)
        return frame(AARQ)

    def accept(self) -> bytes:
        """Switch: the AARE that accepts; context name and user information are the ones that were asked for."""
        return self._answer(Input.SEND_AARE_ACCEPTED, 0, 1)

    def refuse(self, result: int = 1, diagnostic: int = 1) -> bytes:
        """Switch: the AARE that refuses; numbers as in acse.RESULTS and acse.DIAGNOSTICS["acse-service-user"]."""
        if result == 0:
            raise LocalProtocolError("result 0 would accept")
        return self._answer(Input.SEND_AARE_REFUSED, result, diagnostic)

    def _answer(self, sent: Input, result: int, diagnostic: int) -> bytes:
        self._send(sent)
        answer = acse.AARE.decode_all(AARE)
        answer["application-context-name"] = self._aarq["application-context-name"]
        answer["result"] = result
        answer["result-source-diagnostic"] = ("acse-service-user", diagnostic)
        if "user-information" in self._aarq:
            answer["user-information"] = self._aarq["user-information"]
        return frame(acse.AARE.encode(answer))

    def release(self) -> bytes:
        """Ask to end in good order; Released follows. No known client does: closing the link is enough."""
        self._send(Input.SEND_RLRQ)
        return frame(acse.encode("rlrq", {"reason": 0}))

    def confirm_release(self) -> bytes:
        """Answer the peer's release."""
        self._send(Input.SEND_RLRE)
        return frame(acse.encode("rlre", {"reason": 0}))

    def abort(self) -> bytes:
        """Break off. A switch sends it bare, as the PBX does, unless ``bare_abort`` is False; a client framed.

        A client that has not associated yet stays so: on a line without connections that ends what an earlier run left.
        """
        self._send(Input.SEND_ABRT)
        octets = acse.encode("abrt", {"abort-source": 0})
        return octets if self._role is Role.SWITCH and self._bare_abort else frame(octets)

    def invoke(self, operation: str, argument: Any) -> tuple[int, bytes]:
        """Ask for, or report, something: (invoke id, octets). An id still waiting for its answer is not used again."""
        return self.send(self.prepare(operation, argument))

    def prepare(self, operation: str, argument: Any) -> Prepared:
        """The first half of ``invoke``: all that can be wrong with the request itself is said here."""
        known = self._operation(operation)
        self._check(Input.SEND_ROSE)
        encoded = None if argument is None else known.argument.encode(argument)
        self._rose(rose.Invoke(1, known.code, encoded))  # whether it fits
        return Prepared(known, encoded)

    def send(self, prepared: Prepared) -> tuple[int, bytes]:
        """The second half of ``invoke``: an id is taken and the octets are given out."""
        known = prepared.operation
        invoke_id = self._free_invoke_id()
        octets = self._rose(rose.Invoke(invoke_id, known.code, prepared.argument))
        self._last_invoke_id = invoke_id
        if known.answered:
            self._outstanding[invoke_id] = known
        return invoke_id, octets

    def forget(self, invoke_id: int) -> None:
        """Give up waiting for an answer, so that its id may be used again after a round of all the others."""
        self._outstanding.pop(invoke_id, None)

    def respond(self, invoke_id: int, operation: str, result: Any = None) -> bytes:
        """Answer an invoke. ``result`` None stands for ``("noData", None)`` where the operation has nothing to say."""
        known = self._operation(operation)
        if result is None and "noData" in (part.name for part in known.result.parts):
            result = ("noData", None)
        encoded = None if result is None else known.result.encode(result)
        return self._rose(rose.ReturnResult(invoke_id, None if encoded is None else known.code, encoded))

    def fail(self, invoke_id: int, error: tuple[str, Any]) -> bytes:
        """Answer an invoke with UniversalFailure: ``("operation", "invalidCalledDeviceID")``."""
        return self._rose(rose.ReturnError(invoke_id, UNIVERSAL_FAILURE, UniversalFailure.encode(error)))

    def reject(self, invoke_id: int | None, problem: tuple[str, int]) -> bytes:
        """Answer what cannot be understood; numbers as in rose.PROBLEMS."""
        return self._rose(rose.Reject(invoke_id, problem))

    def _rose(self, apdu: rose.Apdu) -> bytes:
        self._check(Input.SEND_ROSE)
        octets = rose.encode(apdu)
        if len(octets) > self._max_apdu:
            raise LocalProtocolError(f"APDU of {len(octets)} octets; at most {self._max_apdu} are sent")
        return frame(octets)

    def _free_invoke_id(self) -> int:
        for step in range(MAX_INVOKE_ID):
            invoke_id = (self._last_invoke_id + step) % MAX_INVOKE_ID + 1
            if invoke_id not in self._outstanding:
                return invoke_id
        raise LocalProtocolError(f"{MAX_INVOKE_ID} requests are waiting for their answers")

    @staticmethod
    def _operation(name: str) -> operations.Operation:
        try:
            return operations.by_name(name)
        except KeyError:
            raise LocalProtocolError(f"no CSTA operation is called {name!r}") from None

    def _check(self, sent: Input) -> State:
        state = TRANSITIONS.get((self._state, sent))
        if state is None:
            raise LocalProtocolError(f"cannot {sent.value} while {self._state.value}")
        return state

    def _send(self, sent: Input) -> None:
        self._state = self._check(sent)
        if self._state is State.CLOSED:
            self._outstanding.clear()

    def _move(self, received: Input) -> None:
        state = TRANSITIONS.get((self._state, received))
        if state is None:
            raise RemoteProtocolError(f"unexpected: {received.value} while {self._state.value}")
        self._state = state
        if state is State.CLOSED:
            self._outstanding.clear()
