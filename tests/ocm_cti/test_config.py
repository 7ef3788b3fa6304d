"""ocm.toml: what is right is read, what is wrong is one line with file, line and key."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ocm_cti.config import ConfigError, load
from ocm_cti.domain.caps import Caps
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import ListSettings
from ocm_cti.domain.windows import Windows
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from ocm_cti.gateways.smdr_settings import SmdrSettings

SCENARIO = 'name = "s"\nlanguage = "en"\n[[step]]\nname = "m"\ntype = "say"\nmessage = "Hello."\n'
GOOD = """\
data = "data"
node = "here"

[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:33333"
extensions = "301-303"
sip_host = "127.0.0.1"
password_pattern = "pw{extension}"

[lists.debtors]
scenario = "s.toml"
language = "en"
ring_timeout_s = 20.0
retry.busy = { tries = 5, delay_s = 7.0 }
"""


def write(folder: Path, text: str) -> Path:
    (folder / "s.toml").write_text(SCENARIO)
    path = folder / "ocm.toml"
    path.write_text(text)
    return path


def test_a_whole_configuration(tmp_path: Path) -> None:
    """Paths are of the file's own folder; what is not set has its default."""
    config = load(write(tmp_path, GOOD))
    assert config.database == tmp_path / "data" / "ocm.db"
    assert config.gateways["office"].extensions == ("301", "302", "303")
    settings = config.lists["debtors"].settings
    assert settings.rules[Outcome.BUSY].tries == 5 and settings.rules[Outcome.NO_ANSWER].tries == 3
    assert (settings.ring_timeout_s, settings.region, settings.scenario) == (20.0, "RU", "s")
    assert not config.show_numbers


@pytest.mark.parametrize(
    ("given", "database"),
    [
        ("postgresql+psycopg://ocm:secret@db.example:5433/ocm", "postgresql+psycopg://ocm:secret@db.example:5433/ocm"),
        ("postgresql://db.example/ocm", "postgresql://db.example/ocm"),
        ("ledger/my.db", Path("ledger/my.db")),
    ],
)
def test_a_database_elsewhere(tmp_path: Path, given: str, database: Path | str) -> None:
    config = load(write(tmp_path, f'database = "{given}"\n' + GOOD))
    assert config.database == (tmp_path / database if isinstance(database, Path) else database)


@pytest.mark.parametrize("given", ["mysql://h/n", "postgresql://host", "postgresql+psycopg2://h/n"])
def test_a_database_that_is_none(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigError, match=r"ocm\.toml:1: database: must be a file, or postgresql"):
        load(write(tmp_path, f'database = "{given}"\n' + GOOD))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param("node =", "nod =", "ocm.toml:2: nod: unknown key; did you mean node?", id="top"),
        pytest.param("link =", "lnik =", ":6: gateways.office.lnik: unknown key; did you mean link?", id="gateway"),
        pytest.param('"panasonic"', '"panasonik"', ":5: gateways.office.kind: is 'panasonik'", id="kind"),
        pytest.param("ring_timeout_s", "ring_timeout", "ring_timeout: unknown key; did you mean", id="list"),
        pytest.param("20.0", '"soon"', "ring_timeout_s: must be a number of seconds", id="not a number"),
        pytest.param("retry.busy", "retry.busi", "no result that can be tried again; did you mean busy?", id="result"),
        pytest.param("s.toml", "t.toml", ":12: lists.debtors.scenario:", id="scenario is missing"),
        pytest.param("ring_timeout_s = 20.0", 'region = "Russia"', "region: must be a country's two", id="region"),
        pytest.param("20.0", "90.0", "silent_peer_s: must be longer than ring_timeout_s", id="silence"),
        pytest.param(
            "sip_host", 'answer = "timer"\nanswer_timer_s = 20\nsip_host', "answer_timer_s: must be shorter", id="timer"
        ),
        pytest.param('node = "here"', "node = 5", ":2: node: must be a text", id="not a text"),
        pytest.param("[gateways.office]", "[gateways.office", "not TOML", id="no TOML"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(write(tmp_path, GOOD.replace(right, wrong)))
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("first", "second", "taken"), [(5062, 5062, True), (5062, 5064, False), (0, 0, False)])
def test_two_gateways_can_not_have_one_sip_port(tmp_path: Path, first: int, second: int, taken: bool) -> None:
    """Each has a voice process of its own, and the second would never come up."""
    gateway = GOOD[GOOD.index("[gateways.office]") : GOOD.index("[lists.")]
    one, other = (f"{gateway.rstrip()}\nlocal_sip_port = {port}\n\n" for port in (first, second))
    path = write(tmp_path, GOOD.replace(gateway, one + other.replace("office", "branch")))
    if not taken:
        assert len(load(path).gateways) == 2
        return
    with pytest.raises(ConfigError, match=r"gateways\.branch\.local_sip_port: 5062 is that of gateway office"):
        load(path)


def test_a_scenario_with_a_fault_names_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    (tmp_path / "s.toml").write_text(SCENARIO.replace("message =", "mesage ="))
    with pytest.raises(ConfigError, match=r"s\.toml.*mesage"):
        load(path)


class TestHolidays:
    def list_with(self, tmp_path: Path, *lines: str) -> Any:
        (tmp_path / "ocm.toml").unlink(missing_ok=True)
        return load(write(tmp_path, GOOD + "\n" + "\n".join(lines))).lists["debtors"].settings

    def test_those_of_the_country_but_for_open_days(self, tmp_path: Path) -> None:
        year = datetime.now(UTC).year
        settings = self.list_with(
            tmp_path,
            'zone = "Europe/Moscow"',
            'holidays = "RU"',
            f"open_days = [{year}-05-09]",
            f"closed_days = [{year}-07-15]",
        )
        assert {date(year, 1, 1), date(year + 1, 6, 12), date(year, 7, 15)} <= settings.windows.closed
        assert date(year, 5, 9) not in settings.windows.closed
        assert ListSettings.from_json(settings.to_json()) == settings

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('holidays = "ZZ"', "nothing is known of the holidays of 'ZZ'"),
            ('holidays = "UA"', "no public holidays in .*closed_days"),
            ("holidays = 7", "must be a text"),
            ('open_days = ["1 May"]', "must be a list of dates"),
            ("open_days = [2026-05-01]", "needs holidays beside it"),
            ('closed_days = "2026-05-01"', "closed_days: must be a list of dates"),
            (
                'closed_days = ["01.05.2026"]',
                r"closed_days: .* without quotes, as \[2026-05-01\], not \['01.05.2026'\]",
            ),
            ('holidays = "RU"\nclosed_days = ["9 May"]', r"dates without quotes, as .*, not \['9 May'\]$"),
            ('holidays = "RU"\nopen_days = [2026-05-01T00:00:00]', r"open_days: .*, as \[2026-05-01\]"),
            ('gateways = ["branch"]', "there is no gateway 'branch'; known: office"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path: Path, line: str, said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            self.list_with(tmp_path, 'zone = "Europe/Moscow"', line)


def test_no_gateway_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one"):
        load(write(tmp_path, 'data = "d"\n'))
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")


def test_the_example_is_right_with_and_without_its_comments(tmp_path: Path) -> None:
    """fixtures/config/panasonic.toml as it stands, and with every setting that it explains switched on."""
    example = Path(__file__).resolve().parents[2] / "fixtures" / "config" / "panasonic.toml"
    plain = load(example)
    assert plain.lists["debtors"].scenario.name == "debt"
    text = example.read_text(encoding="utf-8")
    switched_on = re.sub(
        r"^# (?=\[(?:speech|webhooks|gateways\.office\.smdr)\]|[a-z_0-9.]+ = (?!\{ 301))",
        "",
        text,
        flags=re.MULTILINE,
    )
    switched_on = switched_on.replace('"../', f'"{example.parent.parent}/').replace("answer_timer_s = 0.0", "")
    switched_on = re.sub(r"^machine = .*", "", switched_on, flags=re.MULTILINE)  # this gateway can't tell one
    (tmp_path / "ocm.toml").write_text(switched_on, encoding="utf-8")
    full = load(tmp_path / "ocm.toml")
    settings = full.lists["debtors"].settings
    assert not settings.windows.anytime
    assert (
        replace(settings, windows=Windows(), zone="", caps=Caps(), gateways=(), testers=())
        == plain.lists["debtors"].settings
    )
    smdr = full.gateways["office"].smdr
    assert smdr == SmdrSettings(link="tcp:192.168.0.101:2300")
    assert replace(full.gateways["office"], local_host="", smdr=None) == plain.gateways["office"]
    gateway = text[text.index("[gateways.") : text.index("# [gateways.office.smdr]")]
    explained = set(re.findall(r"^(?:# )?([a-z_0-9]+) = ", gateway, flags=re.MULTILINE))
    settings = {field.name for field in fields(PanasonicSettings)} - {"name", "smdr"} | {"kind", "password_pattern"}
    assert explained == settings


def test_speech(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD)).speech.cache_mb == 2000
    assert load(write(tmp_path, GOOD + "\n[speech]\nworkers = 2\ncache_mb = 500\n")).speech.cache_mb == 500
    with pytest.raises(ConfigError, match=r"speech\.cache_mb"):
        load(write(tmp_path, GOOD + "\n[speech]\ncache_mb = 0\n"))


ANNOUNCED = '[[step]]\nname = "a"\ntype = "say"\nannouncement = "12"\n'


def test_a_scenario_says_only_what_its_gateways_can_say(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    (tmp_path / "s.toml").write_text(ANNOUNCED)
    with pytest.raises(ConfigError, match=r"lists\.debtors\.scenario: plays announcement 12, but gateway office"):
        load(path)


OWN = GOOD + '\n[lists.debtors.scenarios]\nshort = "short.toml"\n'


def test_some_people_of_a_list_have_a_scenario_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, OWN)
    (tmp_path / "short.toml").write_text(SCENARIO.replace("Hello.", "Hi."))
    entry = load(path).lists["debtors"]
    own = entry.scenario_of("short")
    assert own is not None and "Hi." in own.text and own.path == tmp_path / "short.toml"
    listed = entry.scenario_of("")
    assert listed is not None and listed.text == SCENARIO
    assert entry.scenario_of("long") is None
    assert [file.path.name for file in entry.files] == ["s.toml", "short.toml"]


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (
            "long",
            "lists.debtors.machine: must be the name of one of the list's scenarios; 'long' is not (there are: short",
        ),
        ("short", "lists.debtors.machine: gateway office does not listen for answering machines"),
        (5, "machine: must be a text in quotes, not 5"),
    ],
)
def test_what_a_machine_gets_must_be_there_and_possible(tmp_path: Path, machine: object, said: str) -> None:
    own = "\n[lists.debtors.scenarios]"
    path = write(tmp_path, OWN.replace(own, f"machine = {machine!r}\n{own}"))
    (tmp_path / "short.toml").write_text(SCENARIO)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, ":18: lists.debtors.scenarios.short: ", id="missing"),
        pytest.param(
            SCENARIO.replace("Hello.", "{x}"), "short.toml: step 'm' (line 3): {x} is not declared", id="wrong"
        ),
        pytest.param(
            SCENARIO.replace("Hello.", "{x}") + "heard = 5\nbarge_in = 5\n",
            "step 'm' (line 8): barge_in is true or false, not 5 (and 2 more: ocm scenario check",
            id="several",
        ),
        pytest.param(
            SCENARIO.replace("message =", "announcement =").replace("Hello.", "12"),
            ":18: lists.debtors.scenarios.short: plays announcement 12",
            id="not through this gateway",
        ),
    ],
)
def test_an_own_scenario_that_is_wrong(tmp_path: Path, text: str | None, said: str) -> None:
    path = write(tmp_path, OWN)
    if text is not None:
        (tmp_path / "short.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path)
    assert said in str(error.value) and "\n" not in str(error.value)
