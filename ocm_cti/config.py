"""``ocm.toml``: what a technician sets, checked whole before anything starts.

Every mistake is one line that names the file, the line and the key; a misspelt key is an error, never ignored.
"""

from __future__ import annotations

import difflib
import re
import socket
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.scenarios import read as read_scenario
from ocm_cti.domain.settings import ListSettings, days
from ocm_cti.domain.sources import Source
from ocm_cti.domain.webhooks import networks
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.kinds import GatewaySettings
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.settings import SettingError
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings
from ocm_cti.places import NoHolidays, public_holidays


class ConfigError(Exception):
    """The configuration can't be used; the text is one line for the person who wrote it."""


@dataclass(frozen=True)
class SpeechConfig:
    """``[speech]``: how the synthesizer speaks. Voices are by language, e.g. ``{ru = "ru+f3"}``.

    ``cache_mb`` (10**6 octets, 2 minutes of speech each) is what rendered prompts may take on the disk.
    """

    workers: int = 1
    voices: Mapping[str, str] = field(default_factory=dict)
    cache_mb: int = 2000


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario as it stands on disk at this moment, checked."""

    path: Path
    text: str
    scenario: Scenario


@dataclass(frozen=True)
class ListConfig:
    """``[lists.NAME]``: what applies to this list at its next start. ``own`` are scenarios that some of its people
    have instead of the list's, by the name that their ``scenario`` column gives."""

    scenario_path: Path
    scenario_text: str
    scenario: Scenario
    settings: ListSettings
    own: Mapping[str, ScenarioFile] = field(default_factory=dict)
    source: Source | None = None  # the customer's own database; None: files

    @property
    def files(self) -> tuple[ScenarioFile, ...]:
        """The list's scenario, then the own ones."""
        return (ScenarioFile(self.scenario_path, self.scenario_text, self.scenario), *self.own.values())

    def scenario_of(self, name: str) -> ScenarioFile | None:
        """That of a person whose own is called ``name`` ("": the list's); None when there is none of this name."""
        return self.own.get(name) if name else self.files[0]


@dataclass(frozen=True)
class Config:
    """A whole checked configuration; paths are absolute. ``database`` is a file, or the URL of one of PostgreSQL's."""

    path: Path
    data: Path
    database: Path | str
    audio: Path
    node: str
    show_numbers: bool
    speech: SpeechConfig
    gateways: Mapping[str, GatewaySettings]
    lists: Mapping[str, ListConfig]
    #: Networks that a webhook may be in, besides the public Internet.
    webhooks_to: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def prompts(self) -> Path:
        return self.data / "prompts"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"


#: kind in ``[gateways.NAME]`` -> what reads the rest of the table
GATEWAY_KINDS: Mapping[str, Callable[[str, Mapping[str, object]], GatewaySettings]] = {
    "panasonic": PanasonicSettings.from_table,
    "asterisk": AsteriskSettings.from_table,
    "sip": SipTrunkSettings.from_table,
}

#: The URL of a file that is named by its place beside the configuration.
_SQLITE = re.compile(r"\A(sqlite(?:\+\w+)?:///)(?!/|[A-Za-z]:|file:|:memory:|\$\{)([^?]+)")
#: As the store keeps it.
LONGEST_OWN_NAME = 100
#: Holidays of this year and the next ones are known to a campaign; none goes on for longer.
HOLIDAY_YEARS = 3

_TOP = ("data", "database", "audio", "node", "show_numbers", "speech", "gateways", "lists", "webhooks")
#: They say which ledger it is.
_PLACES = ("data", "database")
_SPEECH = ("workers", "voices", "cache_mb")


def load(path: Path) -> Config:
    """Read and check ``path``; raises ConfigError."""
    text = _read(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return _Reader(path.absolute(), text).config(table)


def load_places(path: Path) -> Config:
    """Of a configuration that ``load`` refuses, where its ledger is and how numbers are shown; no gateways, no lists.

    What is going on must be seen and stopped at three in the morning, whatever somebody has mistyped since. What stands
    above the first table is read, line by line if need be. Raises ConfigError when that leaves in doubt which ledger it
    is: better none than another one.
    """
    text = _read(path, lenient=True)
    first = re.search(r"^[^\S\n]*\[", text, flags=re.MULTILINE)
    table = _top_of(path, text[: first.start()] if first else text)
    for key in table:
        if key not in _TOP and difflib.get_close_matches(key, _PLACES, n=1):
            raise ConfigError(f"{path}: {key}: unknown key; it may be meant to say where the ledger is")
        if key in _PLACES and "\N{REPLACEMENT CHARACTER}" in str(table[key]):
            raise ConfigError(f"{path}: {key}: is no text in UTF-8")
    reader = _Reader(path.absolute(), text)
    try:
        return reader.places(table, {}, {}, SpeechConfig())
    except ConfigError:
        return reader.places({key: table[key] for key in _PLACES if key in table}, {}, {}, SpeechConfig())


def _top_of(path: Path, text: str) -> dict[str, Any]:
    """What can be read of it; raises ConfigError for a line about the ledger that can't."""
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(text)
    table: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            table |= tomllib.loads(line)
        except tomllib.TOMLDecodeError as error:
            if any(place in line.partition("=")[0] for place in _PLACES):
                raise ConfigError(f"{path}:{number}: not TOML: {error}") from None
    return table


def _read(path: Path, *, lenient: bool = False) -> str:
    """``lenient``: letters that are none in UTF-8 become question marks."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace" if lenient else "strict")  # some begin with a mark
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the configuration with -c FILE") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8") from None


class _Reader:
    """Turns the parsed table into a Config; keeps the text to say on which line a key stands."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def fail(self, key: str, what: str) -> NoReturn:
        """``key`` is dotted, e.g. ``gateways.office.link``; its line is looked up by its section and last part."""
        raise ConfigError(f"{self._path}{self._line_of(key)}: {key}: {what}")

    def _line_of(self, key: str) -> str:
        section, _, last = key.rpartition(".")
        inside = section == ""
        for number, line in enumerate(self._lines, 1):
            header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
            if header:
                name = header.group(1).replace('"', "")
                if name == key:
                    return f":{number}"
                inside = name == section
            elif inside and re.match(rf'\s*"?{re.escape(last)}"?\s*=', line):
                return f":{number}"
        return ""

    def config(self, table: Mapping[str, Any]) -> Config:
        self._known("", table, _TOP)
        base = self._path.parent
        speech = self._table("speech", table.get("speech", {}))
        self._known("speech", speech, _SPEECH)
        gateways = self._gateways(self._table("gateways", table.get("gateways", {})), base)
        if not gateways:
            self.fail("gateways", "at least one is needed: [gateways.NAME] with kind and link")
        lists = {
            name: self._list(name, self._table(f"lists.{name}", value), base)
            for name, value in self._table("lists", table.get("lists", {})).items()
        }
        self._ports_are_their_own(gateways)
        self._lists_can_be_called(gateways, lists)
        said = SpeechConfig(
            workers=self._count("speech.workers", speech.get("workers", 1)),
            cache_mb=self._count("speech.cache_mb", speech.get("cache_mb", 2000)),
            voices={
                language: self._text(f"speech.voices.{language}", voice)
                for language, voice in self._table("speech.voices", speech.get("voices", {})).items()
            },
        )
        return self.places(table, gateways, lists, said)

    def _allowed(self, hooks: Mapping[str, Any]) -> tuple[IPv4Network | IPv6Network, ...]:
        self._known("webhooks", hooks, ("allow",))
        allow = hooks.get("allow", [])
        try:
            if not isinstance(allow, list) or not all(isinstance(one, str) for one in allow):
                raise ValueError("must be a list of texts")
            return networks(allow)
        except ValueError as error:
            self.fail("webhooks.allow", f'{error}; networks of your own as ["10.1.0.0/16", "192.168.0.7"]')

    def places(
        self,
        table: Mapping[str, Any],
        gateways: Mapping[str, GatewaySettings],
        lists: Mapping[str, ListConfig],
        speech: SpeechConfig,
    ) -> Config:
        """What stands above the tables, with what was read of these."""
        base = self._path.parent
        data = base / self._text("data", table.get("data", "ocm-data"))
        return Config(
            path=self._path,
            data=data,
            database=self._database(table["database"], base) if "database" in table else data / "ocm.db",
            audio=base / self._text("audio", table.get("audio", "audio")),
            node=self._text("node", table.get("node", socket.gethostname())),
            show_numbers=self._flag("show_numbers", table.get("show_numbers", False)),
            speech=speech,
            gateways=gateways,
            lists=lists,
            webhooks_to=self._allowed(self._table("webhooks", table.get("webhooks", {}))),
        )

    def _ports_are_their_own(self, gateways: Mapping[str, GatewaySettings]) -> None:
        """Each gateway has a voice process, with a SIP port of its own."""
        taken: dict[tuple[str, int], str] = {}
        for gateway in gateways.values():
            listener = gateway.sip_listener()
            other = gateway.name if listener is None else taken.setdefault(listener, gateway.name)
            if listener is not None and other != gateway.name:
                self.fail(
                    f"gateways.{gateway.name}.local_sip_port",
                    f"{listener[1]} is that of gateway {other}; each needs its own",
                )

    def _lists_can_be_called(self, gateways: Mapping[str, GatewaySettings], lists: Mapping[str, ListConfig]) -> None:
        """A gateway may get any list that doesn't name others."""
        for name, entry in lists.items():
            for wanted in entry.settings.gateways:
                if wanted not in gateways:
                    self.fail(f"lists.{name}.gateways", f"there is no gateway {wanted!r}; known: {', '.join(gateways)}")
        for gateway in gateways.values():
            its_own = {
                name: entry
                for name, entry in lists.items()
                if not entry.settings.gateways or gateway.name in entry.settings.gateways
            }
            try:
                gateway.check_lists(
                    {name: entry.settings for name, entry in its_own.items()},
                    {name: entry.scenario for name, entry in its_own.items()},
                )
                for name, entry in its_own.items():
                    for own, file in entry.own.items():
                        self._own_can_be_called(gateway, f"lists.{name}.scenarios.{own}", file)
            except SettingError as error:
                self.fail(error.key, error.what)
            for name, entry in its_own.items():
                if entry.settings.machine and not gateway.detects_machines:
                    self.fail(
                        f"lists.{name}.machine",
                        f"gateway {gateway.name} does not listen for answering machines (an Asterisk does, with "
                        "amd = true); leave it out, or name others in gateways",
                    )
                if entry.settings.caller_id is not None and not gateway.takes_caller_id:
                    self.fail(
                        f"lists.{name}.caller_id",
                        f"gateway {gateway.name} can't give one with the call (a Panasonic PBX has it in its own "
                        "programming); leave it out",
                    )

    def _own_can_be_called(self, gateway: GatewaySettings, key: str, file: ScenarioFile) -> None:
        try:
            gateway.check_lists({}, {"": file.scenario})
        except SettingError as error:
            self.fail(key, error.what)

    def _database(self, value: object, base: Path) -> Path | str:
        text = self._text("database", value)
        if "://" not in text:
            return base / text
        url = urlsplit(text)
        if url.scheme not in ("postgresql", "postgresql+psycopg") or not url.path.strip("/"):
            self.fail(
                "database", "must be a file, or postgresql+psycopg://USER:PASSWORD@HOST/NAME; left out: ocm.db in data"
            )
        return text

    def _gateways(self, table: Mapping[str, Any], base: Path) -> dict[str, GatewaySettings]:
        gateways: dict[str, GatewaySettings] = {}
        for name, value in table.items():
            key = f"gateways.{name}"
            settings = dict(self._table(key, value))
            kind = settings.get("kind")
            if not isinstance(kind, str) or kind not in GATEWAY_KINDS:
                self.fail(f"{key}.kind", f"is {kind!r}; known kinds: {', '.join(GATEWAY_KINDS)}")
            try:
                read = GATEWAY_KINDS[kind](name, settings)
            except SettingError as error:
                self.fail(error.key, error.what)
            gateways[name] = read.beside(base)
        return gateways

    def _list(self, name: str, table: Mapping[str, Any], base: Path) -> ListConfig:
        key = f"lists.{name}"
        settings = dict(table)
        if "scenario" not in settings:
            self.fail(key, "scenario is missing: the path of the scenario file (TOML) that this list is called with")
        file = self._scenario(f"{key}.scenario", settings.pop("scenario"), base)
        own_key = f"{key}.scenarios"
        own = {
            name: self._scenario(f"{own_key}.{name}", value, base)
            for name, value in self._table(own_key, settings.pop("scenarios", {})).items()
        }
        if any(not name or len(name) > LONGEST_OWN_NAME for name in own):
            self.fail(own_key, f"the name of a scenario has 1 to {LONGEST_OWN_NAME} letters")
        machine = settings.get("machine", "")
        if isinstance(machine, str) and machine and machine not in own:  # else its own error comes
            known = ", ".join(own) or "none"
            self.fail(
                f"{key}.machine",
                f"must be the name of one of the list's scenarios; {machine!r} is not (there are: {known})",
            )
        self._name_closed_days(key, settings)
        source = None
        if "source" in settings:
            try:
                source = Source.from_table(self._table(f"{key}.source", settings.pop("source")))
                source = replace(source, url=_SQLITE.sub(lambda found: f"{found[1]}{base / found[2]}", source.url))
            except ValueError as error:
                self.fail(f"{key}.source", str(error))
        try:
            read = ListSettings.from_table({**settings, "scenario": file.path.stem})
            return ListConfig(file.path, file.text, file.scenario, read, own, source)
        except ValueError as error:
            self.fail(key, str(error))

    def _scenario(self, key: str, value: object, base: Path) -> ScenarioFile:
        path = base / self._text(key, value)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.fail(key, f"{path} can't be read: {error}")
        reading = read_scenario(text)
        if reading.scenario is None:
            more = len(reading.wrong) - 1
            others = f" (and {more} more: ocm scenario check {path})" if more else ""
            self.fail(key, f"{path}: {reading.wrong[0]}{others}")
        return ScenarioFile(path, text, reading.scenario)

    def _name_closed_days(self, key: str, settings: dict[str, Any]) -> None:
        """``holidays = "RU"`` becomes the days themselves: what is frozen into a campaign must not need a library."""
        place, open_days = settings.pop("holidays", None), settings.pop("open_days", [])
        if place is None and not open_days:
            return
        try:
            days("open_days", open_days)
            named = days("closed_days", settings.get("closed_days", []))
        except ValueError as error:
            self.fail(key, str(error))
        if place is None:
            self.fail(f"{key}.open_days", "says on which holidays people are called; it needs holidays beside it")
        this_year = datetime.now(UTC).year
        try:
            closed = public_holidays(self._text(f"{key}.holidays", place), range(this_year, this_year + HOLIDAY_YEARS))
        except NoHolidays as error:
            self.fail(f"{key}.holidays", str(error))
        settings["closed_days"] = sorted(closed - set(open_days)) + [day for day in named if day not in closed]

    def _known(self, section: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known keys: {', '.join(known)}"
                self.fail(f"{section}.{key}".lstrip("."), f"unknown key{hint}")

    def _table(self, key: str, value: object) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(key, f"must be a table, not {value!r}")
        return value

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            self.fail(key, f"must be a text in quotes, not {value!r}")
        return value

    def _flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.fail(key, f"must be true or false, not {value!r}")
        return value

    def _count(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(key, f"must be a whole number from 1 on, not {value!r}")
        return value
