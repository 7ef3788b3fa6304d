"""The voice of an Asterisk gateway: rows of ``[gateways.NAME]`` that say how prompts reach it and replies come back."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ocm_cti.gateways.settings import SettingError, Table

VOICES = ("asyncagi", "fastagi")
PROMPTS = ("folder", "url")
REPLIES = ("folder", "ari")
TRANSFERS = ("dial", "redirect")
NUMBER_FIELD, CONTEXT_FIELD = "{number}", "{context}"
#: Where Asterisk keeps what ARI calls stored recordings, in Debian's and its own default layout.
SPOOL_RECORDING = "/var/spool/asterisk/recording"

_NO_FOLDER_SIGNS = re.compile(r"[\s\"\\&,]")
_CHANNEL = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.:@/+*#{}-]+")


@dataclass(frozen=True)
class AgiSettings:
    """TESTED against Asterisk 22. Times in seconds; ``read`` builds it from a table, all rows have a default.

    ``shared_folder`` is ours, ``asterisk_folder`` the same one as Asterisk sees it ("": by the same path).
    """

    voice: str = "asyncagi"  # or "fastagi": 1 ms instead of 30-100 between commands, but Asterisk connects to us
    fastagi_host: str = "127.0.0.1"  # where we listen for it
    fastagi_port: int = 4573
    fastagi_from: tuple[str, ...] = ("127.0.0.1",)  # addresses that may connect

    prompts: str = "folder"  # or "url": Asterisk fetches them from us by HTTP
    shared_folder: str = ""  # "": the folder `asterisk` beside our recordings
    asterisk_folder: str = ""
    keep_prompts_h: float = 24.0  # files that we put into the shared folder, after their last use
    url_host: str = "127.0.0.1"  # where we listen
    url_port: int = 8098  # 0: any
    url_base: str = ""  # how Asterisk reaches that, "http://10.0.0.5:8098"; "": http://url_host:url_port
    url_valid_s: float = 3600.0  # how long a link is good, at least

    replies: str = "folder"  # or "ari": Asterisk records into its spool, we fetch by HTTP
    ari_url: str = ""  # "http://10.0.0.7:8088/ari"
    ari_user: str = ""
    ari_password: str = field(default="", repr=False)
    ari_folder: str = SPOOL_RECORDING  # as Asterisk sees it
    reply_file_s: float = 3.0  # until the file of a reply has come through a network folder

    transfer: str = "dial"  # he waits with us until the operator answers; "redirect": he goes, and we can't tell
    transfer_context: str = "default"
    transfer_channel: str = "Local/{number}@{context}"
    transfer_wait_s: float = 30.0
    transfer_options: str = "r"  # of Dial: he hears it ring
    transfer_poll_s: float = 0.5

    amd: bool = False  # the switch listens for an answering machine before we speak
    amd_options: str = ""  # arguments of AMD(), "": those of amd.conf
    machine_silence_s: float = 2.0  # a machine that gets a message has been silent for so long: its greeting is over
    machine_greeting_s: float = 30.0  # ... and it is talked to after so long all the same

    def beside(self, base: Path) -> Self:
        """A relative ``shared_folder`` counts from ``base``."""
        return dataclasses.replace(self, shared_folder=str(base / self.shared_folder)) if self.shared_folder else self

    def channel_for(self, number: str) -> str:
        """What Dial is given for a transfer."""
        return self.transfer_channel.replace(NUMBER_FIELD, number).replace(CONTEXT_FIELD, self.transfer_context)

    @classmethod
    def rows(cls) -> tuple[str, ...]:
        """The names of its rows, for the table's known keys."""
        return tuple(row.name for row in dataclasses.fields(cls))

    @classmethod
    def read(cls, table: Table) -> AgiSettings:
        """SettingError names the first row that is wrong."""
        given: dict[str, Any] = {
            "voice": table.choice("voice", cls.voice, VOICES),
            "prompts": table.choice("prompts", cls.prompts, PROMPTS),
            "replies": table.choice("replies", cls.replies, REPLIES),
            "transfer": table.choice("transfer", cls.transfer, TRANSFERS),
            "amd": table.flag("amd", cls.amd),
            "fastagi_port": table.whole("fastagi_port", cls.fastagi_port, 0, 65535),
            "fastagi_from": _addresses(table, "fastagi_from", cls.fastagi_from),
            "url_port": table.whole("url_port", cls.url_port, 0, 65535),
            "keep_prompts_h": table.number("keep_prompts_h", cls.keep_prompts_h, 0.01, 8760),
            "url_valid_s": table.number("url_valid_s", cls.url_valid_s, 60, 86_400),
            "transfer_channel": _channel(table),
            "transfer_context": _word(table, "transfer_context", cls.transfer_context),
            "transfer_options": _word(table, "transfer_options", cls.transfer_options),
        }
        given["machine_silence_s"] = table.number("machine_silence_s", cls.machine_silence_s, 0.1, 30)
        given["machine_greeting_s"] = table.number("machine_greeting_s", cls.machine_greeting_s, 1, 300)
        for name in ("reply_file_s", "transfer_wait_s", "transfer_poll_s"):
            given[name] = table.number(name, float(getattr(cls, name)), 0.01, 3600)
        for row in dataclasses.fields(cls):
            if row.name not in given:
                given[row.name] = _text(table, row.name, str(row.default))
        made = cls(**given)
        _check_folders(table, made)
        _check_ways(table, made)
        return made


def _text(table: Table, name: str, default: str) -> str:
    """One line, which may be empty."""
    value = table.get(name)
    if value in (None, ""):
        return default if value is None else ""
    text = table.text(name)
    if any(ord(character) < 32 for character in text):
        raise SettingError(table.key(name), "must be one line")
    return text


def _word(table: Table, name: str, default: str) -> str:
    text = _text(table, name, default)
    if re.fullmatch(r"[A-Za-z0-9_.@+*#()^-]*", text) is None:
        raise SettingError(table.key(name), f"{text!r}: letters, digits and _ . - + * # @ only")
    return text


def _addresses(table: Table, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = table.get(name)
    if value is None:
        return default
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
        raise SettingError(table.key(name), 'must be a list of addresses, as ["10.0.0.7"]')
    return tuple(value)


def _channel(table: Table) -> str:
    """``Local/{number}@{context}`` or ``PJSIP/{number}``."""
    channel = table.text("transfer_channel", AgiSettings.transfer_channel)
    bare = channel.replace(NUMBER_FIELD, "").replace(CONTEXT_FIELD, "")
    if NUMBER_FIELD not in channel or "{" in bare or _CHANNEL.fullmatch(channel) is None:
        raise SettingError(
            table.key("transfer_channel"),
            f"{channel!r} must be technology/resource with {NUMBER_FIELD}: PJSIP/{NUMBER_FIELD}",
        )
    return channel


def _check_folders(table: Table, made: AgiSettings) -> None:
    for name in ("shared_folder", "asterisk_folder", "ari_folder"):
        folder = str(getattr(made, name))
        if _NO_FOLDER_SIGNS.search(folder):
            raise SettingError(
                table.key(name), f"{folder!r}: Asterisk can't take a path with blanks, quotes, backslashes, & or commas"
            )
        if name != "shared_folder" and folder and not folder.startswith("/"):
            raise SettingError(table.key(name), f"{folder!r} must be an absolute path of Asterisk's machine")


def _check_ways(table: Table, made: AgiSettings) -> None:
    for name in ("url_base", "ari_url"):
        url = str(getattr(made, name))
        if url and re.fullmatch(r"https?://[^\s\"\\&,/]+(/[^\s\"\\&,]*)?", url) is None:
            raise SettingError(table.key(name), f"{url!r} is no address as http://10.0.0.5:8098")
    if made.replies == "ari" and not (made.ari_url and made.ari_user and made.ari_password):
        raise SettingError(table.key("replies"), '"ari" needs ari_url, ari_user and ari_password (user in ari.conf)')
    if made.prompts == "url" and not made.url_base and not made.url_port:
        raise SettingError(table.key("url_port"), "0 needs url_base: Asterisk must know where to fetch")
