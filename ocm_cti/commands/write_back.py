"""``ocm write-back``: tell the customer's own database now what came of his people."""

from __future__ import annotations

from pathlib import Path

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import open_console
from ocm_cti.store.transactions import Store
from ocm_cti.write_back import write_now

KEYS_NAMED = 5


def run(config_path: Path, list_name: str) -> int:
    config = configuration.load(config_path)
    entry = config.lists.get(list_name)
    if entry is None or entry.source is None or not entry.source.write_back:
        raise CommandError(f"{config.path}: no write_back in [lists.{list_name}.source]")
    told, unknown = write_now(Store.open(config.database), list_name, entry.source)
    console = open_console()
    console.print(f"{list_name}: {told} people written back; what was written before is not written again")
    if unknown:
        named = ", ".join(unknown[:KEYS_NAMED])
        console.print(f"  the UPDATE found nobody for {len(unknown)} keys: {named} …", style="yellow", soft_wrap=True)
    return 0
