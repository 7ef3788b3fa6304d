"""A trunk of ours to baresip, a user agent that is not ours, as the callee: what it hears, its keys, hold, the end."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peer_process import Baresip, wait_until
from peers import require
from trunk_caller import HOST, TrunkCaller

from ocm_cti.voice.tones import tone
from ocm_cti.voice.trunks import Trunk
from protocols.rtp import g711

NUMBER = "79161234567"
SOUND = tone((440, 480), 1500)


@pytest.fixture
def caller() -> Iterator[TrunkCaller]:
    with TrunkCaller() as made:
        yield made


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Baresip]:
    require("baresip")
    running = Baresip.start(tmp_path / "phone", user=NUMBER)
    yield running
    running.stop()


def call(caller: TrunkCaller, phone: Baresip, transport: str = "udp") -> str:
    caller.open(Trunk("t", "2000", "", domain=HOST, host=HOST, port=phone.port, transport=transport, registers=False))
    return caller.calls.call("t", NUMBER, caller_id="+74951112233")


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_hears_what_is_played_and_we_hear_it(
    caller: TrunkCaller, phone: Baresip, transport: str, tmp_path: Path
) -> None:
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND)
    key = call(caller, phone, transport)
    caller.until_told("established", key)
    caller.run(0.1)
    assert phone.wait_for("CALL_ESTABLISHED")["peeruri"].startswith("sip:+74951112233@")
    recorded = caller.calls.record(key, tmp_path / "reply.wav", 2000, 60000, "")
    assert caller.result(caller.calls.play(key, [prompt])).finished
    assert caller.result(recorded).why == "limit"
    caller.run(0.3)
    caller.calls.hang_up(key)
    caller.run(0.1)
    phone.wait_for("CALL_CLOSED")
    path = wait_until("what baresip heard", phone.heard)[0]
    sent = np.frombuffer(g711.decode_alaw(SOUND), "<i2")
    wait_until("all of it", lambda: len(samples(path)) >= len(sent))
    heard = samples(path)
    start = int(np.argmax(np.abs(heard) > 1000)) - int(np.argmax(np.abs(sent) > 1000))
    assert start >= 0 and np.array_equal(heard[start : start + len(sent)], sent)
    # It speaks a tone of 440 Hz all the time.
    reply = samples(tmp_path / "reply.wav")[-8000:].astype(float)
    assert int(np.argmax(np.abs(np.fft.rfft(reply)))) == 440


def test_its_keys(caller: TrunkCaller, phone: Baresip) -> None:
    key = call(caller, phone)
    caller.until_told("established", key)
    for pressed in "12*#":
        phone.command("sndcode", pressed)
        caller.run(0.3)
    caller.until(lambda: len(caller.keys(key)) >= 4, "four keys")
    assert caller.keys(key) == "12*#"


def test_it_holds_and_comes_back(caller: TrunkCaller, phone: Baresip, tmp_path: Path) -> None:
    """The prompt waits meanwhile, and goes on where it was."""
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND)
    key = call(caller, phone)
    caller.until_told("established", key)
    reports: list[Any] = []
    caller.calls.play(key, [prompt]).addBoth(reports.append)
    caller.run(0.4)
    phone.command("hold")
    caller.until(lambda: any("a=recvonly" in text or "a=inactive" in text for text in caller.sent), "our side of hold")
    caller.run(2.0)
    assert reports == []
    phone.command("resume")
    caller.until(lambda: reports, "the end of the prompt")
    assert reports[0].finished
    assert caller.sent[-1].count("a=sendrecv") == 1
    phone.hang_up()
    assert caller.over(key)[:3] == ("ended", key, "them")


def test_it_hangs_up_in_a_prompt(caller: TrunkCaller, phone: Baresip, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(SOUND * 10)
    key = call(caller, phone)
    caller.until_told("established", key)
    playing = caller.calls.play(key, [prompt])
    caller.run(0.4)
    phone.hang_up()
    report = caller.result(playing)
    assert not report.finished and 200 <= report.heard_ms < 10000
    assert caller.over(key)[:3] == ("ended", key, "them")


def test_it_rings_and_refuses(caller: TrunkCaller, tmp_path: Path) -> None:
    require("baresip")
    phone = Baresip.start(tmp_path / "phone", user=NUMBER, answers=False)
    try:
        key = call(caller, phone)
        caller.until_told("ringing", key)
        phone.hang_up()
        assert caller.over(key)[:2] == ("refused", key)
        key = caller.calls.call("t", NUMBER)
        caller.until_told("ringing", key)
        caller.calls.hang_up(key)
        caller.until(lambda: any(text.startswith("SIP/2.0 487") for text in caller.received), "487")
    finally:
        phone.stop()
