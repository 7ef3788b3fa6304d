"""A person as a list has him: what an import makes and the store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """``key`` finds him at the next import (external id, else the first number).

    ``numbers`` are (E.164, kind) in the order of calling, at least one; ``variables`` are what a scenario may speak,
    ``name`` among them when there is one. ``priority`` None, ``zone`` and ``scenario`` "": as the list has it.
    ``zone`` is of the IANA database; ``scenario`` the name of one of his own.
    """

    key: str
    name: str
    numbers: tuple[tuple[str, str], ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    groups: tuple[str, ...] = ()
    zone: str = ""
    scenario: str = ""
    note: str = ""
