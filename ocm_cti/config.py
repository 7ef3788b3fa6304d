"""``ocm.toml``: what a technician sets, checked whole before anything starts.

Every mistake is one line that names the file, the line and the key; a misspelt key is an error, never ignored.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import socket
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ocm_cti.domain.scenarios import Scenario, ScenarioError
from ocm_cti.domain.scenarios import parse as parse_scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.settings import SettingError


class ConfigError(Exception):
    """The configuration can't be used; the text is one line for the person who wrote it."""


@dataclass(frozen=True)
class SpeechConfig:
    """``[speech]``: how the synthesizer speaks. Voices are by language, e.g. ``{ru = "ru+f3"}``."""

    workers: int = 1
    voices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ListConfig:
    """``[lists.NAME]``: what applies to this list at its next start."""

    scenario_path: Path
    scenario_text: str
    scenario: Scenario
    settings: ListSettings


@dataclass(frozen=True)
class Config:
    """A whole checked configuration; paths are absolute."""

    path: Path
    data: Path
    audio: Path
    node: str
    show_numbers: bool
    speech: SpeechConfig
    gateways: Mapping[str, PanasonicSettings]
    lists: Mapping[str, ListConfig]

    @property
    def database(self) -> Path:
        return self.data / "ocm.db"

    @property
    def prompts(self) -> Path:
        return self.data / "prompts"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"


#: kind in ``[gateways.NAME]`` -> what reads the rest of the table
GATEWAY_KINDS: Mapping[str, Callable[[str, Mapping[str, object]], PanasonicSettings]] = {
    "panasonic": PanasonicSettings.from_table,
}

_TOP = ("data", "audio", "node", "show_numbers", "speech", "gateways", "lists")
_SPEECH = ("workers", "voices")


def load(path: Path) -> Config:
    """Read and check ``path``; raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the configuration with -c FILE") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return _Reader(path.absolute(), text).config(table)


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
        self._silence_outlasts_ringing(gateways, lists)
        self._voices_are_there(gateways, lists)
        return Config(
            path=self._path,
            data=base / self._text("data", table.get("data", "ocm-data")),
            audio=base / self._text("audio", table.get("audio", "audio")),
            node=self._text("node", table.get("node", socket.gethostname())),
            show_numbers=self._flag("show_numbers", table.get("show_numbers", False)),
            speech=SpeechConfig(
                workers=self._count("speech.workers", speech.get("workers", 1)),
                voices={
                    language: self._text(f"speech.voices.{language}", voice)
                    for language, voice in self._table("speech.voices", speech.get("voices", {})).items()
                },
            ),
            gateways=gateways,
            lists=lists,
        )

    def _silence_outlasts_ringing(
        self, gateways: Mapping[str, PanasonicSettings], lists: Mapping[str, ListConfig]
    ) -> None:
        """A PBX may send nothing while the telephone rings; that must not be taken for a dead line. And a timer that
        stands for the answer must fire while it rings."""
        for gateway in gateways.values():
            for name, entry in lists.items():
                key, ring_s = f"gateways.{gateway.name}", entry.settings.ring_timeout_s
                every = f"than ring_timeout_s of every list ({name}: {ring_s:g})"
                if 0 < gateway.silent_peer_s <= ring_s:
                    self.fail(f"{key}.silent_peer_s", f"must be longer {every}")
                if gateway.answer_timer_s >= ring_s:
                    self.fail(f"{key}.answer_timer_s", f"must be shorter {every}")

    def _ports_are_their_own(self, gateways: Mapping[str, PanasonicSettings]) -> None:
        """Each gateway has a voice process, with a SIP port of its own."""
        taken: dict[tuple[str, int], str] = {}
        for gateway in gateways.values():
            if not gateway.local_sip_port or gateway.voice != "sip":
                continue
            other = taken.setdefault((gateway.local_host, gateway.local_sip_port), gateway.name)
            if other != gateway.name:
                self.fail(
                    f"gateways.{gateway.name}.local_sip_port",
                    f"{gateway.local_sip_port} is that of gateway {other}; each needs its own",
                )

    def _voices_are_there(self, gateways: Mapping[str, PanasonicSettings], lists: Mapping[str, ListConfig]) -> None:
        """Any gateway may get any list: what a scenario says must be sayable through each of them."""
        for gateway in gateways.values():
            for name, entry in lists.items():
                scenario, key = entry.scenario, f"lists.{name}.scenario"
                if scenario.announcements and gateway.voice != "ogm":
                    number = scenario.announcements[0]
                    self.fail(
                        key, f'plays announcement {number}, but gateway {gateway.name} does not have voice = "ogm"'
                    )
                if gateway.voice == "ogm" and scenario.has_sound_of_ours:
                    self.fail(key, f'says or records something itself, but gateway {gateway.name} has voice = "ogm"')

    def _gateways(self, table: Mapping[str, Any], base: Path) -> dict[str, PanasonicSettings]:
        gateways = {}
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
            gateways[name] = dataclasses.replace(read, record=str(base / read.record)) if read.record else read
        return gateways

    def _list(self, name: str, table: Mapping[str, Any], base: Path) -> ListConfig:
        key = f"lists.{name}"
        settings = dict(table)
        if "scenario" not in settings:
            self.fail(key, "scenario is missing: the path of the scenario file (TOML) that this list is called with")
        path = base / self._text(f"{key}.scenario", settings.pop("scenario"))
        try:
            text = path.read_text(encoding="utf-8")
            scenario = parse_scenario(text)
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{key}.scenario", f"{path} can't be read: {error}")
        except ScenarioError as error:
            self.fail(f"{key}.scenario", f"{path}: {error}")
        if "caller_id" in settings:
            self.fail(f"{key}.caller_id", "a Panasonic PBX can't be given one with the call; set it in the PBX")
        try:
            return ListConfig(path, text, scenario, ListSettings.from_table({**settings, "scenario": path.stem}))
        except ValueError as error:
            self.fail(key, str(error))

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
