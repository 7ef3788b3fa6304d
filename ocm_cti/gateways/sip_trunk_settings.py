"""Every setting of a gateway over an operator's SIP trunk: ``[gateways.NAME]`` with ``kind = "sip"``.

What differs from operator to operator (how a number is written, who we say that we are, whether we register) is a
setting; its default is what most of them want.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.numbers import digits_to_dial
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways import sip_trunk_reading as reading
from ocm_cti.gateways.settings import SettingError, Table
from ocm_cti.gateways.smdr_settings import SmdrSettings
from ocm_cti.voice.trunks import TRANSPORTS, Trunk

#: How a number in E.164 is written for the operator.
FORMATS = ("e164", "digits", "national")
#: Who stands in From, and in P-Asserted-Identity.
FROM = ("caller_id", "account")
ASSERTED = ("none", "caller_id", "account")
DEFAULT_PORT = 5060
MOST_CHANNELS = 2000
MOST_PROCESSES = 64


@dataclass(frozen=True)
class TrunkAccount:
    """Who we are at the operator, and how many of the gateway's calls go this way at a time."""

    user: str
    password: str = field(default="", repr=False)
    name: str = ""  # ours; "": user
    auth_user: str = ""  # who the password is of; "": user
    domain: str = ""  # host part of the addresses; "": host
    display_name: str = ""
    caller_id: str = ""  # of a call whose list has none; "": user
    channels: int = 1

    @property
    def key(self) -> str:
        return self.name or self.user


@dataclass(frozen=True)
class SipTrunkSettings:
    """One operator; times in seconds. Built by ``from_table``, or directly where the values are known to be right."""

    takes_caller_id: ClassVar[bool] = True
    detects_machines: ClassVar[bool] = False

    name: str
    host: str  # of the operator
    accounts: tuple[TrunkAccount, ...]
    port: int = DEFAULT_PORT
    outbound_proxy: str = ""  # "host" or "host:port": where requests go instead of host
    registrar: str = ""  # where REGISTER goes; "": as other requests
    transport: str = "udp"
    registers: bool = True  # False: the operator knows us by our address
    expires_s: int = 300  # what we ask the registrar for
    local_host: str = ""  # our address as the operator reaches it; "": the one of the route to him
    local_sip_port: int = 0  # our UDP port for SIP, the next ones for more voice processes; 0: any
    rtp_ports: tuple[int, int] | None = None  # first and last UDP port for voice; None: any
    voice_processes: int = 1
    port_prefix: str = ""

    format: str = "e164"
    dial: tuple[tuple[str, str], ...] = ()  # format = "national": (prefix of the E.164 number, what stands for it)
    access_prefix: str = ""  # dialled before every number
    from_user: str = "caller_id"
    asserted: str = "none"

    calls_per_s: float = 5.0  # new calls a second; 0: no limit
    calls_burst: int = 5  # ... after so many at once
    ring_on_183: bool = False  # 183 (audio before the answer) counts as ringing; else only 180 does
    tells_progress: bool = True  # 180 or 183 before every answer: without either a call is no "no answer" but unknown
    refuse_incoming: int = 603
    session_expires_s: int = 1800  # session timer (RFC 4028) that we offer; 0: none
    statuses: tuple[tuple[int, Cause], ...] = ()  # SIP code -> what it means at this operator, before Reason

    call_limit_s: float = 1800.0  # an answered call is hung up by us after so long
    silent_peer_s: float = 60.0  # an answered call without any RTP from the operator, not on hold: a fault; 0: off
    options_ping_s: float = 0.0  # OPTIONS so often, to see that the operator is there (udp); 0: off
    options_wait_s: float = 5.0  # ... and no answer for so long
    congestion_rest_s: float = 5.0  # 503, or no channel free, without Retry-After: no new call for so long; 0: off
    retry_after_limit_s: float = 600.0  # Retry-After is obeyed up to here
    rest_after_fault_s: float = 5.0  # an account rests after a fault, doubled for each one more ...
    rest_max_s: float = 300.0  # ... up to here, so that a dead trunk doesn't burn through the list
    stop_timeout_s: float = 8.0  # calls that do not end at a stop

    @property
    def smdr(self) -> SmdrSettings | None:
        return None  # an operator writes his records down for himself

    @property
    def lines(self) -> tuple[tuple[str, TrunkAccount, int], ...]:
        """Every port: its name, its account, the number of its voice process."""
        rows: list[tuple[str, TrunkAccount, int]] = []
        for account in self.accounts:
            prefix = self.port_prefix if len(self.accounts) == 1 else f"{self.port_prefix}{account.key}-"
            for number in range(1, account.channels + 1):
                rows.append((f"{prefix}{number}", account, len(rows) % self.voice_processes))
        return tuple(rows)

    @property
    def registrar_hop(self) -> tuple[str, int]:
        """Where REGISTER goes: host and port."""
        return reading.place(self.registrar, DEFAULT_PORT) if self.registrar else self.next_hop

    @property
    def next_hop(self) -> tuple[str, int]:
        """Where requests go."""
        return reading.place(self.outbound_proxy, DEFAULT_PORT) if self.outbound_proxy else (self.host, self.port)

    def trunk(self, account: TrunkAccount, registers: bool) -> Trunk:
        """An account as the voice process is given it."""
        host, port = self.next_hop
        registrar = reading.place(self.registrar, DEFAULT_PORT) if self.registrar else ("", DEFAULT_PORT)
        return Trunk(
            name=account.key,
            user=account.user,
            password=account.password,
            domain=account.domain or self.host,
            host=host,
            port=port,
            auth_user=account.auth_user,
            registrar_host=registrar[0],
            registrar_port=registrar[1],
            transport=self.transport,
            registers=registers,
            expires_s=self.expires_s,
            display_name=account.display_name,
            session_expires_s=self.session_expires_s,
            refuses_with=self.refuse_incoming,
        )

    def digits(self, number: str) -> str:
        """What the operator is given for a number in E.164."""
        rules = self.dial if self.format == "national" else (("+", ""),)
        plus = "+" if self.format == "e164" else ""
        return self.access_prefix + plus + digits_to_dial(number, rules)

    def voice_host(self) -> str:
        """The address that the voice processes bind to: ``local_host``, or ours on the way to the operator (sends
        nothing). OSError when there is no way."""
        if self.local_host:
            return self.local_host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(self.next_hop)
            return str(probe.getsockname()[0])

    def voice_port(self, process: int) -> int:
        """The UDP port for SIP of one voice process; 0: any."""
        return self.local_sip_port + process if self.local_sip_port else 0

    def voice_options(self, process: int) -> tuple[str, ...]:
        """More of its command line: ``extra`` of ``VoiceClient``."""
        options = ["--stranger-code", str(self.refuse_incoming)]
        if self.silent_peer_s:
            options += ["--silent-peer-s", f"{self.silent_peer_s:g}"]
        if self.rtp_ports is not None:
            first, last = self.rtp_ports
            share = (last - first + 1) // self.voice_processes // 2 * 2
            options += ["--rtp-ports", str(first + share * process), str(first + share * (process + 1) - 1)]
        return tuple(options)

    def beside(self, base: Path) -> Self:
        return self

    def sip_listener(self) -> tuple[str, int] | None:
        return (self.local_host, self.local_sip_port) if self.local_sip_port else None

    def check_lists(self, lists: Mapping[str, ListSettings], scenarios: Mapping[str, Scenario]) -> None:
        """SettingError for a list that can't be called through this trunk."""
        for name, settings in lists.items():
            if settings.caller_id is not None and reading.caller_number(settings.caller_id) is None:
                raise SettingError(f"lists.{name}.caller_id", reading.CALLER_ID_FORMS.format(settings.caller_id))
        for name, scenario in scenarios.items():
            if scenario.announcements:
                number = scenario.announcements[0]
                raise SettingError(
                    f"lists.{name}.scenario",
                    f"plays announcement {number} of the switch, but gateway {self.name} has none: use a recording",
                )

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, object]) -> SipTrunkSettings:
        """Read ``[gateways.NAME]``; SettingError names the first key that is wrong."""
        return cls(**_read(name, table))


#: Keys of an account; those of ``_OF_ALL`` may also stand in the gateway's table, for all accounts that lack them.
ACCOUNT_KEYS = tuple(row.name for row in dataclasses.fields(TrunkAccount))
_OF_ALL = ("domain", "display_name", "caller_id")
_OWN = tuple(row.name for row in dataclasses.fields(SipTrunkSettings) if row.name != "name")
#: All that may stand in ``[gateways.NAME]``.
KEYS = tuple(dict.fromkeys(("kind", *_OWN, "user", "auth_user", "password", *_OF_ALL, "channels")))


def _read(name: str, table: Mapping[str, object]) -> dict[str, Any]:
    cls = SipTrunkSettings
    read = Table(f"gateways.{name}", table, KEYS)
    registers = read.flag("registers", cls.registers)
    formatted = read.choice("format", cls.format, FORMATS)
    given: dict[str, Any] = {
        "name": name,
        "host": reading.host(read, "host"),
        "registers": registers,
        "accounts": _accounts(read, registers),
        "port": read.whole("port", cls.port, 1, 65535),
        "outbound_proxy": reading.optional_place(read, "outbound_proxy"),
        "registrar": reading.optional_place(read, "registrar"),
        "transport": read.choice("transport", cls.transport, TRANSPORTS),
        "expires_s": read.whole("expires_s", cls.expires_s, 10, 86_400),
        "local_host": reading.optional_host(read, "local_host"),
        "local_sip_port": read.whole("local_sip_port", cls.local_sip_port, 0, 65535),
        "rtp_ports": _rtp_ports(read),
        "voice_processes": read.whole("voice_processes", cls.voice_processes, 1, MOST_PROCESSES),
        "port_prefix": reading.optional_word(read, "port_prefix"),
        "format": formatted,
        "dial": reading.dial(read, formatted == "national"),
        "access_prefix": reading.access_prefix(read, formatted == "e164"),
        "from_user": read.choice("from_user", cls.from_user, FROM),
        "asserted": read.choice("asserted", cls.asserted, ASSERTED),
        "ring_on_183": read.flag("ring_on_183", cls.ring_on_183),
        "tells_progress": read.flag("tells_progress", cls.tells_progress),
        "calls_per_s": read.number("calls_per_s", cls.calls_per_s, 0, 10_000),
        "calls_burst": read.whole("calls_burst", cls.calls_burst, 1, 10_000),
        "refuse_incoming": read.whole("refuse_incoming", cls.refuse_incoming, 400, 699),
        "session_expires_s": read.whole("session_expires_s", cls.session_expires_s, 0, 86_400),
        "statuses": reading.statuses(read),
    }
    for key in ("silent_peer_s", "options_ping_s", "congestion_rest_s", "rest_after_fault_s", "retry_after_limit_s"):
        given[key] = read.number(key, getattr(cls, key), 0, 86_400)
    for key in ("call_limit_s", "options_wait_s", "rest_max_s", "stop_timeout_s"):
        given[key] = read.number(key, getattr(cls, key), 0.01, 86_400)
    _fit(read, given)
    return given


def _fit(read: Table, given: Mapping[str, Any]) -> None:
    """What one key says about another."""
    if 0 < given["session_expires_s"] < 90:
        raise SettingError(read.key("session_expires_s"), "must be at least 90 (RFC 4028), or 0 for none")
    if given["rest_after_fault_s"] > given["rest_max_s"]:
        raise SettingError(
            read.key("rest_after_fault_s"), f"must not be more than rest_max_s ({given['rest_max_s']:g})"
        )
    if given["options_ping_s"] and given["transport"] != "udp":
        raise SettingError(read.key("options_ping_s"), "is for udp; over tcp the connection tells whether he is there")
    if not given["registers"] and given["registrar"]:
        raise SettingError(read.key("registrar"), "is of no use with registers = false")
    last = given["local_sip_port"] + given["voice_processes"] - 1
    if given["local_sip_port"] and last > 65535:
        raise SettingError(read.key("local_sip_port"), f"every voice process has a port; the last would be {last}")
    if given["rtp_ports"] is not None:
        channels = sum(account.channels for account in given["accounts"])
        first, last = given["rtp_ports"]
        room = (last - first + 1) // given["voice_processes"] // 2 * given["voice_processes"]
        if room < channels:
            raise SettingError(read.key("rtp_ports"), f"room for {room} calls, with two ports each, of {channels}")


def _rtp_ports(read: Table) -> tuple[int, int] | None:
    value, key = read.get("rtp_ports"), read.key("rtp_ports")
    if value is None:
        return None
    if (
        not isinstance(value, list | tuple)
        or len(value) != 2
        or not all(isinstance(port, int) and not isinstance(port, bool) and 1024 <= port <= 65535 for port in value)
        or value[0] >= value[1]
        or value[0] % 2
    ):
        raise SettingError(
            key, f"{value!r} must be the first and the last port, e.g. [20000, 20999]; the first is even"
        )
    return value[0], value[1]


def _accounts(read: Table, registers: bool) -> tuple[TrunkAccount, ...]:
    rows, channels = read.get("accounts"), read.whole("channels", 10, 1, MOST_CHANNELS)
    if rows is None:
        return (_account(read, read, registers, channels),)
    for key in ("user", "auth_user", "password"):
        if read.get(key) is not None:
            raise SettingError(read.key(key), "stands in each of the accounts where there are [[accounts]]")
    if not isinstance(rows, list | tuple) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise SettingError(read.key("accounts"), f"must be tables: [[{read.key('accounts')}]] with user and password")
    tables = [Table(read.key("accounts"), row, ACCOUNT_KEYS) for row in rows]
    shares = _shares(read, tables, channels)
    accounts = tuple(_account(row, read, registers, share) for row, share in zip(tables, shares, strict=True))
    for account in accounts:
        if sum(other.key == account.key for other in accounts) > 1:
            raise SettingError(read.key("accounts"), f"{account.key} stands there twice; give each a name of its own")
    return accounts


def _shares(read: Table, rows: list[Table], channels: int) -> list[int]:
    """How many channels each account has: its own, or an even share of what the others leave."""
    own = [None if row.get("channels") is None else row.whole("channels", 1, 1, MOST_CHANNELS) for row in rows]
    sharing = own.count(None)
    left = channels - sum(share or 0 for share in own)
    if sharing and left < sharing:
        raise SettingError(
            read.key("channels"), f"{channels} are not enough: {sharing} accounts without channels share {max(left, 0)}"
        )
    if not sharing and read.get("channels") is not None and left:
        raise SettingError(read.key("channels"), f"is {channels}, but the accounts have {channels - left} together")
    shares, position = [], 0
    for share in own:
        if share is None:
            shares.append(left // sharing + (1 if position < left % sharing else 0))
            position += 1
        else:
            shares.append(share)
    return shares


def _account(row: Table, of_all: Table, registers: bool, channels: int) -> TrunkAccount:
    def either(key: str) -> Table:
        return row if row.get(key) is not None else of_all

    password = reading.optional_line(row, "password")
    if registers and not password:
        raise SettingError(
            row.path, "password is missing; an operator who knows us by our address wants registers = false"
        )
    return TrunkAccount(
        user=reading.user(row, "user"),
        password=password,
        name="" if row is of_all else reading.optional_word(row, "name"),
        auth_user=reading.optional_line(row, "auth_user"),
        domain=reading.optional_host(either("domain"), "domain"),
        display_name=reading.optional_line(either("display_name"), "display_name"),
        caller_id=reading.caller_id(either("caller_id"), "caller_id"),
        channels=channels,
    )
