"""serve: the registered model over HTTP, by MLflow's own scoring server."""

import os
from pathlib import Path

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.pipeline import stage
from konkyo.tracking import servers


@stage
def main(alias: str = "champion", port: int = 5001) -> None:
    """Serve the version that an alias points to, to this machine only, until Ctrl-C.

    Parameters
    ----------
    alias : str
        champion, newest, challenger or previous.
    port : int
        Port of http://127.0.0.1; POST /invocations takes JSON (`dataframe_split` or
        `dataframe_records`) and CSV with a header.

    Raises
    ------
    TrackingError
        No version has the alias, or the port is in use.
    """
    params = config.load()
    # mlflow takes seconds to import; an error in params.yaml is reported without it.
    from konkyo.tracking import registry, store
    from konkyo.tracking.scoring import csv_server

    target = store.target(params.track, Path.cwd(), os.environ)
    client = store.connect(target.uri)
    version = registry.require_version(client, params.track.model, alias)
    if client.tracking_uri.startswith("sqlite") and "%" in str(Path.cwd()):
        raise TrackingError(
            f"MLflow cannot load a model below {Path.cwd()}, which has a percent sign in its name "
            "(it decodes the path twice): rename the folder, or load a copy by "
            "mlflow.pyfunc.load_model(uri, dst_path=...)"
        )
    model = f"models:/{params.track.model}@{alias}"
    # Not on the command line: the address may have a password, which `ps` shows.
    uri = client.tracking_uri
    environment = {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_REGISTRY_URI": uri,
        csv_server.MODEL: model,
    }
    servers.exec_server(
        ["uvicorn", "--app-dir", str(Path(csv_server.__file__).parent), "csv_server:app"],
        environment,
        port=port,
        announcement=(
            f"{model}, version {version.version}: POST http://{servers.HOST}:{port}/invocations"
        ),
    )
