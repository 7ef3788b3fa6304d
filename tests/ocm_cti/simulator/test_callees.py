"""Who answers on which number, and what he does frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.simulator.callees import (
    LISTEN_PATIENCE_S,
    Callee,
    CalleesError,
    Deed,
    Directory,
    HangUp,
    Press,
    Say,
    SayWav,
    Script,
    Verb,
    parse_step,
)

SECOND = 50  # frames


def script(*lines: str, number: str = "84951234567") -> Script:
    return Script(Callee("", "x", 1.0, steps=tuple(parse_step(line, "test", Path()) for line in lines)), number)


def deeds(person: Script, frames: Iterable[bool]) -> list[tuple[int, Deed]]:
    """(frame number, deed) of everything done while these frames are heard."""
    return [(number, deed) for number, sound in enumerate(frames) for deed in person.frame(sound)]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("84951234501", "confirms"),
        ("84951234507", "never answers"),
        ("80671234510", "enters own PIN"),
        ("84951234599", "confirms"),
        ("7", "confirms"),
        ("", "confirms"),
    ],
)
def test_the_last_digits_choose(number: str, name: str) -> None:
    assert Directory.load().find(number).name == name


def test_the_longest_suffix_wins() -> None:
    directory = Directory([Callee("", "any"), Callee("1", "short"), Callee("0001", "long")])
    assert [directory.find(number).name for number in ("5550001", "5551001", "5", "1")] == [
        "long",
        "short",
        "any",
        "short",
    ]


def test_somebody_is_busy_twice_per_number_and_then_answers() -> None:
    directory = Directory.load()
    calls = [directory.called("123406").fail for _ in range(4)]
    assert calls == ["busy", "busy", None, None]
    assert directory.called("999906").fail == "busy"


def test_the_table_of_the_package_has_every_suffix_of_the_demo() -> None:
    directory = Directory.load()
    assert [directory.find(f"555{n:02}").suffix for n in range(1, 15)] == [f"{n:02}" for n in range(1, 15)]
    assert {n: directory.find(f"555{n:02}").fail for n in (6, 8, 9, 13)} == {
        6: "busy",
        8: "rejected",
        9: "invalid_number",
        13: "congestion",
    }


def test_listen_waits_for_silence_after_sound_however_long_the_message_is() -> None:
    person = script("listen 1", "press 1")
    assert deeds(person, [False] * 3 * SECOND) == []
    assert deeds(person, [True] * 10 * SECOND) == []
    assert deeds(person, [False] * (SECOND - 1)) == []
    assert deeds(person, [False]) == [(0, Press("1"))]


def test_a_pause_inside_the_message_is_not_its_end() -> None:
    person = script("listen 1", "press 1")
    heard = ([True] * SECOND + [False] * 30) * 5
    assert deeds(person, heard) == []


def test_somebody_who_hears_nothing_at_all_goes_on_after_a_long_while() -> None:
    frames = int(LISTEN_PATIENCE_S * SECOND)
    assert deeds(script("listen", "hang_up"), [False] * (frames + 1)) == [(frames, HangUp())]


def test_listen_for_counts_time_whatever_is_heard() -> None:
    assert deeds(script("listen_for 3", "hang_up"), [True] * 200) == [(150, HangUp())]


def test_a_second_listen_needs_new_sound() -> None:
    person = script("listen 0.5", "press 7", "listen 0.5", "press 1")
    heard = [True] * 10 + [False] * 200 + [True] * 10 + [False] * 40
    assert [deed for _, deed in deeds(person, heard)] == [Press("7"), Press("1")]
    # 7 comes half a second after the first message, 1 half a second after the second
    assert deeds(script("listen 0.5", "press 7", "listen 0.5", "press 1"), heard)[1][0] == 10 + 200 + 10 + 24


def test_the_pin_is_the_last_four_digits_and_takes_its_time() -> None:
    person = script("press_own_last4", "hang_up", number="84951232310")
    assert deeds(person, [False] * 60) == [(0, Press("2310")), (41, HangUp())]


def test_speaking_takes_its_time() -> None:
    assert deeds(script("say 2", "hang_up"), [False] * 150) == [(0, Say(100)), (101, HangUp())]


def test_a_wav_lasts_until_it_is_over() -> None:
    person = script("say_wav reply.wav", "hang_up")
    assert deeds(person, [False] * 500) == [(0, SayWav(Path("reply.wav")))]
    person.spoken()
    assert deeds(person, [False]) == [(0, HangUp())]


def test_whoever_is_through_his_list_stays_on_the_line() -> None:
    person = script()
    assert deeds(person, [True, False] * 500) == []
    assert person.step is not None
    assert person.step.verb is Verb.HEAR_OUT


def test_nothing_follows_a_hang_up() -> None:
    person = script("hang_up", "press 1")
    assert deeds(person, [True] * 100) == [(0, HangUp())]


@settings(max_examples=60)
@given(
    lines=st.lists(
        st.sampled_from(["listen", "listen_for 0", "listen_for 0.3", "press 12", "say 0.2", "say 0"]), max_size=6
    ),
    heard=st.lists(st.booleans(), max_size=300),
)
def test_keys_and_speech_come_in_the_order_of_the_steps(lines: list[str], heard: list[bool]) -> None:
    done = [type(deed) for _, deed in deeds(script(*lines), heard)]
    wanted = [{"press": Press, "say": Say}[line.split()[0]] for line in lines if not line.startswith("listen")]
    assert done == wanted[: len(done)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no entry"),
        ("[[callee]]\nsuffix = 'x'", "suffix must be digits"),
        ("[[callee]]\nname = 'x'", "suffix must be digits"),
        ("[[callee]]\nsuffix = ''\nanswers_after = 1", "'answers_after' is not one of"),
        ("[[callee]]\nsuffix = ''\nanswer_after_s = '1'", "answer_after_s has a wrong value"),
        ("[[callee]]\nsuffix = ''\nanswer_after_s = -1", "answer_after_s is negative"),
        ("[[callee]]\nsuffix = ''\nfail = 'asleep'", "fail is one of"),
        ("[[callee]]\nsuffix = ''\nsteps = ['listen x']", "'listen x' is no step"),
        ("[[callee]]\nsuffix = ''\nsteps = ['shout']", "'shout' is no step"),
        ("[[callee]]\nsuffix = ''\nsteps = ['press']", "'press' is no step"),
        ("[[callee]]\nsuffix = ''\n[[callee]]\nsuffix = ''", "stands twice"),
        ("callee = 1", "expected only [[callee]] tables"),
        ("x = 1", "expected only [[callee]] tables"),
        ("x =", "callees.toml"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(CalleesError, match=r"^callees: ") as error:
        Directory.parse(text, "callees.toml", Path())
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_table_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CalleesError, match="cannot read"):
        Directory.load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xff\xfe")
    with pytest.raises(CalleesError, match="not UTF-8"):
        Directory.load(tmp_path / "latin.toml")
