"""Reports and the studio in a real browser, over a running server with a campaign that is over."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import chromium
from panel_office import PASSWORD, Desk
from peers import require
from playwright.sync_api import Locator, Page, expect
from reported import SURVEY, surveyed, tone
from whole_system import ROOT, wait_for

pytestmark = pytest.mark.end_to_end


@dataclass
class Served:
    folder: Path
    address: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server over a ledger with a survey; its switch is not there, which is none of these pages' business."""
    require("chromium")
    desk = Desk.open(tmp_path)
    desk.user()
    surveyed(desk, people=42)
    (tmp_path / "scenario.toml").write_text(SURVEY, encoding="utf-8")
    tone(desk.office.settings.first.audio / "greeting.wav", 2.0)
    desk.close()
    said = tmp_path / "said.txt"
    with said.open("w") as out:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "ocm_cti.cli", "serve", "-c", str(tmp_path / "ocm.toml")),
                *("--no-table", "--panel", "127.0.0.1:0", "--drain", "0"),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    found = wait_for("the panel", lambda: re.search(r"^panel: (http://\S+/)$", said.read_text(), re.M))
    yield Served(tmp_path, found[1])
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0, said.read_text()
    log = (tmp_path / "ocm-data" / "ocm.log").read_text()
    assert "Traceback" not in log, log


def come_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Monitor")).to_be_visible()


def sounds(page: Page, selector: str) -> None:
    """The player goes on: what it was given is a sound."""
    player = page.locator(selector).first
    player.evaluate("audio => { audio.muted = true; return audio.play(); }")
    expect(player).to_have_js_property("error", None)
    page.wait_for_function("selector => document.querySelector(selector).currentTime > 0.2", arg=selector)


def drawn(page: Page, name: str) -> Locator:
    """The message of that name, once its waveform is there: it is drawn when it comes into sight."""
    message = page.locator(".message", has_text=name)
    message.scroll_into_view_if_needed()
    expect(message.locator("svg.wave")).to_be_visible()
    return message


def test_a_report_shows_the_survey_and_plays_a_reply(served: Served, tmp_path: Path) -> None:
    with chromium(tmp_path / "shots") as browser:
        page = browser.page()
        come_in(page, served.address)
        page.get_by_role("link", name="Reports").click()
        survey = page.locator(".survey", has_text="How was our service?")
        expect(survey.locator(".bars li")).to_have_count(3)
        expect(survey.locator(".bars li").first).to_contain_text("excellent")
        expect(page.locator("svg.columns")).to_be_visible()
        browser.shot(page, "report")
        assert browser.barriers(page) == []
        page.get_by_label("with a reply").check()
        expect(page.locator("#people tbody tr")).to_have_count(10)
        sounds(page, "#people audio")
        page.locator("#people tbody a").first.click()
        expect(page.locator(".said audio").first).to_be_visible()
        browser.shot(page, "report-person")
        assert browser.barriers(page) == []
        page.go_back()
        page.locator(".export > summary").click()
        page.get_by_label("Format").select_option("csv")
        page.get_by_role("button", name="Make the file").click()
        expect(page.get_by_text("The files are ready")).to_be_visible()
        browser.shot(page, "report-export")
        assert browser.barriers(page) == []
        with page.expect_download() as download:
            page.get_by_role("link", name="report.csv").click()
        assert Path(download.value.path()).read_text(encoding="utf-8-sig").startswith("campaign;list;name;")
        assert browser.faults == []


def test_a_message_is_brought_spoken_recorded_and_heard(served: Served, tmp_path: Path) -> None:
    brought = tmp_path / "weather.wav"
    tone(brought, 3.0, rate_hz=44_100)
    microphone = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(tmp_path / "shots", arguments=microphone) as browser:
        page = browser.page()
        come_in(page, served.address)
        page.get_by_role("link", name="Studio").click()
        page.locator("#upload input[type=file]").set_input_files(brought)
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#notices")).to_contain_text("has been added")
        mine = drawn(page, "weather.wav")
        sounds(page, ".message:nth-of-type(2) audio")
        expect(mine.locator(".wave-played")).not_to_have_attribute("width", "0")

        speak = page.locator("#speak")
        speak.get_by_label("Text").fill("Good day. The office is closed.")
        speak.get_by_label("Language").select_option("en")
        speak.get_by_role("button", name="Listen").click()
        expect(speak.locator("svg.wave")).to_be_visible()
        sounds(page, "#spoken audio")
        speak.get_by_label("Name of the message").fill("closed")
        speak.get_by_role("button", name="Keep it").click()
        drawn(page, "closed.wav")

        recorder = page.locator("#recorder")
        recorder.get_by_role("button", name="Record").click()
        expect(page.locator("#record-time")).to_have_text("0:02")
        recorder.get_by_role("button", name="Stop").click()
        expect(page.locator("#recorded")).to_be_visible()
        recorder.get_by_label("Name of the message").fill("by voice")
        recorder.get_by_role("button", name="Keep it").click()
        drawn(page, "by voice.wav")

        page.get_by_role("searchbox", name="Person").press_sequentially("ольга 1")
        expect(page.locator("#whom .form-check").first).to_contain_text("ОЛЬГА 1")
        page.get_by_role("button", name="Hear it").click()
        expect(page.locator("#heard .script")).to_contain_text("ваш долг")
        sounds(page, "#heard audio")
        browser.shot(page, "studio")
        assert browser.barriers(page) == []

        drawn(page, "weather.wav")  # its drawing must not be asked for while it is deleted
        mine.locator("summary").click()
        page.once("dialog", lambda dialog: dialog.accept())
        mine.get_by_role("button", name="Delete").click()
        expect(page.locator(".message", has_text="weather.wav")).to_have_count(0)
        assert browser.faults == []


def test_what_can_not_be_heard_says_why(served: Served, tmp_path: Path) -> None:
    (served.folder / "audio" / "greeting.wav").unlink()
    with chromium(tmp_path / "shots") as browser:
        page = browser.page()
        come_in(page, served.address)
        page.goto(served.address + "studio")
        expect(page.locator("#whom .form-check")).to_have_count(8)
        page.get_by_role("button", name="Hear it").click()
        expect(page.locator("#heard [role=alert]")).to_contain_text("greeting.wav")


@pytest.mark.parametrize(
    ("dark", "width", "locale"), [(True, 1400, "ru-RU"), (True, 390, "en-GB"), (False, 390, "uk-UA")]
)
def test_in_the_dark_and_on_a_telephone(served: Served, tmp_path: Path, dark: bool, width: int, locale: str) -> None:
    with chromium(tmp_path / "shots", dark=dark, width=width, locale="en-GB") as browser:
        page = browser.page()
        come_in(page, served.address)
        browser.context.add_cookies([{"name": "ocm_language", "value": locale[:2], "url": served.address}])
        for path in ("reports", "reports/people?replied=1", "reports/people/1", "studio"):
            page.goto(served.address + path)
            page.wait_for_load_state("networkidle")
            browser.shot(
                page, f"{path.partition('?')[0].replace('/', '-')}-{'dark' if dark else 'light'}-{width}-{locale}"
            )
            assert browser.barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert browser.faults == []
