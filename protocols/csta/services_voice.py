"""Voice unit services (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    IA5_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    bit_string,
    choice,
    enumerated,
    implicit,
    may,
    must,
    sequence,
)
from protocols.csta.device_kinds import MessageID, ResourceID
from protocols.csta.identifiers import ConnectionID
from protocols.csta.private import CSTACommonArguments

TerminatingConditions = bit_string(
    "TerminatingConditions",
    """
    0 durationExceeded 1 dTMFDigitDetected 2 endOfMessageDetected 3 speechDetected
    """,
)
PlayMessageArgument = sequence(
    "PlayMessageArgument",
    must("messageToBePlayed", MessageID),
    must("overConnection", ConnectionID),
    may("duration", INTEGER),
    may("termination", TerminatingConditions),
    may("extensions", CSTACommonArguments),
)
PlayMessageResult = choice(
    "PlayMessageResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
EncodingAlgorithm = enumerated("EncodingAlgorithm", "0 aDPCM6K 1 aDPCM8K 2 muLawPCM6K 3 aLawPCM6K")
RecordMessageArgument = sequence(
    "RecordMessageArgument",
    must("callToBeRecorded", ConnectionID),
    may("resource", implicit(2, ResourceID)),
    may("samplingRate", implicit(0, INTEGER)),
    may("encodingAlgorithm", EncodingAlgorithm),
    may("maxDuration", implicit(1, INTEGER)),
    may("termination", TerminatingConditions),
    may("extensions", CSTACommonArguments),
)
RecordMessageResult = sequence(
    "RecordMessageResult",
    must("resultingMessage", MessageID),
    may("extensions", CSTACommonArguments),
)
StopArgument = sequence(
    "StopArgument",
    must("connection", ConnectionID),
    may("messageToBeStopped", MessageID),
    may("resource", implicit(0, ResourceID)),
    may("extensions", CSTACommonArguments),
)
SuspendArgument = sequence(
    "SuspendArgument",
    must("connection", ConnectionID),
    may("message", MessageID),
    may("resource", implicit(0, ResourceID)),
    may("extensions", CSTACommonArguments),
)
ResumeArgument = sequence(
    "ResumeArgument",
    must("connection", ConnectionID),
    may("messageToResume", MessageID),
    may("resource", implicit(0, ResourceID)),
    may("duration", INTEGER),
    may("extensions", CSTACommonArguments),
)
DeleteMessageArgument = sequence(
    "DeleteMessageArgument",
    must("messageToBeDeleted", MessageID),
    may("extensions", CSTACommonArguments),
)
AttributeToQuery = enumerated(
    "AttributeToQuery",
    """
    0 encodingAlgorithm 1 samplingRate 2 duration 3 fileName 4 currentPosition 5 currentSpeed 6 currentVolume
    7 currentLevel 8 currentState 9 grammars 10 language 11 mode 12 retainAudio 13 silenceTimeout 14 maxTimeout
    15 babbleTimeout 16 endSilence 17 rejectionThreshold 18 autoInterruptible 19 innerXml 20 interDigitTimeout
    21 preflush
    """,
)
QueryVoiceAttributeArgument = sequence(
    "QueryVoiceAttributeArgument",
    must("messageToQuery", MessageID),
    must("attributeToQuery", AttributeToQuery),
    may("resource", implicit(0, ResourceID)),
    may("connection", ConnectionID),
    may("extensions", CSTACommonArguments),
)
CurrentState = enumerated(
    "CurrentState",
    """
    0 stop 1 play 2 record 3 suspendPlay 4 suspendRecord 5 review 6 dtmfDetected 7 formed 8 playing 9 ready
    10 speechDetected 11 started
    """,
)
AttributeInfo = choice(
    "AttributeInfo",
    alternative("encodingAlgorithm", implicit(0, EncodingAlgorithm)),
    alternative("samplingRate", implicit(1, INTEGER)),
    alternative("duration", implicit(2, INTEGER)),
    alternative("filename", implicit(3, IA5_STRING)),
    alternative("currentPosition", implicit(4, INTEGER)),
    alternative("currentSpeed", implicit(5, INTEGER)),
    alternative("currentVolume", implicit(6, INTEGER)),
    alternative("currentGain", implicit(7, INTEGER)),
    alternative("currentState", implicit(8, CurrentState)),
)
QueryVoiceAttributeResult = sequence(
    "QueryVoiceAttributeResult",
    must("attribute", AttributeInfo),
    may("extensions", CSTACommonArguments),
)
ControlData = sequence(
    "ControlData",
    must("gender", enumerated("gender", "0 male 1 female")),
    must("language", OCTET_STRING),
)
SynthesizeMessageArgument = sequence(
    "SynthesizeMessageArgument",
    must("textToBeSynthesized", IA5_STRING),
    may("control", ControlData),
    may("extensions", CSTACommonArguments),
)
SynthesizeMessageResult = sequence(
    "SynthesizeMessageResult",
    must("synthesizedMessage", MessageID),
    may("extensions", CSTACommonArguments),
)
