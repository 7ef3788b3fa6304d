"""The life of an association as one table (X.227, without session and presentation layers).

House rules: everything that decides whether something is allowed stands here; the table does not know which side we
are, only the state we begin in differs. A pair that is not in the table is an error of the side that did it:
LocalProtocolError for what we wanted to send (nothing changes), RemoteProtocolError for what came (the association is
broken, drop the link).
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where an association stands."""

    UNASSOCIATED = "unassociated"  # client, nothing sent yet
    LISTENING = "listening"  # switch, nothing received yet
    REQUESTING = "requesting"  # client, AARQ sent
    REQUESTED = "requested"  # switch, AARQ received, to be accepted or refused
    OPEN = "open"
    RELEASING = "releasing"  # RLRQ sent
    RELEASE_REQUESTED = "release requested"  # RLRQ received, to be confirmed
    CLOSED = "closed"  # refused, aborted, released, end of stream
    BROKEN = "broken"  # the peer broke the protocol


class Input(enum.Enum):
    """What can happen; SEND is us, RECEIVE the peer."""

    SEND_AARQ = "send AARQ"
    SEND_AARE_ACCEPTED = "send AARE accepted"
    SEND_AARE_REFUSED = "send AARE refused"
    SEND_RLRQ = "send RLRQ"
    SEND_RLRE = "send RLRE"
    SEND_ABRT = "send ABRT"
    SEND_ROSE = "send ROSE"
    RECEIVE_AARQ = "receive AARQ"
    RECEIVE_AARE_ACCEPTED = "receive AARE accepted"
    RECEIVE_AARE_REFUSED = "receive AARE refused"
    RECEIVE_RLRQ = "receive RLRQ"
    RECEIVE_RLRE = "receive RLRE"
    RECEIVE_ABRT = "receive ABRT"
    RECEIVE_ROSE = "receive ROSE"
    RECEIVE_END = "receive end of stream"


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.UNASSOCIATED, Input.SEND_AARQ): State.REQUESTING,
    (State.UNASSOCIATED, Input.SEND_ABRT): State.UNASSOCIATED,  # ends what an earlier run left on a serial line
    (State.UNASSOCIATED, Input.RECEIVE_ABRT): State.CLOSED,
    (State.UNASSOCIATED, Input.RECEIVE_END): State.CLOSED,
    #
    (State.LISTENING, Input.RECEIVE_AARQ): State.REQUESTED,
    (State.LISTENING, Input.RECEIVE_ABRT): State.LISTENING,  # of what an earlier run left on a serial line
    (State.LISTENING, Input.RECEIVE_END): State.CLOSED,
    (State.LISTENING, Input.SEND_ABRT): State.CLOSED,
    #
    (State.REQUESTING, Input.RECEIVE_AARE_ACCEPTED): State.OPEN,
    (State.REQUESTING, Input.RECEIVE_AARE_REFUSED): State.CLOSED,
    (State.REQUESTING, Input.RECEIVE_ABRT): State.CLOSED,
    (State.REQUESTING, Input.RECEIVE_END): State.CLOSED,
    (State.REQUESTING, Input.SEND_ABRT): State.CLOSED,
    #
    (State.REQUESTED, Input.SEND_AARE_ACCEPTED): State.OPEN,
    (State.REQUESTED, Input.SEND_AARE_REFUSED): State.CLOSED,
    (State.REQUESTED, Input.SEND_ABRT): State.CLOSED,
    (State.REQUESTED, Input.RECEIVE_ABRT): State.CLOSED,
    (State.REQUESTED, Input.RECEIVE_END): State.CLOSED,
    #
    (State.OPEN, Input.SEND_ROSE): State.OPEN,
    (State.OPEN, Input.RECEIVE_ROSE): State.OPEN,
    (State.OPEN, Input.SEND_RLRQ): State.RELEASING,
    (State.OPEN, Input.RECEIVE_RLRQ): State.RELEASE_REQUESTED,
    (State.OPEN, Input.SEND_ABRT): State.CLOSED,
    (State.OPEN, Input.RECEIVE_ABRT): State.CLOSED,
    (State.OPEN, Input.RECEIVE_END): State.CLOSED,
    #
    (State.RELEASING, Input.RECEIVE_ROSE): State.RELEASING,  # was under way when we asked
    (State.RELEASING, Input.RECEIVE_RLRE): State.CLOSED,
    (State.RELEASING, Input.RECEIVE_RLRQ): State.CLOSED,  # both at once (X.227 release collision)
    (State.RELEASING, Input.RECEIVE_ABRT): State.CLOSED,
    (State.RELEASING, Input.RECEIVE_END): State.CLOSED,
    (State.RELEASING, Input.SEND_ABRT): State.CLOSED,
    #
    (State.RELEASE_REQUESTED, Input.SEND_RLRE): State.CLOSED,
    (State.RELEASE_REQUESTED, Input.SEND_ABRT): State.CLOSED,
    (State.RELEASE_REQUESTED, Input.RECEIVE_ABRT): State.CLOSED,
    (State.RELEASE_REQUESTED, Input.RECEIVE_END): State.CLOSED,
    #
    # What is still under way from a peer that does not know yet is not its fault.
    (State.CLOSED, Input.RECEIVE_AARQ): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_AARE_ACCEPTED): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_AARE_REFUSED): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_RLRQ): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_RLRE): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_ABRT): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_ROSE): State.CLOSED,
    (State.CLOSED, Input.RECEIVE_END): State.CLOSED,
    #
    (State.BROKEN, Input.SEND_ABRT): State.BROKEN,
}
