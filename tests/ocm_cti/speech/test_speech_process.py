"""The real process with the real synthesizer, driven by a reactor of its own in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from twisted.internet.error import ReactorNotRunning

from ocm_cti.speech.process import leave
from ocm_cti.speech.prompts import PAUSE_MS
from protocols.rtp import g711

pytestmark = pytest.mark.sockets

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"

#: Renders what stands on its command line, one after another, and prints one JSON list of [path, ""] or ["", error].
DRIVER = """
import json, os, sys
from pathlib import Path
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from ocm_cti.domain.fragments import Beep, Part, Recording, Spoken
from ocm_cti.speech.client import COMMAND, SpeechClient

cache, audio, engine, *wanted = sys.argv[1:]
client = SpeechClient(reactor, Path(cache), audio_dir=Path(audio), command=[*COMMAND, "--synthesizer", engine])

@inlineCallbacks
def main():
    client.start()
    found = []
    for asked in wanted:
        kind, language, value = asked.split("|")
        voice = None
        if kind == "voice":
            voice, kind = value, "text"
        if kind == "kill":
            os.kill(client._workers[0].pid, 9)
            continue
        if kind == "recording":
            fragment = Recording(value)
        else:
            fragment = Spoken((Part(kind, value, "", "RUB" if kind == "money" else None),), language)
        try:
            path = yield client.render(fragment, language, voice)
            found.append([str(path), ""])
        except Exception as error:
            found.append(["", f"{type(error).__name__}: {error}"])
    yield client.stop()
    print(json.dumps(found))
    reactor.stop()

reactor.callWhenRunning(main)
reactor.run()
"""


def render(folder: Path, *wanted: str, engine: str = "pyttsx3", **environment: str) -> list[tuple[str, str]]:
    arguments = [sys.executable, "-c", DRIVER, str(folder), str(FIXTURES / "audio"), engine, *wanted]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [(path, error) for path, error in json.loads(done.stdout)]


def level(path: str) -> float:
    samples = np.frombuffer(g711.decode_alaw(Path(path).read_bytes()), "<i2").astype(np.float64)
    return float(np.sqrt((samples**2).mean()))


def length_ms(path: str) -> int:
    return len(Path(path).read_bytes()) // 8


def test_espeak_speaks_three_languages_and_survives_what_it_can_not(tmp_path: Path) -> None:
    found = render(
        tmp_path,
        "text|ru|Здравствуйте, это проверка.",
        "money|uk|1234.50",
        "text|en|Hello, this is a test.",
        "voice|ru|nosuch",
        "text|xx|Hello",
        "recording||greeting_ru.wav",
        "kill||",
        "text|ru|Здравствуйте, это проверка ещё раз и много длиннее.",
    )
    errors = [error for _, error in found]
    assert errors[3].startswith("SynthesisFailed: there is no voice 'nosuch'")
    assert "there are words for" in errors[4] or "no voice" in errors[4]
    spoken = [path for path, error in found if not error]
    assert len(spoken) == 5, errors
    assert all(level(path) > 500 for path in spoken), "not silent"
    first, amount, english, recording, longer = (length_ms(path) - PAUSE_MS for path in spoken)
    assert 1000 < first < 4000 and 2000 < amount < 8000 and 700 < english < 4000
    assert longer > first * 1.4
    assert abs(recording - 2860) < 30, "the greeting as it was recorded"


def test_the_same_text_is_as_long_each_time(tmp_path: Path) -> None:
    """The driver that pyttsx3 ships loses utterances and their ends."""
    lengths = []
    for turn in range(2):
        found = render(tmp_path / str(turn), "text|ru|Ваш долг составляет сто рублей.", "number|ru|123456")
        lengths.append([length_ms(path) for path, _ in found])
    for one, other in zip(*lengths, strict=True):
        assert abs(one - other) < 0.02 * one


def test_the_tone_needs_no_library(tmp_path: Path) -> None:
    ((path, error),) = render(tmp_path, "text|ru|Раз.", engine="tone")
    assert error == "" and length_ms(path) > 200


@pytest.mark.parametrize("said", ["", "no AMP at all"])
def test_the_process_ends_with_its_input_and_prints_nothing(said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ocm_cti.speech.process", "--synthesizer", "tone"],
        input=said.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_what_is_printed_does_not_reach_the_protocol() -> None:
    code = (
        "import os\nfrom ocm_cti.speech.process import protected_stdout\n"
        "own = protected_stdout()\nprint('noise', flush=True)\nos.write(1, b'noise')\nos.write(own, b'box')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"box" and b"noise" in done.stderr


def test_a_machine_without_the_library_says_what_to_do() -> None:
    code = (
        "import ctypes, sys\n"
        "def broken(*a, **k): raise OSError('cannot open shared object file')\n"
        "ctypes.CDLL = broken\n"
        "from ocm_cti.speech.errors import LibraryMissing\n"
        "from ocm_cti.speech.synthesizers import espeak_sync\n"
        "try:\n    espeak_sync.register()\nexcept LibraryMissing as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "espeak-ng library can't be loaded" in done.stdout and "install" in done.stdout


def test_leaving_twice_is_leaving_once() -> None:
    """Twisted's reactor still counts as running while it stops, and closes our streams then."""

    class Stopping:
        running = True
        asked = 0

        def stop(self) -> None:
            self.asked += 1
            if self.asked > 1:
                raise ReactorNotRunning

    reactor = Stopping()
    leave(reactor)
    leave(reactor)
    assert reactor.asked == 2


def test_ctrl_c_is_the_parents_affair() -> None:
    """It reaches the whole group; the process ends with its input, without a word."""
    code = (
        "import os, signal, threading\nfrom ocm_cti.speech import process\n"
        "from twisted.internet import reactor\n"
        "reactor.callWhenRunning(os.kill, os.getpid(), signal.SIGINT)\n"
        "reactor.callWhenRunning(lambda: reactor.callLater(0, reactor.callLater, 0, os.write, 2, b'still here'))\n"
        "process.main(['--synthesizer', 'tone'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdin is not None and started.stderr is not None
        assert started.stderr.read(10) == b"still here"
        started.stdin.close()
        assert started.stderr.read() == b""
    assert started.returncode == 0
