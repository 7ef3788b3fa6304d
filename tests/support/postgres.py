"""A throw-away PostgreSQL from the installed server: a temp folder, a port of 127.0.0.1, fsync on, gone with its owner.

Run as a program (``tools/postgres``) it starts one, prints its URL and ends it when it is interrupted.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peer_process import HOST, PeerFailed, free_port, with_parent

READY_LIMIT_S = 60.0
#: Where Debian and Fedora keep the programs that no user calls; the newest version first.
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
#: The server refuses to run as root; the first of these that there is runs it then.
UNPRIVILEGED = ("postgres", "nobody")


def programs() -> Path | None:
    """The folder with initdb and postgres, None when no server is installed."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    for place in PLACES:
        folders += sorted(Path("/").glob(place[1:]), key=lambda folder: folder.parent.name, reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _other_user() -> Mapping[str, Any]:
    """What subprocess needs to run the server as somebody who may: nothing, but for root."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise PeerFailed(f"initdb refuses to run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


@dataclass
class Postgres:
    """A running server of our own; ``url`` names a database of it as SQLAlchemy wants it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls) -> Postgres:
        """Raises PeerFailed when there is no server, or it does not come up."""
        folder_of_programs = programs()
        if folder_of_programs is None:
            raise PeerFailed("postgresql is not installed (apt-get install postgresql)")
        as_user = _other_user()
        # Not below pytest's folder: root's is closed to the user whom the server runs as.
        folder = Path(tempfile.mkdtemp(prefix="ocm-postgres-"))
        if as_user:
            os.chown(folder, as_user["user"], as_user["group"])
        data, log = folder / "data", folder / "log"
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}
        common: dict[str, Any] = {**as_user, "cwd": folder, "env": env, "stdin": subprocess.DEVNULL}
        initdb = [str(folder_of_programs / "initdb"), "-D", str(data), "-U", "ocm", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run([*initdb, "--no-sync"], capture_output=True, check=False, timeout=120, **common)
        if made.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise PeerFailed(f"initdb failed: {made.stderr.decode(errors='replace')[-500:]}")
        port = free_port()
        settings = {
            "listen_addresses": HOST,
            "port": port,
            "unix_socket_directories": "",
            "fsync": "on",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "deadlock_timeout": "200ms",
            "logging_collector": "off",
        }
        command = [str(folder_of_programs / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as out:
            process = subprocess.Popen(with_parent(command), stdout=out, stderr=subprocess.STDOUT, **common)
        running = cls(folder, port, process)
        try:
            running._wait()
        except PeerFailed:
            running.stop()
            raise
        return running

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                psycopg.connect(host=HOST, port=self.port, user="ocm", dbname="postgres", connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise PeerFailed(f"postgres did not start: {(self.folder / 'log').read_text(errors='replace')[-500:]}")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://ocm@{HOST}:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside of any transaction, past our own code."""
        import psycopg

        with psycopg.connect(host=HOST, port=self.port, user="ocm", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    try:
        running = Postgres.start()
    except PeerFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(running.url(), flush=True)
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        running.process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
