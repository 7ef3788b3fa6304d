"""What goes on in a PBX now, as plain values fit for JSON: its calls, its CSTA links, what is out of service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ocm_cti.simulator.csta_server import ClientLink
from ocm_cti.simulator.effects import Device
from ocm_cti.simulator.injection import described_device
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.switch import Call


def overview(pbx: Pbx, links: Sequence[ClientLink]) -> dict[str, Any]:
    """``links`` in the order that faults count them. Devices are named as the faults name them."""
    switch = pbx.switch
    devices: list[Device] = [*switch.extensions, *switch.trunks]
    out = [device for device in devices if not switch.in_service(device)]
    return {
        "calls": [_call(call) for call in switch.calls],
        "links": [_link(number, link) for number, link in enumerate(links, 1)],
        "system_status": pbx.csta.status,
        "out_of_service": [described_device(device) for device in out],
    }


def _call(call: Call) -> dict[str, Any]:
    sides = [{"device": described_device(side.device), "state": state} for side, state in call.states()]
    return {
        "call": call.serial,
        "call_id": call.call_id.hex(),
        "state": call.state.name.lower(),
        "dialled": call.dialled,
        "answered": call.answered,
        "connections": sides,
    }


def _link(number: int, link: ClientLink) -> dict[str, Any]:
    return {
        "link": number,
        "peer": link.peer,
        "associated": link.associated,
        "monitors": [described_device(monitor.device) for monitor in link.monitors],
    }
