"""Reports that are made in processes of their own: how they end, whoever ends them, and what stays behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ocm_cti.office import report_jobs
from ocm_cti.office.errors import NotNow, NotThere
from ocm_cti.office.report_jobs import ReportJob, ReportJobs
from ocm_cti.report_process import Order

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PATIENCE_S = 120
#: Makes a file in the folder of its order, whatever else was ordered.
GOOD = """
import json, pathlib, sys
order = json.load(sys.stdin)
pathlib.Path(order["folder"], "report.csv").write_text("made")
print("5 10")
print("= report.csv")
"""
LONG = "import sys; sys.stdin.read(); print('5 10', flush=True); sys.stdin.close(); import time; time.sleep(600)"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[ReportJobs]]:
    made: list[ReportJobs] = []
    yield made
    for jobs in made:
        jobs.close()
        for job in jobs._jobs.values():
            assert job.over.wait(PATIENCE_S)


def jobs_of(opened: list[ReportJobs], folder: Path, code: str) -> ReportJobs:
    opened.append(ReportJobs(folder / "reports", (sys.executable, "-c", code)))
    return opened[-1]


def order() -> Order:
    return Order("ocm.db", False, (1, 2), NOW.isoformat(), "", "recordings", formats=("csv",))


def over(job: ReportJob) -> ReportJob:
    assert job.over.wait(PATIENCE_S)
    return job


def test_a_job_ends_with_its_files(opened: list[ReportJobs], tmp_path: Path) -> None:
    jobs = jobs_of(opened, tmp_path, GOOD)
    job = over(jobs.begin("anna", order(), NOW))
    assert (job.state, job.percent, job.files, job.path(0).read_text()) == ("done", 100, ["report.csv"], "made")
    assert jobs.of("anna", job.job_id) is job and jobs.latest("anna", (1, 2)) is job
    for place in (-1, 1):
        with pytest.raises(NotThere):
            job.path(place)
    for owner, job_id in (("boris", job.job_id), ("anna", "none")):
        with pytest.raises(NotThere):
            jobs.of(owner, job_id)
    assert jobs.latest("boris", (1, 2)) is None


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('! the disk is full')", "the disk is full"),
        ("raise SystemExit(3)", "the report was not finished; make it again"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the report was not finished; make it again"),
    ],
    ids=["told", "failed", "killed"],
)
def test_a_job_that_fails_says_why(opened: list[ReportJobs], tmp_path: Path, code: str, why: str) -> None:
    jobs = jobs_of(opened, tmp_path, code)
    job = over(jobs.begin("anna", order(), NOW))
    assert (job.state, job.why) == ("failed", why)
    assert jobs.latest("anna", (1, 2)) is None


def test_the_end_of_the_server_ends_them_and_those_that_wait(opened: list[ReportJobs], tmp_path: Path) -> None:
    jobs = jobs_of(opened, tmp_path, LONG)
    begun = [jobs.begin("anna", order(), NOW) for _ in range(3)]
    jobs.close()
    assert [over(job).state for job in begun] == ["failed"] * 3
    assert not jobs._children._running
    with pytest.raises(NotNow):
        jobs.begin("anna", order(), NOW)


def test_so_many_wait_and_no_more(opened: list[ReportJobs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_jobs, "MOST_WAITING", 2)
    jobs = jobs_of(opened, tmp_path, LONG)
    for _ in range(2):
        jobs.begin("anna", order(), NOW)
    with pytest.raises(NotNow, match="too many reports"):
        jobs.begin("anna", order(), NOW)


def test_old_files_go(opened: list[ReportJobs], tmp_path: Path) -> None:
    left = tmp_path / "reports" / "of-an-earlier-server"
    left.mkdir(parents=True)
    jobs = jobs_of(opened, tmp_path, GOOD)
    first = over(jobs.begin("anna", order(), NOW))
    assert not left.exists() and first.folder.is_dir()
    second = over(jobs.begin("anna", order(), NOW + report_jobs.KEPT + timedelta(seconds=1)))
    assert not first.folder.exists() and second.folder.is_dir()
    with pytest.raises(NotThere):
        jobs.of("anna", first.job_id)
