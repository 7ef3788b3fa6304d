"""Why the office can't do what it is asked: the panel shows the text, the API answers with it."""

from __future__ import annotations


class OfficeError(Exception):
    """The text is for the person who asked: what is wrong, and what to do next."""


class NotThere(OfficeError):
    """There is no such thing, or he who asks may not know of it."""


class NotAllowed(OfficeError):
    """His role or his token's scope does not reach so far."""


class Refused(OfficeError):
    """It can't be done as things are: a rule of the campaign, the list or the account is against it."""


class ChangedMeanwhile(Refused):
    """Not what was changed stands in the file any more: somebody else was quicker."""


class NotNow(OfficeError):
    """The dialer or the ledger does not answer in time; the same may work in a moment."""
