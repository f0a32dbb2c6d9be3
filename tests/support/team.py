"""What a team shares, on loopback: PostgreSQL with a password, an S3 store with keys, MLflow.

The commands are those of docs/team.md, run as they stand there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

import postgres
from processes import answers, free_port, until

ROOT = Path(__file__).parents[2]
PASSWORD = "hush-database-7Wq"
DATABASE, STORE, TRACKING = "127.0.0.1:5432", "127.0.0.1:9000", "127.0.0.1:5000"
"""The addresses of docs/team.md, which the test replaces by free ports."""


def blocks() -> list[tuple[str, str]]:
    """Return language and text of every block of code of docs/team.md, first to last."""
    text = (ROOT / "docs/team.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)


@dataclass
class Team:
    """Where the servers are, and what a user needs to reach them.

    Attributes
    ----------
    folder : Path
        Everything of the team but the database.
    places : dict of str to str
        Where each address of docs/team.md is here.
    keys : dict of str to str
        The store's, as environment variables.
    """

    folder: Path
    places: dict[str, str]
    keys: dict[str, str]

    def here(self, text: str) -> str:
        """Return a text of docs/team.md with the addresses of this team."""
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    @property
    def secrets(self) -> list[bytes]:
        """Return what no file may hold."""
        return [PASSWORD.encode(), self.keys["AWS_SECRET_ACCESS_KEY"].encode()]

    def environment(self) -> dict[str, str]:
        """Return what a user of the team has in the environment; nothing of this machine's own."""
        binaries = [str(Path(sys.executable).parent), str(postgres.programs())]
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW_", "AWS_", "PG", "DVC_", "GIT_"))
        }
        return kept | {
            "PATH": os.pathsep.join([*binaries, os.environ["PATH"]]),
            "HOME": str(home),
            "PYTHONPATH": str(ROOT / "src"),
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
            "PGUSER": "konkyo",
            "PGPASSWORD": PASSWORD,
            **self.keys,
        }

    def start(self, command: str, folder: Path, name: str) -> subprocess.Popen[bytes]:
        """Start a block of docs/team.md in a folder; its words go to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", self.here(command)],
                cwd=folder,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def done(self, process: subprocess.Popen[bytes], name: str, patience: float = 500.0) -> str:
        """Wait for it to end well; return what its log has."""
        try:
            code = process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            end(process)
            code = None
        said = (self.folder / f"{name}.log").read_text(encoding="utf-8")
        assert code == 0, said
        return said

    def run(self, command: str, folder: Path, name: str) -> str:
        """Run a block of docs/team.md to its end."""
        return self.done(self.start(command, folder, name), name)


def end(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    """End a process with all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, how)
    process.wait()


@contextmanager
def store(log: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Start an S3 server with the bucket konkyo; yield its address and the keys it asks for."""
    place = f"127.0.0.1:{free_port()}"
    host, port = place.split(":")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", host, "-p", port],
            # Until it is told otherwise it believes everybody.
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000"},
            stdout=said,
            stderr=said,
            process_group=0,
        )
    try:
        until(lambda: answers(f"http://{place}/moto-api/data.json"), "the store did not start")
        any_key = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        client = {
            name: boto3.client(
                name, endpoint_url=f"http://{place}", region_name="us-east-1", **any_key
            )
            for name in ("s3", "iam")
        }
        client["s3"].create_bucket(Bucket="konkyo")
        client["iam"].create_user(UserName="team")
        rights = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
        policy = json.dumps({"Version": "2012-10-17", "Statement": rights})
        client["iam"].put_user_policy(UserName="team", PolicyName="all", PolicyDocument=policy)
        key = client["iam"].create_access_key(UserName="team")["AccessKey"]
        plain = {"Content-Type": "text/plain"}
        asked = urllib.request.Request(f"http://{place}/moto-api/reset-auth", b"0", plain)
        urllib.request.urlopen(asked, timeout=10).close()
        yield (
            place,
            {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            },
        )
    finally:
        end(process)


@contextmanager
def servers(folder: Path) -> Iterator[Team]:
    """Start the database, the store and, by the page's first block, MLflow's server."""
    (language, text), *_ = blocks()
    assert language == "sh"
    with store(folder / "store.log") as (place, keys), postgres.server(PASSWORD) as port:
        tracking = f"127.0.0.1:{free_port()}"
        # A port of its own is an option of the page's command.
        places = {
            DATABASE: f"127.0.0.1:{port}",
            STORE: place,
            TRACKING: tracking,
            "--port 5000": f"--port {tracking.split(':')[1]}",
        }
        team = Team(folder, places, keys)
        process = team.start(text, folder, "tracking")
        try:
            yield team
        finally:
            end(process)


def copy_project(folder: Path) -> None:
    """Copy what a clone of this project has, as far as the stages need it."""
    for name in ("src", ".dvc", "dvc.yaml", ".gitignore", "data/own"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns(
                "__pycache__", "cache", "tmp", "*.egg-info", "studies", "config.local"
            )
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copyfile(source, target)
