"""The voice of an answered call on a real Asterisk: what is heard, recorded and handed over at the far end."""

from __future__ import annotations

import itertools
import math
import random
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agi_desk import ARI_USER, FarEnd, Line, VoiceDesk, start_asterisk
from asterisk_process import PrivateAsterisk
from peers import require

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.agi_prompts import PlayFailed
from ocm_cti.gateways.agi_replies import RecordFailed
from ocm_cti.gateways.interface import CallOver, Played, Recorded, RecordLimits, TransferFailed
from protocols.rtp import g711

#: Every way that commands and prompts can go.
WAYS: dict[str, dict[str, Any]] = {
    "asyncagi": {},
    "fastagi": {"voice": "fastagi", "fastagi_port": 0},
    "url": {"prompts": "url", "url_port": 0, "url_base": "http://127.0.0.1:1"},
}
MakeDesk = Callable[..., VoiceDesk]


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    require("asterisk")
    running = start_asterisk(tmp_path_factory.mktemp("voice"))
    yield running
    running.stop()


@pytest.fixture
def make_desk(switch: PrivateAsterisk, tmp_path: Path) -> Iterator[MakeDesk]:
    made: list[VoiceDesk] = []

    def make(**settings: Any) -> VoiceDesk:
        desk = VoiceDesk(switch, tmp_path / "recordings", **settings)
        made.append(desk)
        if desk.around.urls is not None:
            desk.around.urls.base = f"http://127.0.0.1:{desk.around.url_port}"
        return desk

    yield make
    for desk in made:
        desk.close()


@pytest.fixture(params=["asyncagi", "fastagi"])
def desk(make_desk: MakeDesk, request: pytest.FixtureRequest) -> VoiceDesk:
    return make_desk(**WAYS[request.param])


@pytest.fixture
def far() -> Iterator[FarEnd]:
    end = FarEnd()
    yield end
    end.close()


@pytest.fixture
def fragments(tmp_path: Path) -> list[Path]:
    """1000, 1040 and 1080 ms of noise, as the speech cache keeps it."""
    noise = random.Random(4)
    made = []
    for number in range(3):
        path = tmp_path / f"part{number}.alaw"
        path.write_bytes(bytes(noise.randrange(256) for _ in range(8000 + 320 * number)))
        made.append(path)
    return made


def told(desk: VoiceDesk, far: FarEnd, asked: Any) -> Any:
    """What it fires with; the far end listens meanwhile."""
    results: list[Any] = []
    asked.addBoth(results.append)
    desk.until(lambda: (far.listen(), results)[1], "told")
    return getattr(results[0], "value", results[0])


def tone(length_ms: int, hertz: float = 500.0) -> bytes:
    """A-law."""
    samples = (round(8000 * math.sin(math.tau * hertz * n / 8000)) for n in range(length_ms * 8))
    return g711.encode_alaw(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))


def samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return bytes(file.readframes(file.getnframes()))


# Prompts


@pytest.mark.parametrize("way", WAYS)
def test_a_prompt_of_several_files_is_heard_to_the_octet_and_without_a_gap(
    make_desk: MakeDesk, way: str, far: FarEnd, fragments: list[Path]
) -> None:
    """Between the fragments there is nothing that was not in them: the far end's time stamps run on."""
    desk = make_desk(**WAYS[way])
    line = desk.call(far.channel)
    played = told(desk, far, line.sound.play(fragments))
    assert played == Played(3120, 3120, True)
    desk.pass_s(0.1)
    assert b"".join(path.read_bytes() for path in fragments) in far.heard
    stamps = [stamp for _, stamp, _ in far.packets]
    assert {after - before for before, after in itertools.pairwise(stamps)} == {160}
    assert far.longest_gap_ms() < 60.0


def test_the_next_prompt_follows_at_once(desk: VoiceDesk, far: FarEnd, fragments: list[Path]) -> None:
    """Asked for when the first one was told to be over, with a far end that sends audio as a telephone does."""
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), b"")
    told(desk, far, line.sound.play(fragments[:1]))
    gaps = []
    for _ in range(3):
        first = far.listen() - 1
        told(desk, far, line.sound.play(fragments[:1]))
        gaps.append(far.longest_gap_ms(first))
    assert min(gaps) < 60.0, gaps


def test_a_prompt_is_stopped_and_says_how_far_it_got(desk: VoiceDesk, far: FarEnd, fragments: list[Path]) -> None:
    line = desk.call(far.channel)
    playing = line.sound.play(fragments)
    desk.until(lambda: far.listen() >= 40, "800 ms were heard")
    line.sound.stop_playing()
    played = told(desk, far, playing)
    assert not played.finished
    assert played.of_ms == 3120
    assert abs(played.heard_ms - far.listen() * 20) <= 60
    far.packets.clear()
    desk.pass_s(0.3)
    assert far.listen() == 0


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.1])
def test_a_stop_at_the_very_beginning_is_not_lost(
    desk: VoiceDesk, far: FarEnd, fragments: list[Path], after_s: float
) -> None:
    """... and does not hit the prompt that is asked for next."""
    line = desk.call(far.channel)
    for _ in range(3):
        playing = line.sound.play(fragments)
        desk.pass_s(after_s)
        line.sound.stop_playing()
        played = told(desk, far, playing)
        assert not played.finished
        assert played.heard_ms < 600
        assert told(desk, far, line.sound.play(fragments[:1])) == Played(1000, 1000, True)


def test_a_stranger_s_stop_does_not_cost_the_person_the_message(
    desk: VoiceDesk, far: FarEnd, fragments: list[Path]
) -> None:
    line = desk.call(far.channel)
    playing = line.sound.play(fragments)
    desk.until(lambda: far.listen() >= 20, "it plays")
    desk.admin.ask("ControlPlayback", Channel=line.channel, Control="stop")
    assert told(desk, far, playing) == Played(3120, 3120, True)
    desk.pass_s(0.1)
    assert b"".join(path.read_bytes() for path in fragments) in far.heard


def test_what_asterisk_can_t_find_is_an_error_and_the_call_goes_on(
    make_desk: MakeDesk, far: FarEnd, fragments: list[Path], tmp_path: Path
) -> None:
    """The shared folder is not where Asterisk looks."""
    for voice in ("asyncagi", "fastagi"):
        desk = make_desk(asterisk_folder="/elsewhere", **WAYS[voice])
        line = desk.call(far.channel)
        failed = desk.result(line.sound.play(fragments))
        assert isinstance(failed, PlayFailed)
        assert "/elsewhere/prompts/" in str(failed)
        assert isinstance(desk.result(line.sound.play([tmp_path / "none.alaw"])), PlayFailed)
        assert not line.over
        assert isinstance(desk.result(line.sound.detect()), str)
        assert not line.over


def test_a_link_that_is_not_ours_is_refused_and_the_call_goes_on(
    make_desk: MakeDesk, far: FarEnd, fragments: list[Path]
) -> None:
    desk = make_desk(**WAYS["url"])
    line = desk.call(far.channel)
    assert desk.around.urls is not None
    right = desk.around.urls.base
    desk.around.urls.base += "/0000000000/00000000000000000000000000000000"
    assert told(desk, far, line.sound.play(fragments)) == Played(3120, 3120, True)  # the last three parts count
    desk.around.urls.base = "http://127.0.0.1:1"
    assert isinstance(desk.result(line.sound.play(fragments[:1])), PlayFailed)
    desk.around.urls.base = right
    assert told(desk, far, line.sound.play(fragments[1:2])) == Played(1040, 1040, True)


def test_the_end_of_the_call_ends_the_prompt(desk: VoiceDesk, far: FarEnd, fragments: list[Path]) -> None:
    line = desk.call(far.channel)
    playing = line.sound.play(fragments)
    desk.until(lambda: far.listen() >= 40, "800 ms were heard")
    desk.hang_up(line)
    played = told(desk, far, playing)
    assert not played.finished
    assert 700 <= played.heard_ms <= 1100
    desk.until(lambda: line.over, "it is over")
    assert isinstance(desk.result(line.sound.play(fragments)), CallOver)


# Keys


def test_keys_are_told_whatever_goes_on_and_end_no_prompt(desk: VoiceDesk, far: FarEnd, fragments: list[Path]) -> None:
    line = desk.call(far.channel)
    desk.press(line, "1")
    playing = line.sound.play(fragments)
    desk.until(lambda: far.listen() >= 5, "it plays")
    desk.press(line, "2")
    desk.pass_s(0.2)
    desk.press(line, "#")
    assert told(desk, far, playing) == Played(3120, 3120, True)
    desk.press(line, "*")
    desk.until(lambda: line.keys == "12#*", "all four")


# Replies


def test_a_reply_is_what_was_said(desk: VoiceDesk, far: FarEnd, tmp_path: Path) -> None:
    """Ended by silence; what Asterisk had recorded of it is at its place and nowhere else."""
    line = desk.call(far.channel)
    path = tmp_path / "replies" / "one.wav"
    recording = line.sound.record(path, RecordLimits(max_ms=10_000, silence_ms=1500, stop_keys="#"))
    desk.pass_s(0.3)
    said = tone(1200)
    far.say(desk.rtp_port(line), said)
    recorded = desk.result(recording)
    assert recorded == Recorded(path, recorded.length_ms, "silence")
    kept = samples(path)
    assert 1100 <= recorded.length_ms == len(kept) // 16 <= 2600
    assert g711.decode_alaw(said[: 160 * 50]) in kept
    assert list((desk.around.folders.ours / "replies").iterdir()) == []


def test_a_key_ends_a_reply_and_is_nobody_else_s(desk: VoiceDesk, far: FarEnd, tmp_path: Path) -> None:
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), tone(5000))
    recording = line.sound.record(tmp_path / "one.wav", RecordLimits(max_ms=10_000, stop_keys="#*"))
    desk.pass_s(0.5)
    desk.press(line, "3")
    desk.pass_s(0.5)
    desk.press(line, "*")
    recorded = desk.result(recording)
    assert recorded.why == "key"
    assert recorded.length_ms >= 500
    assert (line.keys, line.taken_keys) == ("3", "*")


def test_a_reply_ends_at_its_limit(desk: VoiceDesk, far: FarEnd, tmp_path: Path) -> None:
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), tone(5000))
    recorded = desk.result(line.sound.record(tmp_path / "one.wav", RecordLimits(max_ms=1000)))
    assert recorded.why == "limit"
    assert 800 <= recorded.length_ms <= 1100


def test_what_he_had_said_is_kept_when_he_hangs_up(desk: VoiceDesk, far: FarEnd, tmp_path: Path) -> None:
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), tone(5000))
    recording = line.sound.record(tmp_path / "one.wav", RecordLimits())
    desk.pass_s(1.0)
    desk.hang_up(line)
    recorded = desk.result(recording)
    assert recorded.why == "hangup"
    assert 700 <= recorded.length_ms == len(samples(tmp_path / "one.wav")) // 16


def test_who_says_nothing_leaves_no_file(desk: VoiceDesk, far: FarEnd, tmp_path: Path) -> None:
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), b"")
    path = tmp_path / "one.wav"
    recorded = desk.result(line.sound.record(path, RecordLimits(max_ms=8000, silence_ms=900)))
    assert recorded == Recorded(path, 0, "silence")
    assert not path.exists()


def test_a_folder_that_asterisk_can_t_write_to_is_an_error(make_desk: MakeDesk, far: FarEnd, tmp_path: Path) -> None:
    desk = make_desk(asterisk_folder="/proc/none")
    line = desk.call(far.channel)
    failed = desk.result(line.sound.record(tmp_path / "one.wav", RecordLimits()))
    assert isinstance(failed, RecordFailed)
    assert "/proc/none/replies/" in str(failed)
    assert not line.over


def test_a_reply_is_fetched_by_ari_where_no_folder_is_shared(
    make_desk: MakeDesk, switch: PrivateAsterisk, far: FarEnd, tmp_path: Path
) -> None:
    ari = {
        "replies": "ari",
        "ari_url": f"http://127.0.0.1:{switch.http_port}/ari",
        "ari_user": ARI_USER[0],
        "ari_folder": str(switch.folder / "spool" / "recording"),
    }
    desk = make_desk(**ari, ari_password=ARI_USER[1])
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), tone(5000))
    recorded = desk.result(line.sound.record(tmp_path / "one.wav", RecordLimits(max_ms=1000)))
    assert recorded.why == "limit"
    assert 800 <= recorded.length_ms == len(samples(tmp_path / "one.wav")) // 16
    assert list((switch.folder / "spool" / "recording").iterdir()) == []
    wrong = make_desk(**ari, ari_password="wrong")
    other = wrong.call("Local/talks@people")
    failed = wrong.result(other.sound.record(tmp_path / "two.wav", RecordLimits(max_ms=500)))
    assert isinstance(failed, RecordFailed)
    assert "ari_password" in str(failed)


# Handing over


def dialled(desk: VoiceDesk, number: str) -> tuple[Line, Any, float]:
    line = desk.call("Local/still@people")
    began_s = time.monotonic()
    return line, desk.result(line.sound.transfer(number)), time.monotonic() - began_s


OPERATORS = {"transfer_context": "operators", "transfer_wait_s": 2.0, "transfer_poll_s": 0.1}


@pytest.mark.parametrize("way", ["asyncagi", "fastagi"])
def test_he_is_handed_over_once_the_operator_answers(make_desk: MakeDesk, way: str) -> None:
    """... and when the operator hangs up, nothing of the call is left at the switch, without a word of ours."""
    desk = make_desk(**WAYS[way], **OPERATORS)
    line, done, took_s = dialled(desk, "200")
    assert done is None
    assert took_s >= 0.4
    line.sound.over("handed over")
    desk.pass_s(0.5)
    assert not line.over
    rows = desk.asterisk.cli("core show channels concise").splitlines()
    operator = next(row.split("!")[0] for row in rows if row.startswith("Local/200@operators") and ";2!" in row)
    desk.admin.ask("Hangup", Channel=operator)
    desk.until(lambda: line.over, "the person's channel has gone, too")


@pytest.mark.parametrize("way", ["asyncagi", "fastagi"])
@pytest.mark.parametrize(
    ("number", "cause"),
    [("201", Cause.NO_ANSWER), ("202", Cause.BUSY), ("999", Cause.UNREACHABLE)],
)
def test_nobody_to_hand_over_to_and_he_is_back_with_us(
    make_desk: MakeDesk, way: str, number: str, cause: Cause, fragments: list[Path]
) -> None:
    desk = make_desk(**WAYS[way], **OPERATORS)
    line, failed, _ = dialled(desk, number)
    assert isinstance(failed, TransferFailed)
    assert failed.reason is cause
    assert desk.result(line.sound.play(fragments[:1])) == Played(1000, 1000, True)


def test_he_hangs_up_while_the_operator_s_telephone_rings(make_desk: MakeDesk) -> None:
    desk = make_desk(**{**OPERATORS, "transfer_wait_s": 20.0})
    line = desk.call("Local/still@people")
    transfer = line.sound.transfer("201")
    desk.pass_s(0.5)
    desk.hang_up(line, far=True)
    assert isinstance(desk.result(transfer), CallOver)


def test_an_operator_who_hangs_up_at_once_has_had_him(make_desk: MakeDesk) -> None:
    """Answered and gone between two looks: he is not told that nobody was there."""
    desk = make_desk(**{**OPERATORS, "transfer_poll_s": 30.0})
    line, done, _ = dialled(desk, "203")
    assert done is None
    desk.until(lambda: line.over, "the switch lets him go")


def test_he_is_sent_away_unsupervised(make_desk: MakeDesk) -> None:
    desk = make_desk(transfer="redirect", transfer_context="operators")
    line, done, _ = dialled(desk, "200")
    assert done is None
    desk.pass_s(0.3)
    rows = [row.split("!") for row in desk.asterisk.cli("core show channels concise").splitlines()]
    assert [row[1:3] for row in rows if row[-1] == line.channel] == [["operators", "200"]]
    failed = dialled(desk, "999999")[1]
    assert isinstance(failed, TransferFailed)
    assert "operators" in str(failed)


# Machines


@pytest.mark.parametrize(("who", "verdict"), [("hello", "human"), ("talks", "machine")])
def test_the_switch_tells_a_machine_from_a_person(desk: VoiceDesk, who: str, verdict: str) -> None:
    line = desk.call(f"Local/{who}@people")
    assert desk.result(line.sound.detect()) == verdict


def test_the_end_of_a_machines_greeting_is_heard(desk: VoiceDesk) -> None:
    line = desk.call("Local/greets@people")
    assert desk.result(line.sound.detect()) == "machine"
    assert desk.result(line.sound.greeting_over()) is True


def test_a_greeting_without_an_end_is_not_waited_for_for_ever(make_desk: MakeDesk) -> None:
    desk = make_desk(machine_greeting_s=1)
    line = desk.call("Local/talks@people")
    assert desk.result(line.sound.greeting_over()) is False


# The link


def cut_link(desk: VoiceDesk) -> None:
    connection: Any = desk.link._connection
    connection.transport.abortConnection()
    desk.until(lambda: not desk.link.is_up, "the link is down")


def test_a_prompt_goes_on_while_the_link_is_away(desk: VoiceDesk, far: FarEnd, fragments: list[Path]) -> None:
    """Its end was told to nobody; that it was heard is known all the same, and it is not played twice."""
    line = desk.call(far.channel)
    playing = line.sound.play(fragments[:1])
    desk.until(lambda: far.listen() >= 10, "it plays")
    desk.link._retry_min_s = 2.0
    cut_link(desk)
    assert told(desk, far, playing) == Played(1000, 1000, True)
    desk.pass_s(0.3)
    assert far.heard == fragments[0].read_bytes()
    assert told(desk, far, line.sound.play(fragments[:1])) == Played(1000, 1000, True)


def test_what_is_asked_without_a_link_begins_when_it_is_back(
    make_desk: MakeDesk, far: FarEnd, fragments: list[Path]
) -> None:
    desk = make_desk()
    line = desk.call(far.channel)
    cut_link(desk)
    assert told(desk, far, line.sound.play(fragments[:1])) == Played(1000, 1000, True)


def test_a_reply_is_kept_that_ended_while_the_link_was_away(make_desk: MakeDesk, far: FarEnd, tmp_path: Path) -> None:
    desk = make_desk()
    line = desk.call(far.channel)
    far.say(desk.rtp_port(line), tone(5000))
    recording = line.sound.record(tmp_path / "one.wav", RecordLimits(max_ms=1000))
    desk.pass_s(0.3)
    desk.link._retry_min_s = 2.0
    cut_link(desk)
    recorded = desk.result(recording)
    assert 800 <= recorded.length_ms <= 1100


def test_a_stop_during_an_outage_is_made_up_for(make_desk: MakeDesk, far: FarEnd, fragments: list[Path]) -> None:
    desk = make_desk()
    line = desk.call(far.channel)
    playing = line.sound.play(fragments)
    desk.until(lambda: far.listen() >= 10, "it plays")
    desk.link._retry_min_s = 0.5
    cut_link(desk)
    line.sound.stop_playing()
    played = told(desk, far, playing)
    assert not played.finished
    assert 400 <= played.heard_ms <= 2500
