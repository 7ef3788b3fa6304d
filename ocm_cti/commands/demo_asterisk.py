"""The demo's real switches: a private Asterisk as the office's PBX, or in an operator's role; another one beside it
plays the public network with its callees. Both are started by ``tools/asterisk`` of the source tree.
"""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.commands import demo_callees
from ocm_cti.commands.errors import CommandError
from ocm_cti.gateways import asterisk_site
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.simulator.callees import Directory

HOST = "127.0.0.1"
INSTALL_LIMIT_S = 300.0
START_LIMIT_S = 60.0
CHANNELS = 8
ACCOUNT = "4957000000"

NEEDED = (
    "a private Asterisk is fetched for it by tools/asterisk, which needs a Debian or Ubuntu with apt and a mirror; "
    "without that: ocm demo --switch panasonic"
)

ASTERISK_GATEWAY = """\
[gateways.office]
kind = "asterisk"
link = "tcp:{host}:{ami_port}"
username = "ocm"
secret = "{secret}"
channel = "PJSIP/{{number}}@trunk"
channels = {channels}
"""

SIP_GATEWAY = """\
[gateways.operator]
kind = "sip"
host = "{host}"
port = {sip_port}
user = "{user}"
password = "{secret}"
registers = true
channels = {channels}
"""

#: The public network takes every call that comes from this machine ...
FROM_ANYBODY = """\
[office]
type = identify
endpoint = office
match = 127.0.0.1
"""
#: ... or those of an account, which registers.
FROM_ACCOUNT = """\
[{user}]
type = auth
auth_type = userpass
username = {user}
password = {secret}

[{user}]
type = aor
max_contacts = 1
remove_existing = yes
"""
ENDPOINT = """\
[{name}]
type = endpoint
context = {context}
disallow = all
allow = alaw,ulaw
dtmf_mode = rfc4733
direct_media = no
rtp_symmetric = yes
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
rtp_keepalive = 5
"""


@dataclass
class _Asterisk:
    """One Asterisk that ends with this process."""

    process: subprocess.Popen[bytes]
    ports: dict[str, str]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _tool(fixtures: Path) -> Path:
    for root in (Path(__file__).parents[2], fixtures.parent):
        if (root / "tools" / "asterisk").is_file():
            return root / "tools" / "asterisk"
    raise CommandError("tools/asterisk is not here: run the demo from the source tree, or use --switch panasonic")


def _run(tool: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [str(tool), *arguments],
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(f"{tool} {arguments[0]}: {error}; {NEEDED}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise CommandError(f"{last}; {NEEDED}")
    return done.stdout


def _install(tool: Path) -> None:
    """Its own words go to the terminal: the first time it takes a while."""
    try:
        code = subprocess.run(
            [str(tool), "install"], stdout=subprocess.DEVNULL, timeout=INSTALL_LIMIT_S, check=False
        ).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(f"{tool} install: {error}; {NEEDED}") from None
    if code:
        raise CommandError(f"there is no Asterisk for the demo (the reason stands above); {NEEDED}")


def _start(tool: Path, folder: Path, fragments: dict[str, str], *ports: str) -> _Asterisk:
    folder = folder.absolute()
    (folder / "extra").mkdir(parents=True, exist_ok=True)
    for name, text in fragments.items():
        (folder / "extra" / f"{name}.conf").write_text(text, encoding="utf-8")
    told = _run(tool, "configure", str(folder), *ports)
    process = subprocess.Popen(
        [str(tool), "run", str(folder)],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: we end it after our calls are over
    )
    running = _Asterisk(process, dict(line.split("=", 1) for line in told.split()))
    try:
        _run(tool, "wait", str(folder), str(process.pid))
    except CommandError:
        running.stop()
        raise
    return running


class OfficeAsterisk:
    """An Asterisk as a firm has it, set up with what ``ocm asterisk-config`` prints, behind it the public network."""

    def __init__(self, folder: Path, network: _Asterisk, office: _Asterisk, gateway: str) -> None:
        self.folder = folder
        self.gateway = gateway
        self._network = network
        self._office = office

    @classmethod
    def start(cls, folder: Path, fixtures: Path) -> OfficeAsterisk:
        """Raises CommandError when Asterisk can't be had or does not start."""
        tool = _tool(fixtures)
        _install(tool)
        network = _start(tool, folder / "public", _network(folder, "office", FROM_ANYBODY))
        try:
            secret = secrets.token_hex(12)
            settings = AsteriskSettings("office", "tcp:127.0.0.1:5038", "ocm", secret, "PJSIP/{number}@trunk")
            fragments = {
                "extensions": asterisk_site.dialplan(settings),
                "manager": asterisk_site.manager_user(settings, secret=True),
            }
            office = _start(tool, folder / "office", fragments, f"callee={HOST}:{network.ports['sip']}")
        except BaseException:
            network.stop()
            raise
        gateway = ASTERISK_GATEWAY.format(host=HOST, ami_port=office.ports["ami"], secret=secret, channels=CHANNELS)
        return cls(folder, network, office, gateway)

    @property
    def introduction(self) -> str:
        return (
            f"private Asterisk: AMI on {HOST}:{self._office.ports['ami']}, {CHANNELS} channels; another one plays the "
            f"public network, SIP on {HOST}:{self._network.ports['sip']}"
        )

    def stop(self) -> None:
        self._office.stop()
        self._network.stop()


class Operator:
    """An Asterisk in the role of an operator: registrar, digest, one account of ours; it plays the callees as well."""

    def __init__(self, folder: Path, network: _Asterisk, gateway: str) -> None:
        self.folder = folder
        self.gateway = gateway
        self._network = network

    @classmethod
    def start(cls, folder: Path, fixtures: Path) -> Operator:
        """Raises CommandError when Asterisk can't be had or does not start."""
        tool = _tool(fixtures)
        _install(tool)
        secret = secrets.token_hex(12)
        account = FROM_ACCOUNT.format(user=ACCOUNT, secret=secret)
        network = _start(
            tool, folder / "public", _network(folder, ACCOUNT, account, f"auth = {ACCOUNT}\naors = {ACCOUNT}\n")
        )
        sip_port = network.ports["sip"]
        gateway = SIP_GATEWAY.format(host=HOST, sip_port=sip_port, user=ACCOUNT, secret=secret, channels=CHANNELS)
        return cls(folder, network, gateway)

    @property
    def introduction(self) -> str:
        where = f"{HOST}:{self._network.ports['sip']}"
        return f"private Asterisk as an operator: SIP on {where}, account {ACCOUNT}, {CHANNELS} channels"

    def stop(self) -> None:
        self._network.stop()


def _network(folder: Path, endpoint: str, accounts: str, more: str = "") -> dict[str, str]:
    """Configuration of the Asterisk that plays the public network; its account of the calls lies in ``folder``."""
    sip = ENDPOINT.format(name=endpoint, context=demo_callees.CONTEXT) + more + "\n" + accounts
    callees = demo_callees.dialplan(Directory.load().callees, folder.absolute())
    return {"pjsip": sip, "extensions": callees, "asterisk": demo_callees.OPTIONS}
