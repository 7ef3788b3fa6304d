"""Somebody of a list by what a person types: his id, a telephone number as it is written or shown, his name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.imports.telephones import NotANumber, to_e164

#: So many are named where one was meant.
NAMED = 3


def region_of(config: Config, list_name: str) -> str:
    """The country of numbers without one."""
    settings = config.lists.get(list_name)
    return settings.settings.region if settings is not None else ListSettings().region


def found(people: Sequence[Person], typed: str, region: str, *, by_name: bool = True) -> list[Person]:
    """Those whom ``typed`` means: an id before a number, a number (also masked, as screens have it) before a whole
    name, that before a part of one. Letters in any case.
    """
    text = typed.strip()
    folded = " ".join(text.casefold().split())
    if not folded:
        return []
    number = _number(text, region)
    ways: list[Callable[[Person], bool]] = [
        lambda one: one.key == text,
        lambda one: one.key.casefold() == folded,
        lambda one: any(its == number for its, _ in one.numbers),
        lambda one: any(mask(its) == text for its, _ in one.numbers),
    ]
    if by_name:
        ways += [lambda one: _folded(one.name) == folded, lambda one: folded in _folded(one.name)]
    for way in ways:
        if meant := [one for one in people if way(one)]:
            return meant
    return []


def named(people: Sequence[Person]) -> str:
    """``Анна (7), Борис (+7495***4502) and 3 more``: enough to tell them apart."""
    shown = [f"{one.name} ({shown_key(one.key)})" if one.name else shown_key(one.key) for one in people[:NAMED]]
    return ", ".join(shown) + (f" and {len(people) - NAMED} more" if len(people) > NAMED else "")


def shown_key(key: str) -> str:
    """An id as it is; a number that is one, masked."""
    return mask(key) if key.startswith("+") else key


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _number(text: str, region: str) -> str | None:
    try:
        return to_e164(text, region)
    except NotANumber:
        return None
