"""What can be found wrong with the ways of prompts and replies before a call: for ``ocm check``.

Whether Asterisk sees the same folder only a call can show: a prompt and a reply of a call of the context to itself.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import inlineCallbacks

from ocm_cti.gateways.agi_prompts import PROMPTS, REPLIES, Folders, InThread
from ocm_cti.gateways.agi_replies import AriReplies, RecordFailed, Replies
from ocm_cti.gateways.agi_settings import AgiSettings


@inlineCallbacks
def find_wrong(settings: AgiSettings, folders: Folders, replies: Replies, in_thread: InThread) -> Any:
    """Deferred of a list of lines for people, what is wrong and what to do; empty: nothing."""
    wrong: list[str] = []
    used = [PROMPTS] * (settings.prompts == "folder") + [REPLIES] * (settings.replies == "folder")
    if used:
        found: list[str] = yield in_thread(folder_wrong, folders, used)
        wrong += found
    if isinstance(replies, AriReplies):
        try:
            yield replies.request(b"GET", "recordings/stored")
        except RecordFailed as error:
            wrong.append(str(error))
    return wrong


def folder_wrong(folders: Folders, used: list[str]) -> list[str]:
    """Blocks. The shared folder is there, and we may write and remove files in it."""
    try:
        folders.open()
    except OSError as error:
        return [f"shared_folder: {error.filename} can't be made: {error.strerror}"]
    wrong = []
    for name in used:
        probe = folders.ours / name / f"check.{os.getpid()}.part"
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            wrong.append(f"shared_folder: {probe.parent} can't be written by this server: {error.strerror}")
    return wrong
