"""Reports that are being made: each in a process of its own, with a folder for what it makes."""

from __future__ import annotations

import secrets
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ocm_cti.office.children import Children
from ocm_cti.office.errors import NotNow, NotThere
from ocm_cti.report_process import FIGURES_FILE, Order

COMMAND = (sys.executable, "-m", "ocm_cti.report_process")
#: At once; more wait for their turn.
PROCESSES = 2
#: More than that are not taken on before some are done.
MOST_WAITING = 20
#: What was made is kept so long, and so many of them.
KEPT = timedelta(hours=12)
MOST_KEPT = 40


@dataclass
class ReportJob:
    """``state``: waiting, making, done or failed (``why`` says it). ``files`` are names in ``folder``."""

    job_id: str
    owner: str
    campaign_ids: tuple[int, ...]
    formats: tuple[str, ...]
    ordered_at: datetime
    folder: Path
    state: str = "waiting"
    done: int = 0
    total: int = 0
    why: str = ""
    files: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def percent(self) -> int:
        return 100 if self.state == "done" else min(99, 100 * self.done // self.total) if self.total else 0

    @property
    def figures(self) -> str:
        """JSON; once it is done."""
        return (self.folder / FIGURES_FILE).read_text(encoding="utf-8")

    def path(self, place: int) -> Path:
        """Raises NotThere."""
        if self.state != "done" or not 0 <= place < len(self.files):
            raise NotThere("there is no such file")
        return self.folder / self.files[place]


class ReportJobs:
    """For any thread. ``folder`` is ours alone: what an earlier server has left there goes."""

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self._folder = folder
        self._children = Children(command, PROCESSES)
        self._lock = threading.Lock()
        self._jobs: dict[str, ReportJob] = {}
        self._swept = False

    def begin(self, owner: str, order: Order, now: datetime) -> ReportJob:
        """``order.folder`` is ours to say. Raises NotNow when too many wait."""
        self._clear(now)
        job_id = secrets.token_hex(12)
        made = ReportJob(job_id, owner, tuple(order.campaign_ids), tuple(order.formats), now, self._folder / job_id)
        with self._lock:
            waiting = sum(not job.over.is_set() for job in self._jobs.values())
            if waiting >= MOST_WAITING or self._children.closed:
                raise NotNow("too many reports are being made at this moment; try again later")
            self._jobs[job_id] = made
        made.folder.mkdir(parents=True)
        text = Order(**{**vars(order), "folder": str(made.folder)}).text()
        threading.Thread(target=self._make, args=(made, text), name="report", daemon=True).start()
        return made

    def of(self, owner: str, job_id: str) -> ReportJob:
        """Raises NotThere, also for somebody else's."""
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None or found.owner != owner:
            raise NotThere("this report is not there any more; make it again")
        return found

    def latest(self, owner: str, campaign_ids: Sequence[int]) -> ReportJob | None:
        """The newest with these campaigns that did not fail; None: there is none."""
        with self._lock:
            found = [
                job
                for job in self._jobs.values()
                if job.owner == owner and job.campaign_ids == tuple(campaign_ids) and job.state != "failed"
            ]
        return found[-1] if found else None

    def close(self) -> None:
        """End what is being made."""
        self._children.close()

    def _make(self, job: ReportJob, order: str) -> None:
        try:
            self._run(job, order)
        except OSError as error:
            job.why = f"the report can't be made: {error.strerror or error}"
        finally:
            if job.state != "done":
                job.why = job.why or "the report was not finished; make it again"
                job.state = "failed"
            job.over.set()

    def _run(self, job: ReportJob, order: str) -> None:
        files: list[str] = []

        def begun() -> None:
            job.state = "making"

        def told(line: str) -> None:
            kind, _, rest = line.partition(" ")
            if kind == "!":
                job.why = rest
            elif kind == "=":
                files.append(rest)
            elif kind.isdecimal() and rest.isdecimal():
                job.done, job.total = int(kind), int(rest)

        if self._children.run(order, begun, told) == 0 and not job.why:
            job.files = files
            job.state = "done"

    def _clear(self, now: datetime) -> None:
        with self._lock:
            first, self._swept = not self._swept, True
            over = [job for job in self._jobs.values() if job.over.is_set()]
            old = [job for job in over if now - job.ordered_at > KEPT]
            old += [job for job in over[: max(0, len(over) - MOST_KEPT)] if job not in old]
            for job in old:
                del self._jobs[job.job_id]
        if first:
            shutil.rmtree(self._folder, ignore_errors=True)
        for job in old:
            shutil.rmtree(job.folder, ignore_errors=True)
