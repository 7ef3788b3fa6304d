"""A scenario as somebody of a list would hear it: every sentence with his own values, put together to one sound."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ocm_cti.config import Config, ListConfig, ScenarioFile
from ocm_cti.domain.access import Caller
from ocm_cti.domain.fragments import Beep, Fragment, Recording, Spoken, VariableMissing
from ocm_cti.domain.scenario_actions import Action, Announce, HangUp, Play, Record, RunResult, StartTimer, Transfer
from ocm_cti.domain.scenario_run import Run
from ocm_cti.domain.scenario_steps import Step
from ocm_cti.domain.scenario_walk import walk
from ocm_cti.domain.scenarios import Scenario, required_fragments
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.ledger import Ledger
from ocm_cti.office.settings import ConfigFile
from ocm_cti.office.sound_room import SoundRoom
from ocm_cti.office.studio import Sound
from ocm_cti.speech import words
from ocm_cti.speech.telephone_wav import RATE_HZ, silence
from ocm_cti.store import lists, pages
from ocm_cti.store.pages import PersonRow
from ocm_cti.store.transactions import Connection

#: He presses what leads on: the right key, the first option; or nothing at all.
WILLING, SILENT = "willing", "silent"
#: A call that goes on beyond this goes in circles.
MOST_ACTIONS = 300
LONGEST_S = 900
_THINKING_MS, _REPLY_MS, _LONGEST_PAUSE_MS = 700, 1500, 5000
_KEYS = frozenset("0123456789*#ABCD")


@dataclass(frozen=True)
class Line:
    """One line of what goes on in the call, ``at_s`` from its beginning.

    ``kind``: said (``text`` in words), recording (its name), key (what he presses, "" for nothing), announcement (of
    the switch, its number), beep, reply, transfer (to whom), end.
    """

    at_s: float
    step: str
    kind: str
    text: str


@dataclass(frozen=True)
class Heard:
    person: PersonRow
    scenario: str
    lines: tuple[Line, ...]
    sound: Sound


@dataclass(frozen=True)
class Hearing:
    """``scenario`` "": the one that he would be called with; else the name of another of ``scenarios``. ``answers``:
    WILLING, SILENT, or what he presses, question by question, with commas between."""

    list_name: str
    subscriber_id: int
    scenario: str = ""
    answers: str = WILLING


class HearingDesk:
    def __init__(self, ledger: Ledger, settings: ConfigFile, room: SoundRoom) -> None:
        self._ledger = ledger
        self._settings = settings
        self._room = room

    def scenarios(self, caller: Caller) -> list[str]:
        """Names to choose among. Raises Refused when the configuration can't be read."""
        return sorted(_files(self._settings.load(), caller))

    def hear(self, caller: Caller, how: Hearing) -> Heard:
        """Raises NotThere, Refused with what is missing, NotNow."""
        config = self._settings.load()
        if not caller.sees(how.list_name) or how.list_name not in config.lists:
            raise NotThere(f"there is no list {how.list_name} with a scenario")
        entry, person = config.lists[how.list_name], self._person(how)
        file = _chosen(config, caller, entry, person, how.scenario)
        scenario, variables, language = file.scenario, person.person.variables, entry.settings.language
        try:
            for fragment in required_fragments(scenario, variables, language):
                words.check(fragment)
        except (VariableMissing, words.UnspeakableValue) as error:
            raise Refused(f"{person.person.name or person.person.key}: {error}") from None
        script = _Script(scenario, variables, how.answers)
        script.walk(Run(scenario, variables, language))
        wanted = list(dict.fromkeys(piece for piece in script.pieces if not isinstance(piece, int)))
        made: Mapping[Fragment, bytes] = dict(zip(wanted, self._room.octets(wanted, language), strict=True))
        return Heard(person, file.path.stem, *script.put_together(made))

    def _person(self, how: Hearing) -> PersonRow:
        def read(conn: Connection) -> PersonRow | None:
            list_id = lists.find(conn, how.list_name)
            if list_id is None:
                return None
            rows, _ = pages.people(conn, list_id, after=how.subscriber_id - 1, limit=1)
            return rows[0] if rows and rows[0].subscriber_id == how.subscriber_id else None

        found = self._ledger.read(read)
        if found is None:
            raise NotThere("there is no such person on this list")
        return found


class _Script:
    """Collects what is heard: ``pieces`` are fragments, and lengths of silence in milliseconds."""

    def __init__(self, scenario: Scenario, variables: Mapping[str, str], answers: str) -> None:
        self.pieces: list[Fragment | int] = []
        self._lines: list[tuple[int, str, str, str]] = []  # before which piece, step, kind, text
        self._scenario = scenario
        self._variables = variables
        self._answers = answers
        self._typed = [] if answers in (WILLING, SILENT) else [_checked(entry) for entry in answers.split(",")]

    def walk(self, run: Run) -> None:
        """To the end of the call."""
        walking: Generator[Action, str, RunResult] = walk(run)
        answer: str | None = None
        with suppress(StopIteration):
            for _ in range(MOST_ACTIONS):
                action = walking.send(answer) if answer is not None else next(walking)
                self._add(action, run.at)
                answer = ""
                if isinstance(action, StartTimer) and run.at.kind != "pause":
                    answer = self._pressed(run.at)
                    self._note(run.at, "key", answer)
                    self.pieces.append(_THINKING_MS if answer else min(_LONGEST_PAUSE_MS, round(1000 * action.seconds)))

    def put_together(self, made: Mapping[Fragment, bytes]) -> tuple[tuple[Line, ...], Sound]:
        octets: list[bytes] = []
        starts: list[float] = []
        length = 0
        for piece in self.pieces:
            starts.append(length / RATE_HZ)
            octets.append(silence(piece) if isinstance(piece, int) else made[piece])
            length += len(octets[-1])
            if length > LONGEST_S * RATE_HZ:
                break
        starts.append(length / RATE_HZ)
        lines = [Line(starts[min(at, len(starts) - 1)], step, kind, text) for at, step, kind, text in self._lines]
        return tuple(lines), Sound(b"".join(octets))

    def _add(self, action: Action, step: Step) -> None:
        match action:
            case Play():
                for fragment in action.fragments:
                    match fragment:
                        case Spoken():
                            self._note(step, "said", words.sentence(fragment))
                        case Recording():
                            self._note(step, "recording", fragment.path_name)
                        case Beep():
                            self._note(step, "beep", "")
                    self.pieces.append(fragment)
            case Announce():
                self._note(step, "announcement", str(action.ogm))
                self.pieces.append(_REPLY_MS)
            case StartTimer() if step.kind == "pause":
                self.pieces.append(min(_LONGEST_PAUSE_MS, round(1000 * action.seconds)))
            case Record():
                self._note(step, "reply", "")
                self.pieces.append(_REPLY_MS)
            case Transfer():
                self._note(step, "transfer", action.to)
            case HangUp():
                self._note(step, "end", "")

    def _note(self, step: Step, kind: str, text: str) -> None:
        self._lines.append((len(self.pieces), step.name, kind, text))

    def _pressed(self, step: Step) -> str:
        if self._answers == SILENT:
            return ""
        if self._answers != WILLING:
            return self._typed.pop(0) if self._typed else ""
        if step.pin is not None:
            return self._scenario.pin_of(step, self._variables)
        if step.survey == "digits":
            return "1" * max(step.minimum, 1) + "#"
        if step.survey == "scale":
            return f"{step.maximum}#" if step.maximum > 9 else str(step.maximum)
        return step.key or next(iter([*step.options, *step.keys]), "")


def _chosen(config: Config, caller: Caller, entry: ListConfig, person: PersonRow, name: str) -> ScenarioFile:
    if not name:
        own = entry.scenario_of(person.person.scenario)
        if own is None:
            raise Refused(f"there is no scenario {person.person.scenario} of his own")
        return own
    found = _files(config, caller).get(name)
    if found is None:
        raise NotThere(f"there is no scenario {name}")
    return found


def _files(config: Config, caller: Caller) -> dict[str, ScenarioFile]:
    """Those of the lists that he may see, by the name of the file."""
    return {file.path.stem: file for name, entry in config.lists.items() if caller.sees(name) for file in entry.files}


def _checked(entry: str) -> str:
    pressed = entry.strip()
    if not set(pressed) <= _KEYS or len(pressed) > 40:
        raise Refused("keys are 0-9, * and #, with a comma between the answers to two questions")
    return pressed
