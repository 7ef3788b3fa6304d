"""Event causes and error values (ECMA-285)."""

from __future__ import annotations

from protocols.asn1 import NULL, alternative, choice, enumerated, explicit

EventCause = enumerated(
    "EventCause",
    """
    1 activeParticipation 2 alternate 3 busy 4 callBack 5 callCancelled 6 callForwardImmediate 7 callForwardBusy
    8 callForwardNoAnswer 9 callForward 10 callNotAnswered 11 callPickup 12 campOn 13 destNotObtainable
    14 doNotDisturb 15 incompatibleDestination 16 invalidAccountCode 17 keyOperation 18 lockout 19 maintenance
    20 networkCongestion 21 networkNotObtainable 22 newCall 23 noAvailableAgents 24 override 25 park 26 overflow
    27 recall 28 redirected 29 reorderTone 30 resourcesNotAvailable 31 silentParticipation 32 transfer
    33 trunksBusy 35 blocked 36 characterCountReached 37 consultation 38 distributed 39 dTMFDigitDetected
    40 durationExceeded 41 endOfMessageDetected 42 enteringDistribution 43 forcedPause 44 makeCall
    45 messageSizeExceeded 46 networkSignal 47 nextMessage 48 normalClearing 49 noSpeechDetected
    50 numberChanged 51 singleStepConference 52 singleStepTransfer 53 speechDetected
    54 switchingFunctionTerminated 55 terminationCharacterReceived 56 timeout 57 aCDBusy 58 aCDForward
    59 aCDSaturated 60 alertTimeExpired 61 autoWork 62 campOnTrunks 63 conference 64 destDetected
    65 destOutOfOrder 66 distributionDelay 67 forcedTransition 68 intrude 69 invalidNumberFormat 70 joinCall
    71 keyOperationInUse 72 makePredictiveCall 73 messageDurationExceeded 74 multipleAlerting 75 multipleQueuing
    76 networkDialling 77 networkOutOfOrder 78 normal 79 notAvaliableBearerService 80 notSupportedBearerService
    81 numberUnallocated 82 queueCleared 83 remainsInQueue 84 reserved 85 selectedTrunkBusy 86 suspend
    87 unauthorisedBearerService 88 activation 89 babble 90 badAttribute 91 badGrammar 92 badVoice 93 badUri
    94 busyOverflow 95 calendarOverflow 96 capacityOverflow 97 duplicateDTMF 98 earlyStop 99 emptyQueue
    100 interDigitTimeout 101 invalidConnection 102 invalidConnectionState 103 makeConnection 104 maxTimeout
    105 noAudioSaved 106 noQueue 107 noRule 108 outOfGrammar 109 pathReplacement 110 queueTimeOverflow
    111 recallBusy 112 recallForwarded 113 recallNoAnswer 114 recallResourcesNotAvailable 115 unknownOverflow
    116 callInterception 117 callInterceptionBusy 118 callInterceptionForwarded 119 callInterceptionNoAnswer
    120 callInterceptionResourcesNotAvailable 121 lawfulInterception
    """,
)
OperationErrors = enumerated(
    "OperationErrors",
    """
    1 generic 2 requestIncompatibleWithObject 3 valueOutOfRange 4 objectNotKnown 5 invalidCallingDeviceID
    6 invalidCalledDeviceID 7 invalidForwardingDestination 8 privilegeViolationSpecifiedDevice
    9 privilegeViolationCalledDevice 10 privilegeViolationCallingDevice 11 invalidCallID 12 invalidDeviceID
    13 invalidConnectionID 14 invalidDestination 15 invalidFeature 16 invalidAllocationState
    17 invalidCrossRefID 18 invalidObjectType 19 securityViolation 20 invalidCorrelatorData
    21 invalidAccountCode 22 invalidAuthCode 23 requestIncompatibleWithCallingDevice
    24 requestIncompatibleWithCalledDevice 25 invalidMsgID 26 messageIDRequired 27 requestIncompatibleWithMedia
    28 invalidFile 29 atLeastOneConditionalParameterNotProvided 30 featureAlreadySet 31 invalidParameterValue
    32 invalidAgentGroup 33 invalidAgentIdentifier 34 invalidAgentPassword 35 invalidAgentState
    36 invalidAlertTime 37 invalidAutoAnswer 38 invalidBitRate 39 invalidButtonIdentifier 42 invalidCallType
    43 invalidConnectionRate 44 invalidConsultPurpose 45 invalidDelayTolerance 46 invalidDestinationDetect
    47 invalidDoNotDisturb 48 invalidEscapeCrossRefID 49 invalidFlowDirection 50 serviceNotSupported
    51 invalidForwardingFlag 52 invalidForwardingType 53 invalidHookswitchType 54 invalidHookswitchComponent
    55 invalidLampMode 56 invalidLampID 57 invalidMessageWaitingSetting 58 invalidMicrophoneGain
    59 invalidMicrophoneMute 60 invalidMonitorCrossRefID 61 invalidMonitorFilter 62 invalidMonitorObject
    63 invalidMonitorType 64 invalidNumberOFChannels 65 invalidParticipationType 66 invalidRemainRetry
    67 invalidRingCount 68 invalidRingPattern 69 invalidRingVolume 70 invalidRouteingAlgorithm
    71 invalidRouteingCrossRefID 72 invalidRouteRegistrationCrossRefID 73 invalidSpeakerVolume
    74 invalidSpeakerMute 75 invalidSwitchingSubdomainCharsType 76 invalidActiveCallObject
    77 invalidCalledDeviceObjectType 78 invalidCallingDeviceObjectType 79 invalidCallToBePickedUpObjectType
    80 invalidCallToDivertObjectType 81 invalidCallToParkObjectType 82 invalidHeldCallObject
    83 invalidMonitorObjectType 84 invalidParkToObjectType 85 notDifferentDevices 86 notSameDevice
    87 invalidActiveCallID 88 invalidHeldCallID 89 invalidActiveConnectionID 90 invalidHeldConnectionID
    91 invalidActiveDeviceID 92 invalidCallToParkDeviceID 93 invalidDestinationDeviceID
    94 invalidDivertingDeviceID 95 invalidHeldDeviceID 96 invalidParkToDeviceID 97 invalidPickUpDeviceID
    98 parameterNotSupported 99 accountCodeNotSupported 100 agentGroupNotSupported 101 agentPasswordNotSupported
    102 agentStateNotSupported 103 alertTimeNotSupported 104 allocationNotSupported
    105 authorisationCodeNotSupported 106 autoAnswerNotSupported 107 bitRateNotSupported 108 buttonNotSupported
    109 callTypeNotSupported 110 charactersToSendNotSupported 111 connectionRateNotSupported
    112 connectionReservationNotSupported 113 consultPurposeNotSupported 114 correlatorDataNotSupported
    115 delayToleranceNotSupported 116 destinationDetectNotSupported 117 digitModeNotSupported
    118 errorValueNotSupported 119 flowDirectionNotSupported 120 forwardingDestinationNotSupported
    121 lampNotSupported 122 monitorTypeNotSupported 123 numberOfChannelsNotSupported
    124 parameterTypeNotSupported 125 priorityNotSupported 126 privateDataNotSupported
    127 pulseDurationNotSupported 128 pulseRateNotSupported 129 remainRetryNotSupported
    130 ringCountNotSupported 131 routeUsedNotSupported 132 securityNotSupported
    133 swSubdomainCCIETypeNotSupported 134 toneDurationNotSupported 135 sysStatRegIDNotSupported
    136 userDataNotSupported 137 privilegeViolationActiveDevice 138 privilegeViolationCallToParkDevice
    139 privilegeViolationDestinationDevice 140 privilegeViolationOnDivertingDevice
    141 privilegeViolationHeldDevice 142 privilegeViolationOnParkToDevice 143 privilegeViolationPickUpDevice
    144 routeingTimerExpired 145 requestIncompatibleWithConnection 146 requestIncompatibleWithActiveConnection
    147 requestIncompatibleWithHeldConnection 148 requestIncompatibleWithDevice
    149 requestIncompatibleWithSubjectDevice 150 requestIncompatibleWithActiveDevice
    151 requestIncompatibleWithCallToParkDevice 152 requestIncompatibleWithDestinationDevice
    153 requestIncompatibleWithDivertingDevice 154 requestIncompatibleWithHeldDevice
    155 requestIncompatibleWithParkToDevice 156 requestIncompatibleWithPickupDevice 157 agentStateOutOfRange
    158 alertTimeOutOfRange 159 allocationOutOfRange 160 autoAnswerOutOfRange 161 bitRateOutOfRange
    162 callTypeOutOfRange 163 connectionRateOutOfRange 164 connectionReservoationOutOfRange
    165 consultPurposeOutOfRange 166 correlatorDataOutOfRange 167 delayToleranceOutOfRange
    168 destinationDetectOutOfRange 169 digitModeOutOfRange 170 doNotDisturbOutOfRange
    171 flowDirectionOutOfRange 172 forwardingFlagOutOfRange 173 forwardingTypeOutOfRange
    174 hookswitchComponentOutOfRange 175 hookswitchTypeOutOfRange 176 lampModeOutOfRange
    177 messageWaitingSettingOutOfRange 178 micGainOutOfRange 179 micMuteOutOfRange 180 monitorTypeOutOfRange
    181 numberOfChannelsOutOfRange 182 participationTypeOutOfRange 183 pulseDurationOutOfRange
    184 pulseRateOutOfRange 185 ringCountOutOfRange 186 ringPatternOutOfRange 187 ringVolumnOutOfRange
    188 routeingAlgorithmOutOfRange 189 speakerMuteOutOfRange 190 speakerVolumeOutOfRange
    191 switchingCcittTypeOutOfRange 192 systemStatusOutOfRange 193 toneCharacterOutOfRange
    194 toneDurationOutOfRange 195 invalidDestinationDeviceObject
    """,
)
SecurityErrors = enumerated(
    "SecurityErrors",
    """
    0 generic 1 sequenceNumberViolated 2 timeStampViolated 4 securityInfoViolated
    """,
)
StateIncompatibilityErrors = enumerated(
    "StateIncompatibilityErrors",
    """
    1 generic 2 invalidObjectState 3 invalidConnectionIDForActiveCall 4 noActiveCall 5 noHeldCall
    6 noCallToClear 7 noConnectionToClear 8 noCallToAnswer 9 noCallToComplete 10 notAbleToPlay
    11 notAbleToResume 12 endOfMsg 13 beginningOfMsg 14 msgSuspended 15 invalidDeviceState
    16 connectedCallExists 17 invalidActiveDeviceState 18 invalidCalledDeviceState 19 invalidCallingDeviceState
    20 invalidCallToParkDeviceState 21 invalidDestinationDeviceState 22 invalidDivertingDeviceState
    23 invalidHeldDeviceState 24 invalidParkToDeviceState 25 invalidConnectionState
    26 invalidActiveConnectionState 27 invalidHeldConnectionState 28 incorrectMsgState
    """,
)
SystemResourceAvailabilityErrors = enumerated(
    "SystemResourceAvailabilityErrors",
    """
    1 generic 2 resourceBusy 3 internalResourceBusy 4 resourceOutOfService 5 networkBusy 6 networkOutOfService
    7 overallMonitorLimitExceeded 8 conferenceMemberLimitExceeded 9 classifierBusy 10 noMediaChannelsAvailable
    11 channelsInUseForBridgedDevices 12 channelsInUseForData 13 toneDetectorBusy 14 toneGeneratorBusy
    15 deviceOutOfService 16 activeDeviceOutOfService 17 calledDeviceOutOfService 18 callingDeviceOutOfService
    19 callToParkDeviceOutOfService 20 destinationDeviceOutOfService 21 divertingDeviceOutOfService
    22 heldDeviceOutOfService 23 parkToDeviceOutOfService 24 pickupDeviceOutOfService
    25 otherResourceOutOfService 26 resourceLimitExceeded 27 registrationLimitExceeded
    28 conferenceResourceCannotBeSatisfied 29 maxDevicesExceeded 30 startTimeOutOfRange 31 durationExceeded
    """,
)
SubscribedResourceAvailabilityErrors = enumerated(
    "SubscribedResourceAvailabilityErrors",
    """
    1 generic 2 objectMonitorLimitExceeded 3 trunkLimitExceeded 4 outstandingReqLimitExceeded
    5 objectRegistrationLimitExceeded
    """,
)
PerformanceManagementErrors = enumerated("PerformanceManagementErrors", "1 generic 2 performanceLimitExceeded")
PrivateDataInfoErrors = enumerated("PrivateDataInfoErrors", "1 cSTAPrivateDataInfoError")
UnspecifiedErrors = NULL
UniversalFailure = choice(
    "UniversalFailure",
    alternative("operation", explicit(0, OperationErrors)),
    alternative("security", explicit(1, SecurityErrors)),
    alternative("stateIncompatibility", explicit(2, StateIncompatibilityErrors)),
    alternative("systemResourceAvailability", explicit(3, SystemResourceAvailabilityErrors)),
    alternative("subscribedResourceAvailability", explicit(4, SubscribedResourceAvailabilityErrors)),
    alternative("performanceManagement", explicit(5, PerformanceManagementErrors)),
    alternative("privateData", explicit(6, PrivateDataInfoErrors)),
    alternative("unspecified", explicit(7, UnspecifiedErrors)),
)

# Whether the same request may succeed later. What is not named is about the request itself: it will fail again.
RETRY_MAY_HELP: frozenset[str] = frozenset(
    {
        "stateIncompatibility",  # the device or call is in another state now
        "systemResourceAvailability",
        "subscribedResourceAvailability",
        "performanceManagement",
    }
)


def retry_may_help(category: str) -> bool:
    """Whether a UniversalFailure is about the moment (busy, no resource) rather than about what was asked."""
    return category in RETRY_MAY_HELP
