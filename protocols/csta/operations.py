"""Operations: number, name, argument and result of each service. An operation is declared here, not coded.

A number that ECMA-285 names but that is not declared yet keeps its name, with argument and result as octets; a number
that nobody names is ``operation-<number>``.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.asn1 import ANY, NULL, Type, alternative, choice, numbered
from protocols.csta import events, services
from protocols.csta.private import CSTACommonArguments

NoData = choice("NoData", alternative("extensions", CSTACommonArguments), alternative("noData", NULL))
"""The result of every operation that declares no other (section 4 of the tables)."""


@dataclass(frozen=True)
class Operation:
    """``argument`` and ``result`` are ANY where not declared; ``answered`` is False where no result is ever sent."""

    code: int | str
    name: str
    argument: Type = ANY
    result: Type = ANY
    answered: bool = True


DECLARED = (
    Operation(2, "answerCall", services.AnswerCallArgument, services.AnswerCallResult),
    Operation(5, "clearConnection", services.ClearConnectionArgument, services.ClearConnectionResult),
    Operation(10, "makeCall", services.MakeCallArgument, services.MakeCallResult),
    Operation(21, "cSTAEventReport", events.CSTAEventReportArgument, ANY, answered=False),
    Operation(51, "escape", services.EscapeArgument, services.EscapeResult),
    Operation(71, "monitorStart", services.MonitorStartArgument, services.MonitorStartResult),
    Operation(73, "monitorStop", services.MonitorStopArgument, NoData),
    Operation(74, "snapshotDevice", services.SnapshotDeviceArgument, services.SnapshotDeviceResult),
    Operation(211, "systemStatus", services.SystemStatusArg, services.SystemStatusRes),
)

# ECMA-285 names of the others, as far as read in the standard or in code generated from it; names that are only
# guessed from the order of the numbers are left out.
NAMES = numbered(
    """
    1 alternateCall 4 clearCall 6 conferenceCall 7 consultationCall 9 holdCall 11 makePredictiveCall 13 reconnectCall
    14 retrieveCall 16 transferCall 18 parkCall 20 singleStepConf 31 routeRequest 32 reRouteRequest
    33 routeSelectRequest 35 routeEndRequest 36 routeReject 50 singleStepTrans 72 changeMonitorFilter 75 snapshotCall
    76 snapshotCallData 77 snapshotDeviceData 110 startDataPath 111 stopDataPath 112 sendData 113 sendMulticastData
    114 sendBroadcastData 116 dataPathSuspended 117 resumeDataPath 118 dataPathResumed 119 fastData
    201 getLogicalDeviceInformation 202 getPhysicalDeviceInformation 203 getSwitchingFunctionCapabilities
    204 getSwitchingFunctionDevices 205 switchingFunctionDevices 206 changeSysStatFilter 207 systemRegister
    208 systemRegisterAbort 209 systemRegisterCancel 210 requestSysStat 212 swFunctionCapsChanged
    213 swFunctionDevicesChanged 214 acceptCall 215 callBack 218 deflectCall 219 dialDigits 220 directedPickupCall
    221 groupPickupCall 222 intrudeCall 223 joinCall 230 associateData 231 cancelTelephonyTones 232 generateDigits
    233 generateTelephonyTones 244 attachMediaService 245 detachMediaService 248 routeRegister 249 routeRegisterAbort
    250 routeRegisterCancel 260 buttonPress 261 getAuditoryApparatusInformation 262 getButtonInformation 263 getDisplay
    264 getHookswitchStatus 265 getLampInformation 266 getLampMode 267 getMessageWaitingIndicator 268 getMicrophoneGain
    271 getSpeakerMute 272 getSpeakerVolume 273 setButtonInformation 274 setDisplay 275 setHookswitchStatus
    276 setLampMode 277 setMessageWaitingIndicator 280 setRingerStatus 281 setSpeakerMute 282 setSpeakerVolume
    300 callBackNonCallRelated 302 cancelCallBack 304 getAgentState 305 getAutoAnswer 306 getAutoWorkMode
    308 getDoNotDisturb 309 getForwarding 312 setAgentState 314 setAutoWorkMode 315 setCallerIDStatus
    316 setDoNotDisturb 317 setForwarding 318 setRouteingMode 340 ioRegister 341 ioRegisterAbort 342 ioRegisterCancel
    343 dataCollected 344 dataCollectionResumed 346 resumeDataCollection 347 startDataCollection
    349 suspendDataCollection 360 cDRNotification 361 cDRReport 362 sendStoredCDR 363 startCDRTransmission
    364 stopCDRTransmission 365 escapeRegister 366 escapeRegisterAbort 367 escapeRegisterCancel
    368 privateDataVersionSelection 370 getCSTAFeatures 371 getRegistrations 372 registrationInfo 373 getMonitors
    375 makeConnection 376 sendMessage 377 changeConnectionInformation 378 getCallBack 500 concatenateMessage
    501 deleteMessage 502 playMessage 503 queryVoiceAttribute 504 reposition 505 resume 508 stop 509 suspend
    510 synthesizeMessage 511 recordMessage 512 activate 514 deactivate 515 queue 516 start
    """
)
# "ALWAYS RESPONDS FALSE": no positive result is ever sent (cSTAEventReport apart, which is declared above).
NEVER_ANSWERED = frozenset({*range(31, 37), 76, 77, 208, 249, 341, 366})

OPERATIONS: dict[int | str, Operation] = {operation.code: operation for operation in DECLARED} | {
    code: Operation(code, name, answered=code not in NEVER_ANSWERED) for code, name in NAMES.items()
}
BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS.values()}

_UNNAMED = "operation-"


def by_code(code: int | str) -> Operation:
    """The operation of a number (int) or a global code (dotted str), known or not."""
    return OPERATIONS.get(code) or Operation(code, f"{_UNNAMED}{code}", answered=code not in NEVER_ANSWERED)


def by_name(name: str) -> Operation:
    """The operation of an ECMA-285 name, or of ``operation-<number>``; KeyError for any other."""
    known = BY_NAME.get(name)
    if known is not None:
        return known
    number = name.removeprefix(_UNNAMED)
    if number != name and number.isascii() and number.isdigit():
        return by_code(int(number))
    raise KeyError(name)


def is_answered(name: str) -> bool:
    """Whether a result of this operation is ever sent; an unknown name counts as answered."""
    known = BY_NAME.get(name)
    return known is None or known.answered
