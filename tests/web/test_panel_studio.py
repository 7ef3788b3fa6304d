"""The studio: messages brought, spoken, renamed, deleted, and a scenario heard as somebody would hear it."""

from __future__ import annotations

import io
import re
import struct
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from flask.testing import FlaskClient
from panel_office import PASSWORD, Desk
from reported import SURVEY, tone
from werkzeug.test import TestResponse

from ocm_cti.domain.access import Role
from ocm_cti.office.sound_room import COMMAND
from ocm_cti.store import audit
from web.app import create_app

#: The process with so little memory that the samples of a long file have no room in it.
SMALLER = "import ocm_cti.speech.workshop as room; room.MOST_MEMORY = 450_000_000; room.main([])"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.open(tmp_path)
    opened.user()
    opened.office.sounds._command = (*COMMAND, "--synthesizer", "tone")
    yield opened
    opened.office.close()
    opened.close()


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return logged_in(desk)


def logged_in(desk: Desk, name: str = "anna") -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": name, "password": PASSWORD, "csrf_token": token(made, "/login")})
    return made


def token(client: FlaskClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    data = {"csrf_token": token(client), **fields}
    return client.post(path, data=data, headers={"HX-Request": "true"})


def bring(client: FlaskClient, path: Path, name: str = "") -> TestResponse:
    return post(client, "/studio/messages", file=(io.BytesIO(path.read_bytes()), path.name), name=name)


def ids(client: FlaskClient) -> list[str]:
    return re.findall(r'src="/studio/messages/(\w+)\.wav"', client.get("/studio").text)


def audio(desk: Desk) -> list[str]:
    folder = desk.office.settings.first.audio
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_an_empty_studio(client: FlaskClient) -> None:
    page = client.get("/studio")
    assert page.status_code == 200 and "No message yet" in page.text


@pytest.mark.parametrize("suffix", ["wav", "mp3", "ogg", "flac"])
def test_any_kind_of_file_becomes_a_message(desk: Desk, client: FlaskClient, tmp_path: Path, suffix: str) -> None:
    tone(tmp_path / "a.wav", 1.5, rate_hz=44_100)
    samples, rate_hz = soundfile.read(tmp_path / "a.wav")
    soundfile.write(tmp_path / f"приветствие.{suffix}", samples, rate_hz)
    answer = bring(client, tmp_path / f"приветствие.{suffix}")
    assert answer.status_code == 200 and "has been added" in answer.text, answer.text
    assert audio(desk) == ["приветствие.wav"]
    with wave.open(str(desk.office.settings.first.audio / "приветствие.wav")) as made:
        assert (made.getframerate(), made.getnchannels(), made.getsampwidth()) == (8000, 1, 2)
        assert 1.4 < made.getnframes() / 8000 < 1.7
    [message_id] = ids(client)
    drawn = client.get(f"/studio/messages/{message_id}/wave").text
    heights = [int(height) for height in re.findall(r"v(\d+)", drawn)[:240]]
    assert len(heights) == 240 and heights[100] > 40 and heights[0] < 10
    sound = client.get(f"/studio/messages/{message_id}.wav")
    assert sound.content_type == "audio/wav" and sound.headers["Accept-Ranges"] == "bytes"
    part = client.get(f"/studio/messages/{message_id}.wav", headers={"Range": "bytes=0-43"})
    assert part.status_code == 206 and part.data[:4] == b"RIFF"
    assert desk.store.read_now(audit.entries)[0].deed == "message.upload"


def test_what_is_no_sound_is_refused_and_leaves_nothing(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    with wave.open(str(silent), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(8000))
    for name, content, words in (
        ("a.wav", b"no sound at all", "can&#39;t be read as audio"),
        ("empty.wav", b"", "the file is empty"),
        ("silent.wav", silent.read_bytes(), "only silence"),
        ("large.wav", bytes(20_000_001), "larger than 20 MB"),
    ):
        (tmp_path / name).write_bytes(content)
        answer = bring(client, tmp_path / name)
        assert answer.status_code == 409 and words in answer.text, answer.text
    assert audio(desk) == []
    assert "Choose a file first" in post(client, "/studio/messages").text


def test_a_file_that_unpacks_to_gigabytes_takes_little_memory(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    """Five minutes of eight channels at 192 kHz: some kilobytes as FLAC, 1.8 GB as samples."""
    import numpy as np

    desk.office.sounds._command = (sys.executable, "-c", SMALLER)
    block = np.zeros((192_000, 8), dtype=np.int16)
    block[0, 0] = 20_000
    with soundfile.SoundFile(tmp_path / "wide.flac", "w", 192_000, 8, "PCM_16") as out:
        for _ in range(300):
            out.write(block)
    answer = bring(client, tmp_path / "wide.flac")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", ".hidden", "a/b", "a\x00b", "x" * 81, "con|", "-rf"])
def test_a_name_stays_in_the_folder(desk: Desk, client: FlaskClient, tmp_path: Path, name: str) -> None:
    tone(tmp_path / "a.wav")
    answer = bring(client, tmp_path / "a.wav", name)
    assert answer.status_code == 409 and "letters, digits" in answer.text
    assert audio(desk) == []


def test_no_message_takes_the_place_of_another(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    assert bring(client, tmp_path / "a.wav", "Hello").status_code == 200
    assert "give this one another name" in bring(client, tmp_path / "a.wav", "hello.mp3").text
    assert audio(desk) == ["Hello.wav"]


def test_what_a_scenario_plays_is_neither_renamed_nor_deleted(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    folder = desk.office.settings.first.audio
    for name in ("greeting.wav", "draft.wav", "free.wav"):
        tone(folder / name)
    (tmp_path / "scenario.toml").write_text(SURVEY, encoding="utf-8")
    (tmp_path / "draft.toml").write_text('[[step]]\nmessage = [{ recording = "draft.wav" }]\n', encoding="utf-8")
    draft, free, greeting = ids(client)
    assert client.get("/studio").text.count("Rename or delete") == 1
    for message_id, user in ((draft, "draft"), (greeting, "scenario")):
        refused = post(client, f"/studio/messages/{message_id}/delete")
        assert refused.status_code == 409 and f"is played by {user}" in refused.text
        assert post(client, f"/studio/messages/{message_id}/rename", name="other").status_code == 409
    assert post(client, f"/studio/messages/{free}/rename", name="свободно").status_code == 200
    assert audio(desk) == ["draft.wav", "greeting.wav", "свободно.wav"]
    assert post(client, f"/studio/messages/{free}/delete").status_code == 404
    [renamed] = set(ids(client)) - {draft, greeting}
    assert post(client, f"/studio/messages/{renamed}/delete").status_code == 200
    assert audio(desk) == ["draft.wav", "greeting.wav"]


def test_what_a_campaign_still_plays_stays(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    """Though the list has another scenario meanwhile."""
    scenario = tmp_path / "scenario.toml"
    other = scenario.read_text(encoding="utf-8")
    tone(desk.office.settings.first.audio / "greeting.wav")
    scenario.write_text(SURVEY, encoding="utf-8")
    desk.people("debtors", 1)
    post(client, "/campaigns/start", list="debtors")
    scenario.write_text(other, encoding="utf-8")
    [greeting] = ids(client)
    assert "the campaign of debtors" in post(client, f"/studio/messages/{greeting}/delete").text
    post(client, "/campaigns/1/stop")
    assert post(client, f"/studio/messages/{greeting}/delete").status_code == 200


def test_a_text_is_heard_and_kept(desk: Desk, client: FlaskClient) -> None:
    text = "Добрый день. Офис закрыт."
    shown = post(client, "/studio/spoken", text=text, language="ru", voice="+f3").text
    address = re.search(r'src="([^"]+)"', shown)
    assert address and "<svg" in shown
    heard = client.get(address[1].replace("&amp;", "&")).data
    assert len(heard) > 8000
    assert post(client, "/studio/messages/spoken", text=text, language="ru", name="Закрыто").status_code == 200
    assert audio(desk) == ["Закрыто.wav"]
    for wrong in (
        {"text": "", "language": "ru"},
        {"text": "Hi {name}.", "language": "en"},
        {"text": "a", "language": "xx"},
    ):
        assert post(client, "/studio/spoken", **wrong).status_code == 409
    assert post(client, "/studio/spoken", text="a", language="ru", voice="; rm").status_code == 409


def test_a_scenario_is_heard_as_somebody_would(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    tone(desk.office.settings.first.audio / "greeting.wav", 2.0)
    (tmp_path / "scenario.toml").write_text(SURVEY, encoding="utf-8")
    desk.people("debtors", 3)
    found = client.get("/studio/people?list=debtors&search=ольга").text
    person = re.search(r'name="person" value="(\d+)"', found)
    assert person and "ОЛЬГА 1" in found and "<option>scenario</option>" in found
    willing = client.get(f"/studio/heard?list=debtors&person={person[1]}").text
    assert "greeting.wav" in willing and "ваш долг один рубль." in willing
    assert "<kbd>1</kbd>" in willing and "his reply is recorded" in willing
    address = re.search(r'src="([^"]+)"', willing)
    assert address
    sound = client.get(address[1].replace("&amp;", "&"))
    [length] = struct.unpack("<I", sound.data[40:44])
    assert sound.status_code == 200 and length > 2 * 2 * 8000
    silent = client.get(f"/studio/heard?list=debtors&person={person[1]}&answers=silent").text
    assert silent.count("Оцените нашу работу.") == 2
    typed = client.get(f"/studio/heard?list=debtors&person={person[1]}&answers=keys&keys=9,2").text
    assert "<kbd>9</kbd>" in typed and "<kbd>2</kbd>" in typed
    assert client.get(f"/studio/heard?list=debtors&person={person[1]}&answers=keys&keys=x").status_code == 409
    assert client.get("/studio/heard?list=debtors&person=999").status_code == 404
    assert client.get(f"/studio/heard?list=staff&person={person[1]}").status_code == 404


def test_what_is_missing_is_said(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(SURVEY, encoding="utf-8")
    desk.people("debtors", 1)
    answer = client.get("/studio/heard?list=debtors&person=1", headers={"HX-Request": "true"})
    assert answer.status_code == 409 and "greeting.wav" in answer.text and "<html" not in answer.text


def test_who_only_looks_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    tone(desk.office.settings.first.audio / "free.wav")
    desk.user("olga", Role.AUDITOR)
    client = logged_in(desk, "olga")
    tone(tmp_path / "a.wav")
    assert "Rename or delete" not in client.get("/studio").text
    [free] = ids(client)
    assert bring(client, tmp_path / "a.wav").status_code == 403
    assert post(client, f"/studio/messages/{free}/delete").status_code == 403
    assert post(client, "/studio/messages/spoken", text="a", language="ru", name="b").status_code == 403
    assert audio(desk) == ["free.wav"]


def test_a_list_that_he_may_not_see_is_not_heard(desk: Desk, client: FlaskClient) -> None:
    desk.people("debtors", 1)
    desk.user("boris", Role.OPERATOR, ("staff",))
    other = logged_in(desk, "boris")
    assert client.get("/studio/heard?list=debtors&person=1").status_code == 200
    assert other.get("/studio/heard?list=debtors&person=1").status_code == 404
    assert "Іван" not in other.get("/studio/people?list=debtors").text


def test_a_broken_file_says_what_is_wrong_with_it(desk: Desk, client: FlaskClient) -> None:
    folder = desk.office.settings.first.audio
    folder.mkdir(parents=True)
    (folder / "broken.mp3").write_bytes(b"no sound at all")
    [broken] = ids(client)
    drawn = client.get(f"/studio/messages/{broken}/wave")
    assert drawn.status_code == 200 and "broken.mp3 can&#39;t be read as audio" in drawn.text
    assert client.get(f"/studio/messages/{broken}.wav").status_code == 409


def test_only_files_of_the_folder_are_messages(desk: Desk, client: FlaskClient, tmp_path: Path) -> None:
    folder = desk.office.settings.first.audio
    tone(folder / "deep" / "in.wav")
    tone(tmp_path / "outside.wav")
    (folder / "link.wav").symlink_to(tmp_path / "outside.wav")
    (folder / ".hidden.wav").write_bytes(b"x")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    page = client.get("/studio").text
    assert "deep/in.wav" in page and len(ids(client)) == 1
