"""Why a link is gone, one type for each reason; the text is for people."""

from __future__ import annotations

from protocols import acse
from protocols.errors import RemoteProtocolError


class Loss(Exception):
    """The link is over. Not raised: told as ``CSTAProtocol.loss`` and kept in ``LinkLost.why``."""


class ClosedByUs(Loss):
    """Our owner closed it, or refused the peer."""


class ClosedByPeer(Loss):
    """The stream ended in order, between two frames."""

    def __init__(self) -> None:
        super().__init__("closed by the peer")


class ConnectionBroken(Loss):
    """The transport is gone: reset, unplugged, ended by somebody else."""

    def __init__(self, why: str) -> None:
        super().__init__(f"connection lost: {why}")


class AssociationRefused(Loss):
    """The switch does not want us; numbers as in acse.RESULTS and acse.DIAGNOSTICS[source]."""

    def __init__(self, result: int, source: str, diagnostic: int) -> None:
        names = acse.DIAGNOSTICS.get(source, {})
        super().__init__(
            f"association refused: {acse.RESULTS.get(result, result)}, {names.get(diagnostic, diagnostic)}"
        )
        self.result = result
        self.source = source
        self.diagnostic = diagnostic


class AssociationAborted(Loss):
    """The peer sent ABRT; ``source`` as in acse.ABORT_SOURCES."""

    def __init__(self, source: int, diagnostic: str | int | None) -> None:
        name = acse.ABORT_SOURCES.get(source, source)
        words = f"({name})" if diagnostic is None else f"({name}, {diagnostic})"
        super().__init__(f"association aborted by the peer {words}")
        self.source = source
        self.diagnostic = diagnostic


class AssociationReleased(Loss):
    """The peer asked to end in good order (RLRQ), or confirmed that we did."""

    def __init__(self) -> None:
        super().__init__("association released by the peer")


class NotAssociated(Loss):
    """The association did not come about in time."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"no association in {timeout_s:g} s")
        self.timeout_s = timeout_s


class Silent(Loss):
    """Nothing at all came for too long."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"nothing heard for {limit_s:g} s")
        self.limit_s = limit_s


class ProbeUnanswered(Loss):
    """The peer was asked how it is, and said nothing."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"no answer to our RequestSystemStatus in {timeout_s:g} s")
        self.timeout_s = timeout_s


class FrameStalled(Loss):
    """A frame began and did not go on."""

    def __init__(self, octets: int, timeout_s: float) -> None:
        super().__init__(f"{octets} octets of a frame, and no more in {timeout_s:g} s")
        self.octets = octets
        self.timeout_s = timeout_s


class ProtocolBroken(Loss):
    """The peer sent what is no CSTA; ``fault`` says what, framing.FramingError where it was the frames."""

    def __init__(self, fault: RemoteProtocolError) -> None:
        super().__init__(f"protocol error of the peer: {fault}")
        self.fault = fault
