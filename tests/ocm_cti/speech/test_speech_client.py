"""SpeechClient against processes in memory: the same AMP on both sides, a tone for a voice, a clock of our own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from ocm_cti.domain.fragments import Beep, Fragment, Part, Recording, Spoken
from ocm_cti.speech.client import TRIES, SpeechClient
from ocm_cti.speech.errors import (
    LibraryMissing,
    NotBegun,
    RecordingUnusable,
    SpeechError,
    SpeechProcessLost,
    SpeechStopped,
    SynthesisFailed,
)
from ocm_cti.speech.process import SpeechResponder
from ocm_cti.speech.prompts import PAUSE_MS, length_ms
from ocm_cti.speech.synthesizers import Sound
from ocm_cti.speech.synthesizers.tone import MS_PER_SIGN, ToneEngine
from ocm_cti.speech.words import UnspeakableValue
from ocm_cti.speech.worker import CLOSE_S


class FakeProcess:
    """A process' transport whose other end is a SpeechResponder in memory. ``hangs``: takes octets, answers nothing."""

    def __init__(self, child: Any, pid: int, responder: SpeechResponder, hangs: bool) -> None:
        self.child, self.pid, self.hangs, self.responder = child, pid, hangs, responder
        self.waiting: list[bytes] = []
        self.ended = False
        self.input_closed = False
        self.exited = False  # gone, but its streams are not closed yet
        answers: Any = type("Answers", (), {})()
        answers.write = self._answer
        answers.loseConnection = lambda: None
        answers.getPeer = answers.getHost = lambda: "memory"
        responder.makeConnection(answers)  # type: ignore[no-untyped-call]

    def write(self, octets: bytes) -> None:
        self.waiting.append(octets)

    def serve(self) -> None:
        """Answer what has been asked."""
        asked, self.waiting = b"".join(self.waiting), []
        if asked and not self.hangs and not self.ended:
            self.responder.dataReceived(asked)  # type: ignore[no-untyped-call]

    def _answer(self, octets: bytes) -> None:
        self.child.outReceived(octets)

    def closeStdin(self) -> None:
        self.input_closed = True
        if not self.hangs:
            self.end()

    def signalProcess(self, name: str) -> None:
        assert name == "KILL"
        if self.exited:
            raise ProcessExitedAlready
        self.end(9)

    def end(self, signal: int | None = None) -> None:
        if not self.ended:
            self.ended = True
            self.child.processEnded(Failure(ProcessTerminated(0, signal)))  # type: ignore[no-untyped-call]


class FakeReactor(Clock):
    """Starts processes in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.hanging = 0  # how many of the next processes hang
        self.engine: Callable[[], Any] = ToneEngine
        self.refusal: Exception | None = None

    def spawnProcess(self, child: Any, executable: str, args: Any, env: Any) -> FakeProcess:
        if self.refusal is not None:
            raise self.refusal
        # The engine is asked for when it is needed, so that a test may change it after the start.
        responder = SpeechResponder(lambda: self.engine(), lambda: None)  # noqa: PLW0108
        process = FakeProcess(child, 100 + len(self.processes), responder, self.hanging > 0)
        self.hanging -= 1
        self.processes.append(process)
        child.makeConnection(process)
        return process

    @property
    def alive(self) -> list[FakeProcess]:
        return [process for process in self.processes if not process.ended]

    def serve(self) -> None:
        """Let the processes work until nothing is asked of them any more."""
        while any(process.waiting and not process.hangs and not process.ended for process in self.processes):
            for process in list(self.processes):
                process.serve()


class Room:
    def __init__(self, folder: Path, workers: int = 1) -> None:
        self.reactor = FakeReactor()
        self.cache, self.audio = folder / "cache", folder / "audio"
        self.audio.mkdir()
        self.client = SpeechClient(self.reactor, self.cache, audio_dir=self.audio, workers=workers)

    def render(self, fragment: Fragment) -> list[Any]:
        """One-element list of the outcome, empty as long as there is none."""
        outcome: list[Any] = []
        self.client.render(fragment, "ru").addBoth(outcome.append)
        return outcome

    def files(self) -> list[Path]:
        return [path for path in self.cache.rglob("*") if path.is_file()]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.client.start()
    return room


def text(words: str) -> Spoken:
    return Spoken((Part("text", words),), "ru")


def failure(outcome: list[Any], kind: type[Exception]) -> str:
    assert len(outcome) == 1 and isinstance(outcome[0], Failure), outcome
    assert isinstance(outcome[0].value, kind), outcome[0]
    return str(outcome[0].value)


def test_a_sentence_becomes_a_file_of_the_right_length(room: Room) -> None:
    outcome = room.render(text("Привет, мир."))
    assert outcome == []
    room.reactor.serve()
    assert isinstance(outcome[0], Path)
    assert abs(length_ms(outcome[0]) - (len("Привет, мир.") * MS_PER_SIGN + PAUSE_MS + 20)) < 40
    assert room.files() == outcome


def test_a_recording_and_a_beep_come_through_the_same_door(room: Room) -> None:
    soundfile.write(room.audio / "hi.wav", np.sin(np.arange(16_000)), 16_000)
    outcomes = [room.render(Recording("hi.wav")), room.render(Beep())]
    room.reactor.serve()
    assert [length_ms(outcome[0]) for outcome in outcomes] == [1000 + PAUSE_MS, 200]


def test_each_fragment_is_made_once_however_many_ask(room: Room) -> None:
    outcomes = [room.render(text("Раз.")) for _ in range(3)]
    assert len(room.reactor.processes[0].waiting) == 1
    room.reactor.serve()
    assert len({outcome[0] for outcome in outcomes}) == 1
    again = room.render(text("Раз."))
    assert again == outcomes[0], "from the cache, without the process"
    assert room.reactor.processes[0].waiting == []


def test_the_cache_survives_the_server_and_needs_no_process(room: Room) -> None:
    room.render(text("Раз."))
    room.reactor.serve()
    other = SpeechClient(FakeReactor(), room.cache, audio_dir=room.audio)
    found: list[Any] = []
    other.render(text("Раз."), "ru").addBoth(found.append)
    assert found == room.files()


def test_a_process_has_its_next_job_at_hand_and_several_share_the_work(tmp_path: Path) -> None:
    room = Room(tmp_path, workers=2)
    room.client.start()
    outcomes = [room.render(text(words)) for words in ("Раз.", "Два.")]
    assert [len(process.waiting) for process in room.reactor.processes] == [1, 1]
    outcomes += [room.render(text(words)) for words in ("Три.", "Четыре.", "Пять.")]
    assert [len(process.waiting) for process in room.reactor.processes] == [2, 2]
    room.reactor.serve()
    assert all(isinstance(outcome[0], Path) for outcome in outcomes)


def test_an_unreadable_value_fails_at_once_and_asks_nothing(room: Room) -> None:
    outcome = room.render(Spoken((Part("money", "abc", "debt", "RUB"),), "ru"))
    assert "{debt}: 'abc' is no number" in failure(outcome, UnspeakableValue)
    assert "'no.wav' is not in" in failure(room.render(Recording("no.wav")), RecordingUnusable)
    assert room.reactor.processes[0].waiting == []


class Broken:
    def __init__(self, fault: SpeechError) -> None:
        self.fault = fault

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        raise self.fault


def test_the_synthesizers_fault_reaches_whoever_asked_and_is_not_repeated(room: Room) -> None:
    room.reactor.engine = lambda: Broken(SynthesisFailed("there is no voice 'xx'"))
    outcome = room.render(text("Раз."))
    room.reactor.serve()
    assert failure(outcome, SynthesisFailed) == "there is no voice 'xx'"
    assert len(room.reactor.processes) == 1 and room.files() == []
    assert room.reactor.getDelayedCalls() == []


def test_without_the_library_recordings_still_work(room: Room) -> None:
    def missing() -> Any:
        raise LibraryMissing("the espeak-ng library can't be loaded")

    room.reactor.engine = missing
    soundfile.write(room.audio / "hi.wav", np.sin(np.arange(8000)), 8000)
    spoken, recorded = room.render(text("Раз.")), room.render(Recording("hi.wav"))
    room.reactor.serve()
    assert "can't be loaded" in failure(spoken, LibraryMissing)
    assert isinstance(recorded[0], Path)


def test_an_unforeseen_fault_in_the_process_fails_the_fragment_and_no_more(room: Room) -> None:
    room.reactor.engine = lambda: 1 / 0
    outcome = room.render(text("Раз."))
    room.reactor.serve()
    assert len(outcome) == 1 and isinstance(outcome[0], Failure)
    room.reactor.engine = ToneEngine
    after = room.render(text("Два."))
    room.reactor.serve()
    assert isinstance(after[0], Path)


def test_a_dead_process_is_replaced_and_its_job_done(room: Room) -> None:
    outcome = room.render(text("Раз."))
    room.reactor.processes[0].end(11)
    assert outcome == []
    room.reactor.serve()
    assert isinstance(outcome[0], Path) and len(room.reactor.alive) == 1


def test_an_idle_process_that_dies_is_replaced_by_the_next_job(room: Room) -> None:
    room.reactor.processes[0].end(11)
    outcome = room.render(text("Раз."))
    room.reactor.serve()
    assert isinstance(outcome[0], Path)


def test_a_hanging_process_is_killed_and_the_job_tried_again(room: Room) -> None:
    room.reactor.processes[0].hangs = True
    outcome = room.render(text("Раз."))
    room.reactor.advance(60)
    assert room.reactor.processes[0].ended and len(room.reactor.processes) == 2
    room.reactor.serve()
    assert isinstance(outcome[0], Path)


def test_a_fragment_that_kills_every_process_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.reactor.hanging = TRIES
    room.client.start()
    bad, good = room.render(text("Раз.")), room.render(text("Два."))
    for _ in range(TRIES):
        room.reactor.advance(60)
    room.reactor.serve()
    assert "no answer within" in failure(bad, SpeechProcessLost)
    assert isinstance(good[0], Path)
    assert room.reactor.getDelayedCalls() == []


def test_what_lies_behind_a_fragment_that_kills_is_not_to_blame(tmp_path: Path) -> None:
    """However often a neighbour takes the process with it."""
    room = Room(tmp_path)
    room.client.start()
    good = room.render(text("Раз."))
    room.reactor.serve()
    bad = [room.render(text(f"Плохо {number}.")) for number in range(3)]
    last = room.render(text("Два."))
    for _ in range(3 * TRIES):
        room.reactor.alive[0].end(11)
    room.reactor.serve()
    assert isinstance(good[0], Path) and isinstance(last[0], Path)
    for outcome in bad:
        failure(outcome, SpeechProcessLost)
        assert not isinstance(outcome[0].value, NotBegun)
    assert room.reactor.getDelayedCalls() == []


def test_the_time_of_a_job_begins_with_its_turn(room: Room) -> None:
    room.render(text("Раз."))
    room.reactor.serve()
    process = room.reactor.processes[0]
    first, second = room.render(text("Два.")), room.render(text("Три."))
    room.reactor.advance(4)
    asked, process.waiting = process.waiting[0], process.waiting[1:]
    process.responder.dataReceived(asked)  # type: ignore[no-untyped-call]
    assert isinstance(first[0], Path) and second == []
    room.reactor.advance(4)
    assert not process.ended, "eight seconds since it was asked, four since its turn"
    room.reactor.advance(2)
    assert process.ended
    room.reactor.serve()
    assert isinstance(second[0], Path)


def test_a_warm_process_gets_less_time_than_a_fresh_one(room: Room) -> None:
    outcome = room.render(text("Раз."))
    room.reactor.serve()
    assert isinstance(outcome[0], Path)
    room.reactor.processes[0].hangs = True
    room.render(text("Два."))
    room.reactor.advance(6)
    assert room.reactor.processes[0].ended


def stopped(room: Room) -> list[Any]:
    outcome: list[Any] = []
    done: Deferred[None] = room.client.stop()
    done.addBoth(outcome.append)
    return outcome


def test_stop_leaves_nothing(room: Room) -> None:
    assert stopped(room) == [None]
    assert room.reactor.processes[0].input_closed
    assert room.reactor.alive == [] and room.reactor.getDelayedCalls() == []
    failure(room.render(text("Раз.")), SpeechStopped)
    assert stopped(room) == [None]


def test_stop_fails_what_is_not_finished(room: Room) -> None:
    under_way, queued = room.render(text("Раз.")), room.render(text("Два."))
    assert stopped(room) == [None]
    failure(under_way, SpeechStopped)
    failure(queued, SpeechStopped)
    assert room.reactor.alive == [] and room.reactor.getDelayedCalls() == []
    assert len(room.reactor.processes) == 1


def test_a_process_that_does_not_end_is_killed(room: Room) -> None:
    room.reactor.processes[0].hangs = True
    outcome = stopped(room)
    assert outcome == []
    room.reactor.advance(CLOSE_S)
    assert outcome == [None] and room.reactor.alive == []
    assert room.reactor.getDelayedCalls() == []


def test_a_process_that_is_gone_already_is_not_killed_again(room: Room) -> None:
    room.render(text("Раз."))
    room.reactor.processes[0].exited = True
    outcome = stopped(room)
    assert outcome == []
    room.reactor.processes[0].end(11)
    assert outcome == [None]


def test_what_a_dying_process_said_is_told(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.reactor.hanging = TRIES
    room.client.start()
    outcome = room.render(text("Раз."))
    for turn in range(TRIES):
        room.reactor.processes[turn].child.errReceived(b"Traceback\nImportError: no numpy\n")
        room.reactor.processes[turn].end(1)
    assert "ImportError: no numpy" in failure(outcome, SpeechProcessLost)


def refusing(folder: Path) -> Room:
    room = Room(folder)
    room.reactor.refusal = BlockingIOError(11, "Resource temporarily unavailable")
    room.client.start()
    return room


def turns(room: Room) -> None:
    for _ in range(2 * TRIES):
        room.reactor.advance(0)


def test_a_system_that_starts_no_process_fails_the_fragments_and_is_asked_again(tmp_path: Path) -> None:
    room = refusing(tmp_path)
    first, same, other = room.render(text("Раз.")), room.render(text("Раз.")), room.render(text("Два."))
    assert (first, same, other) == ([], [], []), "told in a later turn"
    turns(room)
    for outcome in (first, same, other):
        assert "can't start" in failure(outcome, SpeechProcessLost)
    assert room.reactor.getDelayedCalls() == []
    room.reactor.refusal = None
    after = room.render(text("Раз."))
    room.reactor.serve()
    assert isinstance(after[0], Path) and len(room.reactor.processes) == 1


def test_a_refusal_that_is_over_at_the_second_try_is_not_noticed(tmp_path: Path) -> None:
    room = refusing(tmp_path)
    outcome = room.render(text("Раз."))
    room.reactor.refusal = None
    room.reactor.advance(0)
    room.reactor.serve()
    assert isinstance(outcome[0], Path)


@pytest.mark.parametrize("asked", [True, False])
def test_stop_while_the_system_refuses(tmp_path: Path, asked: bool) -> None:
    room = refusing(tmp_path)
    outcome = room.render(text("Раз.")) if asked else []
    done = stopped(room)
    turns(room)
    assert done == [None] and room.reactor.getDelayedCalls() == []
    if asked:
        failure(outcome, SpeechStopped)


def test_a_fault_of_the_spawn_itself_is_no_exception_of_render(room: Room) -> None:
    room.reactor.processes[0].end(11)
    room.reactor.refusal = RuntimeError("no such reactor")
    assert "no such reactor" in failure(room.render(text("Раз.")), RuntimeError)
    room.reactor.refusal = None
    after = room.render(text("Раз."))
    room.reactor.serve()
    assert isinstance(after[0], Path)


def test_a_text_that_amp_can_not_carry_fails_alone(room: Room) -> None:
    outcome = room.render(text("а" * 70_000))
    assert len(outcome) == 1 and isinstance(outcome[0], Failure)
    after = room.render(text("Раз."))
    room.reactor.serve()
    assert isinstance(after[0], Path)
    assert room.reactor.getDelayedCalls() == []


def test_the_folder_stays_below_its_limit_while_the_server_works(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.client = SpeechClient(room.reactor, room.cache, audio_dir=room.audio, cache_mb=1)
    room.client.start()
    old = [room.cache / f"{number:02x}" / f"{number:02x}.alaw" for number in range(3)]
    for age, path in enumerate(old):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\xd5" * 400_000)
        os.utime(path, (1e9 - age, 1e9 - age))
    outcome = room.render(text("Раз."))
    room.reactor.serve()
    for _ in range(100):
        room.reactor.advance(1)
    assert sorted(room.files()) == sorted([*outcome, *old[:2]])
    assert room.render(text("Раз.")) == outcome
    assert stopped(room) == [None] and room.reactor.getDelayedCalls() == []
