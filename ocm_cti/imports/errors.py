"""What makes a whole file useless; a row that is useless alone is a ``Refusal`` in ``people.py``."""

from __future__ import annotations


class ImportFailed(Exception):
    """The file can't be imported, nothing of it was; the text is one line that names the file and says what to mend."""
