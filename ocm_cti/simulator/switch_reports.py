"""What the monitors are told of a call: builds the Report effects, for every device that takes part."""

from __future__ import annotations

from typing import Any

from ocm_cti.simulator.calls import Call, Side
from ocm_cti.simulator.effects import Device, Moved, Report, Transfer, Trunk


def report(call: Call, name: str, subject: Device, cause: str, **more: Any) -> Report:
    """The event ``name`` about the connection of ``subject``, told to all sides of the call."""
    states = tuple((side.device, state) for side, state in call.states())
    if name == "failed" and call.far is not None and subject == call.far.device:
        states = (states[0], (subject, "fail"))
    return Report(
        name,
        call.call_id,
        subject,
        cause,
        states,
        calling=call.calling,
        called=call.called,
        calling_trunk=_trunk(call.origin),
        called_trunk=_trunk(call.far),
        redirected=call.redirected,
        **more,
    )


def transferred(
    device: Device,
    held: tuple[bytes, Side] | None,
    active: tuple[bytes, Side | None],
    result: Call,
    transferred_to: Device | str,
    cause: str,
) -> Report:
    """Transferred, told to the device that transferred and to both sides of ``result``, the call that came of it.

    ``held`` and ``active``: the callIDs before it, each with the side that has gone over into ``result``.
    """
    sides = ([] if held is None else [held]) + [active]
    moved = tuple(Moved(side.device, call_id) for call_id, side in sides if side is not None)
    return Report(
        "transferred",
        result.call_id,
        device,
        cause,
        ((device, "null"), *((side.device, state) for side, state in result.states())),
        transfer=Transfer(None if held is None else held[0], active[0], transferred_to, moved),
    )


def _trunk(side: Side | None) -> Trunk | None:
    return side.device if side is not None and isinstance(side.device, Trunk) else None
