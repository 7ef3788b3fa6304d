"""Webhooks: what other systems are told by themselves, how it is signed, whom it may be sent to. Pure.

Messages follow the Standard Webhooks specification (standardwebhooks.com): the headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature``, so that ready-made libraries check them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

ATTEMPT_FINISHED = "attempt.finished"
CAMPAIGN_STARTED = "campaign.started"
CAMPAIGN_PAUSED = "campaign.paused"
CAMPAIGN_RESUMED = "campaign.resumed"
CAMPAIGN_STOPPED = "campaign.stopped"
CAMPAIGN_FINISHED = "campaign.finished"
#: What may be subscribed to.
EVENTS = (
    ATTEMPT_FINISHED,
    CAMPAIGN_STARTED,
    CAMPAIGN_PAUSED,
    CAMPAIGN_RESUMED,
    CAMPAIGN_STOPPED,
    CAMPAIGN_FINISHED,
)
#: Sent by hand, to whoever subscribed to whatever.
TEST = "webhook.test"

#: Seconds to the next try after the first, second … failure; then it is given up: a little more than a day.
RETRY_S = (5.0, 30.0, 120.0, 600.0, 3600.0, 4 * 3600.0, 8 * 3600.0, 12 * 3600.0)

SECRET_MARK = "whsec_"
_SECRET_OCTETS = 24
LONGEST_URL = 1000
#: Addresses that carry an IPv4 one inside: IPv4-mapped, 6to4, NAT64, Teredo.
_NAT64 = ip_network("64:ff9b::/96")


class UnusableUrl(ValueError):
    """No message may be sent there; the text says why."""


@dataclass(frozen=True)
class Target:
    """Where a message goes."""

    secure: bool
    host: str
    tcp_port: int


def target(url: str) -> Target:
    """Raises UnusableUrl for what is no address of a web server."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise UnusableUrl(f"the address has at most {LONGEST_URL} letters, and no spaces")
    try:
        parts = urlsplit(url)
        host, tcp_port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableUrl(f"{url[:80]!r} is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise UnusableUrl("the address begins with https:// or http:// and a host")
    if parts.username is not None or parts.password is not None:
        raise UnusableUrl("no name and password in the address: the signature says who sends")
    if parts.fragment:
        raise UnusableUrl("what stands behind # is never sent")
    secure = parts.scheme == "https"
    return Target(secure, host, tcp_port or (443 if secure else 80))


def networks(allowed: Collection[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """``("10.1.0.0/16", "127.0.0.1")``. Raises ValueError."""
    return tuple(ip_network(one) for one in allowed)


def why_not(address: str, allowed: Collection[IPv4Network | IPv6Network] = ()) -> str:
    """Why nothing is sent to this IP address; "" when it may be.

    A message must not reach what only machines inside reach: whoever may make a webhook would look around there.
    ``allowed``: networks of the office that may be sent to all the same.
    """
    try:
        found = _plain(ip_address(address.partition("%")[0]))
    except ValueError:
        return f"{address} is no IP address"
    if any(found in network for network in allowed):
        return ""
    if not found.is_global or found.is_multicast or found.is_reserved:
        return (
            f"{address} is not on the public Internet; a network of your own is named in ocm.toml: "
            f'[webhooks] allow = ["{found}"]'
        )
    return ""


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside of an IPv6 one, where there is one: that is where it goes."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inside = address.ipv4_mapped or address.sixtofour
    if inside is None and address.teredo is not None:
        inside = address.teredo[1]
    return inside or address


def new_secret() -> str:
    """What a webhook's messages are signed with; both sides have it."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(_SECRET_OCTETS)).decode()


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of ``ID.TIMESTAMP.BODY`` in Base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    signed = hmac.new(key, f"{message_id}.{timestamp_s}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def retry_s(tries: int) -> float | None:
    """How long after so many failed tries the next one is; None: it is given up."""
    return RETRY_S[tries - 1] if tries <= len(RETRY_S) else None
