"""A real browser for tests of the panel: the system's Chromium, driven by Playwright. What goes wrong in it is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from peers import require
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

#: Milliseconds; a machine under load may be ten times slower than a quiet one.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Chromium:
    """``faults``: what pages complained of: errors in scripts, what the content policy stopped, what was not there."""

    context: BrowserContext
    shots: Path
    faults: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console", lambda said: self.faults.append(f"{page.url}: {said.text}") if said.type == "error" else None
        )
        return page

    def barriers(self, page: Page) -> list[str]:
        """What axe finds serious: who can't see well, or has no mouse, would be shut out."""
        found = Axe().run(page).response["violations"]
        return [
            f"{page.url}: {one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def shot(self, page: Page, name: str) -> None:
        """A picture of the whole page, kept where OCM_SCREENSHOTS says."""
        page.screenshot(path=self.shots / f"{name}.png", full_page=True)


@contextmanager
def chromium(
    folder: Path, *, dark: bool = False, width: int = 1400, locale: str = "en-GB", arguments: Sequence[str] = ()
) -> Iterator[Chromium]:
    """Skips the test where there is none. ``folder`` is for pictures, unless OCM_SCREENSHOTS names another.

    ``arguments`` are more of the browser's own.
    """
    require("chromium")
    shots = Path(os.environ.get("OCM_SCREENSHOTS", folder))
    shots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # No sandbox: as root there is none. It opens our own pages on loopback only.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *arguments]
        )
        context = browser.new_context(
            viewport={"width": width, "height": 860}, color_scheme="dark" if dark else "light", locale=locale
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield Chromium(context, shots)
        finally:
            context.close()
            browser.close()
