"""What the parent and the voice process say to each other: AMP commands over the child's standard streams.

The parent asks (``Register`` … ``Shutdown``) and gets an answer; the child tells (``Ready`` … ``Ended``) without one. A
call is named by its SIP dialog key, which is the child's own; the parent makes it unique over restarts.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from twisted.protocols import amp

TEXT: Any = amp.Unicode()  # type: ignore[no-untyped-call]
TEXTS: Any = amp.ListOf(TEXT)  # type: ignore[no-untyped-call]
NUMBER: Any = amp.Integer()  # type: ignore[no-untyped-call]
FLAG: Any = amp.Boolean()  # type: ignore[no-untyped-call]
#: What may be missing.
PERHAPS_NUMBER: Any = amp.Integer(optional=True)  # type: ignore[no-untyped-call]
PERHAPS_SECONDS: Any = amp.Float(optional=True)  # type: ignore[no-untyped-call]
HEADERS: Any = amp.AmpList([(b"name", TEXT), (b"value", TEXT)])  # type: ignore[no-untyped-call]


class CallOver(Exception):
    """There is no such call: it has ended, or the voice process that had it is gone."""


class AudioUnreadable(Exception):
    """A file to be played can't be read; the text names it and says why. Nothing of the list was played."""


class RecordingFailed(Exception):
    """A reply could not be written to disk; the text names the file and says why."""


class Unanswerable(Exception):
    """The call can't be answered (no common codec, no free port for RTP); it has been refused and ``ended`` is told."""


class DialFailed(Exception):
    """Nothing was dialled: the extension is not registered, the number is none, or there is no free port for RTP."""


class ReferRefused(Exception):
    """The other side was not taken over and is still with us: ``code`` and ``reason`` of SIP, 0 when none was asked."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip() if code else reason)
        self.code = code
        self.reason = reason


#: Errors that keep their type on the way to the parent.
ERRORS: Final[dict[type[Exception], bytes]] = {
    CallOver: b"CALL_OVER",
    DialFailed: b"DIAL_FAILED",
    AudioUnreadable: b"AUDIO_UNREADABLE",
    RecordingFailed: b"RECORDING_FAILED",
    Unanswerable: b"UNANSWERABLE",
}


class _Asked(amp.Command):
    errors: ClassVar = ERRORS


class _Told(amp.Command):
    requiresAnswer = False


CALL = (b"call", TEXT)


class Register(_Asked):
    """Hold the registration of an extension; how it goes is told by ``RegistrationChanged``."""

    arguments: ClassVar = [
        (b"extension", TEXT),
        (b"password", TEXT),
        (b"registrar_host", TEXT),
        (b"registrar_port", NUMBER),
        (b"expires_s", NUMBER),
    ]


class Unregister(_Asked):
    arguments: ClassVar = [(b"extension", TEXT)]


class Dial(_Asked):
    """Send an INVITE from a registered extension; answered when it has been handed to SIP."""

    arguments: ClassVar = [(b"extension", TEXT), (b"digits", TEXT)]
    response: ClassVar = [CALL]


class OpenTrunk(_Asked):
    """The fields of ``trunks.Trunk``."""

    arguments: ClassVar = [
        (b"name", TEXT),
        (b"user", TEXT),
        (b"password", TEXT),
        (b"domain", TEXT),
        (b"host", TEXT),
        (b"port", NUMBER),
        (b"auth_user", TEXT),
        (b"registrar_host", TEXT),
        (b"registrar_port", NUMBER),
        (b"transport", TEXT),
        (b"registers", FLAG),
        (b"expires_s", NUMBER),
        (b"display_name", TEXT),
        (b"session_expires_s", NUMBER),
        (b"refuses_with", NUMBER),
    ]


class CloseTrunk(_Asked):
    arguments: ClassVar = [(b"name", TEXT)]


class Call(_Asked):
    """Send an INVITE on a trunk; answered when it has been handed to SIP."""

    arguments: ClassVar = [
        (b"trunk", TEXT),
        (b"digits", TEXT),
        (b"caller_id", TEXT),
        (b"asserted", TEXT),
        (b"headers", HEADERS),
    ]
    response: ClassVar = [CALL]


class Answer(_Asked):
    arguments: ClassVar = [CALL]


class Refuse(_Asked):
    arguments: ClassVar = [CALL, (b"code", NUMBER)]


class Play(_Asked):
    """Answered when the prompt is over: played, stopped, or the call has ended."""

    arguments: ClassVar = [CALL, (b"paths", TEXTS)]
    response: ClassVar = [(b"heard_ms", NUMBER), (b"of_ms", NUMBER), (b"finished", FLAG)]


class StopPlaying(_Asked):
    arguments: ClassVar = [CALL]


class Record(_Asked):
    """Answered when the reply lies on disk."""

    arguments: ClassVar = [
        CALL,
        (b"path", TEXT),
        (b"max_ms", NUMBER),
        (b"silence_ms", NUMBER),
        (b"stop_keys", TEXT),
    ]
    response: ClassVar = [(b"length_ms", NUMBER), (b"why", TEXT)]


class Refer(_Asked):
    """Have the switch connect the other side with somebody else. ``code`` 200: it has; else why it has not."""

    arguments: ClassVar = [CALL, (b"digits", TEXT)]
    response: ClassVar = [(b"code", NUMBER), (b"reason", TEXT)]


class HangUp(_Asked):
    arguments: ClassVar = [CALL]


class Ping(_Asked):
    """Answered at once by a process that is alive. ``cpu_ms``: processor time that it has used since it began."""

    response: ClassVar = [(b"cpu_ms", NUMBER)]


class Shutdown(_Asked):
    """Hang up everything, give the registrations back; answered when that is done, and then stdin is closed."""


class Ready(_Told):
    """The process listens for SIP on this UDP port."""

    arguments: ClassVar = [(b"sip_port", NUMBER)]


class RegistrationChanged(_Told):
    arguments: ClassVar = [(b"extension", TEXT), (b"registered", FLAG), (b"reason", TEXT)]


class Incoming(_Told):
    arguments: ClassVar = [CALL, (b"extension", TEXT), (b"caller", TEXT)]


class Ringing(_Told):
    """A provisional answer to a call that we dialled."""

    arguments: ClassVar = [CALL, (b"code", NUMBER)]


class Established(_Told):
    arguments: ClassVar = [CALL]


class Refused(_Told):
    """The final answer to a call that we dialled, and no good one; ``Ended`` does not follow."""

    arguments: ClassVar = [
        CALL,
        (b"code", NUMBER),
        (b"reason", TEXT),
        (b"q850", PERHAPS_NUMBER),
        (b"retry_after_s", PERHAPS_SECONDS),
    ]


class Digit(_Told):
    arguments: ClassVar = [CALL, (b"digit", TEXT)]


class Ended(_Told):
    """``by`` is ``us``, ``them`` or ``fault``."""

    arguments: ClassVar = [CALL, (b"by", TEXT), (b"reason", TEXT), (b"q850", PERHAPS_NUMBER)]
