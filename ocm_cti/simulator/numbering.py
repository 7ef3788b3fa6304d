"""The numbering plan of the simulated PBX: its extensions, its trunk groups, and where dialled digits lead.

A trunk group is reached by its access code; the digits after it go outside. Several groups may share an access code:
then the first one with a free line is taken, as for the idle line access number of these PBXs (DOC). An extension
number stands for itself and wins over an access code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.effects import Extension, Trunk
from ocm_cti.simulator.faults import Settings

# Kinds of trunk groups whose network signals alerting, answer and failure; on the others that is only heard.
SIGNALLING = frozenset({"isdn", "sip"})


@dataclass(frozen=True)
class Station:
    """An extension. ``kind`` ``sip``: a telephone that registers; ``phone``: a simulated desk telephone with a person.

    The person picks up by himself ``answer_after_s`` after it began to ring, None: only when AnswerCall lets him. Who
    he is says ``person``; None: whoever the directory has for the number.
    """

    number: str
    name: str = ""
    kind: str = "sip"
    answer_after_s: float | None = None
    person: Callee | None = None


@dataclass(frozen=True)
class Group:
    """``trunks`` lines from ``first_index`` on, all of one kind."""

    name: str
    access_code: str
    kind: str
    trunks: int
    first_index: int = 1

    @property
    def lines(self) -> tuple[Trunk, ...]:
        return tuple(Trunk(index) for index in range(self.first_index, self.first_index + self.trunks))


@dataclass(frozen=True)
class Outside:
    """``digits`` go out over the first free line of ``groups``."""

    digits: str
    groups: tuple[Group, ...]


class Numbering:
    """The plan; made once, never changed."""

    def __init__(self, stations: Sequence[Station], groups: Sequence[Group]) -> None:
        self.stations = {Extension(station.number): station for station in stations}
        self.extensions = tuple(self.stations)
        self.groups = tuple(groups)
        self._group_of = {trunk: group for group in groups for trunk in group.lines}
        self.trunks = tuple(self._group_of)

    @classmethod
    def plain(cls, settings: Settings, extensions: Sequence[str | Station]) -> Numbering:
        """Bare numbers are SIP extensions; one group of trunks as the settings say."""
        stations = [one if isinstance(one, Station) else Station(one) for one in extensions]
        return cls(stations, [Group("trunks", settings.access_code, settings.trunk_kind, settings.trunks)])

    def kind(self, trunk: Trunk) -> str:
        return self._group_of[trunk].kind

    def signals(self, trunk: Trunk) -> bool:
        """Whether the PBX learns from the network that the far end rings, answers, refuses."""
        return self.kind(trunk) in SIGNALLING

    def is_phone(self, extension: Extension) -> bool:
        station = self.stations.get(extension)
        return station is not None and station.kind == "phone"

    def destination(self, digits: str) -> Extension | Outside | None:
        """Where digits lead; None: nowhere."""
        extension = Extension(digits)
        if extension in self.stations:
            return extension
        codes = [group.access_code for group in self.groups if digits.startswith(group.access_code)]
        code = max(codes, key=len, default=None)
        if code is None or len(digits) == len(code):
            return None
        return Outside(digits[len(code) :], tuple(group for group in self.groups if group.access_code == code))
