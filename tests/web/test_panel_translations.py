"""Every text of the panel is there in Russian and Ukrainian, and what is compiled is what is written."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

WEB = Path(__file__).resolve().parent.parent.parent / "web"
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def catalogue(language: str) -> Catalog:
    with (WEB / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def texts() -> set[str]:
    found = extract_from_dir(
        WEB, method_map=[("**.py", "python"), ("templates/**.html", "jinja2")], keywords=KEYWORDS, comment_tags=()
    )
    return {message[2] for message in found}


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_every_text_is_translated(language: str) -> None:
    """``tools/translations`` collects the texts; what is empty then has to be translated."""
    known = {message.id: message.string for message in catalogue(language) if message.id}
    assert texts() - set(known) == set(), "run tools/translations"
    assert set(known) - texts() == set(), "run tools/translations"
    assert [text for text, translated in known.items() if not translated] == []


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    """A name that is missing, or spelled otherwise, would be an error when the page is shown."""
    for message in catalogue(language):
        if message.id:
            wanted, found = (sorted(re.findall(r"%\(\w+\)s|%%", text)) for text in (message.id, message.string))
            assert wanted == found, message.id


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    kept = (WEB / "translations" / language / "LC_MESSAGES" / "messages.mo").read_bytes()
    assert compiled.getvalue() == kept, "run tools/translations"
