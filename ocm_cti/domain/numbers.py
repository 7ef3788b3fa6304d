"""Telephone numbers in the product: E.164 with a plus, everywhere; what is dialled is made from it at the gateway."""

from __future__ import annotations

from collections.abc import Sequence


def mask(number: str) -> str:
    """For logs and screens: ``+74951234567`` -> ``+7495***4567``; a short number keeps its last two digits."""
    if len(number) <= 6:
        return "***" + number[-2:]
    kept = 5 if len(number) > 10 else 2
    return f"{number[:kept]}***{number[-4:]}" if len(number) > kept + 4 else f"***{number[-4:]}"


def same(one: str, other: str) -> bool:
    """The same telephone, whatever stands between the digits. Both must be in the same (international) form."""
    return _digits(one) == _digits(other)


def digits_to_dial(number: str, rules: Sequence[tuple[str, str]]) -> str:
    """What the switch is given for ``number``: the longest matching prefix is replaced, the rest are its digits.

    ``rules`` are (prefix, replacement), e.g. ``("+7", "98")``: +74951234567 -> 984951234567. Without a matching rule
    the number's own digits are dialled.
    """
    for prefix, replacement in sorted(rules, key=lambda rule: -len(rule[0])):
        if number.startswith(prefix):
            return replacement + _digits(number[len(prefix) :])
    return _digits(number)


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdecimal() or character in "*#")
