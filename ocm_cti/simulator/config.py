"""What a simulated PBX consists of, from a TOML file or from the command line: ``fixtures/config/pbx.toml`` shows all.

Paths in the file are relative to it. Every error is one line that names the file, the place in it and what is wrong.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.simulator.callees import Callee, CalleesError, Directory, parse_step
from ocm_cti.simulator.faults import SettingError, Settings
from ocm_cti.simulator.numbering import Group, Numbering, Station
from ocm_cti.simulator.toml_tables import ArgumentError as ArgumentError
from ocm_cti.simulator.toml_tables import ConfigError as ConfigError
from ocm_cti.simulator.toml_tables import Table

EXTENSION_KINDS = ("sip", "phone")
TRUNK_KINDS = ("lco", "isdn", "sip", "reached_only")
MOST_EXTENSIONS = 1000
MOST_TRUNKS = 600
PASSWORD_PATTERN = "pw{extension}"
PTY = "pty"


@dataclass(frozen=True)
class Recordings:
    """Where the WAV files of what callees heard and said go; None: not kept."""

    heard: Path | None = None
    said: Path | None = None

    def make_directories(self) -> None:
        for directory in (self.heard, self.said):
            if directory is not None:
                directory.mkdir(parents=True, exist_ok=True)

    @classmethod
    def given(cls, heard: Path | None, said: Path | None) -> Recordings:
        """``said`` beside ``heard`` where only that is given."""
        return cls(heard, said or (heard.parent / "said" if heard else None))


@dataclass(frozen=True)
class ExtensionConfig:
    """A device of the PBX. ``kind`` ``sip`` registers (``password`` None: as the pattern says); ``phone`` is a
    simulated desk telephone, whose person picks up ``answer_after_s`` after it rings (None: only by AnswerCall)."""

    number: str
    name: str = ""
    kind: str = "sip"
    password: str | None = None
    answer_after_s: float | None = None
    person: Callee | None = None

    @property
    def station(self) -> Station:
        return Station(self.number, self.name, self.kind, self.answer_after_s, self.person)


@dataclass(frozen=True)
class TrunkGroup:
    """``trunks`` outside lines from ``first_index`` on, reached by ``access_code``."""

    name: str
    access_code: str
    kind: str = "isdn"
    trunks: int = 8
    first_index: int = 1

    @property
    def group(self) -> Group:
        return Group(self.name, self.access_code, self.kind, self.trunks, self.first_index)


@dataclass(frozen=True)
class PbxConfig:
    """The whole PBX. Ports 0 let the system choose. A bare number among ``extensions`` is a SIP extension."""

    extensions: Sequence[ExtensionConfig | str]
    csta_port: int = 0
    sip_port: int = 0
    host: str = "127.0.0.1"
    directory: Directory = dataclasses.field(default_factory=Directory.load)
    log: Path | None = None
    recordings: Recordings = dataclasses.field(default_factory=Recordings)
    password_pattern: str = PASSWORD_PATTERN
    settings: Settings = dataclasses.field(default_factory=Settings)
    verbose: bool = False
    trunk_groups: tuple[TrunkGroup, ...] = ()  # none: one group as trunk_kind, trunks and access_code say
    csta_serial: str | None = None  # "serial:/dev/ttyS0?baud=9600" or "pty"
    smdr_port: int | None = None
    control_port: int | None = None
    faults: tuple[str, ...] = ()  # those in force from the start, as the command line names them

    @property
    def devices(self) -> tuple[ExtensionConfig, ...]:
        """The extensions, bare numbers filled in."""
        return tuple(ExtensionConfig(one) if isinstance(one, str) else one for one in self.extensions)

    @property
    def passwords(self) -> dict[str, str]:
        """SIP passwords by extension."""
        return {
            one.number: self.password_pattern.format(extension=one.number) if one.password is None else one.password
            for one in self.devices
            if one.kind == "sip"
        }

    @property
    def numbering(self) -> Numbering:
        """The numbering plan of the switch."""
        stations = [one.station for one in self.devices]
        if not self.trunk_groups:
            return Numbering.plain(self.settings, stations)
        return Numbering(stations, [one.group for one in self.trunk_groups])


def parse_extensions(text: str) -> tuple[str, ...]:
    """``301-308,401`` as numbers in order; ArgumentError when it can't be read or one stands twice."""
    found: list[str] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,8})(?:-([0-9]{1,8}))?\s*", part)
        if match is None:
            raise ArgumentError(f"extensions {text!r}: expected 301-308 or 301,305")
        first, last = match[1], match[2] or match[1]
        if len(first) != len(last) or int(last) < int(first) or int(last) - int(first) >= MOST_EXTENSIONS:
            raise ArgumentError(f"extensions {text!r}: {part.strip()!r} is no range")
        found += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    if len(set(found)) != len(found):
        raise ArgumentError(f"extensions {text!r}: one of them stands twice")
    return tuple(found)


def check_password_pattern(pattern: str, where: str) -> str:
    """The pattern; ArgumentError when braces hold anything but ``extension``."""
    try:
        pattern.format(extension="1")
    except (KeyError, IndexError, ValueError, AttributeError):
        raise ArgumentError(f"{where} {pattern!r}: only {{extension}} may stand in braces") from None
    return pattern


def load(path: Path, variants: Iterable[str] = ()) -> PbxConfig:
    """Read a file; ``variants`` (``name=value``) come on top of its own. ConfigError when it can't be used."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    return read(text, str(path), path.parent, variants)


def read(text: str, name: str, folder: Path, variants: Iterable[str] = ()) -> PbxConfig:
    """As ``load``; ``name`` stands in errors, paths are relative to ``folder``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from None
    top = Table(document, name, folder, "")
    csta, sip, smdr = top.table("csta"), top.table("sip"), top.table("smdr")
    keep, control = top.table("keep"), top.table("control")
    smdr_port = smdr.port("tcp_port", 0) if smdr.given else None
    settings = _settings([(smdr, "smdr_"), (top.table("variants"), "")], variants)
    try:
        pattern = check_password_pattern(sip.text("password_pattern", PASSWORD_PATTERN), "password_pattern")
    except ConfigError:
        raise
    except ArgumentError as error:
        raise ConfigError(f"{sip.place}: {error}") from None
    config = PbxConfig(
        extensions=_extensions(top.tables("extensions"), name),
        csta_port=csta.port("tcp_port", 0),
        sip_port=sip.port("udp_port", 0),
        host=top.text("host", "127.0.0.1"),
        directory=_directory(top),
        log=keep.path("journal"),
        recordings=Recordings.given(keep.path("heard"), keep.path("said")),
        password_pattern=pattern,
        settings=settings,
        verbose=top.truth("verbose", False),
        trunk_groups=_trunk_groups(top.tables("trunk_groups")),
        csta_serial=csta.text("serial", "") or None,
        smdr_port=smdr_port,
        control_port=control.port("tcp_port", 0) if control.given else None,
        faults=tuple(top.texts("faults")),
    )
    for table in (csta, sip, smdr, keep, control, top):
        table.nothing_else()
    return config


def _directory(top: Table) -> Directory:
    path = top.path("callees")
    try:
        return Directory.load(path)
    except CalleesError as error:
        raise ConfigError(f"{top.file}: {error}") from None


def _settings(tables: Sequence[tuple[Table, str]], more: Iterable[str]) -> Settings:
    """What the tables have left, as variants; their names begin with the text beside the table."""
    settings: list[str] = []
    for table, prefix in tables:
        for key, value in table.rest().items():
            if not isinstance(value, str | int | float):
                raise table.wrong(key, "is a text, a number, true or false")
            pair = f"{prefix}{key}={str(value).lower() if isinstance(value, bool) else value}"
            try:
                Settings.from_pairs([pair])
            except SettingError as error:
                raise ConfigError(f"{table.place}: {error}") from None
            settings.append(pair)
    return Settings.from_pairs([*settings, *more])


def _extensions(tables: Sequence[Table], file: str) -> tuple[ExtensionConfig, ...]:
    found: dict[str, ExtensionConfig] = {}
    for table in tables:
        kind = table.choice("kind", EXTENSION_KINDS, "sip")
        try:
            numbers = parse_extensions(table.text("number", None))
        except ConfigError:
            raise
        except ArgumentError as error:
            raise ConfigError(f"{table.place}: number: {error}") from None
        password = table.text("password", "") or None
        if kind == "phone" and password is not None:
            raise table.wrong("password", 'is for kind = "sip": a desk telephone does not register')
        answer_after_s, steps = table.number("answer_after_s"), table.texts("steps")
        if kind == "sip" and (answer_after_s is not None or steps):
            raise table.wrong("answer_after_s, steps", 'are for kind = "phone": who answers a SIP telephone is real')
        name = table.text("name", "")
        table.nothing_else()
        for number in numbers:
            if number in found:
                raise ConfigError(f"{table.place}: number {number} stands twice")
            found[number] = ExtensionConfig(
                number, name, kind, password, answer_after_s, _person(table, number, name, steps)
            )
    if not found:
        raise ConfigError(f"{file}: no [[extensions]]")
    if len(found) > MOST_EXTENSIONS:
        raise ConfigError(f"{file}: more than {MOST_EXTENSIONS} extensions")
    return tuple(found.values())


def _person(table: Table, number: str, name: str, steps: Sequence[str]) -> Callee | None:
    if not steps:
        return None
    try:
        script = tuple(parse_step(line, table.place, table.folder) for line in steps)
    except CalleesError as error:
        raise ConfigError(str(error)) from None
    return Callee(number, name or f"extension {number}", answer_after_s=0.0, steps=script)


def _trunk_groups(tables: Sequence[Table]) -> tuple[TrunkGroup, ...]:
    found: list[TrunkGroup] = []
    next_index = 1
    for table in tables:
        group = TrunkGroup(
            name=table.text("name", None),
            access_code=table.text("access_code", None),
            kind=table.choice("kind", TRUNK_KINDS, "isdn"),
            trunks=table.whole("trunks", 1, MOST_TRUNKS, 8),
            first_index=table.whole("first_index", 1, 65535, next_index),
        )
        table.nothing_else()
        if not re.fullmatch("[0-9*#]{1,8}", group.access_code):
            raise table.wrong("access_code", "is 1 to 8 digits")
        if any(group.name == other.name for other in found):
            raise table.wrong("name", f"{group.name!r} stands twice")
        taken = {trunk for other in found for trunk in other.group.lines}
        if taken & set(group.group.lines):
            raise table.wrong("first_index", "its lines belong to another group already")
        next_index = group.first_index + group.trunks
        found.append(group)
    return tuple(found)
