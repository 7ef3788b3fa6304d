"""What can go wrong with a prompt; every text is one line for the operator."""

from __future__ import annotations

from ocm_cti.domain.fragments import SpeechDown


class SpeechError(Exception):
    """A prompt could not be made."""


class SynthesisFailed(SpeechError):
    """The synthesizer gave no usable audio."""


class LibraryMissing(SpeechError, SpeechDown):
    """The synthesizer's library or its data can't be used; the text says what to do."""


class RecordingUnusable(SpeechError):
    """A recorded fragment is not there, or is no audio file that can be read."""


class CacheUnwritable(SpeechError, SpeechDown):
    """The file could not be written."""


class SpeechProcessLost(SpeechError):
    """The speech process died or hung twice over the same fragment."""


class NotBegun(SpeechProcessLost):
    """The speech process was lost before this fragment had its turn; it is not to blame. Never told to who asked."""


class SpeechStopped(SpeechError, SpeechDown):
    """The client is not running."""
