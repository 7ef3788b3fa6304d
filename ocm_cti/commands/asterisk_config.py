"""``ocm asterisk-config``: the lines that a site puts into its Asterisk, for each gateway of that kind."""

from __future__ import annotations

from pathlib import Path

import click

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.asterisk_site import whole


def run(config_path: Path, gateway: str | None, *, secret: bool) -> int:
    """Prints them; 0. CommandError when there is no such gateway."""
    config = configuration.load(config_path)
    found = [settings for settings in config.gateways.values() if isinstance(settings, AsteriskSettings)]
    if gateway is not None:
        found = [settings for settings in found if settings.name == gateway]
    if not found:
        which = f"gateway {gateway}" if gateway is not None else "gateway"
        names = ", ".join(config.gateways) or "none"
        raise CommandError(f'{config_path} has no {which} with kind = "asterisk"; it has: {names}')
    click.echo("\n".join(whole(settings, secret=secret) for settings in found), nl=False)
    return 0
