"""What somebody does on his first day, with a browser alone: from an accountant's file to the report of the calls."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from browser import Chromium, chromium
from panel_page import come_in, serving
from peers import require
from playwright.sync_api import Page, expect
from whole_system import System

pytestmark = pytest.mark.end_to_end

#: How the simulated people behave stands in the last digits of their numbers: 01, 02 and 05 confirm and say something.
PEOPLE = """ФИО;Тел.;Долг;Срок
Мария Ивановна Орлова;8 (495) 123-45-01;12 500,00;30.11.2026
Пётр Сергеевич Журавлёв;84951234502;830,50;30.11.2026
Ольга Викторовна Зуева;спросить у мужа;1 000,00;30.11.2026
Щукин Юрий Эдуардович;+7 495 123 45 05;41,00;01.12.2026
"""
DROP = """
([name, base64]) => {
  const octets = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([octets], name));
  const there = { bubbles: true, cancelable: true, dataTransfer: carried };
  const place = document.getElementById("drop");
  for (const event of ["dragenter", "dragover", "drop"]) place.dispatchEvent(new DragEvent(event, there));
}
"""


@pytest.fixture(autouse=True)
def _needs_a_browser() -> None:
    require("chromium")


def test_from_a_file_to_the_report(system: System, tmp_path: Path) -> None:
    with serving(system.config) as address, chromium(tmp_path / "shots") as browser:
        page = browser.page()
        come_in(page, address, system.folder)
        make_a_list(page, browser)
        import_people(page, browser)
        scenario_is_right(page)
        call(page, browser, address)
        report(page, browser)
        assert browser.faults == []


def make_a_list(page: Page, browser: Chromium) -> None:
    """Its hours are all day long, so that it can be called whenever this test is run."""
    page.get_by_role("link", name="Lists").click()
    page.get_by_role("link", name="A new list").click()
    page.get_by_label("Name").fill("Долги")
    page.get_by_label("Time zone").fill("Europe/Moscow")
    browser.shot(page, "list-new")
    assert browser.barriers(page) == []
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        page.get_by_label(day).fill("")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_text("Nobody is on this list yet")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("It rings so long, s").fill("7")
    browser.shot(page, "list-settings")
    assert browser.barriers(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")
    page.get_by_role("link", name="Долги").click()


def import_people(page: Page, browser: Chromium) -> None:
    """Dropped into the page as it comes from the accountant, in Windows-1251, one of its rows without a number."""
    page.get_by_role("link", name="Import").click()
    browser.shot(page, "import-choose")
    assert browser.barriers(page) == []
    page.evaluate(DROP, ["Должники ноябрь.csv", base64.b64encode(PEOPLE.encode("cp1251")).decode()])
    expect(page.get_by_text("What would come of it")).to_be_visible()
    expect(page.locator("#encoding option").first).to_have_text("found out: Windows-1251")
    expect(page.get_by_role("region", name="The first rows")).to_contain_text("Щукин Юрий Эдуардович")
    expect(page.get_by_role("region", name="Refused rows")).to_contain_text("'спросить у мужа' is no telephone number")
    browser.shot(page, "import-preview")
    assert browser.barriers(page) == []
    page.get_by_label("Срок", exact=True).select_option("-")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_label("Срок", exact=True)).to_have_value("-")
    expect(page.get_by_role("region", name="Refused rows")).to_contain_text("no value for {due}")
    expect(page.get_by_role("button", name="Import")).to_be_disabled()
    page.get_by_label("Срок", exact=True).select_option("variable")
    page.get_by_label("Name of the variable of Срок").fill("due")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("button", name="Import")).to_be_enabled()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Imported", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="The refused rows").click()
    refused = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "спросить у мужа" in refused and "Орлова" not in refused
    browser.shot(page, "import-done")
    page.get_by_role("link", name="The people of the list").click()
    expect(page.locator("#people tbody tr")).to_have_count(3)


def scenario_is_right(page: Page) -> None:
    page.get_by_role("link", name="Scenarios").click()
    expect(page.get_by_role("main").get_by_role("row", name="debt")).to_contain_text("right")


def call(page: Page, browser: Chromium, address: str) -> None:
    """Watched live to the end; who presses the key confirms while he is looked at."""
    page.goto(address)
    page.get_by_label("Start a list").select_option("Долги")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".line-talk").first).to_be_visible()
    browser.shot(page, "newcomer-live")
    page.locator(".campaign h2 a").click()
    page.get_by_label("Мария Ивановна Орлова").check()
    browser.shot(page, "campaign-live")
    assert browser.barriers(page) == []
    expect(page.locator("#campaign")).to_contain_text("confirmed")
    expect(page.get_by_label("Мария Ивановна Орлова")).to_be_checked()  # though the table was shown anew meanwhile
    page.get_by_role("link", name="Monitor").click()
    expect(page.locator(".campaign .legend")).to_contain_text("confirmed")
    expect(page.locator(".campaign .badge").first).to_have_text("done")


def report(page: Page, browser: Chromium) -> None:
    page.get_by_role("link", name="Reports").click()
    with page.expect_response(lambda response: "replied" in response.url):
        page.get_by_label("with a reply").check()
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    player = page.locator("#people audio").first
    player.evaluate("audio => { audio.muted = true; return audio.play(); }")
    page.wait_for_function("() => document.querySelector('#people audio').currentTime > 0.2")
    browser.shot(page, "newcomer-report")
    page.locator(".export > summary").click()
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Make the file").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="report.csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "Щукин Юрий Эдуардович" in text and text.count("confirmed") >= 1
