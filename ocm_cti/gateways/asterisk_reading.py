"""What an AMI event says of one of our channels; what it does not say survives unread. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocm_cti.gateways.asterisk_calls import Event
from ocm_cti.gateways.asterisk_machine import NOTHING, Detail
from protocols.ami.messages import Event as Message

#: ActionID of Originate: ours, then the ChannelId. OriginateResponse repeats it; its Uniqueid may be another call's.
ORIGINATE = "ocm-originate:"
RINGING, UP = "5", "6"
#: Argument of AGI() where a call is with us: AsyncAGI, FastAGI.
OUR_AGI = ("agi:async", "agi://")
#: The half of a Local channel that runs the dialplan behind it.
SECOND_HALF = ";2"

#: Events that have one meaning only -> which header names the channel.
_PLAIN = {
    "Newchannel": Event.NEW,
    "AsyncAGIStart": Event.AGI,
    "AsyncAGIEnd": Event.AGI_ENDED,
    "HangupRequest": Event.FAR_HUNG_UP,
    "SoftHangupRequest": Event.SWITCH_HUNG_UP,
    "Hangup": Event.HANGUP,
}


@dataclass(frozen=True)
class Told:
    """``event`` is None where the event is of the channel, but says nothing of the life of the call."""

    channel_id: str
    event: Event | None
    detail: Detail = NOTHING


def channel_of(message: Message) -> str:
    """The channel that an event is about; "": none."""
    if message.name == "OriginateResponse":
        action_id = message.get("ActionID")
        return action_id.removeprefix(ORIGINATE) if action_id.startswith(ORIGINATE) else ""
    return message.get("DestUniqueid") if message.name.startswith("Dial") else message.get("Uniqueid")


def read_event(message: Message) -> Told:
    """What it says of ``channel_of(message)``."""
    channel, name = channel_of(message), message.name
    if name in _PLAIN:
        return Told(channel, _PLAIN[name], Detail(code=_number(message, "Cause"), tech=_number(message, "TechCause")))
    if name == "DialBegin":
        return Told(channel, Event.BEGUN)
    if name == "DialState":
        return Told(channel, Event.RINGS if message.get("DialStatus") == "RINGING" else None)
    if name == "DialEnd":
        if message.get("DialStatus") == "ANSWER":
            return Told(channel, Event.ANSWERED)
        return Told(channel, Event.DIAL_ENDED, Detail(dial_status=message.get("DialStatus")))
    if name == "Newstate":
        return Told(channel, {RINGING: Event.RINGS, UP: Event.ANSWERED}.get(message.get("ChannelState")))
    if name == "OriginateResponse":
        if message.get("Response") == "Success":
            return Told(channel, Event.ANSWERED)
        return Told(channel, Event.NOT_ORIGINATED, Detail(reason=_number(message, "Reason")))
    return Told(channel, None)


def pressed(message: Message) -> str:
    """The key that the person has pressed and let go; "": none."""
    received = message.name == "DTMFEnd" and message.get("Direction") == "Received"
    return message.get("Digit") if received else ""


@dataclass(frozen=True)
class Row:
    """One of our channels in the list of all (CoreShowChannel)."""

    channel_id: str
    state: str
    context: str
    application: str
    in_agi: bool

    @property
    def signs(self) -> list[Event]:
        """What would have been told of it."""
        signs = [Event.PRESENT]
        if self.state == RINGING:
            signs.append(Event.RINGS)
        elif self.state == UP:
            signs += [Event.ANSWERED, *([Event.AGI] if self.in_agi else [])]
        return signs


def read_rows(messages: Sequence[Message], prefix: str) -> dict[str, Row]:
    """By ChannelId; only channels that a gateway with this prefix has asked for."""
    rows = {}
    for message in messages:
        channel = message.get("Uniqueid")
        if message.name == "CoreShowChannel" and channel.startswith(prefix) and not channel.endswith(SECOND_HALF):
            application = message.get("Application")
            in_agi = application.upper() == "AGI" and message.get("ApplicationData").lower().startswith(OUR_AGI)
            rows[channel] = Row(channel, message.get("ChannelState"), message.get("Context"), application, in_agi)
    return rows


def _number(message: Message, name: str) -> int | None:
    text = message.get(name)
    return int(text) if text.isascii() and text.isdigit() else None
