"""A campaign of the panel's office that is over: a survey with replies, for reports to tell of."""

from __future__ import annotations

import math
import struct
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

from panel_office import Desk
from sqlalchemy import text

from ocm_cti.domain.attempts import AttemptState
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings
from ocm_cti.store import attempts, campaign_start, lists, tasks
from ocm_cti.store.attempts import Finish

SURVEY = """\
name = "survey"
language = "ru"

[variables]
name = "name"
debt = { kind = "money", currency = "RUB" }

[[step]]
name = "hello"
type = "say"
message = [{ recording = "greeting.wav" }, "{name}, ваш долг {debt}."]

[[step]]
name = "mark"
type = "survey"
kind = "single"
question = "How was our service?"
message = "Оцените нашу работу."
options = { 1 = "excellent", 2 = "good", 3 = "bad" }

[[step]]
name = "wish"
type = "record"
question = "What shall we do better?"
message = "Скажите после сигнала, что нам улучшить."
"""
#: outcome, heard of 20 s, the mark, whether he left a reply
CALLS = (
    (Outcome.CONFIRMED, 20.0, "1", True),
    (Outcome.DELIVERED, 20.0, "1", False),
    (Outcome.DELIVERED, 20.0, "2", True),
    (Outcome.NO_ANSWER, 0.0, "", False),
    (Outcome.BUSY, 0.0, "", False),
    (Outcome.CUT_SHORT, 4.0, "", False),
    (Outcome.DELIVERED, 20.0, "3", False),
    (Outcome.CONFIRMED, 20.0, "1", False),
)
CAUSES = {Outcome.NO_ANSWER: Cause.NO_ANSWER, Outcome.BUSY: Cause.BUSY}


def tone(path: Path, seconds: float = 1.0, hz: float = 440.0, rate_hz: int = 8000) -> None:
    """A WAV that swells and fades."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = int(seconds * rate_hz)
    samples = (
        int(12000 * math.sin(math.pi * at / count) * math.sin(2 * math.pi * hz * at / rate_hz)) for at in range(count)
    )
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


def surveyed(desk: Desk, list_name: str = "debtors", people: int = len(CALLS) + 2) -> int:
    """Calls all but the last two of them; gives the campaign's id. Replies lie where the ledger says."""
    desk.people(list_name, people)
    recordings = desk.office.settings.first.recordings
    recordings.mkdir(parents=True, exist_ok=True)

    def write(conn: Any) -> int:
        list_id = lists.find(conn, list_name)
        assert list_id is not None
        campaign_id = campaign_start.start(conn, list_id, desk.at, SURVEY, ListSettings(zone="Europe/Moscow"))
        for place in range(people - 2):
            outcome, heard_s, mark, replied = CALLS[place % len(CALLS)]
            at = desk.at + timedelta(minutes=7 * place)
            claim = tasks.claim(conn, campaign_id, "office", str(301 + place % 3), "node", at)
            assert claim is not None
            attempts.place(conn, claim.attempt_id, at)
            attempts.mark(conn, claim.attempt_id, AttemptState.DIALING, at)
            if heard_s:
                attempts.mark(conn, claim.attempt_id, AttemptState.ANSWERED, at + timedelta(seconds=12))
            name = f"{claim.attempt_id}-wish.wav"
            if replied:
                tone(recordings / name, 2.0, 300 + 40 * place)
            ended_at = at + timedelta(seconds=45)
            finish = Finish(
                outcome,
                CAUSES.get(outcome, Cause.NORMAL),
                ended_at,
                heard_ms=round(1000 * heard_s),
                of_ms=20_000 if heard_s else 0,
                keys=mark,
                answers=[("mark", mark)] if mark else [],
                recordings=[("wish", name)] if replied else [],
            )
            attempts.finish(conn, claim.attempt_id, finish, ended_at)
            conn.execute(
                text("UPDATE task SET due_at = '2027-01-01 00:00:00.000000' WHERE state = 'waiting' AND why <> 'due'")
            )
        return campaign_id

    return desk.store.run_now(write)
