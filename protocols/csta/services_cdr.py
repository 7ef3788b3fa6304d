"""Call detail records over CSTA (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import (
    BOOLEAN,
    INTEGER,
    NULL,
    OCTET_STRING,
    alternative,
    bit_string,
    choice,
    enumerated,
    explicit,
    implicit,
    may,
    must,
    sequence,
    sequence_of,
)
from protocols.csta.common import AccountInfo, AuthCode, CallCharacteristics, ChargingInfo, TimeInfo
from protocols.csta.device_kinds import DeviceCategory, NamedDeviceTypes
from protocols.csta.identifiers import (
    AssociatedCalledDeviceID,
    AssociatedCallingDeviceID,
    CalledDeviceID,
    CallingDeviceID,
    ConnectionID,
    DeviceID,
    MediaCallCharacteristics,
    NetworkCalledDeviceID,
    NetworkCallingDeviceID,
)
from protocols.csta.private import CSTACommonArguments

CDRTransferMode = enumerated(
    "CDRTransferMode",
    """
    0 transferAtEndOfCall 1 transferOnRequest 2 transferOnThresholdReached
    """,
)
StartCDRTransmissionArgument = sequence(
    "StartCDRTransmissionArgument",
    must("transferMode", CDRTransferMode),
    may("extensions", CSTACommonArguments),
)
CDRCrossRefID = OCTET_STRING
StartCDRTransmissionResult = sequence(
    "StartCDRTransmissionResult",
    must("cdrCrossRefID", CDRCrossRefID),
    may("extensions", CSTACommonArguments),
)
CDRTermReason = enumerated("CDRTermReason", "0 endOfDataDetected 1 errorDetected 2 thresholdReached 3 other")
StopCDRTransmissionArgument = sequence(
    "StopCDRTransmissionArgument",
    must("cdrCrossRefID", CDRCrossRefID),
    may("cdrTermReason", CDRTermReason),
    may("extensions", CSTACommonArguments),
)
CDRTimePeriod = sequence(
    "CDRTimePeriod",
    must("beginningOfCDR", TimeInfo),
    must("endOfCDR", TimeInfo),
)
SendStoredCDRArgument = sequence(
    "SendStoredCDRArgument",
    must("cdrCrossRefID", CDRCrossRefID),
    may("timePeriod", CDRTimePeriod),
    may("extensions", CSTACommonArguments),
)
CDRReason = enumerated("CDRReason", "0 timeout 1 thresholdReached 2 other")
CDRNotificationArgument = sequence(
    "CDRNotificationArgument",
    must("cdrCrossRefID", CDRCrossRefID),
    may("cdrReason", CDRReason),
    may("extensions", CSTACommonArguments),
)
ChargedDevice = choice(
    "ChargedDevice",
    alternative("operator", implicit(0, DeviceID)),
    alternative("nonOperator", implicit(1, DeviceID)),
)
NodeNumber = sequence(
    "NodeNumber",
    may("area0", implicit(0, INTEGER)),
    may("area1", implicit(1, INTEGER)),
    may("area2", implicit(2, INTEGER)),
)
BillingID = enumerated(
    "BillingID",
    """
    0 normalCharging 1 reverseCharging 2 creditCardCharging 3 callForwarding 4 callDeflection 5 callTransfer
    6 other
    """,
)
SupplServiceInfo = bit_string(
    "SupplServiceInfo",
    """
    0 normalCall 1 consultationCall 2 transferCall 3 callCompletion 4 callForwarding 5 callDiversion
    6 conferencing 7 intrusion 8 userUserInfo 9 other
    """,
)
ReasonForTerm = enumerated(
    "ReasonForTerm",
    """
    0 normalClearing 1 unsuccessfulCallAttempt 2 abnormalTermination 3 callTransferred 4 other
    """,
)
CDRInformationItem = sequence(
    "CDRInformationItem",
    may("recordNumber", INTEGER),
    must("recordCreationTime", TimeInfo),
    may("callingDevice", CallingDeviceID),
    may("calledDevice", CalledDeviceID),
    may("associatedCallingDevice", AssociatedCallingDeviceID),
    may("associatedCalledDevice", AssociatedCalledDeviceID),
    may("networkCallingDevice", NetworkCallingDeviceID),
    may("networkCalledDevice", NetworkCalledDeviceID),
    may("callCharacteristics", implicit(0, CallCharacteristics)),
    may("mediaCallCharacteristics", implicit(1, MediaCallCharacteristics)),
    may("chargedDevice", explicit(2, ChargedDevice)),
    may("recordedCall", ConnectionID),
    may("nodeNumber", implicit(3, NodeNumber)),
    may("tariffTable", implicit(4, INTEGER)),
    may("connectionStart", implicit(5, TimeInfo)),
    may("connectionEnd", implicit(6, TimeInfo)),
    may("connectionDuration", implicit(7, INTEGER)),
    may("accessCode", implicit(8, OCTET_STRING)),
    may("carrier", implicit(9, INTEGER)),
    may("selectedRoute", implicit(10, INTEGER)),
    may("billingID", implicit(11, BillingID)),
    may("chargingInfo", implicit(12, ChargingInfo)),
    may("supplServiceInfo", implicit(13, SupplServiceInfo)),
    may("reasonForTerm", implicit(14, ReasonForTerm)),
    may("authCode", implicit(15, AuthCode)),
    may("accountInfo", implicit(16, AccountInfo)),
    may("deviceCategory", implicit(17, DeviceCategory)),
    may("namedDeviceTypes", implicit(18, NamedDeviceTypes)),
    may("operatorDevice", explicit(19, DeviceID)),
)
CDRInfo = sequence_of(CDRInformationItem, "CDRInfo")
CDRReportArgument = sequence(
    "CDRReportArgument",
    must("cdrCrossRefID", CDRCrossRefID),
    must("numberOfRecordsSent", INTEGER),
    must("cdrInfo", CDRInfo),
    may("lastStoredCDRReportSent", BOOLEAN),
    may("extensions", CSTACommonArguments),
)
CDRReportResult = choice(
    "CDRReportResult",
    alternative("extensions", CSTACommonArguments),
    alternative("noData", NULL),
)
