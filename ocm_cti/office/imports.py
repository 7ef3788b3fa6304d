"""Files of people that are brought to the panel: kept, looked at, and written into a list when somebody says so.

What is in a file is found out in a process of its own (``import_process``). Only after that is it imported: whoever
brought it has seen what would come of it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.import_process import REFUSED_FILE, RESULT_FILE, Order
from ocm_cti.office.children import Children
from ocm_cti.office.errors import NotNow, NotThere, Refused
from ocm_cti.office.ledger import must
from ocm_cti.office.lists import ListDesk
from ocm_cti.office.settings import ConfigFile

COMMAND = (sys.executable, "-m", "ocm_cti.import_process")
#: At once; more wait for their turn.
PROCESSES = 2
#: Octets of a file; a list of a million people has two hundred million of them.
LARGEST = 300 * 1024 * 1024
#: A file that was brought is kept so long, and so many of them.
KEPT = timedelta(hours=24)
MOST_KEPT = 20
CHUNK = 1 << 18
#: Not a file's path, only what he called it.
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,120}\Z")

BROUGHT, LOOKING, LOOKED, WRITING, DONE, FAILED = "brought", "looking", "looked", "writing", "done", "failed"
#: While it is so, its file is at work.
AT_WORK = (LOOKING, WRITING)


@dataclass(frozen=True)
class Choices:
    """How the file is to be read, where somebody knows better; "" and no heading: as it was found out.

    ``delete_missing``: who is not in it goes off the list; ``sure``: also when that is most of it.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    delete_missing: bool = False
    sure: bool = False


@dataclass
class ImportJob:
    """``state``: one of the six above; ``failed`` with ``why``. ``result``: what ``import_process`` found, {} before.

    ``done`` of ``total`` rows are through with ``doing`` (a word); 0 of 0: it can't be told yet.
    """

    job_id: str
    list_name: str
    called: str
    octets: int
    brought_at: datetime
    folder: Path
    choices: Choices = field(default_factory=Choices)
    state: str = BROUGHT
    doing: str = ""
    done: int = 0
    total: int = 0
    why: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def path(self) -> Path:
        return self.folder / "file"

    @property
    def refused_file(self) -> Path | None:
        path = self.folder / REFUSED_FILE
        return path if self.result and path.exists() else None

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // self.total) if self.total else 0


class ImportDesk:
    """``folder`` is ours alone: what an earlier server has left there goes (it was written whole, or not at all)."""

    def __init__(
        self,
        lists: ListDesk,
        settings: ConfigFile,
        folder: Path,
        now: Callable[[], datetime],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._lists = lists
        self._settings = settings
        self._folder = folder
        self._now = now
        self._children = Children(command, PROCESSES)
        self._lock = threading.Lock()
        self._jobs: dict[str, ImportJob] = {}
        self._swept = False

    def bring(
        self,
        caller: Caller,
        list_name: str,
        called: str,
        stream: IO[bytes],
        choices: Choices | None = None,
        *,
        at_once: bool = False,
    ) -> ImportJob:
        """Keep what ``stream`` gives and begin to look at it; ``at_once``: to import it.

        Raises NotThere, NotAllowed, Refused, NotNow.
        """
        must(caller, Scope.OPERATE)
        self._lists.entry(caller, list_name)
        self._clear()
        job_id = secrets.token_hex(12)
        folder = self._folder / job_id
        folder.mkdir(mode=0o700, parents=True)
        name = called.strip() if _NAME.match(called.strip()) else "file"
        try:
            octets = _keep(stream, folder / "file")
        except BaseException:  # he has gone, or it is too much: nothing of it stays
            shutil.rmtree(folder, ignore_errors=True)
            raise
        job = ImportJob(job_id, list_name, name, octets, self._now(), folder, choices or Choices())
        with self._lock:
            self._jobs[job_id] = job
        self._begin(caller, job, WRITING if at_once else LOOKING)
        return job

    def one(self, caller: Caller, job_id: str) -> ImportJob:
        """Raises NotThere, also for a list that he may not see."""
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None or not caller.sees(found.list_name):
            raise NotThere("this file is not here any more; bring it again: who is on the list already stays as he is")
        return found

    def latest(self, caller: Caller, list_name: str) -> ImportJob | None:
        """The one of this list that is at work; None: none is."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.list_name == list_name and job.state in AT_WORK]
        return jobs[-1] if jobs and caller.sees(list_name) else None

    def look(self, caller: Caller, job_id: str, choices: Choices) -> ImportJob:
        """Read it again as ``choices`` say. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        job = self.one(caller, job_id)
        self._begin(caller, job, LOOKING, choices)
        return job

    def write(self, caller: Caller, job_id: str, *, delete_missing: bool = False, sure: bool = False) -> ImportJob:
        """Import it as it was looked at last. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        job = self.one(caller, job_id)
        if job.state == FAILED and not job.result.get("dry_run"):
            raise Refused("nobody could be found in this file; say how it is to be read")
        self._begin(caller, job, WRITING, replace(job.choices, delete_missing=delete_missing, sure=sure))
        return job

    def drop(self, caller: Caller, job_id: str) -> None:
        """Forget the file. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        job = self.one(caller, job_id)
        with self._lock:
            if job.state in AT_WORK:
                raise Refused("it is being read at this moment; wait for the end")
            self._jobs.pop(job_id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """End what is at work; nothing of a file that is being written then gets onto its list."""
        self._children.close()

    # --- inside ---

    def _begin(self, caller: Caller, job: ImportJob, state: str, choices: Choices | None = None) -> None:
        with self._lock:
            others = [one for one in self._jobs.values() if one.list_name == job.list_name and one is not job]
            if state == WRITING and any(one.state == WRITING for one in others):
                raise Refused(f"another file is being imported into {job.list_name} at this moment; wait for its end")
            if job.state == DONE:
                raise Refused("it has been imported already; bring it again")
            if job.state in AT_WORK:
                raise Refused("it is being read at this moment; wait for the end")
            if self._children.closed:
                raise NotNow("the server is being stopped")
            job.state, job.doing, job.why, job.done, job.total = state, "waiting", "", 0, 0
            job.choices = choices or job.choices
            job.over.clear()
        order = Order(
            config=str(self._settings.first.path),
            list_name=job.list_name,
            path=str(job.path),
            called=job.called,
            folder=str(job.folder),
            who=caller.name,
            dry_run=state == LOOKING,
            encoding=job.choices.encoding,
            delimiter=job.choices.delimiter,
            sheet=job.choices.sheet,
            said=dict(job.choices.said),
            delete_missing=job.choices.delete_missing,
            sure=job.choices.sure,
        )
        threading.Thread(target=self._carry_out, args=(job, order.text()), name="import", daemon=True).start()

    def _carry_out(self, job: ImportJob, order: str) -> None:
        reading = job.state == LOOKING
        found: dict[str, Any] = {}
        why = ""

        def told(line: str) -> None:
            nonlocal why
            kind, _, rest = line.partition(" ")
            if kind == "!":
                why = rest
            elif kind == "=":
                found.update(json.loads((job.folder / RESULT_FILE).read_text(encoding="utf-8")))
            elif kind.isdecimal():
                total, _, job.doing = rest.partition(" ")
                job.done, job.total = int(kind), int(total)

        code: int | None = None
        try:
            code = self._children.run(order, lambda: None, told)
        except (OSError, ValueError) as error:
            why = f"it can't be read: {error}"
        if code != 0:
            why = why or "it could not be read: it took too much memory or time, or the server was stopped"
        with self._lock:
            job.why = why
            if reading or not why:
                job.result = found
            job.state = FAILED if why else LOOKED if reading else DONE
            job.doing = ""
            job.over.set()
        if job.state == DONE:
            job.path.unlink(missing_ok=True)

    def _clear(self) -> None:
        now = self._now()
        with self._lock:
            first, self._swept = not self._swept, True
            resting = [job for job in self._jobs.values() if job.state not in AT_WORK]
            old = [job for job in resting if now - job.brought_at > KEPT]
            old += [job for job in resting[: max(0, len(resting) - MOST_KEPT)] if job not in old]
            if len(self._jobs) - len(old) >= 2 * MOST_KEPT:
                raise NotNow("too many files are being read at this moment; try again later")
            for job in old:
                del self._jobs[job.job_id]
        if first:
            shutil.rmtree(self._folder, ignore_errors=True)
        for job in old:
            shutil.rmtree(job.folder, ignore_errors=True)


def _keep(stream: IO[bytes], path: Path) -> int:
    """How many octets there were. Raises Refused for none, or too many."""
    octets = 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while chunk := stream.read(CHUNK):
                octets += len(chunk)
                if octets > LARGEST:
                    raise Refused(f"a file has at most {LARGEST // 2**20} MB; bring it in parts")
                file.write(chunk)
    except OSError as error:
        raise NotNow(f"the file can't be kept: {error.strerror or error}") from None
    if not octets:
        raise Refused("there is no file, or nothing is in it")
    return octets
