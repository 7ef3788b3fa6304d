"""Every setting of an Asterisk gateway: ``[gateways.NAME]`` with ``kind = "asterisk"``.

TESTED against Asterisk 22 and partly 16; what a site's dialplan decides is a setting.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from ocm_cti.domain.numbers import digits_to_dial
from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.agi_settings import AgiSettings
from ocm_cti.gateways.settings import SettingError, Table
from ocm_cti.gateways.smdr_settings import SmdrSettings

NUMBER_FIELD = "{number}"
#: (prefix of the E.164 number, what the trunk is given instead of it); the first that fits. Without the plus: as most
#: operators want a number.
DIAL_RULES = (("+", ""),)
#: What a channel template may be made of: technology/resource, and nothing that AMI or a dial string would take apart.
_CHANNEL = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.:@/+*#{}-]+")
_LINK = re.compile(r"(tcp|tls):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})")
DEFAULT_PORTS = "5038 (tcp) or 5039 (tls)"
MOST_CHANNELS = 2000


@dataclass(frozen=True)
class AsteriskSettings:
    """One Asterisk; times in seconds. Built by ``from_table``, or directly where the values are known to be right."""

    takes_caller_id: ClassVar[bool] = True

    name: str
    link: str  # "tcp:127.0.0.1:5038" or "tls:pbx.example:5039"
    username: str
    secret: str = field(repr=False)
    channel: str  # "PJSIP/{number}@trunk"
    link_ca: str = ""  # link = "tls:...": a file of certificates that are trusted; "": those of the system
    channels: int = 10  # calls at a time; each is a port
    port_prefix: str = ""  # the ports are PREFIX1 ... PREFIXn
    dial: tuple[tuple[str, str], ...] = DIAL_RULES
    caller_id: str = ""  # of a call whose list has none: 'Firm <2000>' or '2000'; "": the trunk's own
    account: str = ""  # AccountCode of our calls in the CDR; "": ocm-NAME
    context: str = "ocm"  # where an answered call lands: AGI(agi:async) in a loop
    exten: str = "s"
    priority: int = 1

    originate_per_s: float = 20.0  # new calls a second; 0: no limit. TESTED: Asterisk itself has none, and falls behind
    originate_burst: int = 20  # ... after so many at once
    timeout_margin_s: float = 2.0  # Asterisk gives up so long after we should have: for the time when we can't
    cause_grace_s: float = 0.5  # TESTED: Hangup and OriginateResponse come in either order
    nothing_heard_s: float = 5.0  # neither of them so long after Asterisk's own limit
    agi_start_s: float = 5.0  # answered, and the dialplan did not come to AGI(agi:async): the context is wrong
    request_timeout_s: float = 10.0
    clear_timeout_s: float = 3.0  # Hangup without effect: look
    release_timeout_s: float = 5.0  # ... and still there: report, keep the port, look again
    blind_limit_s: float = 15.0  # an unanswered call without a link
    blind_answered_s: float = 60.0  # an answered one: it stays up in Asterisk, and goes on when the link is back
    call_limit_s: float = 1800.0  # an answered call is hung up by us after so long
    rest_after_fault_s: float = 5.0  # a port rests after a fault of ours, doubled for each one more ...
    rest_max_s: float = 60.0  # ... up to here, so that a dead line doesn't burn through the list
    congestion_rest_s: float = 5.0  # the trunk has no channel free: no new call for so long
    probe_s: float = 10.0  # Ping after so long without a word
    silence_limit_s: float = 30.0  # ... and the link is given up after this
    login_timeout_s: float = 10.0
    retry_min_s: float = 1.0  # reconnecting: doubled from here ...
    retry_max_s: float = 30.0  # ... to here
    refused_retry_s: float = 60.0  # wrong user or secret: asked again so often
    settle_timeout_s: float = 30.0  # channels left from a crash that can't be hung up
    stop_timeout_s: float = 8.0  # calls that do not end at a stop

    agi: AgiSettings = field(default_factory=AgiSettings)  # the voice; its rows stand in the same table

    @property
    def smdr(self) -> SmdrSettings | None:
        return None  # what SMDR would tell is in the events already

    @property
    def detects_machines(self) -> bool:
        """Whether the switch listens for an answering machine before we speak."""
        return self.agi.amd

    @property
    def ports(self) -> tuple[str, ...]:
        return tuple(f"{self.port_prefix}{number}" for number in range(1, self.channels + 1))

    @property
    def host(self) -> str:
        """Where the link goes to."""
        return _parts(self.link)[1]

    @property
    def tcp_port(self) -> int:
        return _parts(self.link)[2]

    @property
    def uses_tls(self) -> bool:
        return _parts(self.link)[0] == "tls"

    @property
    def application(self) -> str:
        """What the dialplan runs for an answered call."""
        if self.agi.voice == "fastagi":
            return f"AGI(agi://{self.agi.fastagi_host}:{self.agi.fastagi_port})"
        return "AGI(agi:async)"

    @property
    def account_code(self) -> str:
        return self.account or f"ocm-{self.name}"

    def digits(self, number: str) -> str:
        """What the trunk is given for a number in E.164."""
        return digits_to_dial(number, self.dial)

    def channel_for(self, digits: str) -> str:
        return self.channel.replace(NUMBER_FIELD, digits)

    def beside(self, base: Path) -> Self:
        """Relative paths count from ``base``."""
        link_ca = str(base / self.link_ca) if self.link_ca else ""
        return dataclasses.replace(self, link_ca=link_ca, agi=self.agi.beside(base))

    def sip_listener(self) -> tuple[str, int] | None:
        return None

    def check_lists(self, lists: Mapping[str, ListSettings], scenarios: Mapping[str, Scenario]) -> None:
        """SettingError for a list that can't be called through this switch."""
        for name, settings in lists.items():
            if settings.caller_id is not None and not is_caller_id(settings.caller_id):
                raise SettingError(f"lists.{name}.caller_id", _CALLER_ID_FORMS.format(settings.caller_id))
        for name, scenario in scenarios.items():
            if scenario.announcements:
                number = scenario.announcements[0]
                raise SettingError(
                    f"lists.{name}.scenario",
                    f"plays announcement {number} of the switch, but gateway {self.name} has none: use a recording",
                )

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, object]) -> AsteriskSettings:
        """Read ``[gateways.NAME]``; SettingError names the first key that is wrong."""
        known = [row.name for row in dataclasses.fields(cls) if row.name not in ("name", "agi")]
        read = Table(f"gateways.{name}", table, [*known, *AgiSettings.rows(), "kind"])
        given: dict[str, Any] = {
            "name": name,
            "agi": AgiSettings.read(read),
            "link": _link(read),
            "username": _plain(read, "username"),
            "secret": _plain(read, "secret"),
            "channel": _channel(read),
            "dial": read.dial_rules("dial", DIAL_RULES, plus=True),
            "caller_id": _caller_id(read),
            "context": _word(read, "context", cls.context),
            "exten": _word(read, "exten", cls.exten),
            "link_ca": _optional(read, "link_ca"),
            "port_prefix": _optional_word(read, "port_prefix"),
            "account": _optional_word(read, "account"),
            "channels": read.whole("channels", cls.channels, 1, MOST_CHANNELS),
            "priority": read.whole("priority", cls.priority, 1, 9999),
            "originate_burst": read.whole("originate_burst", cls.originate_burst, 1, 10_000),
            "originate_per_s": read.number("originate_per_s", cls.originate_per_s, 0, 10_000),
            "congestion_rest_s": read.number("congestion_rest_s", cls.congestion_rest_s, 0, 86_400),
            "rest_after_fault_s": read.number("rest_after_fault_s", cls.rest_after_fault_s, 0, 86_400),
        }
        for row in dataclasses.fields(cls):
            if row.name.endswith("_s") and row.name not in given:
                given[row.name] = read.number(row.name, float(str(row.default)), 0.01, 86_400)
        if given["link_ca"] and not given["link"].startswith("tls:"):
            raise SettingError(read.key("link_ca"), 'is for link = "tls:host:port"; a tcp link has no certificates')
        for less, more in (
            ("retry_min_s", "retry_max_s"),
            ("probe_s", "silence_limit_s"),
            ("rest_after_fault_s", "rest_max_s"),
        ):
            if given[less] > given[more]:
                raise SettingError(read.key(less), f"must not be more than {more} ({given[more]:g})")
        return cls(**given)


def is_caller_id(text: str) -> bool:
    """``2000``, ``+74951234567``, ``Firm <2000>``: what the CallerID header of Originate takes."""
    return re.fullmatch(r'(?:"?[^"<>\r\n]*"?\s*<\+?[0-9*#]+>|\+?[0-9*#]+)', text.strip()) is not None


_CALLER_ID_FORMS = "{!r} is no caller id: a number, or a name with a number as Firm <2000>"


def _caller_id(read: Table) -> str:
    text = _optional(read, "caller_id")
    if text and not is_caller_id(text):
        raise SettingError(read.key("caller_id"), _CALLER_ID_FORMS.format(text))
    return text


def _optional(read: Table, name: str) -> str:
    return "" if read.get(name) in (None, "") else _plain(read, name)


def _optional_word(read: Table, name: str) -> str:
    return "" if read.get(name) in (None, "") else _word(read, name, "")


def _plain(read: Table, name: str) -> str:
    text = read.text(name)
    if any(ord(character) < 32 for character in text):
        raise SettingError(read.key(name), "must be one line: a line end would be a header of its own for the switch")
    return text


def _word(read: Table, name: str, default: str) -> str:
    """A name of the dialplan."""
    text = read.text(name, default)
    if re.fullmatch(r"[A-Za-z0-9_.@+*#-]{1,79}", text) is None:
        raise SettingError(read.key(name), f"{text!r}: letters, digits and _ . - + * # @ only")
    return text


def _parts(link: str) -> tuple[str, str, int]:
    match = _LINK.fullmatch(link)
    if match is None:
        raise ValueError(link)
    return match[1], match[2].strip("[]"), int(match[3])


def _link(read: Table) -> str:
    link = read.text("link")
    try:
        _, _, port = _parts(link)
    except ValueError:
        port = 0
    if not 1 <= port <= 65535:
        raise SettingError(
            read.key("link"), f"{link!r}: expected tcp:host:port or tls:host:port; AMI is at {DEFAULT_PORTS} as a rule"
        )
    return link


def _channel(read: Table) -> str:
    """``PJSIP/{number}@trunk``."""
    channel, key = read.text("channel"), read.key("channel")
    if NUMBER_FIELD not in channel or "{" in channel.replace(NUMBER_FIELD, ""):
        raise SettingError(
            key, f"{channel!r} must have {NUMBER_FIELD}, and no other braces: PJSIP/{NUMBER_FIELD}@trunk"
        )
    if _CHANNEL.fullmatch(channel) is None:
        raise SettingError(key, f"{channel!r} is no channel: technology/resource, as PJSIP/{NUMBER_FIELD}@trunk")
    return channel
