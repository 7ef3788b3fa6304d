"""Whom a message may be sent to, and how it is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocm_cti.domain import webhooks
from ocm_cti.domain.webhooks import Target, UnusableUrl, target, why_not

PRIVATE = [
    *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.2.5", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2002:7f00:1::"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_only_machines_inside_reach_is_not_sent_to(address: str) -> None:
    assert "not on the public Internet" in why_not(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_public_internet_is(address: str) -> None:
    assert why_not(address) == ""


@settings(max_examples=100, deadline=None)
@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_no_spelling_of_an_inner_address_gets_through(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    spellings = [
        str(inner),
        f"::ffff:{inner}",
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
    ]
    for spelt in spellings:
        assert why_not(spelt), spelt
        assert why_not(spelt, webhooks.networks([f"{inner}/32"])) == "", spelt


def test_networks_of_the_office_may_be_sent_to() -> None:
    allowed = webhooks.networks(["10.1.0.0/16", "127.0.0.1"])
    assert why_not("10.1.200.3", allowed) == why_not("127.0.0.1", allowed) == ""
    assert why_not("10.2.0.1", allowed) and why_not("127.0.0.2", allowed)
    assert "is no IP address" in why_not("crm.local", allowed)
    with pytest.raises(ValueError, match="host bits"):
        webhooks.networks(["10.1.0.1/16"])


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://crm.example/hook?x=1", Target(True, "crm.example", 443)),
        ("http://10.0.0.1:8080/", Target(False, "10.0.0.1", 8080)),
        ("https://[2606:2800::1]:8443/a", Target(True, "2606:2800::1", 8443)),
    ],
)
def test_an_address_of_a_web_server(url: str, found: Target) -> None:
    assert target(url) == found


@pytest.mark.parametrize(
    "url",
    [
        *("", "crm.example/hook", "ftp://crm.example/", "file:///etc/passwd", "https://", "https:///x", "gopher://x/"),
        *("https://u:p@crm.example/", "https://crm.example:99999/", "https://crm.example/#x", "https://crm.example/ x"),
        *("https://цех.рф/", "https://[::1", "https://x/" + "y" * 1000, "https://x/\r\nHost: y"),
    ],
)
def test_what_is_none(url: str) -> None:
    with pytest.raises(UnusableUrl):
        target(url)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_reason(text: str) -> None:
    try:
        found = target(text)
    except UnusableUrl as error:
        assert str(error)
    else:
        assert found.host and 0 < found.tcp_port < 65536


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = webhooks.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_can_be_signed_with() -> None:
    secret = webhooks.new_secret()
    assert secret != webhooks.new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 24
    mine = hmac.new(key, b"m.1.{}", hashlib.sha256).digest()
    assert webhooks.signature(secret, "m", 1, b"{}") == "v1," + base64.b64encode(mine).decode()


def test_tries_come_ever_later_and_end() -> None:
    waits = [webhooks.retry_s(tries) for tries in range(1, len(webhooks.RETRY_S) + 1)]
    assert waits == sorted(waits, key=lambda one: one or 0)
    assert webhooks.retry_s(len(webhooks.RETRY_S) + 1) is None
    assert sum(webhooks.RETRY_S) > 24 * 3600
