"""The ``ocm`` command. Its words and arguments stand in ``command_line``; what they do stands in ``commands``.

Exit codes: 0 done, 2 something in the input, the configuration or the surroundings is wrong (one line says what).
"""

from __future__ import annotations

import io
import sys

import click

from ocm_cti._version import __version__
from ocm_cti.command_line import access, campaigns, people, reports, scenarios, serving, stop_lists
from ocm_cti.commands.csta import csta
from ocm_cti.commands.smdr import smdr


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ocm")
def main() -> None:
    """OCM calls everybody on a list through your PBX, says each a message of his own, takes the key that confirms it.

    \b
    To see it work without a PBX:       ocm demo
    With your own PBX, in this order:   ocm check    is everything reachable?
                                        ocm import   a list from Excel or CSV
                                        ocm serve    the server (leave it running)
                                        ocm start    start calling a list
                                        ocm stop     stop calling it
                                        ocm report   what came of it
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal can't show must not stop the report


for command in (
    serving.demo,
    serving.serve,
    serving.simulate,
    serving.check,
    serving.asterisk_config,
    people.import_,
    people.lists_,
    people.people,
    people.write_back,
    access.user,
    access.token,
    campaigns.start,
    campaigns.stop,
    campaigns.pause,
    campaigns.resume,
    campaigns.waiting,
    campaigns.audit,
    campaigns.rehearse_,
    campaigns.schedule,
    stop_lists.stop_list,
    reports.report,
    reports.campaigns,
    reports.calls,
    scenarios.scenario,
    csta,
    smdr,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
