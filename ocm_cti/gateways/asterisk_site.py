"""What a site must write into its Asterisk for a gateway: the context where answered calls land, the manager user.

TESTED on Asterisk 22 with exactly these lines. No ``system`` right: it is a shell on the switch.
"""

from __future__ import annotations

import socket

from ocm_cti.gateways.asterisk_settings import AsteriskSettings

#: Rights of the manager user: what is read, what may be asked for.
READ = ("call", "agi", "dtmf")
WRITE = ("call", "agi", "originate", "reporting")

#: Actions that the gateway sends -> the class of ``write`` that allows it. SEEN in ListCommands.
ACTIONS = {
    "Originate": "originate",
    "Hangup": "call",
    "Redirect": "call",
    "Setvar": "call",
    "Getvar": "call",
    "ControlPlayback": "call",
    "AGI": "agi",
    "CoreShowChannels": "reporting",
}
#: ... and the module that has it, for those that are not in Asterisk itself.
MODULES = {"AGI": "res_agi.so", "ControlPlayback": "app_controlplayback.so"}

#: Events of classes that we read, often and of no use to us: the switch need not write them.
UNWANTED = (
    "AGIExecStart",
    "AGIExecEnd",
    "DeviceStateChange",
    "DTMFBegin",
    "ExtensionStatus",
    "NewAccountCode",
    "NewCallerid",
    "NewConnectedLine",
    "PresenceStateChange",
)


def dialplan(settings: AsteriskSettings) -> str:
    """For extensions.conf: an answered call is handed to us, and stays when one of our commands fails."""
    first = settings.priority
    return f"""\
[{settings.context}]
exten => {settings.exten},{first},{settings.application}
 same => n,GotoIf($["${{AGISTATUS}}"="HANGUP"]?end:{first})
 same => n(end),Hangup()
"""


def manager_user(settings: AsteriskSettings, *, secret: bool) -> str:
    """For manager.conf; ``secret``: with the secret in full."""
    filters = "".join(f"eventfilter(action(exclude),name({event})) =\n" for event in UNWANTED)
    old = "".join(f"; eventfilter = !Event: {event}\n" for event in UNWANTED)
    shown = settings.secret if secret else f"SECRET   ; that of [gateways.{settings.name}] in ocm.toml"
    return f"""\
[{settings.username}]
secret = {shown}
deny = 0.0.0.0/0.0.0.0
permit = {our_address(settings)}/255.255.255.255   ; the address that this server comes from
read = {",".join(READ)}
write = {",".join(WRITE)}
writetimeout = 5000
; What we have no use for need not be sent (Asterisk 20 and later):
{filters}; The same for an older one:
{old}"""


def our_address(settings: AsteriskSettings) -> str:
    """Our address as the switch sees it; a name in its place when there is no way there. Sends nothing."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.tcp_port, socket.AF_INET)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError:
        return "ADDRESS"


def whole(settings: AsteriskSettings, *, secret: bool = False) -> str:
    """What ``ocm asterisk-config`` prints, with where each part goes and how it is taken over."""
    tls = "tlsenable = yes, tlsbindaddr, tlscertfile" if settings.uses_tls else f"port = {settings.tcp_port}"
    return f"""\
; Gateway {settings.name}: what {settings.host} needs. Nothing else of its configuration is touched.

; --- extensions.conf, then: asterisk -rx "dialplan reload"
{dialplan(settings)}
; --- manager.conf, in [general]: enabled = yes, {tls}
; --- and at its end this user, then: asterisk -rx "manager reload"
{manager_user(settings, secret=secret)}
; --- modules.conf, unless autoload = yes: {", ".join(sorted(set(MODULES.values())))}

; Then: ocm check
"""
