"""Every setting of a Panasonic gateway: ``[gateways.NAME]`` with ``kind = "panasonic"``.

What no manual says about these PBXes is a setting with our best guess as its default. DOC a Panasonic manual, CAP
octets from the wire, RE working client code by others, INF our inference.
"""

from __future__ import annotations

import dataclasses
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from twisted.internet.interfaces import IReactorPluggableNameResolver
from zope.interface import implementer  # type: ignore[import-untyped]

from ocm_cti.domain.numbers import digits_to_dial
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.settings import SettingError, Table
from ocm_cti.gateways.smdr_settings import SmdrSettings
from protocols.serial_line import endpoint_from_setting, is_serial, serial_from_setting

ANSWERS = ("signalled", "timer", "by_ear")
ORIGINATES = ("csta", "sip")
MONITORS = ("dialingNumber", "deviceNumber")
VOICES = ("sip", "ogm")
TRANSFERS = ("consultation", "hold_make_call", "single_step", "refer")
TRANSFER_WAITS = ("answered", "ringing")
PATTERN_FIELD = "{extension}"

#: (prefix of the E.164 number, what the PBX is given instead of it); the first that fits. RE: LTM dials 9 8 and ten
#: digits, idle-line access and the Russian long-distance prefix; the access digits are programmable in every PBX.
DIAL_RULES = (("+7", "98"), ("+", "9810"))


@dataclass(frozen=True)
class PanasonicSettings:
    """One PBX; times in seconds. Built by ``from_table``, or directly where the values are known to be right."""

    takes_caller_id: ClassVar[bool] = False  # MakeCall can't carry one; it is set in the PBX
    detects_machines: ClassVar[bool] = False

    name: str
    link: str  # "tcp:192.168.0.101:33333"; CAP/RE: 33333 is the CTI port; serial:/dev/... is a convention of ours
    extensions: tuple[str, ...]  # the robot's SIP extensions, each one port
    sip_host: str  # the PBX as seen by SIP extensions
    passwords: Mapping[str, str] = field(repr=False)  # by extension; DOC: user ID is the extension number
    sip_port: int = 5060  # NOT FOUND for this family; the standard's
    sip_expires_s: int = 120
    local_host: str = ""  # our address as the PBX reaches it, for SIP and voice; "": the one of the route to sip_host
    local_sip_port: int = 0  # 0: any free one; a fixed one where a firewall wants it
    dial: tuple[tuple[str, str], ...] = DIAL_RULES

    originate: str = "csta"  # INF: MakeCall from the extension, which the PBX rings; "sip": it dials by itself
    sip_200_is_answer: bool = False  # INF: originate = "sip": 200 of the PBX is the person's answer, not only its own
    voice: str = "sip"  # experimental: "ogm": the PBX's own messages; INF: MakeCall takes the extension off the hook
    answer: str = "signalled"  # INF: ISDN and SIP trunks tell a true answer; DOC: an analogue one has only a timer
    answer_timer_s: float = 0.0  # answer = "timer": answered so long after the trunk was reached; 0: when the PBX says
    dials_after_pick_up: bool = True  # INF: nobody is dialled before our own extension has been picked up
    reached_is_ringing: bool = True  # INF: NetworkReached shown as ringing; Delivered may not come for a trunk
    transfer: str = "consultation"  # INF: which services there are is known from hearsay (RE) only
    transfer_waits_for: str = "answered"  # the person is handed over when the operator answers, or "ringing"
    monitor_by: str = "dialingNumber"  # CAP for an extension; the other clients use the deviceNumber of the list
    max_apdu_octets: int = 240  # RE; whether newer NS/NSX firmware lifts it is unknown

    request_timeout_s: float = 10.0
    associate_timeout_s: float = 10.0
    silence_limit_s: float = 300.0  # RE: LTM gives the link up after 300 s without SystemStatus
    retry_min_s: float = 1.0  # reconnecting: doubled from here ...
    retry_max_s: float = 30.0  # ... to here
    refused_retry_s: float = 60.0  # INF: the PBX takes one client; the other one may leave
    probe_s: float = 0.0  # RequestSystemStatus after so much silence; 0: never, for nobody knows whether it is there
    frame_timeout_s: float = 10.0  # a message that has begun and does not go on
    window: int = 8  # INF: requests that wait for their answers at a time; 0: any number
    requests_per_s: float = 50.0  # INF: ... and so many a second, ClearConnection first, MakeCall last; 0: no limit
    request_burst: int = 16  # ... after so many at once
    answer_old_status: bool = True  # RE: a client in use answers operation 52 as it does SystemStatus
    serial_abort_first: bool = True  # INF: ABRT before AARQ on a serial line, which has no connections of its own
    serial_quiet_s: float = 0.5  # INF: ... and then so much silence
    overload_rest_s: float = 120.0  # INF: overload is taken to be over then, if the PBX does not say so itself
    overload_call_every_s: float = 0.0  # while it lasts, one new call in so many seconds; 0: none
    cdr: bool = False  # StartCDRTransmission; DOC3: one application only may have the records
    cdr_delay_s: float = 60.0  # RE: no sooner after the association; LTM waits so long since its links were aborted
    cdr_duration_unit_s: float = 0.1  # RE: LTM divides connectionDuration by ten; ECMA-285 has seconds
    record: str = ""  # a file that gets every message of the link, numbers in full; for a technician
    device_list_timeout_s: float = 15.0  # for all segments; without a list every extension counts as in service
    device_list_period_s: float = 30.0  # asked again so often while an extension is out of service
    port_retry_s: float = 10.0  # a monitor, snapshot or registration that was refused

    pick_up_timeout_s: float = 10.0  # NOT FOUND how long the PBX lets its extension ring after MakeCall
    reason_wait_s: float = 2.0  # the event with the cause may come after the BYE
    clear_timeout_s: float = 3.0  # ClearConnection without effect: hang up by SIP
    release_timeout_s: float = 5.0  # ... and still not free: report, keep the port, look again and again
    blind_limit_s: float = 15.0  # an unanswered call, or one being transferred, without a link (or its snapshot)
    call_limit_s: float = 1800.0  # an answered call is hung up then: a voicemail that talks on, a fault of ours
    silent_peer_s: float = (
        60.0  # our extension, once picked up, hears no RTP at all: a fault; > any ring timeout; 0: off
    )
    transfer_wait_s: float = 20.0  # the operator's telephone rings so long
    ogm_limit_s: float = 120.0  # a message of the PBX that never ends is stopped
    call_id_reuse_s: float = 30.0  # RE: callIDs come again; what is told of an old one so soon is asked after
    settle_timeout_s: float = 30.0  # calls left from a crash that can't be cleared
    rest_after_fault_s: float = 5.0  # a port rests after a fault of ours, doubled for each one more ...
    rest_max_s: float = 60.0  # ... up to here, so that a dead line doesn't burn through the list
    trunks_rest_s: float = 5.0  # all trunks were busy: no port calls for so long, or until one of our calls is over
    stop_timeout_s: float = 8.0

    smdr: SmdrSettings | None = None  # the PBX's own call records, for the bill; None: not read

    def voice_host(self) -> str:
        """The address that the voice process binds to: ``local_host``, or ours on the way to the PBX (sends nothing).

        OSError when there is no way.
        """
        if self.local_host:
            return self.local_host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.sip_host, self.sip_port))
            return str(probe.getsockname()[0])

    def voice_options(self) -> tuple[str, ...]:
        """More of the voice process' command line: ``extra`` of ``VoiceClient``."""
        return ("--silent-peer-s", f"{self.silent_peer_s:g}") if self.silent_peer_s else ()

    def digits(self, number: str) -> str:
        """What the PBX is given for a number, as its records show it."""
        return digits_to_dial(number, self.dial)

    def beside(self, base: Path) -> Self:
        """``record`` counts from ``base``."""
        return dataclasses.replace(self, record=str(base / self.record)) if self.record else self

    def sip_listener(self) -> tuple[str, int] | None:
        return (self.local_host, self.local_sip_port) if self.local_sip_port and self.voice == "sip" else None

    def check_lists(self, lists: Mapping[str, ListSettings], scenarios: Mapping[str, Scenario]) -> None:
        """SettingError for a list that can't be called through this PBX as it is set up."""
        for name, settings in lists.items():
            self._outlasts_the_ringing(name, settings.ring_timeout_s)
        for name, scenario in scenarios.items():
            key = f"lists.{name}.scenario"
            if scenario.announcements and self.voice != "ogm":
                number = scenario.announcements[0]
                raise SettingError(
                    key, f'plays announcement {number}, but gateway {self.name} does not have voice = "ogm"'
                )
            if self.voice == "ogm" and scenario.has_sound_of_ours:
                raise SettingError(key, f'says or records something itself, but gateway {self.name} has voice = "ogm"')

    def _outlasts_the_ringing(self, name: str, ring_timeout_s: float) -> None:
        """A PBX may send nothing while the telephone rings; that must not be taken for a dead line. And a timer that
        stands for the answer must fire while it rings."""
        key = f"gateways.{self.name}"
        every = f"than ring_timeout_s of every list ({name}: {ring_timeout_s:g})"
        if 0 < self.silent_peer_s <= ring_timeout_s:
            raise SettingError(f"{key}.silent_peer_s", f"must be longer {every}")
        if self.answer_timer_s >= ring_timeout_s:
            raise SettingError(f"{key}.answer_timer_s", f"must be shorter {every}")

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, object]) -> PanasonicSettings:
        """Read ``[gateways.NAME]``; SettingError names the first key that is wrong."""
        known = [row.name for row in dataclasses.fields(cls) if row.name != "name"]
        read = Table(f"gateways.{name}", table, [*known, "kind", "password_pattern"])
        extensions = _extensions(read)
        without_sip = read.get("voice") == "ogm"
        given: dict[str, Any] = {
            "name": name,
            "link": _link(read),
            "extensions": extensions,
            "sip_host": "" if without_sip and read.get("sip_host") is None else read.text("sip_host"),
            "sip_port": read.whole("sip_port", cls.sip_port, 1, 65535),
            "local_host": read.text("local_host") if read.get("local_host") is not None else cls.local_host,
            "local_sip_port": read.whole("local_sip_port", cls.local_sip_port, 0, 65535),
            "sip_expires_s": read.whole("sip_expires_s", cls.sip_expires_s, 30, 86_400),
            "passwords": {} if without_sip else _passwords(read, extensions),
            "dial": read.dial_rules("dial", DIAL_RULES),
            "smdr": _smdr(read),
            "originate": read.choice("originate", cls.originate, ORIGINATES),
            "answer": read.choice("answer", cls.answer, ANSWERS),
            "sip_200_is_answer": read.flag("sip_200_is_answer", cls.sip_200_is_answer),
            "voice": read.choice("voice", cls.voice, VOICES),
            "transfer": read.choice("transfer", cls.transfer, TRANSFERS),
            "transfer_waits_for": read.choice("transfer_waits_for", cls.transfer_waits_for, TRANSFER_WAITS),
            "monitor_by": read.choice("monitor_by", cls.monitor_by, MONITORS),
            "dials_after_pick_up": read.flag("dials_after_pick_up", cls.dials_after_pick_up),
            "reached_is_ringing": read.flag("reached_is_ringing", cls.reached_is_ringing),
            "max_apdu_octets": read.whole("max_apdu_octets", cls.max_apdu_octets, 64, 25_599),
            "window": read.whole("window", cls.window, 0, 32_767),
            "requests_per_s": read.number("requests_per_s", cls.requests_per_s, 0, 10_000),
            "request_burst": read.whole("request_burst", cls.request_burst, 1, 10_000),
            "probe_s": read.number("probe_s", cls.probe_s, 0, 86_400),
            "answer_old_status": read.flag("answer_old_status", cls.answer_old_status),
            "serial_abort_first": read.flag("serial_abort_first", cls.serial_abort_first),
            "serial_quiet_s": read.number("serial_quiet_s", cls.serial_quiet_s, 0.01, 60),
            "overload_call_every_s": read.number("overload_call_every_s", cls.overload_call_every_s, 0, 86_400),
            "cdr": read.flag("cdr", cls.cdr),
            "cdr_delay_s": read.number("cdr_delay_s", cls.cdr_delay_s, 60, 86_400),
            "cdr_duration_unit_s": read.number("cdr_duration_unit_s", cls.cdr_duration_unit_s, 0.001, 3600),
            "record": read.text("record") if read.get("record") else cls.record,
            "answer_timer_s": read.number("answer_timer_s", cls.answer_timer_s, 0, 120),
            "silent_peer_s": read.number("silent_peer_s", cls.silent_peer_s, 0, 86_400),
        }
        if given["answer"] == "by_ear":
            raise SettingError(
                read.key("answer"), 'by_ear comes with the voice issue: until then use "signalled" or "timer"'
            )
        if given["voice"] == "ogm":
            for key, wrong in (("originate", "sip"), ("transfer", "refer")):
                if given[key] == wrong:
                    raise SettingError(read.key(key), f'"{wrong}" needs a SIP extension, but voice = "ogm" has none')
        if given["sip_200_is_answer"] and given["originate"] != "sip":
            raise SettingError(read.key("sip_200_is_answer"), 'is for originate = "sip" only')
        if given["answer_timer_s"] and given["answer"] != "timer":
            raise SettingError(read.key("answer_timer_s"), 'is for answer = "timer" only')
        for row in dataclasses.fields(cls):
            if row.name not in given and row.name in table:
                given[row.name] = read.number(row.name, 0.0, 0.1, 86_400)
        return cls(**given)


@implementer(IReactorPluggableNameResolver)
class _Nowhere:
    """Enough of a reactor to check the form of an endpoint; it is never connected."""

    nameResolver = None

    def installNameResolver(self, resolver: object) -> None:
        pass


def _link(read: Table) -> str:
    link = read.text("link")
    try:
        endpoint_from_setting(_Nowhere(), link)
    except ValueError as error:
        raise SettingError(read.key("link"), str(error)) from None
    if is_serial(link) and not serial_from_setting(link).transparent:
        raise SettingError(read.key("link"), f"{link!r}: CSTA needs all 8 bits of a line, and no xonxoff")
    return link


def _smdr(read: Table) -> SmdrSettings | None:
    table = read.get("smdr")
    if table is None:
        return None
    return SmdrSettings.from_table(read.key("smdr"), table, lambda link: endpoint_from_setting(_Nowhere(), link))


def _extensions(read: Table) -> tuple[str, ...]:
    """``["301", "302"]``, ``"301-308"``, ``"301,305-307"`` or a mixture of them."""
    value, key = read.get("extensions"), read.key("extensions")
    if value is None:
        raise SettingError(read.path, 'extensions is missing: the robot\'s SIP extensions, e.g. "301-308"')
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, str) for entry in entries):
        raise SettingError(key, f'must be a text like "301-308" or a list of texts, not {value!r}')
    extensions: list[str] = []
    for entry in entries:
        extensions += _range(key, entry.strip())
    if not extensions:
        raise SettingError(key, "names no extension")
    twice = sorted({extension for extension in extensions if extensions.count(extension) > 1})
    if twice:
        raise SettingError(key, f"{twice[0]} stands there twice")
    return tuple(extensions)


def _range(key: str, entry: str) -> list[str]:
    match = re.fullmatch(r"([0-9]{1,8})(?:\s*-\s*([0-9]{1,8}))?", entry)
    if match is None:
        raise SettingError(key, f"{entry!r} is no extension number and no range like 301-308")
    first, last = match.group(1), match.group(2) or match.group(1)
    if len(first) != len(last) or int(first) > int(last) or int(last) - int(first) >= 1000:
        raise SettingError(key, f"{entry!r} is no range: both ends of the same length, the lower first")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def _passwords(read: Table, extensions: tuple[str, ...]) -> dict[str, str]:
    table, pattern = read.get("passwords"), read.get("password_pattern")
    if table is None and pattern is None:
        raise SettingError(
            read.path, f'SIP passwords are missing: password_pattern = "...{PATTERN_FIELD}" or a table passwords'
        )
    passwords: dict[str, str] = {}
    if pattern is not None:
        text = read.text("password_pattern")
        if "{" in text.replace(PATTERN_FIELD, ""):
            raise SettingError(read.key("password_pattern"), f"knows only {PATTERN_FIELD}")
        passwords = {extension: text.replace(PATTERN_FIELD, extension) for extension in extensions}
    if table is not None:
        if not isinstance(table, Mapping):
            raise SettingError(read.key("passwords"), 'must be a table: passwords = { 301 = "..." }')
        for extension, password in table.items():
            if extension not in extensions:
                raise SettingError(read.key(f"passwords.{extension}"), "is none of the extensions")
            if not isinstance(password, str) or not password:
                raise SettingError(read.key(f"passwords.{extension}"), "must be a text in quotes")
            passwords[extension] = password
    missing = [extension for extension in extensions if extension not in passwords]
    if missing:
        raise SettingError(read.key("passwords"), f"no password for extension {missing[0]}")
    return passwords
