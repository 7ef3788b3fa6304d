"""How the simulated PBX behaves where nobody knows how the real one does, and how it may misbehave: one table.

Every row of ``Settings`` is a named variant with its default, where the default comes from and how sure that is. The
confidence marks are those of the Panasonic notes: DOC a manual, DOC3 another vendor's product document, CAP octets from
the wire, RE working code by others, INF our inference. SIM marks a property of the simulation itself, not of a PBX.
``ocm simulate --variant name=value`` sets a row; nothing else in the simulator decides between behaviours.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class SettingError(ValueError):
    """A variant that does not exist or a value it can't take; the text is one line for people."""


def _variant(default: Any, about: str, *, source: str, confidence: str, choices: tuple[str, ...] = ()) -> Any:
    return dataclasses.field(
        default=default,
        metadata={"about": about, "source": source, "confidence": confidence, "choices": choices},
    )


@dataclass(frozen=True)
class Settings:
    """All variants; units stand in the names."""

    # The association
    system_status_period_s: float = _variant(
        60.0,
        "how often the PBX sends SystemStatus(normal) after the first one",
        source="LTM gives a link up after 300 s without one; the period itself was not found",
        confidence="INF",
    )
    second_association: str = _variant(
        "refuse",
        "an AARQ while another client's association lives: refuse it, replace the old one (ABRT), or accept both",
        source="one server PC per PBX in the TDA era; number on NS not found",
        confidence="INF",
        choices=("refuse", "replace", "accept"),
    )
    abort_framed: bool = _variant(
        False,
        "whether ABRT has the 2-octet length before it",
        source="LTM history: compares the tail of a bare 64 03 80 01 00",
        confidence="INF",
    )
    second_monitor: str = _variant(
        "refuse",
        "MonitorStart on a device that this client monitors already: refuse, or allow a second cross reference",
        source="EST: only once per device on the real link",
        confidence="DOC3",
        choices=("refuse", "allow"),
    )
    cross_ref_octets: int = _variant(
        2,
        "length of a monitor cross reference",
        source="length unknown, LTM and CYR treat it as opaque",
        confidence="INF",
    )
    segment_octets: int = _variant(
        240,
        "largest APDU; device lists are cut into linked replies below it",
        source="TNC, CYR refuse more than 240",
        confidence="RE",
    )
    unregistered_in_service: bool = _variant(
        True,
        "whether a SIP extension that has not registered is listed as in service",
        source="not found",
        confidence="INF",
    )

    # MakeCall and identifiers
    call_id_octets: int = _variant(
        4, "length of a callID, 3 or 4", source="WIC's sample fits 3 or 4 octets", confidence="INF"
    )
    call_ids: int = _variant(
        60000,
        "how many callIDs there are before they are used again",
        source="LTM: callIDs are reused",
        confidence="RE",
    )
    events_before_result: bool = _variant(
        False,
        "whether ServiceInitiated overtakes the MakeCall result",
        source="order not captured; ECMA-269 sequence with the result first",
        confidence="INF",
    )
    extension_form: str = _variant(
        "dialingNumber",
        "how events name an extension",
        source="LTM, CYR: extension digits as dialingNumber",
        confidence="RE",
        choices=("dialingNumber", "deviceNumber"),
    )
    number_form: str = _variant(
        "dialingNumber",
        "how events name an outside number",
        source="LTM reads dialingNumber and other octets; rule unknown",
        confidence="INF",
        choices=("dialingNumber", "other"),
    )
    far_end_form: str = _variant(
        "trunk",
        "what alertingDevice and answeringDevice of a trunk call name: the CO line or the number",
        source="LTM: answeringDevice may differ from calledDevice",
        confidence="INF",
        choices=("trunk", "number"),
    )
    extension_answer_timeout_s: float = _variant(
        5.0,
        "how long the caller's own SIP extension may ring after MakeCall before the call is given up",
        source="not found (open question 5)",
        confidence="INF",
    )
    extension_unanswered: str = _variant(
        "failed",
        "when the caller's extension does not answer: Failed and then ConnectionCleared, or ConnectionCleared alone",
        source="not found (open question 5)",
        confidence="INF",
        choices=("failed", "cleared"),
    )

    # Dialling and trunks
    access_code: str = _variant(
        "9", "idle line access digits before an outside number", source="LTM dials 9; programmable", confidence="INF"
    )
    trunks: int = _variant(8, "number of CO lines", source="size of the simulated PBX", confidence="SIM")
    trunk_kind: str = _variant(
        "isdn",
        "isdn, sip: alerting, answer, failure are signalled; lco: Established by a timer, the rest is only heard; "
        "reached_only: NetworkReached is the only progress event",
        source="M-NS700 p269 for lco, DBS p33 for reached_only; isdn by inference",
        confidence="INF",
        choices=("isdn", "lco", "reached_only", "sip"),
    )
    lco_established_after_s: float = _variant(
        5.0,
        "lco: Established so long after the last digit",
        source="[208] Call Duration Count Starting Time for LCOT",
        confidence="DOC",
    )
    delivered: bool = _variant(
        True, "whether Delivered is sent for an outside call that rings", source="open question 4", confidence="INF"
    )
    dial_s: float = _variant(
        0.2, "time between the extension's answer and the end of dialling", source="kept short", confidence="SIM"
    )
    alert_s: float = _variant(0.2, "time until the outside telephone rings", source="kept short", confidence="SIM")
    far_hangup: str = _variant(
        "release",
        "when the outside party hangs up: release the extension by BYE, or leave it on reorder tone",
        source="LTM: ConnectionCleared ends a call; for SIP extensions not found",
        confidence="INF",
        choices=("release", "tone"),
    )
    cleared_order: str = _variant(
        "releasing_first",
        "whose ConnectionCleared comes first",
        source="order not captured",
        confidence="INF",
        choices=("releasing_first", "releasing_last"),
    )
    failed_frees_caller: bool = _variant(
        False,
        "whether Failed puts the caller's extension on-hook for every cause (blocked, networkSignal and "
        "destOutOfOrder always do)",
        source="LTM commits 60a51c7, 0fd88ac, 496e2a6",
        confidence="RE",
    )
    tone_s: float = _variant(
        30.0,
        "how long a failed extension hears tone before the PBX releases it itself",
        source="not found",
        confidence="INF",
    )

    # Causes of Failed
    cause_busy: str = _variant("busy", "outside party busy", source="LTM's list for Failed", confidence="RE")
    cause_rejected: str = _variant(
        "callCancelled", "outside party rejects the call", source="in LTM's list for Failed", confidence="INF"
    )
    cause_invalid_number: str = _variant(
        "invalidNumberFormat",
        "no such number (numberUnallocated is the other candidate)",
        source="69 is in LTM's list for Failed, 81 is not",
        confidence="INF",
    )
    cause_congestion: str = _variant("networkCongestion", "network congested", source="ECMA-269", confidence="INF")
    cause_unreachable: str = _variant(
        "destOutOfOrder", "outside telephone out of order", source="LTM's list for Failed", confidence="RE"
    )
    cause_no_answer: str = _variant(
        "callNotAnswered", "the network gives up ringing", source="ECMA-269", confidence="INF"
    )
    cause_trunks_busy: str = _variant(
        "trunksBusy", "no free CO line (reorderTone is the other candidate)", source="M: reorder tone", confidence="INF"
    )
    cause_bad_digits: str = _variant(
        "invalidNumberFormat", "digits without the access code", source="LTM's list for Failed", confidence="INF"
    )
    cause_extension_unanswered: str = _variant(
        "callNotAnswered", "the caller's own extension did not answer", source="not found", confidence="INF"
    )

    # SIP and media
    network_ring_s: float = _variant(
        120.0, "the network gives up ringing after", source="Q.931 T301, at least 180 s; shorter here", confidence="SIM"
    )
    rtp_timeout_s: float = _variant(
        5.0, "a callee that gets no RTP at all for so long hangs up", source="patience of a person", confidence="SIM"
    )
    dtmf: str = _variant(
        "rfc4733",
        "how keys reach a SIP extension; none: not at all",
        source="DTMF transport for SIP extensions not found",
        confidence="INF",
        choices=("rfc4733", "none"),
    )
    early_media: str = _variant(
        "180",
        "how an extension that dials learns that it rings at the other end: 180, or 183 and ringback as audio",
        source="not found",
        confidence="INF",
        choices=("180", "183"),
    )
    hold_sound: str = _variant(
        "music",
        "what is heard while the other extension holds the call by re-INVITE",
        source="manuals have music on hold; for SIP extensions not found",
        confidence="INF",
        choices=("music", "silence"),
    )

    # Services of other people's clients
    foreign_context: str = _variant(
        "refuse",
        "an AARQ whose application-context-name is not 1.3.12.0.218: refuse it (diagnostic 2), or accept it",
        source="LTM's live code: everything else in the AARQ may be wrong, the name may not",
        confidence="INF",
        choices=("refuse", "accept"),
    )
    request_system_status: str = _variant(
        "answer",
        "RequestSystemStatus of a client: answer it, or serviceNotSupported",
        source="not seen in any client",
        confidence="INF",
        choices=("answer", "refuse"),
    )
    unknown_operation: str = _variant(
        "refuse",
        "an operation number that is not in ECMA-285: ROER serviceNotSupported, or Reject unrecognizedOperation",
        source="serviceNotSupported is in Panasonic's list (CYR); X.880 has the other",
        confidence="INF",
        choices=("refuse", "reject"),
    )
    snapshot_form: str = _variant(
        "result",
        "SnapshotDevice: the connections in the result, or a serviceCrossRefID and SnapshotDeviceData after it",
        source="CYR has both; which the PBX uses was not found",
        confidence="INF",
        choices=("result", "segments"),
    )
    newer_firmware: bool = _variant(
        False,
        "whether device entries have an INTEGER at their end and DeviceIDs in events an OCTET STRING",
        source="LTM had to add both",
        confidence="RE",
    )
    maintenance_events: bool = _variant(
        True,
        "whether OutOfService and BackInService are sent to the monitors of a device",
        source="CYR's filter has maintenance",
        confidence="INF",
    )
    invite_before_result: bool = _variant(
        True,
        "whether the caller's extension is rung before the result of MakeCall is sent",
        source="open question 5",
        confidence="INF",
    )
    duplicate_events: bool = _variant(False, "whether every event comes twice", source="a fault", confidence="SIM")
    late_events_s: float = _variant(
        0.0,
        "events so long behind what they tell: behind results, behind the end of their call",
        source="a fault",
        confidence="SIM",
    )
    restart_links: str = _variant(
        "drop",
        "what a restart of the PBX does to the links: TCP closes, or they stay open and dumb",
        source="not found",
        confidence="INF",
        choices=("drop", "silent"),
    )

    # Calls between extensions, hold and transfer
    unknown_number: str = _variant(
        "failed",
        "MakeCall to digits that lead nowhere: Failed after they are dialled, or ROER invalidCalledDeviceID at once",
        source="not captured; both are in CYR's lists",
        confidence="INF",
        choices=("failed", "refuse"),
    )
    phone_make_call: str = _variant(
        "off_hook",
        "MakeCall for a desk telephone: it goes off-hook (speaker) at once, or rings until AnswerCall",
        source="ECMA-269 has both (autoOriginate); proprietary telephones have a speaker",
        confidence="INF",
        choices=("off_hook", "prompt"),
    )
    answer_call_sip: str = _variant(
        "refuse",
        "AnswerCall for a ringing SIP extension, which no PBX can lift: ROER, or a positive result and waiting for it",
        source="not found",
        confidence="INF",
        choices=("refuse", "wait"),
    )
    internal_ring_s: float = _variant(
        60.0, "how long an extension rings before its call fails", source="not found", confidence="INF"
    )
    transfer_services: bool = _variant(
        True,
        "whether HoldCall, RetrieveCall, ConsultationCall, AlternateCall, ReconnectCall and TransferCall are supported",
        source="CYR has Hold and Transfer, LTM neither",
        confidence="RE",
    )
    single_step_transfer: bool = _variant(
        False, "whether SingleStepTransfer is supported", source="no evidence for or against", confidence="INF"
    )
    transfer_call_id: str = _variant(
        "new",
        "the callID after a transfer: a new one, or that of the active call",
        source="not captured",
        confidence="INF",
        choices=("new", "active"),
    )
    cleared_sides: str = _variant(
        "both",
        "whose ConnectionCleared is sent: both sides', the extension's own, or the far side's alone",
        source="order and completeness not captured",
        confidence="INF",
        choices=("both", "own", "far"),
    )
    cause_do_not_disturb: str = _variant(
        "doNotDisturb", "an extension with DND set is called", source="LTM's list for Failed", confidence="RE"
    )
    cause_extension_unreachable: str = _variant(
        "destNotObtainable",
        "an extension that is not registered or out of service is called",
        source="in LTM's list for Failed",
        confidence="INF",
    )
    sip_dial_failure: str = _variant(
        "reject",
        "a call that a SIP extension dialled itself fails: a final SIP answer, or 200 and a tone",
        source="not found",
        confidence="INF",
        choices=("reject", "tone"),
    )
    lco_sip_answer: str = _variant(
        "seized",
        "when a SIP extension that dialled over a line without signalling gets 200: with the line, or by the timer",
        source="not found; without it the extension could not speak",
        confidence="INF",
        choices=("seized", "timer"),
    )

    # The PBX's own voice, call records
    ogm_ports: int = _variant(
        4, "ports of the message card; 0: there is none", source="size of the simulated PBX", confidence="SIM"
    )
    ogm_s: float = _variant(5.0, "length of every recorded message", source="kept short", confidence="SIM")
    cdr_earliest_s: float = _variant(
        60.0, "StartCDR earlier than this after the association is too early", source="LTM waits", confidence="RE"
    )
    cdr_too_early: str = _variant(
        "accept",
        "StartCDR too early: accept it, or ABRT",
        source="LTM's delay and its handling of ABRT came in one commit",
        confidence="INF",
        choices=("accept", "abort"),
    )
    cdr_waits: bool = _variant(
        True,
        "whether a record waits until the client has answered the one before",
        source="LTM must answer {361, NULL}",
        confidence="INF",
    )
    utc_offset_h: float = _variant(
        0.0, "hours that the PBX's own clock is ahead of UTC, -12 to 14", source="its place", confidence="SIM"
    )

    # Call records on the printer port (SMDR)
    smdr_pattern: str = _variant(
        "A",
        "layout of a record: A 80 columns, B 80 with the charge, C 120 with both",
        source="M-NS1000 p222",
        confidence="DOC",
        choices=("A", "B", "C"),
    )
    smdr_date_order: str = _variant(
        "dd/mm/yy",
        "order of a date",
        source="by country: M-NS1000, field samples; yy/mm/dd not seen",
        confidence="DOC",
        choices=("dd/mm/yy", "mm/dd/yy", "yy/mm/dd"),
    )
    smdr_clock: str = _variant(
        "12",
        "12 hours with AM or PM glued on, or 24 hours",
        source="M-NS1000, field samples",
        confidence="DOC",
        choices=("12", "24"),
    )
    smdr_page_lines: int = _variant(
        66,
        "lines of a page, its title and rule among them; 0: no heads",
        source="M: page length, skip perforation",
        confidence="DOC",
    )
    smdr_form_feed: bool = _variant(
        False, "whether a page ends with a form feed, else with blank lines", source="not found", confidence="INF"
    )
    smdr_new_line: str = _variant(
        "crlf",
        "what ends a line; on RS-232C programmable as CR or CR LF",
        source="M",
        confidence="DOC",
        choices=("crlf", "cr", "lf"),
    )
    smdr_login: bool = _variant(
        True, "whether user and password are asked for", source="M-NS1000 p356", confidence="DOC"
    )
    smdr_user: str = _variant("SMDR", "the user, without case", source="M-NS1000 p356", confidence="DOC")
    smdr_password: str = _variant("PCCSMDR", "its password, without case", source="SMS, SMC", confidence="RE")
    smdr_wrong_password: str = _variant(
        "prompt",
        "what follows a wrong password: the first prompt, the password prompt, words and the prompt, or the end",
        source="not found",
        confidence="INF",
        choices=("prompt", "password", "words", "close"),
    )
    smdr_banner: str = _variant("", "a line before the first prompt; empty: none", source="not found", confidence="INF")
    smdr_echo: bool = _variant(False, "whether what is typed is given back", source="not found", confidence="INF")
    smdr_telnet: bool = _variant(
        False, "whether telnet options are negotiated", source="telnet-like: not found", confidence="INF"
    )
    smdr_access_code: bool = _variant(
        True, "whether the access code stands before the digits", source="programmable", confidence="INF"
    )
    smdr_secret_digits: int = _variant(
        0, "so many digits at the end are replaced by one dot", source="M-NS1000: secret dialling", confidence="DOC"
    )
    smdr_unanswered: bool = _variant(
        True,
        "whether outgoing calls that nobody answered are printed, with no duration",
        source="not found",
        confidence="INF",
    )
    smdr_cost_per_min: float = _variant(
        1.2, "B, C: the charge of a minute; on a PBX the network tells it", source="made up", confidence="SIM"
    )
    smdr_currency: str = _variant("EUR", "B, C: three characters after the charge", source="M-NS1000", confidence="DOC")
    smdr_kept_records: int = _variant(
        1000, "records that wait for a reader; older ones are lost", source="M: kept over a reset", confidence="DOC"
    )
    smdr_sent_again: int = _variant(
        0, "records sent once more to whoever logs in", source="not found", confidence="INF"
    )

    @classmethod
    def from_pairs(cls, pairs: Iterable[str]) -> Settings:
        """Read ``name=value`` texts as the command line gives them; SettingError names the one that is wrong."""
        rows = {row.name: row for row in dataclasses.fields(cls)}
        given: dict[str, Any] = {}
        for pair in pairs:
            name, equals, text = pair.partition("=")
            name = name.strip()
            if not equals:
                raise SettingError(f"variant {pair!r}: expected name=value")
            if name not in rows:
                close = difflib.get_close_matches(name, rows, n=1)
                raise SettingError(
                    f"variant {name!r} does not exist" + (f", did you mean {close[0]!r}?" if close else "")
                )
            given[name] = _value(rows[name], text.strip())
        return cls(**given)

    def failure_cause(self, reason: str) -> str:
        """The EventCause name of Failed for a reason of the callee table (``busy``, ``rejected``, ...)."""
        return str(getattr(self, f"cause_{reason}"))


# Reasons that a callee may fail with; each has its row ``cause_<reason>`` above.
FAILURE_REASONS = ("busy", "rejected", "invalid_number", "congestion", "unreachable", "no_answer")

# After Failed with one of these the caller is on-hook again (LTM's live rule); after all others he hears a tone.
CAUSES_THAT_FREE_THE_CALLER = frozenset({"blocked", "networkSignal", "destOutOfOrder"})

_TRUTH = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


def _value(row: dataclasses.Field[Any], text: str) -> bool | int | float | str:
    choices: tuple[str, ...] = row.metadata["choices"]
    if choices and text not in choices:
        raise SettingError(f"variant {row.name!r} is one of {', '.join(choices)}, not {text!r}")
    if isinstance(row.default, bool):
        if text.lower() not in _TRUTH:
            raise SettingError(f"variant {row.name!r} is true or false, not {text!r}")
        return _TRUTH[text.lower()]
    if isinstance(row.default, int | float):
        try:
            number = type(row.default)(text)
        except ValueError:
            raise SettingError(f"variant {row.name!r} is a number, not {text!r}") from None
        lowest = -12 if row.name == "utc_offset_h" else 0
        if not lowest <= number <= 1_000_000:
            raise SettingError(f"variant {row.name!r} is out of range: {text!r}")
        return number
    return text
