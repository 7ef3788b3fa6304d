"""Hundreds of utterances through real processes that are killed in between: none is lost, cut short or another's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sockets

#: Renders the same texts twice, all at once: with processes that are killed, and into another folder in peace.
DRIVER = """
import json, os, sys
from pathlib import Path
from twisted.internet import reactor
from twisted.internet.defer import gatherResults, inlineCallbacks
from ocm_cti.domain.fragments import Part, Spoken
from ocm_cti.speech.client import SpeechClient

folder, texts, every = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
WORDS = {"ru": "Договор номер", "uk": "Договір номер", "en": "Contract number"}

def fragments():
    for number in range(texts):
        language = ("ru", "uk", "en")[number % 3]
        words = Part("text", WORDS[language] + " and so on" * (number % 7) + " ")
        yield Spoken((words, Part("number", str(number * 7919), "n"), Part("text", ".")), language)

def memory_kb(pid):
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])

@inlineCallbacks
def rendered(name, kill_every):
    client = SpeechClient(reactor, folder / name, audio_dir=folder, workers=2, cache_mb=100)
    client.start()
    done, killed, memory, seen = [], set(), [], []
    def finished(path):
        done.append(path)
        if kill_every and len(done) % kill_every == 0:
            # Never the youngest: it may hold what the last one was killed with, and twice is given up.
            seen.extend(pid for pid in client.pids if pid not in seen)
            victim = min(client.pids, key=seen.index)
            killed.add(victim)
            os.kill(victim, 9)
        if not kill_every and len(done) in (texts // 2, texts):
            memory.append(sum(map(memory_kb, client.pids)))
        return path
    paths = yield gatherResults([client.render(f, "ru").addCallback(finished) for f in fragments()])
    yield client.stop()
    return [path.stat().st_size for path in paths], len(killed), memory

@inlineCallbacks
def main():
    try:
        hard, killed, _ = yield rendered("hard", every)
        calm, _, memory = yield rendered("calm", 0)
        left = [path.name for path in folder.rglob("*.part")]
        print(json.dumps({"hard": hard, "calm": calm, "killed": killed, "memory": memory, "left": left}))
    finally:
        reactor.stop()

reactor.callWhenRunning(main)
reactor.run()
"""


def test_no_utterance_is_lost_while_processes_are_killed(tmp_path: Path) -> None:
    texts, every = 300, 25
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(texts), str(every)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0 and done.stdout, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["killed"] >= texts // every - 2
    assert len(told["hard"]) == len(told["calm"]) == texts
    # espeak's own jitter is a third of a percent; a lost word, a cut or another language is far more.
    wrong = [
        (number, hard, calm)
        for number, (hard, calm) in enumerate(zip(told["hard"], told["calm"], strict=True))
        if abs(hard - calm) > 0.02 * calm
    ]
    assert not wrong
    half, whole = told["memory"]
    assert whole < half + 8_000, "two processes, in kB: they grow with what they speak"
    assert len(told["left"]) <= told["killed"]
