"""The panel in a real browser, over a real server that calls through the simulated PBX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import Chromium, chromium
from panel_page import come_in, serving
from peers import require
from playwright.sync_api import Page, expect
from whole_system import System, ocm

pytestmark = pytest.mark.end_to_end

WAIT_MS = 120_000


@pytest.fixture
def panel(system: System) -> Iterator[str]:
    """The address of a running server's panel; there are four people on its list."""
    require("chromium")
    people = system.folder / "people.csv"
    rows = [f"Мария {suffix};+749512345{suffix};100,00;30.11.2026" for suffix in ("01", "02", "04", "05")]
    people.write_text("ФИО;Телефон;Долг;Срок\n" + "\n".join(rows) + "\n", encoding="utf-8")
    done = ocm("import", "-c", str(system.config), "--list", "debtors", str(people))
    assert done.returncode == 0, done.stdout + done.stderr
    with serving(system.config) as address:
        yield address


def test_from_the_first_login_to_the_end_of_a_campaign(panel: str, system: System, tmp_path: Path) -> None:
    """Start, pause, go on, watch it live to its end: every click works on the real dialer."""
    with chromium(tmp_path / "shots") as browser:
        page = browser.page()
        come_in(page, panel, system.folder)
        expect(page.locator("#live-state")).to_have_text("live")
        page.get_by_label("Start a list").select_option("debtors")
        page.get_by_role("button", name="Start").click()
        expect(page.locator(".campaign h2")).to_contain_text("debtors_")
        expect(page.locator(".line-talk").first).to_be_visible(timeout=WAIT_MS)
        browser.shot(page, "monitor-live")
        assert browser.barriers(page) == []
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".campaign .badge").first).to_have_text("paused")
        expect(page.locator("#notices")).to_contain_text("Paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator(".campaign .badge").first).to_have_text("running")
        expect(page.locator(".campaign .badge").first).to_have_text("done", timeout=WAIT_MS)
        expect(page.locator(".progress-words .big")).to_have_text("100%")
        expect(page.locator(".campaign .legend")).to_contain_text("confirmed 3")
        browser.shot(page, "monitor-done")
        change_the_scenario(page, browser, panel + f"scenarios/{scenario_of(system)}")
        look_around(page, browser, panel)
        assert browser.faults == []


def scenario_of(system: System) -> str:
    found = re.search(r'^scenario = ".*?([^/"]+)\.toml"', system.config.read_text(encoding="utf-8"), re.M)
    assert found
    return found[1]


def change_the_scenario(page: Page, browser: Chromium, address: str) -> None:
    """A fault is told at its line as it is typed; what is saved is what was typed."""
    page.goto(address)
    text = page.locator("#scenario-text")
    before = text.input_value()
    browser.shot(page, "scenario")
    assert browser.barriers(page) == []
    text.fill(before.replace("[[step]]", "[[step]]\nshout = 1", 1))
    fault = page.locator("#checked .text-danger a").first
    expect(fault).to_contain_text("line")
    line = int(fault.get_attribute("data-line") or 0)
    expect(page.locator("#scenario-lines .line-wrong").first).to_have_text(str(line))
    fault.click()
    chosen = "(() => { const box = document.getElementById('scenario-text'); "
    chosen += "return box.value.slice(box.selectionStart, box.selectionEnd) })()"
    assert "shout" in page.evaluate(chosen) or "step" in page.evaluate(chosen)
    browser.shot(page, "scenario-fault")
    text.fill(before + "\n# looked at\n")
    expect(page.locator("#checked .text-danger")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")
    assert page.locator("#scenario-text").input_value().endswith("# looked at\n")
    page.locator(".flow a").nth(1).focus()
    page.keyboard.press("Enter")
    assert "name" in page.evaluate(chosen)


def look_around(page: Page, browser: Chromium, panel: str) -> None:
    """The list, found by a part of a name in another case, as one types; then the language."""
    page.get_by_role("link", name="Lists").click()
    page.get_by_role("link", name="debtors").click()
    page.get_by_label("Search").press_sequentially("МАРИЯ 04")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    browser.shot(page, "people")
    page.get_by_role("button", name="RU").click()
    expect(page.get_by_role("link", name="Списки")).to_be_visible()
    page.goto(panel + "campaigns")
    expect(page.locator("tbody tr")).to_contain_text("debtors")
    browser.shot(page, "campaigns-ru")
    for path in ("", "lists", "lists/debtors", "lists/debtors/people/1", "account", "password", "set-up"):
        page.goto(panel + path)
        browser.shot(page, f"{path.replace('/', '-') or 'monitor'}-ru")
        assert browser.barriers(page) == []
    set_up(page, browser, panel)


def set_up(page: Page, browser: Chromium, panel: str) -> None:
    """In Russian: a user, a token, a webhook whose test message does not arrive: nobody may look around inside."""
    page.goto(panel + "set-up")
    browser.shot(page, "set-up-ru")
    page.get_by_role("main").get_by_role("link", name="Пользователи").click()
    page.get_by_label("Имя").fill("ольга")
    page.get_by_role("button", name="Добавить").click()
    expect(page.locator("code.secret")).to_be_visible()
    browser.shot(page, "users-ru")
    assert browser.barriers(page) == []
    page.get_by_role("main").get_by_role("link", name="Токены API").click()
    page.get_by_label("Какая система им пользуется?").fill("CRM")
    page.get_by_role("button", name="Создать").click()
    expect(page.locator("code.secret")).to_contain_text("ocm_")
    browser.shot(page, "tokens-ru")
    assert browser.barriers(page) == []
    page.get_by_role("main").get_by_role("link", name="Вебхуки").click()
    page.get_by_label("Адрес").fill(panel + "nowhere")
    page.get_by_label("звонок закончен").check()
    page.get_by_role("button", name="Добавить").click()
    expect(page.locator("code.secret")).to_contain_text("whsec_")
    browser.shot(page, "webhooks-ru")
    assert browser.barriers(page) == []
    page.get_by_role("main").get_by_role("link", name="/nowhere").click()
    page.get_by_role("button", name="Проверить").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    for _ in range(100):
        page.reload()
        if page.get_by_text("is not on the public Internet").count():
            break
        page.wait_for_timeout(200)
    expect(page.locator("tbody")).to_contain_text("127.0.0.1 is not on the public Internet")
    browser.shot(page, "webhook-ru")
    assert browser.barriers(page) == []
    page.get_by_role("main").get_by_role("link", name="Стоп-листы").click()
    page.get_by_label("Номера и маски").fill("8 495 123-45-77\n+7900*")
    page.get_by_label("Причина").fill("просил не звонить")
    page.get_by_role("button", name="Внести").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    browser.shot(page, "stop-lists-ru")
    assert browser.barriers(page) == []
    page.get_by_role("main").get_by_role("link", name="Журнал действий").click()
    expect(page.locator("tbody")).to_contain_text("webhook.test")
    browser.shot(page, "audit-ru")
    assert browser.barriers(page) == []


def test_on_a_telephone_in_the_dark(panel: str, system: System, tmp_path: Path) -> None:
    """The menu is folded, and nothing is wider than the screen."""
    with chromium(tmp_path / "shots", dark=True, width=390) as browser:
        page = browser.page()
        come_in(page, panel, system.folder)
        assert page.locator("html").get_attribute("data-bs-theme") == "dark"
        expect(page.get_by_role("link", name="Lists", exact=True)).to_be_hidden()
        rooms = ("scenarios", f"scenarios/{scenario_of(system)}", "set-up")
        rooms += tuple(f"set-up/{room}" for room in ("users", "stop-lists", "tokens", "webhooks", "audit"))
        for path in ("", "lists", "lists/debtors", "lists/debtors/people/new", "campaigns", "account", *rooms):
            page.goto(panel + path)
            browser.shot(page, f"phone-dark-{path.replace('/', '-') or 'monitor'}")
            assert browser.barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.get_by_role("button", name="Menu").click()
        expect(page.get_by_role("link", name="Lists", exact=True)).to_be_visible()
        assert browser.faults == []


def test_a_fallen_link_is_told_on_every_page(panel: str, system: System, tmp_path: Path) -> None:
    """Until somebody has seen it; and it rings for who wants it."""
    with chromium(tmp_path / "shots") as browser:
        page = browser.page()
        come_in(page, panel, system.folder)
        page.goto(panel + "lists")
        bell = page.get_by_role("button", name="Sound at an alarm")
        bell.click()
        expect(bell).to_have_attribute("aria-pressed", "true")
        page.evaluate(
            "() => { const made = AudioContext.prototype.createOscillator; window.tones = 0;"
            " AudioContext.prototype.createOscillator = function () { window.tones += 1; return made.call(this); } }"
        )
        system.simulator.kill()
        alarm = page.locator("#alarms .alarm")
        expect(alarm).to_contain_text("No link to the switch: office")
        expect(alarm.locator("time")).to_have_attribute("datetime", re.compile(f"^{datetime.now(UTC):%Y}"))
        page.wait_for_function("() => window.tones === 2")
        browser.shot(page, "alarm")
        assert browser.barriers(page) == []
        page.goto(panel + "campaigns")
        expect(alarm).to_be_visible()
        alarm.get_by_role("button", name="Seen").click()
        expect(alarm).to_have_count(0)
        with page.expect_response(lambda response: "alarms" in response.url):
            page.goto(panel + "lists")
        expect(alarm).to_have_count(0)
        assert browser.faults == []
