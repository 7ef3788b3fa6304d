"""The simulator's callees as a dialplan of a real Asterisk: the same people on the same numbers, played by another.

TESTED on Asterisk 22: WaitForSilence never ends on a line that sends nothing while ``transmit_silence`` is on, for its
generator keeps the application busy. So it is off (OPTIONS), and a callee who only listens plays a file of silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ocm_cti.simulator.audio import speech
from ocm_cti.simulator.callees import KEY_GAP_MS, KEY_MS, LISTEN_PATIENCE_S, LISTEN_SILENCE_S, Callee, Step, Verb

CONTEXT = "callees"
#: asterisk.conf of the Asterisk that plays them.
OPTIONS = "transmit_silence = no\n"
#: Longer than any call of the demo rings.
FOREVER_S = 900
NOISE_MS = 60
ALAW_SILENCE = b"\xd5"
ALAW_PER_S = 8000

#: How a call fails -> the SIP response, and the Q.850 cause for an Asterisk that can't say it (before 18.21).
FAILURES = {
    "busy": (486, 17),
    "rejected": (603, 21),
    "invalid_number": (404, 1),
    "congestion": (503, 34),
    "unreachable": (502, 27),
    "no_answer": (480, 19),
}


def dialplan(callees: Iterable[Callee], folder: Path) -> str:
    """A context ``callees`` for extensions.conf; what it wants to play is written into ``folder/speech``.

    Each call writes a line into ``folder/calls.jsonl``, what the callee heard into ``folder/heard`` and what he said
    into ``folder/said``, as the simulator does.
    """
    by_suffix = {callee.suffix: callee for callee in callees}
    for name in ("heard", "said", "speech"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    lengths = sorted({len(suffix) for suffix in by_suffix if suffix}, reverse=True)
    account = json.dumps({"event": "make_call", "number": "@"}).replace("@", "${NUMBER}")
    lines = [
        f"[{CONTEXT}]",
        "exten => _+X!,1,Goto(${EXTEN:1},1)",
        "exten => _X!,1,Set(__NUMBER=${EXTEN})",
        f" same => n,Set(FILE({folder}/calls.jsonl,,,al,u)={account})",
        " same => n,Set(GLOBAL(CALLS_${NUMBER})=$[0${GLOBAL(CALLS_${NUMBER})}+1])",
    ]
    for length in lengths:
        there = f"DIALPLAN_EXISTS({CONTEXT},callee${{NUMBER:-{length}}},1)"
        lines.append(f" same => n,GotoIf(${{{there}}}?callee${{NUMBER:-{length}}},1)")
    lines.append(" same => n,Goto(callee,1)")
    for callee in by_suffix.values():
        first, *rest = _steps(callee, folder)
        lines += [
            f"; {callee.name}",
            f"exten => callee{callee.suffix},1,{first}",
            *(f" same => n{line}" for line in rest),
        ]
    return "\n".join(lines) + "\n"


def _steps(callee: Callee, folder: Path) -> Iterator[str]:
    """The first application, then the further lines after ``same => n``: ",Application" or "(label),Application"."""
    yield "Ringing()" if callee.rings else "NoOp()"
    if callee.fail is not None:
        if callee.fail_times is not None:
            yield f",GotoIf($[${{GLOBAL(CALLS_${{NUMBER}})}} > {callee.fail_times}]?answers)"
        yield f",Wait({callee.fail_after_s:g})"
        code, cause = FAILURES[callee.fail]
        yield f",TryExec(PJSIPHangup({code}))"
        yield f",Hangup({cause})"
    if callee.fail is not None and callee.fail_times is None:
        return
    yield "(answers),Ringing()"
    if callee.answer_after_s is None:
        yield f",Wait({FOREVER_S})"
        return
    yield f",Wait({callee.answer_after_s:g})"
    yield ",Answer()"
    name = "${UNIQUEID}-${NUMBER}.wav"
    yield f",MixMonitor(,r({folder}/heard/{name})t({folder}/said/{name}))"
    for place, step in enumerate(callee.steps):
        yield from _deeds(step, folder / "speech" / f"{callee.suffix or 'other'}-{place}")
    yield from _stays(folder / "speech")


def _deeds(step: Step, audio: Path) -> Iterator[str]:
    match step.verb:
        case Verb.LISTEN:
            silence_ms = round(1000 * (LISTEN_SILENCE_S if step.seconds is None else step.seconds))
            yield f",WaitForNoise({NOISE_MS},1,{LISTEN_PATIENCE_S:.0f})"
            yield f",WaitForSilence({silence_ms},1,{LISTEN_PATIENCE_S:.0f})"
        case Verb.LISTEN_FOR:
            audio.with_suffix(".alaw").write_bytes(ALAW_SILENCE * round((step.seconds or 0.0) * ALAW_PER_S))
            yield f",Playback({audio})"
        case Verb.PRESS:
            yield f",SendDTMF({step.keys},{KEY_GAP_MS},{KEY_MS})"
        case Verb.PRESS_OWN_LAST4:
            yield f",SendDTMF(${{NUMBER:-4}},{KEY_GAP_MS},{KEY_MS})"
        case Verb.SAY:
            audio.with_suffix(".alaw").write_bytes(speech(step.seconds or 0.0, audio.name))
            yield f",Playback({audio})"
        case Verb.SAY_WAV if step.wav is not None:
            yield f",Playback({step.wav.absolute().with_suffix('')})"
        case Verb.HEAR_OUT:
            yield from _stays(audio.parent)
        case Verb.HANG_UP:
            yield ",Hangup(16)"


def _stays(folder: Path) -> Iterator[str]:
    """Until the other side hangs up: a minute of silence again and again."""
    audio = folder / "silence"
    audio.with_suffix(".alaw").write_bytes(ALAW_SILENCE * 60 * ALAW_PER_S)
    yield f",Playback({audio})"
    yield ",Goto(${EXTEN},$[${PRIORITY}-1])"
