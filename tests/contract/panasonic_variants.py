"""What nobody knows about a real Panasonic PBX, and what a line may do to its words: each a run of the whole contract.

``pbx`` are rows of the simulator's table, ``wire`` its faults between PBX and gateway, ``gateway`` settings of ours
that fit them, ``sees`` what can't be had then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway_bench import Sees

from ocm_cti.simulator.fault_table import Delay, Duplicate, Split, WireFault

EVERYTHING = Sees()


@dataclass(frozen=True)
class Variant:
    pbx: Mapping[str, Any] = field(default_factory=dict)
    gateway: Mapping[str, Any] = field(default_factory=dict)
    voice_latency_s: float = 0.0
    wire: tuple[WireFault, ...] = ()
    sees: Sees = EVERYTHING


BY_SIP = Sees(dials_by_link=False)
BY_TIMER = Sees(certain=False, reasons=False, far_end=False)

VARIANTS: dict[str, Variant] = {
    "as-assumed": Variant(),
    # The trunks
    "lco": Variant({"trunk_kind": "lco", "tone_s": 5.0}, {"answer": "timer"}, sees=BY_TIMER),
    "reached-only": Variant(
        {"trunk_kind": "reached_only", "tone_s": 5.0},
        {"answer": "timer", "answer_timer_s": 4.0},
        sees=replace(BY_TIMER, answers_blindly=True),
    ),
    "no-delivered": Variant({"delivered": False}),
    "no-delivered-reached-is-nothing": Variant(
        {"delivered": False}, {"reached_is_ringing": False}, sees=Sees(ringing=False)
    ),
    # The end
    "failed-frees-the-caller": Variant({"failed_frees_caller": True}),
    "caller-left-on-tone": Variant({"far_hangup": "tone"}),
    "cleared-far-side-first": Variant({"cleared_order": "releasing_last"}),
    "cleared-own-side-only": Variant({"cleared_sides": "own"}),
    "cleared-far-side-only": Variant({"cleared_sides": "far"}),
    # Identifiers
    "call-ids-again": Variant({"call_ids": 1, "call_id_octets": 3}),
    "extensions-by-number": Variant({"extension_form": "deviceNumber"}, {"monitor_by": "deviceNumber"}),
    "far-end-by-number": Variant({"far_end_form": "number", "number_form": "other"}),
    # The order
    "events-before-result": Variant({"events_before_result": True}),
    "result-before-invite": Variant({"invite_before_result": False}),
    "events-twice": Variant({"duplicate_events": True}),
    "events-late": Variant({"late_events_s": 0.3}),
    "events-very-late": Variant({"late_events_s": 1.5}),
    "events-twice-of-one-call-id": Variant({"duplicate_events": True, "call_ids": 1}),
    "events-late-of-one-call-id": Variant({"late_events_s": 0.7, "call_ids": 1}),
    "voice-late": Variant(voice_latency_s=0.7),
    "both-late": Variant({"late_events_s": 0.4, "events_before_result": True}, voice_latency_s=0.4),
    # The wire
    "wire-in-single-octets": Variant(wire=(Split(octets=1, gap_s=0.0),)),
    "wire-slow": Variant(wire=(Delay(seconds=0.4),)),
    "wire-says-events-twice": Variant(wire=(Duplicate(what="events"),)),
    "wire-slow-sip": Variant(gateway={"originate": "sip"}, wire=(Delay(seconds=0.4),), sees=BY_SIP),
    # Our extension dials by itself
    "sip": Variant(gateway={"originate": "sip"}, sees=BY_SIP),
    "sip-failures-are-tones": Variant({"sip_dial_failure": "tone"}, {"originate": "sip"}, sees=BY_SIP),
    "sip-200-is-the-answer": Variant(gateway={"originate": "sip", "sip_200_is_answer": True}, sees=BY_SIP),
    "sip-lco": Variant(
        {"trunk_kind": "lco", "tone_s": 5.0},
        {"originate": "sip", "answer": "timer"},
        sees=replace(BY_TIMER, dials_by_link=False),
    ),
    "sip-events-late-of-one-call-id": Variant({"late_events_s": 0.4, "call_ids": 1}, {"originate": "sip"}, sees=BY_SIP),
    "sip-voice-late": Variant({"duplicate_events": True}, {"originate": "sip"}, voice_latency_s=0.4, sees=BY_SIP),
    # The voice of the PBX
    "ogm": Variant(gateway={"voice": "ogm"}, sees=Sees(voice=False, dials_by_link=False)),
    # Handing over
    "transfer-holds-and-calls": Variant({"transfer_call_id": "active"}, {"transfer": "hold_make_call"}),
    "transfer-as-soon-as-it-rings": Variant(gateway={"transfer_waits_for": "ringing"}, sees=Sees(supervised=False)),
    "transfer-in-a-single-step": Variant(
        {"single_step_transfer": True}, {"transfer": "single_step"}, sees=Sees(supervised=False)
    ),
    "transfer-by-refer": Variant({"internal_ring_s": 15.0}, gateway={"transfer": "refer"}),
    "no-transfer": Variant({"transfer_services": False}, sees=Sees(transfers=False)),
}
