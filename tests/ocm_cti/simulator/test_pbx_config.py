"""A PBX as a file: what it says, what is wrong with it, and what the command line puts on top."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocm_cti.simulator.callees import Verb
from ocm_cti.simulator.config import ConfigError, PbxConfig, Recordings, load, read
from ocm_cti.simulator.effects import Extension, Trunk
from ocm_cti.simulator.faults import SettingError
from ocm_cti.simulator.numbering import Outside
from ocm_cti.simulator.process import ArgumentError, parse
from ocm_cti.simulator.serial_port import line_setting

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "fixtures" / "config" / "pbx.toml"
ONE = '[[extensions]]\nnumber = "301"\n'


def read_text(text: str, *variants: str) -> PbxConfig:
    return read(text, "pbx.toml", Path("/firm"), variants)


def test_the_example_is_a_whole_small_firm() -> None:
    config = load(EXAMPLE)
    kinds = {one.number: one.kind for one in config.devices}
    assert [number for number, kind in kinds.items() if kind == "sip"] == [str(n) for n in (*range(301, 309), 310)]
    assert [number for number, kind in kinds.items() if kind == "phone"] == [str(n) for n in range(201, 207)]
    assert (config.passwords["303"], config.passwords["310"]) == ("pw303", "secret310")
    numbering = config.numbering
    assert numbering.destination("203") == Extension("203")
    leads = {digits: numbering.destination(digits) for digits in ("9495", "81495", "82495")}
    assert [(to.digits, to.groups[0].kind) for to in leads.values() if isinstance(to, Outside)] == [
        ("495", "isdn"),
        ("495", "lco"),
        ("495", "sip"),
    ]
    assert numbering.trunks == tuple(Trunk(index) for index in range(1, 17))
    assert (config.smdr_port, config.control_port, config.csta_serial) == (0, 0, None)
    anna = numbering.stations[Extension("201")]
    assert (anna.name, anna.answer_after_s) == ("Anna Petrova", 2.0)
    assert anna.person is not None and anna.person.steps[0].verb is Verb.SAY
    assert numbering.stations[Extension("204")].answer_after_s is None


def test_every_line_that_the_example_explains_may_be_switched_on(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text('[[callee]]\nsuffix = ""\n', "utf-8")
    lines = EXAMPLE.read_text("utf-8").splitlines()
    text = "\n".join(line.removeprefix("#") if line.startswith("#") and " = " in line else line for line in lines)
    text = text.replace(" faults = [", "#").replace("Everything", "#Everything")
    config = read(text, "pbx.toml", tmp_path)
    assert (config.log, config.recordings) == (
        tmp_path / "calls.jsonl",
        Recordings(tmp_path / "heard", tmp_path / "said"),
    )
    assert config.csta_serial == "serial:/dev/ttyUSB0?baud=115200"
    assert (config.settings.second_association, config.settings.late_events_s) == ("accept", 0.5)


def test_what_is_not_said_is_as_without_a_file() -> None:
    config = read_text(ONE)
    plain = PbxConfig(("301",))
    for name in ("csta_port", "sip_port", "host", "log", "recordings", "settings", "trunk_groups", "faults"):
        assert getattr(config, name) == getattr(plain, name)
    assert config.passwords == plain.passwords == {"301": "pw301"}
    assert config.numbering.trunks == plain.numbering.trunks


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "pbx.toml").write_text(f'{ONE}[keep]\nheard = "a/heard"\njournal = "/var/calls"\n', "utf-8")
    config = load(tmp_path / "pbx.toml")
    assert config.recordings == Recordings(tmp_path / "a" / "heard", tmp_path / "a" / "said")
    assert config.log == Path("/var/calls")


def test_settings_of_the_file_and_of_the_command_line() -> None:
    text = f'{ONE}[smdr]\npattern = "C"\nlogin = false\n[variants]\ntone_s = 3\ndelivered = false\ntrunk_kind = "lco"\n'
    settings = read_text(text, "tone_s=4").settings
    assert (settings.smdr_pattern, settings.smdr_login, settings.tone_s) == ("C", False, 4.0)
    assert (settings.delivered, settings.trunk_kind) == (False, "lco")
    with pytest.raises(SettingError, match="toness"):
        read_text(text, "toness=4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "pbx.toml: no [[extensions]]"),
        ("x = = 1", "pbx.toml: Invalid value (at line 1, column 5)"),
        (f"{ONE}[cta]\ntcp_port = 1", "pbx.toml: 'cta' is not one of "),
        (f"{ONE}[csta]\nport = 1", "pbx.toml: [csta]: 'port' is not one of tcp_port, serial"),
        (f"csta = 3\n{ONE}", "pbx.toml: csta is a table, [csta]"),
        (f"{ONE}[csta]\ntcp_port = 70000", "pbx.toml: [csta]: tcp_port is a whole number from 0 to 65535, not 70000"),
        (
            f'{ONE}[sip]\npassword_pattern = "{{user}}"',
            "pbx.toml: [sip]: password_pattern '{user}': only {extension} may",
        ),
        (f'callees = "none.toml"\n{ONE}', "pbx.toml: callees: cannot read /firm/none.toml"),
        (f"{ONE}number = 7", "pbx.toml: Cannot overwrite a value"),
        ("[[extensions]]\nnumber = 301", 'pbx.toml: [[extensions]] number 1: number is a text in "...", not 301'),
        ("[[extensions]]\nname = 'x'", "pbx.toml: [[extensions]] number 1: number is missing"),
        ('[[extensions]]\nnumber = "3x"', "pbx.toml: [[extensions]] number 1: number: extensions '3x': expected"),
        (ONE + ONE, "pbx.toml: [[extensions]] number 2: number 301 stands twice"),
        (f'{ONE}kind = "fax"', "pbx.toml: [[extensions]] number 1: kind is one of sip, phone, not 'fax'"),
        (f"{ONE}answer_after_s = 1", "pbx.toml: [[extensions]] number 1: answer_after_s, steps are for kind"),
        (f'{ONE}kind = "phone"\npassword = "x"', "pbx.toml: [[extensions]] number 1: password is for kind"),
        (f'{ONE}kind = "phone"\nanswer_after_s = -1', "number 1: answer_after_s is a number of seconds, not -1"),
        (f'{ONE}kind = "phone"\nsteps = ["sing"]', "pbx.toml: [[extensions]] number 1: 'sing' is no step"),
        (f'{ONE}kind = "phone"\nsteps = "hang_up"', "number 1: steps is a list of texts"),
        (f'{ONE}[[trunk_groups]]\nname = "A"', "pbx.toml: [[trunk_groups]] number 1: access_code is missing"),
        (f'{ONE}[[trunk_groups]]\nname = "A"\naccess_code = "x"', "number 1: access_code is 1 to 8 digits"),
        (
            f'{ONE}[[trunk_groups]]\nname = "A"\naccess_code = "9"\nkind = "pri"',
            "kind is one of lco, isdn, sip, reached",
        ),
        (f'{ONE}[[trunk_groups]]\nname = "A"\naccess_code = "9"\ntrunks = 0', "trunks is a whole number from 1 to"),
        (
            f'{ONE}[[trunk_groups]]\nname = "A"\naccess_code = "9"\n[[trunk_groups]]\nname = "A"\naccess_code = "8"',
            "pbx.toml: [[trunk_groups]] number 2: name 'A' stands twice",
        ),
        (
            f'{ONE}[[trunk_groups]]\nname = "A"\naccess_code = "9"\n'
            '[[trunk_groups]]\nname = "B"\naccess_code = "8"\nfirst_index = 8',
            "pbx.toml: [[trunk_groups]] number 2: first_index its lines belong to another group already",
        ),
        (
            f"{ONE}[variants]\ntrunkz = 1",
            "pbx.toml: [variants]: variant 'trunkz' does not exist, did you mean 'trunks'?",
        ),
        (f"{ONE}[variants]\ntrunks = []", "pbx.toml: [variants]: trunks is a text, a number, true or false"),
        (f'{ONE}[smdr]\npattern = "X"', "pbx.toml: [smdr]: variant 'smdr_pattern' is one of"),
        ("extensions = 3", "pbx.toml: extensions are tables, [[extensions]]"),
        (f"verbose = 1\n{ONE}", "pbx.toml: verbose is true or false, not 1"),
    ],
)
def test_what_is_wrong_names_the_file_and_the_key(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_text(text)
    assert says in str(error.value)
    assert str(error.value).startswith("pbx.toml: ")
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none.toml: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin.toml is not UTF-8 text"):
        load(tmp_path / "latin.toml")


def test_options_of_the_command_line_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pbx.toml"
    file.write_text(
        'faults = ["split octets=2"]\n[csta]\ntcp_port = 1\n[sip]\nudp_port = 2\n[smdr]\ntcp_port = 3\n'
        f'[[extensions]]\nnumber = "201-202"\nkind = "phone"\n{ONE}',
        "utf-8",
    )
    config = parse(["--config", str(file)])
    assert (config.csta_port, config.sip_port, config.smdr_port, config.control_port) == (1, 2, 3, None)
    options = "--csta-port 11 --smdr-port 13 --control 14 --extensions 202,303 --fault delay seconds=2 --csta-pty"
    config = parse(["--config", str(file), *options.split()])
    assert (config.csta_port, config.sip_port, config.smdr_port, config.control_port) == (11, 2, 13, 14)
    assert [(one.number, one.kind) for one in config.devices] == [("202", "sip"), ("303", "sip"), ("201", "phone")]
    assert config.faults == ("split octets=2", "delay seconds=2")
    assert config.csta_serial == "pty"


def test_a_password_pattern_that_reaches_into_python_is_refused() -> None:
    with pytest.raises(ArgumentError, match="password-pattern"):
        parse(["--password-pattern", "{extension.__class__.x}"])


def test_an_address_that_no_telephone_could_use_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"host '0\.0\.0\.0': telephones are told it"):
        parse(["--host", "0.0.0.0"])


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("pty", "pty"),
        ("/dev/ttyUSB0", "serial:/dev/ttyUSB0"),
        ("/dev/ttyUSB0?baud=115200", "serial:/dev/ttyUSB0?baud=115200"),
        ("serial:/dev/ttyS0?parity=even", "serial:/dev/ttyS0?parity=even"),
    ],
)
def test_a_serial_line_is_a_path_or_a_setting(text: str, setting: str) -> None:
    assert line_setting(text) == setting


def test_a_serial_line_that_makes_no_sense_says_why() -> None:
    with pytest.raises(ValueError, match="baud can't be 'fast'"):
        line_setting("/dev/ttyS0?baud=fast")
