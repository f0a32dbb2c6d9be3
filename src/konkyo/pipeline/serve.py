"""serve: the registered model over HTTP, by MLflow's own scoring server."""

import os
from pathlib import Path

from konkyo import config
from konkyo.pipeline import stage
from konkyo.tracking import servers


@stage
def main(alias: str = "champion", port: int = 5001) -> None:
    """Serve the version that an alias points to, on this machine only, until Ctrl-C.

    Parameters
    ----------
    alias : str
        champion, newest, challenger or previous.
    port : int
        Of http://127.0.0.1; POST /invocations takes `dataframe_split` or `dataframe_records`.

    Raises
    ------
    TrackingError
        The store has no such version, or the port is taken.
    """
    chosen = config.load()
    from konkyo.tracking import registry, store

    where = store.target(chosen.track, Path.cwd(), os.environ)
    client = store.connect(where.uri)
    version = registry.needed(client, chosen.track.model, alias)
    model = f"models:/{chosen.track.model}@{alias}"
    # The address of the store may hold a password, which a command line would show.
    uri = client.tracking_uri
    environment = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}
    command = ["models", "serve", "-m", model, "--env-manager", "local"]
    address = f"http://{servers.HOST}:{port}/invocations"
    servers.exec_server(
        command, environment, port, f"{model}, version {version.version}: POST {address}"
    )
