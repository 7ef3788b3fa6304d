"""Devices and connections (ECMA-285 tables; DeviceID is a SEQUENCE around a CHOICE, trap 13)."""

from __future__ import annotations

from protocols.asn1 import (
    IA5_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    Type,
    alternative,
    application_explicit,
    application_implicit,
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

NumberDigits = IA5_STRING
DeviceNumber = INTEGER
OtherPlan = OCTET_STRING
PublicTON = choice(
    "PublicTON",
    alternative("unknown", implicit(0, IA5_STRING)),
    alternative("international", implicit(1, IA5_STRING)),
    alternative("national", implicit(2, IA5_STRING)),
    alternative("networkspecific", implicit(3, IA5_STRING)),
    alternative("subscriber", implicit(4, IA5_STRING)),
    alternative("abbreviated", implicit(5, IA5_STRING)),
)
PrivateTON = choice(
    "PrivateTON",
    alternative("unknown", implicit(0, IA5_STRING)),
    alternative("level3RegionalNumber", implicit(1, IA5_STRING)),
    alternative("level2RegionalNumber", implicit(2, IA5_STRING)),
    alternative("level1RegionalNumber", implicit(3, IA5_STRING)),
    alternative("pTNSpecificNumber", implicit(4, IA5_STRING)),
    alternative("localNumber", implicit(5, IA5_STRING)),
    alternative("abbreviated", implicit(6, IA5_STRING)),
)
MediaClass = bit_string(
    "MediaClass",
    """
    0 voice 1 data 2 image 3 other 4 audio 5 notKnown 6 chat 7 email 8 message 9 im 10 sms 11 mms
    """,
)
MediaCallCharacteristics = sequence(
    "MediaCallCharacteristics",
    must("mediaClass", MediaClass),
    may("connectionRate", implicit(0, INTEGER)),
    may("bitRate", implicit(1, enumerated("bitRate", "0 constant 1 variable"))),
    may("delayTolerance", implicit(2, INTEGER)),
    may(
        "switchingSubDomainCCIEType",
        implicit(3, enumerated("switchingSubDomainCCIEType", "0 isdn 1 atm 2 isoEthernet 3 rsvp 4 other 5 sip")),
    ),
    may("switchingSubDomainInformationElements", OCTET_STRING),
)
DeviceID = sequence(
    "DeviceID",
    must(
        "deviceIdentifier",
        choice(
            "deviceIdentifier",
            alternative("dialingNumber", implicit(0, NumberDigits)),
            alternative("deviceNumber", implicit(1, DeviceNumber)),
            alternative("implicitPublic", implicit(2, NumberDigits)),
            alternative("explicitPublic", explicit(3, PublicTON)),
            alternative("implicitPrivate", implicit(4, NumberDigits)),
            alternative("explicitPrivate", explicit(5, PrivateTON)),
            alternative("other", implicit(6, OtherPlan)),
        ),
    ),
    may("privateNumber", explicit(0, NumberDigits)),
    may("privateName", explicit(1, IA5_STRING)),
    may("mediaCallCharacteristics", MediaCallCharacteristics),
)


def _party(number: int, name: str) -> Type:
    """A device in its part in a call: [APPLICATION number] EXPLICIT around an untagged CHOICE (trap 1)."""
    parts = (
        alternative("deviceIdentifier", DeviceID),
        alternative("notKnown", implicit(7, NULL)),
        alternative("restricted", implicit(8, NULL)),
    )
    return application_explicit(number, choice(name, *parts), name)


CallingDeviceID = _party(1, "CallingDeviceID")
CalledDeviceID = _party(2, "CalledDeviceID")
SubjectDeviceID = _party(3, "SubjectDeviceID")
RedirectionDeviceID = application_explicit(
    4,
    choice(
        "RedirectionDeviceID",
        alternative("numberdialed", DeviceID),
        alternative("notKnown", implicit(7, NULL)),
        alternative("notRequired", implicit(8, NULL)),
        alternative("notSpecified", implicit(9, NULL)),
        alternative("restricted", implicit(10, NULL)),
    ),
    "RedirectionDeviceID",
)
AssociatedCallingDeviceID = _party(5, "AssociatedCallingDeviceID")
AssociatedCalledDeviceID = _party(6, "AssociatedCalledDeviceID")
NetworkCallingDeviceID = _party(7, "NetworkCallingDeviceID")
NetworkCalledDeviceID = _party(8, "NetworkCalledDeviceID")
ExtendedDeviceID = _party(9, "ExtendedDeviceID")
CallID = OCTET_STRING
LocalDeviceID = choice(
    "LocalDeviceID",
    alternative("staticID", DeviceID),
    alternative("dynamicID", implicit(3, OCTET_STRING)),
)
ConnectionID = application_explicit(
    11,
    choice(
        "ConnectionID",
        alternative("callID", implicit(0, CallID)),
        alternative("deviceID", explicit(1, LocalDeviceID)),
        alternative(
            "both", sequence("both", must("callID", implicit(0, CallID)), must("deviceID", explicit(1, LocalDeviceID)))
        ),
    ),
    "ConnectionID",
)
CSTAObject = choice(
    "CSTAObject",
    alternative("deviceObject", DeviceID),
    alternative("callObject", ConnectionID),
)
LocalConnectionState = application_implicit(
    14,
    enumerated("LocalConnectionState", "0 null 1 initiated 2 alerting 3 connected 4 hold 5 queued 6 fail"),
    "LocalConnectionState",
)
ConnectionInformation = sequence(
    "ConnectionInformation",
    may("flowDirection", enumerated("flowDirection", "0 transmit 1 receive 2 transmitAndReceive 3 none")),
    may("numberOfChannels", INTEGER),
    may("mediaSessionInformation", IA5_STRING),
)
ConnectionList = sequence_of(
    sequence(
        "",
        may("newConnection", explicit(0, ConnectionID)),
        may("oldConnection", explicit(1, ConnectionID)),
        may(
            "endpoint",
            explicit(
                2,
                choice(
                    "endpoint",
                    alternative("deviceID", DeviceID),
                    alternative("notKnown", NULL),
                    alternative("restricted", explicit(1, NULL)),
                ),
            ),
        ),
        may(
            "associatedNID",
            explicit(3, choice("associatedNID", alternative("deviceID", DeviceID), alternative("notKnown", NULL))),
        ),
        may("resultingConnectionInfo", ConnectionInformation),
    ),
    "ConnectionList",
)
