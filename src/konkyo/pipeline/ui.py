"""ui: the runs and models in a browser, by MLflow's own server."""

import os
from pathlib import Path

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
        Of http://127.0.0.1, which this machine alone reaches.

    Raises
    ------
    TrackingError
        The store is not made yet or has a server of its own, or the port is taken.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or config.load().track.uri
    if uri.startswith("http"):
        raise TrackingError(f"the store {uri} is a server already: open it in a browser")
    # Two processes that make one database together break it, so it is not the browser's to make.
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).is_file():
        raise TrackingError(f"{uri} is not here: `dvc repro` makes it when it logs the first run")
    # The address of the store may hold a password, which a command line would show.
    environment = {
        "MLFLOW_BACKEND_STORE_URI": uri,
        # Its background jobs are not needed here, and take twice the time and 1.5 GB.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    servers.exec_server(
        ["server", "--workers", "1"], environment, port, f"open http://{servers.HOST}:{port}"
    )
