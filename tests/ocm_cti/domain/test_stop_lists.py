"""Numbers and patterns that are not to be called."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain.stop_lists import entry, is_pattern, matches, stopped


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+7 (495) 123-45-01", "+74951234501"),
        ("+7 900*", "+7900*"),
        ("+7 495 123-45-0?", "+7495123450?"),
        ("+7?9*", "+7?9*"),
    ],
)
def test_entries(written: str, kept: str) -> None:
    assert entry(written) == kept
    assert is_pattern(kept) == ("?" in kept or "*" in kept)


@pytest.mark.parametrize("written", ["", "*", "+*", "+?", "84951234501", "+7", "+7*9", "+7 abc", "++7495*", "+7900**"])
def test_what_might_mean_everybody_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no number and no pattern"):
        entry(written)


DIGITS = st.text("0123", min_size=1, max_size=8)


@settings(max_examples=100)
@given(st.text("0123?", max_size=8), st.booleans(), DIGITS)
def test_as_the_shell_matches(middle: str, open_end: bool, digits: str) -> None:
    pattern, number = f"+7{middle}{'*' * open_end}", f"+7{digits}"
    assert matches(pattern, number) == fnmatchcase(number, pattern)
    assert stopped([number], [pattern]) == (frozenset({number}) if matches(pattern, number) else frozenset())
