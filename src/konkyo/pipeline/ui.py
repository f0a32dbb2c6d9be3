"""ui: runs and models in a browser, by MLflow's own server."""

import os
from pathlib import Path
from urllib.parse import unquote

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.pipeline import stage
from konkyo.tracking import servers

_SQLITE = "sqlite:///"


@stage
def main(port: int = 5000) -> None:
    """Show the store of params.yaml, or of MLFLOW_TRACKING_URI, until Ctrl-C.

    Parameters
    ----------
    port : int
        Port of http://127.0.0.1, which only this machine can reach.

    Raises
    ------
    TrackingError
        The store does not exist or has a server of its own, or the port is in use.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or config.load().track.uri
    if uri.startswith("http"):
        raise TrackingError(f"the store {uri} is a server already: open it in a browser")
    # The server would create the database, and break it if a command creates it at the same time.
    if uri.startswith(_SQLITE) and not Path(unquote(uri.removeprefix(_SQLITE))).is_file():
        raise TrackingError(f"{uri} does not exist: `dvc repro` creates it with the first run")
    environment = {
        # Not on the command line: the address may have a password, which `ps` shows.
        "MLFLOW_BACKEND_STORE_URI": uri,
        # The background jobs are not needed here; they double the start-up time and take 1.5 GB.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    servers.exec_server(
        ["server", "--workers", "1"],
        environment,
        port=port,
        announcement=f"open http://{servers.HOST}:{port}",
    )
