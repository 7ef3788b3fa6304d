"""Operations: number, name, argument and result of each service. An operation is declared here, not coded.

A number that ECMA-285 names but whose types our sources do not tabulate keeps its name, with argument and result as
octets; a number that nobody names is ``operation-<number>``.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.asn1 import ANY, NULL, Type, alternative, choice, numbered
from protocols.csta import (
    events,
    services_calls,
    services_capabilities,
    services_cdr,
    services_devices,
    services_escape,
    services_io,
    services_monitor,
    services_routeing,
    services_snapshot,
    services_system,
    services_voice,
)
from protocols.csta.private import CSTACommonArguments

NoData = choice("NoData", alternative("extensions", CSTACommonArguments), alternative("noData", NULL))
"""The result of every declared operation that has no table of its own for it."""


@dataclass(frozen=True)
class Operation:
    """``argument`` and ``result`` are ANY where not declared; ``answered`` is False where no result is ever sent."""

    code: int | str
    name: str
    argument: Type = ANY
    result: Type = ANY
    answered: bool = True


def _answers(code: int, name: str, argument: Type, result: Type = NoData) -> Operation:
    return Operation(code, name, argument, result)


def _reports(code: int, name: str, argument: Type) -> Operation:
    """ALWAYS RESPONDS FALSE: no positive result is ever sent (errors may be, except for an event report)."""
    return Operation(code, name, argument, ANY, answered=False)


_calls, _cdr, _devices, _io = services_calls, services_cdr, services_devices, services_io
_monitor, _routeing, _snapshot, _system = services_monitor, services_routeing, services_snapshot, services_system
_voice, _escape = services_voice, services_escape

DECLARED = (
    # call control, call associated
    _answers(1, "alternateCall", _calls.AlternateCallArgument),
    _answers(2, "answerCall", _calls.AnswerCallArgument, _calls.AnswerCallResult),
    _answers(4, "clearCall", _calls.ClearCallArgument),
    _answers(5, "clearConnection", _calls.ClearConnectionArgument, _calls.ClearConnectionResult),
    _answers(6, "conferenceCall", _calls.ConferenceCallArgument, _calls.ConferenceCallResult),
    _answers(7, "consultationCall", _calls.ConsultationCallArgument, _calls.ConsultationCallResult),
    _answers(9, "holdCall", _calls.HoldCallArgument),
    _answers(10, "makeCall", _calls.MakeCallArgument, _calls.MakeCallResult),
    _answers(11, "makePredictiveCall", _calls.MakePredictiveCallArgument, _calls.MakePredictiveCallResult),
    _answers(13, "reconnectCall", _calls.ReconnectCallArgument),
    _answers(14, "retrieveCall", _calls.RetrieveCallArgument),
    _answers(16, "transferCall", _calls.TransferCallArgument, _calls.TransferCallResult),
    _answers(20, "singleStepConf", _calls.SingleStepConfArgument, _calls.SingleStepConfResult),
    _answers(50, "singleStepTrans", _calls.SingleStepTransArgument, _calls.SingleStepTransResult),
    _answers(218, "deflectCall", _calls.DeflectCallArgument),
    _answers(219, "dialDigits", _calls.DialDigitsArgument),
    _answers(232, "generateDigits", _calls.GenerateDigitsArgument),
    _answers(233, "generateTelephonyTones", _calls.GenerateTelephonyTonesArgument),
    # event report, monitoring, snapshot
    _reports(21, "cSTAEventReport", events.CSTAEventReportArgument),
    _answers(71, "monitorStart", _monitor.MonitorStartArgument, _monitor.MonitorStartResult),
    _answers(72, "changeMonitorFilter", _monitor.ChangeMonitorFilterArgument, _monitor.ChangeMonitorFilterResult),
    _answers(73, "monitorStop", _monitor.MonitorStopArgument),
    _answers(74, "snapshotDevice", _snapshot.SnapshotDeviceArgument, _snapshot.SnapshotDeviceResult),
    _answers(75, "snapshotCall", _snapshot.SnapshotCallArgument, _snapshot.SnapshotCallResult),
    _reports(76, "snapshotCallData", _snapshot.SnapshotCallDataArgument),
    _reports(77, "snapshotDeviceData", _snapshot.SnapshotDeviceDataArgument),
    # capability exchange, system status
    _answers(
        201,
        "getLogicalDeviceInformation",
        _system.GetLogicalDeviceInformationArgument,
        services_capabilities.GetLogicalDeviceInformationResult,
    ),
    _answers(
        202,
        "getPhysicalDeviceInformation",
        _system.GetPhysicalDeviceInformationArgument,
        services_capabilities.GetPhysicalDeviceInformationResult,
    ),
    _answers(
        203,
        "getSwitchingFunctionCapabilities",
        _system.GetSwitchingFunctionCapsArgument,
        services_capabilities.GetSwitchingFunctionCapsResult,
    ),
    _answers(
        204,
        "getSwitchingFunctionDevices",
        _system.GetSwitchingFunctionDevicesArgument,
        _system.GetSwitchingFunctionDevicesResult,
    ),
    # No result is declared, but it is not "never answered" either: a ReturnResult with nothing but its invoke id is
    # right by X.880; with noData, or none at all, must do too.
    _answers(205, "switchingFunctionDevices", _system.SwitchingFunctionDevicesArgument),
    _answers(207, "systemRegister", _system.SystemRegisterArgument, _system.SystemRegisterResult),
    _answers(210, "requestSysStat", _system.RequestSysStatArg, _system.RequestSysStatRes),
    _answers(211, "systemStatus", _system.SystemStatusArg, _system.SystemStatusRes),
    # escape
    _answers(51, "escape", _escape.EscapeArgument, _escape.EscapeResult),
    _answers(365, "escapeRegister", _escape.EscapeRegisterArgument, _escape.EscapeRegisterResult),
    _answers(367, "escapeRegisterCancel", _escape.EscapeRegisterCancelArgument),
    _answers(368, "privateDataVersionSelection", _escape.PrivateDataVersionSelectionArgument),
    # routeing
    _reports(31, "routeRequest", _routeing.RouteRequestArgument),
    _reports(33, "routeSelectRequest", _routeing.RouteSelectRequestArgument),
    _reports(35, "routeEndRequest", _routeing.RouteEndRequestArgument),
    _reports(36, "routeReject", _routeing.RouteRejectArgument),
    _answers(248, "routeRegister", _routeing.RouteRegisterArgument, _routeing.RouteRegisterResult),
    # I/O
    _answers(110, "startDataPath", _io.StartDataPathArgument, _io.StartDataPathResult),
    _answers(111, "stopDataPath", _io.StopDataPathArgument),
    _answers(112, "sendData", _io.SendDataArgument),
    _answers(119, "fastData", _io.FastDataArgument),
    _answers(340, "ioRegister", _io.IORegisterArgument, _io.IORegisterResult),
    # physical devices
    _answers(260, "buttonPress", _devices.ButtonPressArgument),
    _answers(264, "getHookswitchStatus", _devices.GetHookswitchStatusArgument, _devices.GetHookswitchStatusResult),
    _answers(274, "setDisplay", _devices.SetDisplayArgument),
    _answers(277, "setMessageWaitingIndicator", _devices.SetMessageWaitingIndicatorArgument),
    # logical devices
    _answers(304, "getAgentState", _devices.GetAgentStateArgument, _devices.GetAgentStateResult),
    _answers(308, "getDoNotDisturb", _devices.GetDoNotDisturbArgument, _devices.GetDoNotDisturbResult),
    _answers(309, "getForwarding", _devices.GetForwardingArgument, _devices.GetForwardingResult),
    _answers(312, "setAgentState", _devices.SetAgentStateArgument, _devices.SetAgentStateResult),
    _answers(316, "setDoNotDisturb", _devices.SetDoNotDisturbArgument),
    _answers(317, "setForwarding", _devices.SetForwardingArgument),
    # call detail records
    _answers(360, "cDRNotification", _cdr.CDRNotificationArgument),
    _answers(361, "cDRReport", _cdr.CDRReportArgument, _cdr.CDRReportResult),
    _answers(362, "sendStoredCDR", _cdr.SendStoredCDRArgument),
    _answers(363, "startCDRTransmission", _cdr.StartCDRTransmissionArgument, _cdr.StartCDRTransmissionResult),
    _answers(364, "stopCDRTransmission", _cdr.StopCDRTransmissionArgument),
    # voice unit
    _answers(501, "deleteMessage", _voice.DeleteMessageArgument),
    _answers(502, "playMessage", _voice.PlayMessageArgument, _voice.PlayMessageResult),
    _answers(503, "queryVoiceAttribute", _voice.QueryVoiceAttributeArgument, _voice.QueryVoiceAttributeResult),
    _answers(505, "resume", _voice.ResumeArgument),
    _answers(508, "stop", _voice.StopArgument),
    _answers(509, "suspend", _voice.SuspendArgument),
    _answers(510, "synthesizeMessage", _voice.SynthesizeMessageArgument, _voice.SynthesizeMessageResult),
    _answers(511, "recordMessage", _voice.RecordMessageArgument, _voice.RecordMessageResult),
)

# Named in the standard, or in code generated from it; argument and result are not in our sources.
NAMED = numbered(
    """
    18 parkCall 32 reRouteRequest 113 sendMulticastData 114 sendBroadcastData 116 dataPathSuspended 117 resumeDataPath
    118 dataPathResumed 206 changeSysStatFilter 208 systemRegisterAbort 209 systemRegisterCancel
    212 swFunctionCapsChanged 213 swFunctionDevicesChanged 214 acceptCall 215 callBack 220 directedPickupCall
    221 groupPickupCall 222 intrudeCall 223 joinCall 230 associateData 231 cancelTelephonyTones 244 attachMediaService
    245 detachMediaService 249 routeRegisterAbort 250 routeRegisterCancel 261 getAuditoryApparatusInformation
    262 getButtonInformation 263 getDisplay 265 getLampInformation 266 getLampMode 267 getMessageWaitingIndicator
    268 getMicrophoneGain 271 getSpeakerMute 272 getSpeakerVolume 273 setButtonInformation 275 setHookswitchStatus
    276 setLampMode 280 setRingerStatus 281 setSpeakerMute 282 setSpeakerVolume 300 callBackNonCallRelated
    302 cancelCallBack 305 getAutoAnswer 306 getAutoWorkMode 314 setAutoWorkMode 315 setCallerIDStatus
    318 setRouteingMode 341 ioRegisterAbort 342 ioRegisterCancel 343 dataCollected 344 dataCollectionResumed
    346 resumeDataCollection 347 startDataCollection 349 suspendDataCollection 366 escapeRegisterAbort
    370 getCSTAFeatures 371 getRegistrations 372 registrationInfo 373 getMonitors 375 makeConnection 376 sendMessage
    377 changeConnectionInformation 378 getCallBack 500 concatenateMessage 504 reposition 512 activate 514 deactivate
    515 queue 516 start
    """
)
# Not read anywhere: concluded from the order of the numbers around them (234 from memory). Good enough for a log.
NAMED_BY_SEQUENCE = numbered(
    """
    34 routeUsedRequest 115 suspendDataPath 216 callBackMessage 217 campOn 234 sendUserInformation
    269 getMicrophoneMute 270 getRingerStatus 278 setMicrophoneGain 279 setMicrophoneMute
    301 callBackMessageNonCallRelated 303 cancelCallBackMessage 307 getCallerIDStatus 310 getLastNumberDialed
    311 getRouteingMode 313 setAutoAnswer 345 dataCollectionSuspended 348 stopDataCollection 374 monitorInfo 506 review
    507 setVoiceAttribute 513 clear
    """
)
# ALWAYS RESPONDS FALSE of those without types (the others are declared so above).
NEVER_ANSWERED = frozenset({*range(31, 37), 208, 249, 341, 366})

OPERATIONS: dict[int | str, Operation] = {operation.code: operation for operation in DECLARED} | {
    code: Operation(code, name, answered=code not in NEVER_ANSWERED)
    for code, name in (NAMED | NAMED_BY_SEQUENCE).items()
}
# Declares no result, as 205.
OPERATIONS[372] = Operation(372, "registrationInfo", ANY, NoData)
BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS.values()}

_UNNAMED = "operation-"


def by_code(code: int | str) -> Operation:
    """The operation of a number (int) or a global code (dotted str), known or not."""
    return OPERATIONS.get(code) or Operation(code, f"{_UNNAMED}{code}")


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
