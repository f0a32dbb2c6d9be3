"""A marker in the place of every credential: no message, traceback, log or result shows it."""

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from konkyo import config
from konkyo.errors import KonkyoError, ParamsError, TrackingError, TuningError, redact, split_login
from konkyo.pipeline import ui
from konkyo.retry import RetryPolicy
from konkyo.tracking import store
from konkyo.tracking.client import RETRIES
from konkyo.tuning.storage import open_storage
from small import PARAMS

MARKER = "hush7Wq!x"
QUOTED = "hush7Wq%21x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"at http://me:{MARKER}@host:5000/a?b=c failed", "at http://host:5000/a?b=c failed"),
        (f"postgresql://me:a@{MARKER}@host/base", "postgresql://host/base"),
        (f"postgresql://me:a/{MARKER}@host/base", "postgresql://host/base"),
        (
            f"postgresql://host/b?user=me&password={MARKER}",
            "postgresql://host/b?user=me&password=***",
        ),
        (f"'https://{MARKER}@host'", "'https://host'"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
        (
            "correct postgresql://user:password@host/database",
            "correct postgresql://user:password@host/database",
        ),
        ("write to a@b.c", "write to a@b.c"),
    ],
)
def test_addresses_lose_their_logins(text, expected):
    assert redact(text, environment={}) == expected
    assert str(KonkyoError(text)) == expected


@pytest.mark.parametrize(
    "name", ["JQUANTS_API_KEY", "FRED_API_KEY", "PGPASSWORD", "MLFLOW_TRACKING_PASSWORD",
             "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY"]
)  # fmt: skip
def test_values_of_credentials_are_struck_out(name):
    environment = {name: f"{MARKER}\n", "HOME": "/home", "EMPTY_TOKEN": "", "SHORT_TOKEN": "a"}
    said = redact(f"a key {MARKER} and {QUOTED} in /home", environment=environment)
    assert said == "a key *** and *** in /home"


def test_a_secret_that_is_given_is_struck_out():
    assert redact("a b+c, a%20b%2Bc, a+b%2Bc", "a b+c", environment={}) == "***, ***, ***"
    assert redact("nothing was sent", "", environment={}) == "nothing was sent"


@pytest.mark.parametrize(
    ("address", "login", "place"),
    [
        ("https://me:a@b@host:5000/x", "me:a@b", "https://host:5000/x"),
        ("https://me@host", "me", "https://host"),
        ("https://host:5000/x", "", "https://host:5000/x"),
        ("sqlite:////home/me@work/mlflow.db", "", "sqlite:////home/me@work/mlflow.db"),
        ("mlflow@work.db", "", "mlflow@work.db"),
    ],
)
def test_an_address_is_split_where_its_login_ends(address, login, place):
    assert split_login(address) == (login, place)


HIDDEN = [
    f"postgresql+psycopg://me:{MARKER}@host/base",
    f"postgresql://me:a@{MARKER}@host/base",
    f"postgresql://me:a/{MARKER}@host/base",
    f"mysql://me:{MARKER}@host/base",
]


def write_params(folder: Path, old: str, new: str) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    lines = [f"  {new}" if line.strip().startswith(old) else line for line in text.splitlines()]
    assert lines != text.splitlines()
    (folder / "params.yaml").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("address", HIDDEN)
def test_refused_params_do_not_show_the_password(address, tmp_path):
    write_params(tmp_path, "storage:", f'storage: "{address}"')
    with pytest.raises(ParamsError) as refused:
        config.load(tmp_path / "params.yaml")
    assert MARKER not in str(refused.value)


def test_an_ambiguous_password_names_the_remedy(tmp_path):
    write_params(tmp_path, "uri:", f'uri: "http://me:a@{MARKER}@host"')
    with pytest.raises(ParamsError, match="write them as %40 %2F %3F %23 %20") as refused:
        config.load(tmp_path / "params.yaml")
    assert MARKER not in str(refused.value)
    with pytest.raises(TrackingError, match="%40"):
        environment = {"MLFLOW_TRACKING_URI": f"http://me:a@{MARKER}@host"}
        store.target(config.load(PARAMS).track, tmp_path, environment)


@pytest.mark.parametrize("scheme", ["http", "nonsense"])
def test_a_store_that_does_not_answer(scheme, capfd):
    retries = replace(RETRIES, connecting=RetryPolicy(seconds=0.3))
    with pytest.raises(TrackingError, match=r"cannot be opened|does not answer") as refused:
        store.connect(f"{scheme}://me:{QUOTED}@127.0.0.1:9", retries)
    said = str(refused.value) + "".join(capfd.readouterr())
    assert MARKER not in said and QUOTED not in said


@pytest.mark.parametrize("end", ["127.0.0.1:9/base", "127.0.0.1:port/base"])
def test_a_storage_that_does_not_answer(end, capfd):
    with pytest.raises(TuningError, match=r"cannot be opened|does not answer") as refused:
        open_storage(f"postgresql://me:{QUOTED}@{end}")
    said = str(refused.value) + "".join(capfd.readouterr())
    assert MARKER not in said and QUOTED not in said


def test_a_browser_for_a_server(monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://me:{QUOTED}@host:5000")
    with pytest.raises(SystemExit):
        ui.main()
    assert capfd.readouterr().err == (
        "konkyo: the store https://host:5000 is a server already: open it in a browser\n"
    )


class Answers(http.server.BaseHTTPRequestHandler):
    """Knows one run, and keeps the headers of those who ask."""

    heads: list[str | None] = []  # noqa: RUF012

    def do_GET(self):
        info = {"run_id": "r", "run_name": "n", "experiment_id": "1", "status": "RUNNING"}
        self._say({"run": {"info": info, "data": {}}, "experiments": []})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass

    def _say(self, value: dict) -> None:
        self.heads.append(self.headers["Authorization"])
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_servers_get_the_password_mlflow_logs_do_not(monkeypatch, capfd):
    """MLflow prints the address of a run when it ends, with the password that is in it."""
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "false")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = store.connect(f"http://me:{QUOTED}@127.0.0.1:{server.server_port}")
        client.set_terminated("r")
    finally:
        server.shutdown()
        server.server_close()
    assert client.tracking_uri == f"http://127.0.0.1:{server.server_port}"
    basic = base64.b64encode(f"me:{MARKER}".encode()).decode()
    assert len(Answers.heads) >= 2 and set(Answers.heads) == {f"Basic {basic}"}
    said = "".join(capfd.readouterr())
    assert "View run" in said
    assert MARKER not in said and QUOTED not in said


def test_the_traceback_of_a_defect_in_a_stage():
    script = f"""
from konkyo.pipeline import stage

@stage
def main():
    try:
        raise OSError("no answer of http://me:{QUOTED}@host")
    except OSError as error:
        raise RuntimeError("with the key {MARKER}") from error

main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "FRED_API_KEY": MARKER, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "RuntimeError: with the key ***" in done.stderr
    assert "OSError: no answer of http://host" in done.stderr
    assert MARKER not in done.stderr + done.stdout and QUOTED not in done.stderr
