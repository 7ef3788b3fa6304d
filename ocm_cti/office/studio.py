"""The studio: recorded messages and fragments, which scenarios play by their names."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.domain.fragments import Fragment, MessageError, Part, Recording, Sentence, Spoken, parse_text
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.settings import ConfigFile
from ocm_cti.office.sound_room import SoundRoom
from ocm_cti.speech import telephone_wav
from ocm_cti.speech.words import LANGUAGES
from ocm_cti.store import frozen_scenarios

__all__ = ["LANGUAGES", "LONGEST_TEXT", "RecordedMessage", "Sound", "StudioDesk"]

SUFFIXES = (".wav", ".mp3", ".ogg", ".flac")
#: Octets of a file that is brought, as of any recording.
LARGEST = 20_000_000
LONGEST_NAME = 80
LONGEST_TEXT = 1000
LONGEST_VOICE = 100
#: Peaks of a drawing.
PEAKS = 240
_CHUNK = 1 << 16
_SCENARIO, _CAMPAIGN = "scenario", "campaign"
#: Name of a recording -> what plays it: kind and name.
_Used = dict[str, set[tuple[str, str]]]
_VOICE = re.compile(r"[\w+./\\ -]*\Z")
_NAME = re.compile(r"[\w(][\w .()+,-]*\Z")


@dataclass(frozen=True)
class RecordedMessage:
    """A file of the folder of recordings. ``message_id`` stands for its name in addresses; ``used_by`` names the
    scenarios that play it, ``campaigns`` the lists of campaigns that still may."""

    message_id: str
    name: str
    octets: int
    changed_at: datetime
    used_by: tuple[str, ...]
    campaigns: tuple[str, ...]

    @property
    def is_used(self) -> bool:
        return bool(self.used_by or self.campaigns)


@dataclass(frozen=True)
class Sound:
    """As it comes out of a telephone; ``octets`` are A-law."""

    octets: bytes

    @property
    def length_s(self) -> float:
        return len(self.octets) / telephone_wav.RATE_HZ

    @property
    def peaks(self) -> list[int]:
        """At most PEAKS of them, 0 to 100 of the loudest."""
        found = telephone_wav.peaks(self.octets, PEAKS)
        most = max(found, default=0) or 1
        return [100 * peak // most for peak in found]

    @property
    def wav(self) -> bytes:
        return telephone_wav.wav(self.octets)


class StudioDesk:
    def __init__(self, ledger: Ledger, settings: ConfigFile, room: SoundRoom) -> None:
        self._ledger = ledger
        self._settings = settings
        self._room = room
        self._audio = settings.first.audio

    def messages(self, caller: Caller, search: str = "") -> list[RecordedMessage]:
        """By name. ``caller`` may be anybody: messages belong to no list."""
        used = self._used()
        wanted = search.casefold()
        return [self._message(name, path, used) for name, path in self._files() if wanted in name.casefold()]

    def message(self, caller: Caller, message_id: str) -> RecordedMessage:
        """Raises NotThere."""
        name, path = self._found(message_id)
        return self._message(name, path, self._used())

    def sound(self, caller: Caller, message_id: str) -> Sound:
        """Raises NotThere, Refused, NotNow."""
        name, _ = self._found(message_id)
        return self._sound([Recording(name)], "")

    def spoken(self, caller: Caller, text: str, language: str, voice: str = "") -> Sound:
        """``text`` as the synthesizer says it. Raises Refused, NotNow."""
        if language not in LANGUAGES:
            raise Refused(f"texts are spoken in {', '.join(LANGUAGES)}")
        if len(voice) > LONGEST_VOICE or not _VOICE.match(voice):
            raise Refused("there is no such voice")
        return self._sound([Spoken((Part("text", piece),), language) for piece in _sentences(text)], language, voice)

    # --- what changes the folder ---

    def upload(self, caller: Caller, name: str, source: IO[bytes]) -> RecordedMessage:
        """Turn a WAV, MP3, OGG or FLAC into a message called ``name``. Raises NotAllowed, Refused, NotNow."""
        must(caller, Scope.OPERATE)
        wanted = _checked(name)
        self._check_free(wanted)
        part = self._part()
        brought = part.with_suffix(".in")
        try:
            _keep(source, brought)
            self._room.run([{"what": "take", "source": str(brought), "target": str(part)}])
            return self._put(caller, "message.upload", part, wanted)
        finally:
            for path in (brought, part):
                path.unlink(missing_ok=True)

    def keep_spoken(self, caller: Caller, name: str, text: str, language: str, voice: str = "") -> RecordedMessage:
        """The same of a text. Raises NotAllowed, Refused, NotNow."""
        must(caller, Scope.OPERATE)
        wanted = _checked(name)
        self._check_free(wanted)
        sound = self.spoken(caller, text, language, voice)
        part = self._part()
        try:
            part.write_bytes(sound.wav)
            return self._put(caller, "message.speak", part, wanted)
        finally:
            part.unlink(missing_ok=True)

    def rename(self, caller: Caller, message_id: str, name: str) -> RecordedMessage:
        """Only what no scenario plays. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        old, path = self._unused(message_id)
        wanted = _checked(name, path.suffix)
        self._check_free(wanted)
        return self._put(caller, "message.rename", path, wanted, {"before": old})

    def delete(self, caller: Caller, message_id: str) -> None:
        """Only what no scenario plays. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        name, path = self._unused(message_id)
        self._ledger.write(lambda conn: self._ledger.note(conn, caller, "message.delete", name, {}))
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Refused(f"{name} can't be deleted: {error.strerror}") from None

    # --- inside ---

    def _sound(self, fragments: list[Fragment], language: str, voice: str = "") -> Sound:
        return Sound(b"".join(self._room.octets(fragments, language, voice)))

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Name and path of everything that a scenario could play; nothing that only leads here from elsewhere."""
        folder = self._audio.resolve()
        if not folder.is_dir():
            return
        found = sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix().casefold())
        for path in found:
            name = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in name.parts)
            if path.suffix.lower() in SUFFIXES and not hidden and path.is_file() and path.resolve() == path:
                yield name.as_posix(), path

    def _found(self, message_id: str) -> tuple[str, Path]:
        """Looked for among what is there: nothing of an address becomes a path."""
        for name, path in self._files():
            if _id(name) == message_id:
                return name, path
        raise NotThere("there is no such message")

    def _unused(self, message_id: str) -> tuple[str, Path]:
        name, path = self._found(message_id)
        users = [
            user if kind == _SCENARIO else f"the campaign of {user}"
            for kind, user in sorted(self._used().get(name, ()))
        ]
        if users:
            raise Refused(f"{name} is played by {', '.join(users)}; take it out there first")
        return name, path

    def _used(self) -> _Used:
        """Name of a recording -> what plays it: lists' scenarios, drafts beside them, campaigns that go on."""
        found: _Used = {}
        try:
            lists = self._settings.load().lists
        except Refused:  # a mistake in the file is no reason to delete what it plays
            lists = self._settings.first.lists
        paths = {file.path for entry in lists.values() for file in entry.files}
        for folder in {self._settings.first.path.parent, *(path.parent for path in paths)}:
            paths |= set(folder.glob("*.toml"))
        texts = []
        for path in sorted(paths):
            with suppress(OSError, UnicodeDecodeError):
                texts.append((_SCENARIO, path.stem, path.read_text(encoding="utf-8")))
        frozen = self._ledger.read(frozen_scenarios.still_needed)
        for kind, user, text in (*texts, *((_CAMPAIGN, name, text) for name, text in frozen)):
            with suppress(tomllib.TOMLDecodeError):
                for name in _recordings(tomllib.loads(text)):
                    found.setdefault(name, set()).add((kind, user))
        return found

    def _message(self, name: str, path: Path, used: _Used) -> RecordedMessage:
        told = path.stat()
        changed_at = datetime.fromtimestamp(told.st_mtime, UTC)
        users = sorted(used.get(name, ()))
        scenarios, campaigns = (
            tuple(user for kind, user in users if kind == wanted) for wanted in (_SCENARIO, _CAMPAIGN)
        )
        return RecordedMessage(_id(name), name, told.st_size, changed_at, scenarios, campaigns)

    def _check_free(self, name: str) -> None:
        if any(name.casefold() == other.casefold() for other, _ in self._files()):
            raise Refused(f"there is a message {name}; give this one another name")

    def _part(self) -> Path:
        try:
            self._audio.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{self._audio} can't be written: {error.strerror}") from None
        return self._audio.resolve() / f".{secrets.token_hex(8)}.part"

    def _put(
        self, caller: Caller, deed: str, path: Path, name: str, more: dict[str, Any] | None = None
    ) -> RecordedMessage:
        """Gives ``path`` its name, unless another one has taken it meanwhile."""
        target = path.parent / name
        self._ledger.write(lambda conn: self._ledger.note(conn, caller, deed, name, more or {}))
        try:
            os.link(path, target)
        except FileExistsError:
            raise Refused(f"there is a message {name}; give this one another name") from None
        except OSError:  # a file system without links
            if target.exists():
                raise Refused(f"there is a message {name}; give this one another name") from None
            path.rename(target)
        path.unlink(missing_ok=True)
        relative = target.relative_to(self._audio.resolve()).as_posix()
        return self._message(relative, target, self._used())


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _checked(given: str, suffix: str = ".wav") -> str:
    """A name of a file of ours. Raises Refused."""
    name = unicodedata.normalize("NFC", " ".join(given.split()))
    if name.lower().endswith(SUFFIXES):
        name = name.rpartition(".")[0]
    if not _NAME.match(name) or len(name) > LONGEST_NAME or name.endswith((".", " ")):
        raise Refused(
            f"a name has 1 to {LONGEST_NAME} letters, digits, spaces or ()+,-_. and begins with a letter or digit"
        )
    return name + suffix.lower()


def _keep(source: IO[bytes], path: Path) -> None:
    """Raises Refused for too much, or nothing."""
    kept = 0
    with path.open("xb") as out:
        while chunk := source.read(_CHUNK):
            kept += len(chunk)
            if kept > LARGEST:
                raise Refused(f"the file is larger than {LARGEST // 1_000_000} MB")
            out.write(chunk)
    if not kept:
        raise Refused("the file is empty")


def _sentences(text: str) -> Iterator[str]:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"the text is longer than {LONGEST_TEXT} signs")
    try:
        cut = parse_text(text)
    except MessageError as error:
        raise Refused(str(error)) from None
    for sentence in cut:
        yield _fixed(sentence)


def _fixed(sentence: Sentence) -> str:
    if any(not isinstance(piece, str) for piece in sentence.pieces):
        raise Refused("a message is the same for everybody: {variables} are spoken by scenarios")
    return "".join(str(piece) for piece in sentence.pieces)


def _recordings(value: object) -> Iterator[str]:
    """Whatever stands as ``recording`` anywhere in a scenario, also in one with mistakes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "recording" and isinstance(inner, str):
                yield inner
            else:
                yield from _recordings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _recordings(inner)
