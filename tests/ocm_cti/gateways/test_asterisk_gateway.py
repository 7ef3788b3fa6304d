"""The Asterisk gateway over a fake AMI link: what it asks of the switch, and what it makes of what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from asterisk_desk import NUMBER, Desk
from asterisk_fake import Channel
from gateway_bench import Listener

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.agi_commands import MediaFailed
from ocm_cti.gateways.asterisk import channel_prefix
from ocm_cti.gateways.interface import CallOver, EndedBy, InFlight, LinkState, NotPlaced, Settled, TransferFailed


def fired(deferred: object) -> list[object]:
    results: list[object] = []
    deferred.addBoth(results.append)  # type: ignore[attr-defined]
    return results


# What is asked


def test_what_originate_carries() -> None:
    desk = Desk(dial=[["+7", "8"]], caller_id="Firm <2000>", account="robot").start()
    _, channel = desk.place(ring_timeout_s=30.0)
    asked = desk.switch.originated[0]
    assert asked == {
        "ActionID": f"ocm-originate:{channel}",
        "Channel": "PJSIP/84951234501@trunk",
        "Context": "ocm",
        "Exten": "s",
        "Priority": "1",
        "Timeout": "32000",
        "Account": "robot",
        "ChannelId": channel,
        "Variable": "OCM_ATTEMPT=7",
        "Async": "true",
        "CallerID": "Firm <2000>",
    }
    assert channel.endswith("-7") and channel.startswith("ocm-office-")
    desk.close()


def test_the_caller_id_of_the_list_goes_before_that_of_the_gateway() -> None:
    desk = Desk(caller_id="2000").start()
    desk.place(caller_id="+74950000000")
    assert desk.switch.originated[0]["CallerID"] == "+74950000000"
    desk.close()


def test_every_channel_has_a_name_of_its_own() -> None:
    desk = Desk(channels=2).start()
    _, one = desk.place("1")
    _, two = desk.place("2")
    assert one != two
    assert Desk().start().place()[1] != one, "and so in another run"
    desk.close()


def test_two_servers_at_one_switch_do_not_take_each_other_for_themselves() -> None:
    here = channel_prefix("office", "a", Path("/srv/ocm/recordings"))
    assert here == channel_prefix("office", "a", Path("/srv/ocm/recordings"))
    assert here != channel_prefix("office", "b", Path("/srv/ocm/recordings"))
    assert here != channel_prefix("office", "a", Path("/srv/ocm2/recordings"))
    assert ";" not in channel_prefix("of;fice", "a", Path("/srv"))


@pytest.mark.parametrize("number", ["", "+", "abc"])
def test_a_number_that_can_not_be_dialled(number: str) -> None:
    desk = Desk().start()
    with pytest.raises(NotPlaced):
        desk.place(number=number)
    assert desk.switch.originated == []
    desk.close()


def test_a_call_is_asked_for_once() -> None:
    """However the link behaves: what was sent is never sent again."""
    desk = Desk().start()
    listener, _ = desk.place()
    desk.switch.break_link()
    desk.switch.mend_link()
    desk.pass_s(60)
    assert listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    assert len(desk.switch.originated) == 1
    desk.close()


# What becomes of it


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("Extension does not exist.", "ocm asterisk-config"),
        ("Permission denied", "write = originate"),
        ("Invalid channel", "technology/resource"),
        ("Originate Access Forbidden: app or data blacklisted", "Forbidden"),
    ],
)
def test_a_refusal_is_a_fault_that_says_what_to_do(message: str, says: str) -> None:
    desk = Desk().start()
    desk.switch.refuses["Originate"] = message
    listener, _ = desk.place()
    desk.pass_s(0)
    assert listener.names == ["failed"]
    _, cause, native = listener.verdict
    assert cause is Cause.LINE_FAULT
    assert message in native.text and says in native.text
    assert "1" not in desk.gateway.idle_ports
    assert says in desk.gateway.port_reason("1"), "the port rests, and says why"
    desk.pass_s(5)
    assert "1" in desk.gateway.idle_ports
    assert desk.watcher.freed == ["1"]
    desk.close()


def test_the_rest_grows_with_each_fault_and_ends_with_the_first_call_that_is_none() -> None:
    desk = Desk(channels=1, rest_after_fault_s=4.0, rest_max_s=10.0).start()
    desk.switch.refuses["Originate"] = "Extension does not exist."
    for rest_s in (4, 8, 10):
        desk.place()
        desk.pass_s(0)
        desk.pass_s(rest_s - 1)
        assert desk.gateway.idle_ports == []
        desk.pass_s(1)
        assert desk.gateway.idle_ports == ["1"]
    desk.switch.refuses.clear()
    _, channel = desk.place()
    desk.switch.answer_whole(channel)
    desk.switch.hang_up(channel)
    desk.switch.refuses["Originate"] = "Extension does not exist."
    desk.place()
    desk.pass_s(4)
    assert desk.gateway.idle_ports == ["1"]
    desk.close()


def test_no_channel_at_all() -> None:
    """An endpoint that is not there: OriginateResponse alone, never a Hangup."""
    desk = Desk().start()
    listener, channel = desk.place()
    desk.switch.tell("OriginateResponse", channel, Response="Failure", Reason="0")
    assert not listener.over
    desk.pass_s(0.5)
    assert listener.verdict[:2] == ("failed", Cause.LINE_FAULT)
    assert "channel" in listener.verdict[2].text
    desk.close()


def test_the_response_of_another_call_with_our_uniqueid_is_not_ours() -> None:
    desk = Desk().start()
    listener, channel = desk.place()
    desk.switch.new(channel)
    desk.switch.begin(channel)
    desk.switch.owner.event(
        type(Channel(channel).row())(
            [("Event", "OriginateResponse"), ("ActionID", "x"), ("Response", "Failure"), ("Uniqueid", channel)]
        )
    )
    desk.pass_s(1)
    assert not listener.over
    desk.close()


def test_originate_without_an_answer_is_looked_after() -> None:
    desk = Desk(request_timeout_s=3.0).start()
    desk.switch.silent.add("Originate")
    listener, channel = desk.place()
    desk.switch.channels[channel] = Channel(channel, "5")
    desk.pass_s(3)
    assert listener.names == ["dialing", "ringing"], "as the list of channels shows it"
    desk.switch.hang_up(channel, "17")
    desk.pass_s(1)
    assert listener.verdict[:2] == ("failed", Cause.BUSY)
    desk.close()


def test_originate_without_an_answer_and_no_channel_is_unknown() -> None:
    desk = Desk(request_timeout_s=3.0).start()
    desk.switch.silent.add("Originate")
    listener, _ = desk.place()
    desk.pass_s(3)
    assert listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    desk.close()


def test_a_switch_that_tells_nothing_at_all() -> None:
    desk = Desk(timeout_margin_s=2.0, nothing_heard_s=5.0).start()
    listener, _ = desk.place(ring_timeout_s=10.0)
    desk.pass_s(16.9)
    assert listener.told == []
    desk.pass_s(0.1)
    desk.pass_s(30)
    assert listener.verdict[:2] == ("failed", Cause.UNKNOWN)
    desk.close()


def test_ringing_is_given_up_by_us_and_counts_from_dialing() -> None:
    desk = Desk().start()
    listener, channel = desk.place(ring_timeout_s=10.0)
    desk.switch.new(channel)
    desk.pass_s(1)
    desk.switch.begin(channel)
    desk.pass_s(5)
    desk.switch.ring(channel)
    desk.pass_s(4.9)
    assert not listener.over
    desk.pass_s(0.1)
    assert listener.verdict[:2] == ("failed", Cause.NO_ANSWER)
    assert desk.asked("Hangup") == [{"Channel": channel, "Cause": "16"}]
    desk.close()


def test_answered_before_the_dialplan_has_it_and_gone_again() -> None:
    desk = Desk().start()
    listener, channel = desk.place()
    for step in (desk.switch.new, desk.switch.begin, desk.switch.pick_up):
        step(channel)
    assert listener.names == ["dialing"], "nothing could be played yet"
    desk.switch.tell("HangupRequest", channel, Cause="16")
    desk.switch.hang_up(channel)
    assert listener.names == ["dialing", "answered", "ended"]
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    desk.close()


def test_a_context_that_never_comes_to_us() -> None:
    desk = Desk(agi_start_s=5.0).start()
    listener, channel = desk.place()
    for step in (desk.switch.new, desk.switch.begin, desk.switch.pick_up):
        step(channel)
    desk.pass_s(5)
    assert listener.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert "AGI(agi:async)" in listener.verdict[3].text
    assert desk.switch.channels == {}
    desk.close()


def test_the_other_half_of_a_local_channel_is_not_ours() -> None:
    desk = Desk(channel="Local/{number}@out").start()
    listener, channel = desk.place()
    desk.switch.new(channel)
    desk.switch.begin(channel)
    other = channel + ";2"
    for name, headers in (
        ("Newchannel", {"ChannelState": "4"}),
        ("Newstate", {"ChannelState": "6"}),
        ("HangupRequest", {"Cause": "16"}),
        ("Hangup", {"Cause": "16"}),
        ("AsyncAGIStart", {}),
    ):
        desk.switch.tell(name, other, **headers)
    assert listener.names == ["dialing"]
    assert [row for row in desk.asked("Hangup") if row["Channel"] == channel] == []
    desk.close()


def test_keys_before_the_answer_was_told_are_not_lost() -> None:
    desk = Desk().start()
    listener, channel = desk.place()
    for step in (desk.switch.new, desk.switch.begin, desk.switch.pick_up):
        step(channel)
    desk.switch.tell("DTMFEnd", channel, Digit="1", Direction="Received")
    desk.switch.tell("DTMFEnd", channel, Digit="9", Direction="Sent")
    assert "digit" not in listener.names
    desk.switch.agi(channel)
    assert listener.told[-1] == ("digit", "1")
    assert desk.sounds[channel].told == ["started", "1"]
    desk.close()


def test_a_key_that_ends_a_recording_is_nobody_elses() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    desk.sounds[channel].takes = "#"
    for key in "1#2":
        desk.switch.tell("DTMFEnd", channel, Digit=key, Direction="Received")
    assert [told[1] for told in listener.told if told[0] == "digit"] == ["1", "2"]
    desk.close()


def test_an_answering_machine_is_told_nothing() -> None:
    desk = Desk(amd=True).start()
    listener, channel = desk.place()
    desk.switch.answer_whole(channel)
    assert listener.names == ["dialing", "ringing"]
    desk.sounds[channel].detecting.callback("machine")
    desk.pass_s(0)
    assert listener.verdict[:2] == ("failed", Cause.MACHINE)
    desk.close()


@pytest.mark.parametrize("silent", [True, False])
def test_an_answering_machine_for_which_there_is_a_message_is_talked_to_after_its_greeting(silent: bool) -> None:
    desk = Desk(amd=True).start()
    listener, channel = desk.place()
    listener.talks_to_machines = True
    desk.switch.answer_whole(channel)
    desk.sounds[channel].detecting.callback("machine")
    assert (listener.machines, "answered" in listener.names) == (1, False), "its greeting is still to be heard"
    desk.sounds[channel].greeting.callback(silent)
    assert listener.names[-1] == "answered"
    desk.switch.hang_up(channel, "16")
    desk.pass_s(1)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    desk.close()


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (MediaFailed("is app_waitforsilence loaded?"), ("failed", Cause.MACHINE)),
        (CallOver("hung up"), ("ended", Cause.NORMAL)),
    ],
)
def test_a_machine_whose_greeting_can_not_be_waited_for(failure: Exception, verdict: tuple[str, Cause]) -> None:
    desk = Desk(amd=True).start()
    listener, channel = desk.place()
    listener.talks_to_machines = True
    desk.switch.answer_whole(channel)
    desk.sounds[channel].detecting.callback("machine")
    desk.sounds[channel].greeting.errback(failure)
    desk.switch.hang_up(channel, "16")
    desk.pass_s(1)
    assert listener.verdict[:2] == verdict
    desk.close()


@pytest.mark.parametrize("heard", ["human", "notsure", Exception("AMD is not loaded")])
def test_whoever_is_no_answering_machine_is_talked_to(heard: object) -> None:
    desk = Desk(amd=True).start()
    listener, channel = desk.place()
    desk.switch.answer_whole(channel)
    if isinstance(heard, Exception):
        desk.sounds[channel].detecting.errback(heard)
    else:
        desk.sounds[channel].detecting.callback(str(heard))
    assert listener.names[-1] == "answered"
    desk.close()


# Transfer


def test_a_person_who_was_handed_over_is_left_alone() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    assert listener.call is not None
    result = fired(listener.call.transfer("200"))
    desk.switch.tell("AsyncAGIEnd", channel)
    desk.switch.channels[channel].application = "Dial"
    desk.sounds[channel].transferred(done=True)
    assert result == [None]
    assert listener.verdict[:3] == ("ended", Cause.TRANSFERRED, EndedBy.US)
    assert "1" in desk.gateway.idle_ports
    desk.switch.break_link()
    desk.switch.mend_link()
    desk.pass_s(30)
    assert desk.asked("Hangup") == []
    assert channel in desk.switch.channels
    desk.switch.agi(channel)  # the operator has hung up, and the dialplan brings him back to us
    desk.pass_s(0)
    assert desk.switch.channels == {}
    desk.close()


def test_a_transfer_that_came_to_nothing_lets_the_call_go_on() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    assert listener.call is not None
    result = fired(listener.call.transfer("200"))
    second = fired(listener.call.transfer("201"))
    assert second[0].check(TransferFailed)  # type: ignore[attr-defined]
    desk.switch.tell("AsyncAGIEnd", channel)
    desk.pass_s(20)
    desk.switch.tell("AsyncAGIStart", channel)
    desk.sounds[channel].transferred(done=False)
    assert result[0].check(TransferFailed)  # type: ignore[attr-defined]
    assert listener.names[-1] == "answered"
    desk.close()


def test_he_hangs_up_during_a_transfer() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    assert listener.call is not None
    result = fired(listener.call.transfer("200"))
    desk.switch.tell("HangupRequest", channel)
    desk.switch.hang_up(channel)
    assert result[0].check(CallOver)  # type: ignore[attr-defined]
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    desk.close()


# The link


def test_an_answered_call_goes_on_after_the_link_was_lost() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    desk.switch.break_link()
    desk.pass_s(30)
    assert not listener.over
    desk.switch.mend_link()
    desk.pass_s(0)
    assert desk.sounds[channel].told == ["started", "link lost", "link back"]
    desk.switch.tell("DTMFEnd", channel, Digit="1", Direction="Received")
    assert listener.told[-1] == ("digit", "1")
    desk.close()


def test_an_answered_call_that_went_with_the_link_is_a_fault() -> None:
    desk = Desk().start()
    listener, channel = desk.answered()
    desk.switch.break_link()
    del desk.switch.channels[channel]
    desk.switch.mend_link()
    desk.pass_s(0)
    assert listener.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    desk.close()


def test_nobody_is_blind_for_ever() -> None:
    desk = Desk(blind_answered_s=60.0).start()
    listener, channel = desk.answered()
    desk.switch.break_link()
    desk.pass_s(60)
    assert listener.verdict[:3] == ("ended", Cause.LINE_FAULT, EndedBy.FAULT)
    assert "1" not in desk.gateway.idle_ports
    desk.switch.mend_link()
    desk.pass_s(10)
    assert channel not in desk.switch.channels, "what we gave up is hung up when we can"
    assert "1" in desk.gateway.idle_ports
    desk.close()


def test_answered_while_the_link_was_down() -> None:
    desk = Desk().start()
    listener, channel = desk.place()
    desk.switch.new(channel)
    desk.switch.begin(channel)
    desk.switch.break_link()
    desk.switch.pick_up(channel)
    desk.switch.agi(channel)
    desk.pass_s(1)
    desk.switch.mend_link()
    desk.pass_s(0)
    assert listener.names == ["dialing", "answered"]
    desk.close()


def test_what_an_earlier_process_left_is_hung_up_before_anything_is_placed() -> None:
    desk = Desk()
    prefix = channel_prefix("office", "", Path("recordings"))
    desk.switch.channels = {
        one.channel_id: one
        for one in (
            Channel(f"{prefix}old-1-1", "6", "AGI", "agi:async"),
            Channel(f"{prefix}old-2-2", "5"),
            Channel(f"{prefix}old-3-3", "6", "Dial", "PJSIP/200", "operators"),
            Channel("ocm-office-ffffffff-old-1-1", "6", "AGI", "agi:async"),
            Channel("1700000000.1", "6", "Dial"),
        )
    }
    desk.gateway.start(desk.watcher)
    desk.pass_s(0)
    assert desk.gateway.idle_ports == []
    settled = fired(desk.gateway.settle([InFlight(1, "1", NUMBER, f"{prefix}old-1-1"), InFlight(2, "1", NUMBER, None)]))
    assert settled == []
    desk.pass_s(1)
    assert settled == [{1: Settled.UNKNOWN, 2: Settled.UNKNOWN}]
    assert list(desk.gateway.idle_ports) == list(desk.gateway.ports)
    assert {row["Channel"] for row in desk.asked("Hangup")} == {f"{prefix}old-1-1", f"{prefix}old-2-2"}
    desk.close()


def test_a_channel_that_can_not_be_hung_up_holds_settling_for_a_while_only() -> None:
    desk = Desk(settle_timeout_s=10.0)
    prefix = channel_prefix("office", "", Path("recordings"))
    desk.switch.channels[f"{prefix}old-1-1"] = Channel(f"{prefix}old-1-1", "6", "AGI", "agi:async")
    desk.switch.hangs_up = False
    desk.gateway.start(desk.watcher)
    desk.pass_s(0)
    settled = fired(desk.gateway.settle([InFlight(1, "1", NUMBER, None)]))
    desk.pass_s(10)
    assert settled == [{1: Settled.UNKNOWN}]
    desk.close()


def test_settling_is_told_when_the_link_goes() -> None:
    desk = Desk()
    desk.switch.silent.add("CoreShowChannels")
    desk.gateway.start(desk.watcher)
    desk.clock.advance(0)
    settled = fired(desk.gateway.settle([InFlight(1, "1", NUMBER, None)]))
    desk.switch.break_link()
    assert isinstance(settled[0].value, Exception)  # type: ignore[attr-defined]
    desk.close()


def test_a_switch_that_does_not_list_its_channels_says_so_at_every_port() -> None:
    desk = Desk()
    desk.switch.refuses["CoreShowChannels"] = "Permission denied"
    desk.gateway.start(desk.watcher)
    desk.pass_s(0)
    assert "write = reporting" in desk.gateway.port_reason("1")
    desk.switch.refuses.clear()
    desk.pass_s(5)
    assert list(desk.gateway.idle_ports) == list(desk.gateway.ports)
    desk.close()


def test_a_refused_login() -> None:
    desk = Desk().start()
    desk.switch.break_link()
    desk.switch.owner.link_refused("Authentication failed")
    assert desk.gateway.health.state is LinkState.REFUSED
    assert "user ocm" in desk.gateway.health.reason
    assert "s3cret" not in desk.gateway.health.reason
    desk.close()


# Pace


def test_calls_begin_no_faster_than_told() -> None:
    desk = Desk(channels=4, originate_per_s=2.0, originate_burst=2).start()
    desk.place("1")
    desk.place("2")
    assert desk.gateway.idle_ports == []
    assert "2 calls a second" in desk.gateway.port_reason("3")
    with pytest.raises(NotPlaced):
        desk.place("3")
    desk.pass_s(0.5)
    assert list(desk.gateway.idle_ports) == ["3", "4"]
    assert desk.watcher.freed == ["3", "4"]
    desk.close()


def test_a_trunk_without_a_free_channel_rests() -> None:
    desk = Desk(congestion_rest_s=5.0).start()
    listener, channel = desk.place()
    desk.switch.new(channel)
    desk.switch.begin(channel)
    desk.switch.hang_up(channel, "34")
    desk.pass_s(0)
    assert listener.verdict[:2] == ("failed", Cause.UNREACHABLE)
    assert desk.gateway.idle_ports == []
    assert "no channel free" in desk.gateway.port_reason("2")
    desk.pass_s(5)
    assert list(desk.gateway.idle_ports) == list(desk.gateway.ports)
    assert sorted(desk.watcher.freed) == ["1", "2", "3"]
    desk.close()


# The end


def test_a_call_that_does_not_end_is_reported_all_the_same() -> None:
    desk = Desk(clear_timeout_s=3.0, release_timeout_s=5.0).start()
    listener, channel = desk.answered()
    desk.switch.hangs_up = False
    assert listener.call is not None
    listener.call.hang_up()
    desk.pass_s(3)
    assert not listener.over
    desk.pass_s(5)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    assert "1" not in desk.gateway.idle_ports, "the switch still has it"
    desk.switch.hang_up(channel)
    assert "1" in desk.gateway.idle_ports
    desk.close()


def test_a_channel_that_is_made_when_the_call_has_been_given_up_is_hung_up() -> None:
    """An Asterisk that is given more than it can do is seconds behind."""
    desk = Desk().start()
    listener, channel = desk.place()
    assert listener.call is not None
    listener.call.hang_up()
    desk.pass_s(4)
    assert listener.verdict[:2] == ("failed", Cause.CANCELLED)
    desk.switch.new(channel)
    desk.pass_s(0)
    assert desk.switch.channels == {}
    desk.close()


def test_an_answered_call_has_a_limit() -> None:
    desk = Desk(call_limit_s=100.0).start()
    listener, _ = desk.answered()
    desk.pass_s(100)
    assert listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.US)
    desk.close()


def test_stop_with_calls_at_every_stage() -> None:
    desk = Desk().start()
    answered, _ = desk.answered("1")
    ringing, channel = desk.place("2")
    desk.switch.new(channel)
    desk.switch.ring(channel)
    placed, late = desk.place("3")
    gone = fired(desk.gateway.stop())
    desk.pass_s(0)
    assert desk.gateway.idle_ports == []
    assert not placed.over, "its channel may still come"
    desk.switch.new(late)
    desk.pass_s(0)
    assert gone == [None]
    assert [one.verdict[1] for one in (answered, ringing, placed)] == [Cause.NORMAL, Cause.CANCELLED, Cause.CANCELLED]
    assert desk.switch.channels == {}
    assert desk.clock.getDelayedCalls() == []


def test_an_observer_that_hangs_up_as_soon_as_it_is_told() -> None:
    class Hasty(Listener):
        def dialing(self) -> None:
            super().dialing()
            assert self.call is not None
            self.call.hang_up()

    desk = Desk().start()
    listener = Hasty()
    listener.call = desk.gateway.place("1", NUMBER, 7, 20.0, None, listener)
    channel = desk.switch.originated[-1]["ChannelId"]
    desk.switch.new(channel)
    desk.switch.tell("DialState", channel, DialStatus="RINGING")
    desk.pass_s(0)
    assert listener.verdict[:2] == ("failed", Cause.CANCELLED)
    desk.close()
