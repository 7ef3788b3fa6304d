"""What the settings of every kind of gateway can be asked, whatever the switch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, Self

from ocm_cti.domain.scenarios import Scenario
from ocm_cti.domain.settings import ListSettings
from ocm_cti.gateways.smdr_settings import SmdrSettings


class GatewaySettings(Protocol):
    """``[gateways.NAME]`` of the configuration file, read and checked."""

    #: Whether a call can be given the caller's number (``caller_id`` of a list).
    takes_caller_id: ClassVar[bool]

    @property
    def detects_machines(self) -> bool:
        """Whether the switch listens for an answering machine before we speak."""

    @property
    def name(self) -> str: ...

    @property
    def smdr(self) -> SmdrSettings | None:
        """The switch's own call records; None: it has none, or they are not read."""

    def digits(self, number: str) -> str:
        """What the switch is given for a number in E.164, as its records show it."""

    def beside(self, base: Path) -> Self:
        """The same with its relative paths made absolute: they count from ``base``."""

    def check_lists(self, lists: Mapping[str, ListSettings], scenarios: Mapping[str, Scenario]) -> None:
        """Any gateway may get any list. SettingError when one of them (by name) can't be called through this one."""

    def sip_listener(self) -> tuple[str, int] | None:
        """The host and the fixed UDP port that it opens for SIP; None: no port, or any free one."""
