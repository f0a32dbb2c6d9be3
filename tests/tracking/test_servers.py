"""The served model as a caller meets it, in a process of its own; and what starts it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo.errors import TrackingError
from konkyo.pipeline import serve, ui
from konkyo.tracking import servers
from processes import PATIENCE, answers, free_port, until

ROOT = Path(__file__).parents[2]
FEATURES = [f"feature_{i}" for i in range(4)]


@pytest.fixture(scope="module")
def address(logged, tmp_path_factory):
    """Return the address of the champion, served as `konkyo serve` does it."""
    _, _, root = logged
    here = tmp_path_factory.mktemp("serving")
    shutil.copy(ROOT / "params.yaml", here)
    port = free_port()
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db",
        "PYTHONPATH": os.pathsep.join(sys.path),
        # As in a shell in which the environment is not activated.
        "PATH": "/usr/bin:/bin",
    }
    script = f"from konkyo.pipeline.serve import main; main(port={port})"
    with (here / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", script], cwd=here, env=environment, stdout=log, stderr=log
        )
    try:
        url = f"http://{servers.HOST}:{port}"
        until(lambda: server.poll() is not None or answers(f"{url}/ping"), (here / "log").read_text)
        assert server.poll() is None, (here / "log").read_text()
        yield url
        assert server.poll() is None, "the server did not survive"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


@pytest.fixture(scope="module")
def rows(logged):
    """Return the newest month's rows as a caller has them."""
    _, _, root = logged
    index = pd.read_parquet(root / "data/panel/index.parquet", columns=["month", "stock"])
    index[FEATURES] = np.load(root / "data/panel/features.npy").astype("float64")
    newest = index[index["month"] == index["month"].max()]
    return newest.assign(month="2020-03").reset_index(drop=True)


def post(address: str, body: dict | bytes, content: str = "application/json") -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/invocations", data, {"Content-Type": content})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.slow
@pytest.mark.server
def test_it_listens_on_this_machine_alone(address):
    """In /proc/net an address is hexadecimal, lowest byte first; 0A is a socket that listens."""
    port = f"{int(address.rpartition(':')[2]):04X}"
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    listening = [line[1] for line in lines if line[3] == "0A" and line[1].endswith(f":{port}")]
    assert listening == [f"0100007F:{port}"]


def split(frame: pd.DataFrame) -> dict:
    plain = json.loads(frame.to_json(orient="split", index=False))
    return {"dataframe_split": {name: plain[name] for name in ("columns", "data")}}


@pytest.mark.slow
@pytest.mark.server
def test_a_post_gives_scores_and_relevances(address, rows, logged):
    _, _, root = logged
    expected = pd.read_parquet(root / "data/attributions/2020-03.parquet")
    records = {"dataframe_records": rows.to_dict("records")}
    for body in (split(rows), records):
        status, answer = post(address, body)
        result = pd.DataFrame(answer["predictions"])
        assert status == 200
        assert list(result) == ["month", "stock", "score", *FEATURES, "absorbed"]
        assert result["stock"].tolist() == expected["stock"].tolist()
        assert set(result["month"].str[:10]) == {"2020-03-31"}
        np.testing.assert_allclose(result["score"], expected["score"], rtol=0, atol=1e-5)
        total = result[FEATURES].sum(axis=1) + result["absorbed"]
        np.testing.assert_allclose(total, result["score"], rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.server
def test_a_bad_request_gets_the_reason(address, rows):
    few = rows.head(2).astype({"feature_1": object})
    bad = {
        "feature_2": split(few.drop(columns="feature_2")),
        "2050-01: there are networks from 2020-01 to 2020-03": split(few.assign(month="2050-01")),
        "1 features are not numbers, first 'feature_1'": split(few.assign(feature_1="abc")),
        "2 values are missing or infinite": split(few.assign(feature_1=None)),
        "2 months are numbers or missing, first 202003": split(few.assign(month=202003)),
        "2 months are missing: write the decision month as": split(few.assign(month=None)),
        "a month is no date": split(few.assign(month="soon")),
        "the frame has no rows": split(few.head(0)),
        "valid JSON": b'{"dataframe_split": {',
    }
    for reason, body in bad.items():
        status, answer = post(address, body)
        assert status == 400, reason
        assert reason in answer["message"]
        assert "Traceback" not in json.dumps(answer)
    assert post(address, split(rows))[0] == 200


def csv(frame: pd.DataFrame, **form: object) -> bytes:
    return frame.to_csv(index=False, **form).encode()


def test_csv_gets_the_answer_of_json(address, rows):
    coded = rows.assign(stock=["0013", "NA", "1e5", *rows["stock"][3:]], feature_2=2)
    _, expected = post(address, split(coded))
    for content in ("text/csv", "text/csv; charset=utf-8"):
        status, answer = post(address, csv(coded), content)
        assert status == 200 and answer == expected
    indexed = coded.to_csv().encode()
    assert post(address, indexed, "text/csv") == (200, expected)
    assert [row["stock"] for row in answer["predictions"]][:3] == ["0013", "NA", "1e5"]


def test_bad_csv_gets_the_reason(address, rows):
    few = rows.head(2)
    bad = {
        "feature_2": csv(few.drop(columns="feature_2")),
        "2050-01: there are networks": csv(few.assign(month="2050-01")),
        "1 values are missing or infinite": csv(few.assign(feature_1=[0.5, None])),
        "1 months are numbers or missing": csv(few.assign(month=["2020-03", None])),
        "features are not numbers, first 'feature_3'": csv(few.assign(feature_3="abc")),
        "no CSV with a header, in UTF-8": b"",
        "in UTF-8: 'utf-8' codec": "month,stock\n2020-03,日".encode("shift_jis"),
    }
    for reason, body in bad.items():
        status, answer = post(address, body, "text/csv")
        assert status == 400, reason
        assert reason in answer["message"]


@pytest.fixture
def started(monkeypatch):
    """Return what would have taken the process's place."""
    calls = []
    monkeypatch.setattr(os, "execve", lambda *arguments: calls.append(arguments))
    return calls


def test_ui_has_no_address_on_the_command_line(started, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "mlflow.db").touch()
    port = free_port()
    ui.main(port=port)
    ((program, command, environment),) = started
    assert program == sys.executable
    assert command[1:4] == ["-m", "mlflow", "server"]
    assert command[-4:] == ["--host", "127.0.0.1", "--port", str(port)]
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "sqlite:///mlflow.db"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert f"open http://127.0.0.1:{port} " in capsys.readouterr().out

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@host/base")
    ui.main(port=port)
    assert started[1][2]["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:secret@host/base"
    assert "secret" not in " ".join(started[1][1]) + capsys.readouterr().out


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "sqlite:///mlflow.db does not exist: `dvc repro` creates it"),
        ("http://host:5000", "http://host:5000 is a server already: open it"),
    ],
)
def test_a_store_that_cannot_be_shown(started, tmp_path, monkeypatch, capsys, uri, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    with pytest.raises(SystemExit) as ended:
        ui.main()
    assert ended.value.code == 1
    assert message in capsys.readouterr().err
    assert not started


def test_an_alias_that_is_not_there_is_not_served(started, project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    shutil.copy(ROOT / "params.yaml", project)
    with pytest.raises(SystemExit):
        serve.main(alias="challenger")
    assert "konkyo-ranker has no version with the alias 'challenger'" in capsys.readouterr().err
    assert not started


def test_a_port_that_is_taken_or_no_port_is_an_error(started):
    with socket.socket() as taken:
        taken.bind((servers.HOST, 0))
        taken.listen()
        for port in (taken.getsockname()[1], 70000):
            with pytest.raises(TrackingError, match=f"port {port} cannot be used .* --port"):
                servers.exec_server(["mlflow", "server"], {}, port=port, announcement="")
    assert not started
