"""The voice process itself, as the gateway has it, on a trunk to SIPp: asked and told over its pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from peer_process import Sipp
from peers import require
from twisted.internet.defer import Deferred
from voice_process import HOST, Robot, run

from ocm_cti.voice.client import DialFailed, PlayReport, Trunk, VoiceClient

SCENARIOS = Path(__file__).with_name("sipp")


def sipp(folder: Path, scenario: str, **keys: str) -> Sipp:
    text = (SCENARIOS / f"{scenario}.xml").read_text(encoding="utf-8")
    for name, value in keys.items():
        text = text.replace(f"[{name}]", value)
    return Sipp.start(folder, text)


def test_calls_on_two_trunks(tmp_path: Path) -> None:
    """Refused with cause and time to wait; heard by the other, who hangs up with a cause; one that is not open."""
    require("sipp")
    prompt = tmp_path / "prompt.alaw"
    prompt.write_bytes(b"\x55" * 40000)
    busy = sipp(tmp_path / "busy", "refuse", code="503", phrase="Full", extra="Reason: Q.850;cause=34\nRetry-After: 7")
    talks = sipp(tmp_path / "talks", "bye_in_prompt")
    robot, results = Robot(), list[Any]()

    def build(reactor: Any) -> Callable[[], Deferred[Any]]:
        client = VoiceClient(reactor, robot, extra=("--silent-peer-s", "30", "--stranger-code", "404"))

        def ready() -> None:
            for name, peer in (("a", busy), ("b", talks)):
                client.open_trunk(Trunk(name, "2000", "pw", "op.example", HOST, peer.port, registers=False))
            client.call("a", "100").addBoth(results.append)

        def refused(*told: Any) -> None:
            client.call("b", "+7100", caller_id="+7200", asserted="+7300", headers=[("Privacy", "none")])

        def established(call: str) -> None:
            client.play(call, [prompt]).addCallback(results.append)

        def ended(*told: Any) -> None:
            client.close_trunk("a").addCallback(lambda _: client.call("a", "1")).addErrback(failed)

        def failed(failure: Any) -> None:
            results.append(failure.value)
            reactor.stop()

        robot.then = {"process_ready": ready, "refused": refused, "established": established, "ended": ended}
        reactor.callWhenRunning(client.start)
        return client.stop

    try:
        run(build)
        for peer in (busy, talks):
            peer.wait(5.0)
    finally:
        for peer in (busy, talks):
            peer.stop()
    call, report, error = results
    assert isinstance(report, PlayReport) and not report.finished and report.heard_ms > 200
    assert isinstance(error, DialFailed) and str(error) == "no trunk a is open"
    story = {told[0]: told[1:] for told in robot.story}
    assert story["refused"] == (call, 503, "Full: Q.850;cause=34", 34, 7.0)
    assert story["ended"][1:] == ("them", "Normal call clearing", 16)
    (invite,) = [text for text in talks.messages().split("-----\n") if "INVITE sip:" in text]
    for line in (
        "INVITE sip:+7100@op.example SIP/2.0",
        "From: <sip:+7200@op.example>;tag=",
        "P-Asserted-Identity: <sip:+7300@op.example>",
        "Privacy: none",
    ):
        assert line in invite.replace("\r", "")
