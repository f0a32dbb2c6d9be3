"""A PostgreSQL server of one's own, from Debian's packages."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processes import free_port


def programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not homes:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    return homes[-1].parent


@contextmanager
def server(password: str = "") -> Iterator[int]:
    """Start a server with the user konkyo and its empty database postgres; yield its port.

    Without a password it lets everybody in.
    """
    own = programs()
    # The server refuses to run as root.
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="konkyo-postgres-"))
    data, port = folder / "data", free_port()
    (folder / "password").write_text(password, encoding="utf-8")
    if other:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(folder / "password", "postgres", "postgres")
    start = [*other, str(own / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    entry = ["-A", "scram-sha-256", "--pwfile", str(folder / "password")]
    made = [*other, str(own / "initdb"), "-D", str(data), "-U", "konkyo", "-N"]
    made += entry if password else ["-A", "trust"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    try:
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        # The server keeps what it is given as standard output: it must not be this process's pipe.
        subprocess.run(
            [*start, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder
        )
        yield port
    finally:
        stop = [*other, str(own / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of an empty database on loopback."""
    with server() as port:
        yield f"postgresql://konkyo@127.0.0.1:{port}/postgres"
