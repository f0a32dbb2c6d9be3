"""MLflow's own servers, in the place of this process."""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from konkyo.errors import TrackingError

HOST = "127.0.0.1"
"""Neither server asks who calls, so only this machine may."""


def exec_server(
    command: Sequence[str], environment: Mapping[str, str], port: int, said: str
) -> None:
    """Replace this process by one of `mlflow`, which then has its terminal and its signals.

    Parameters
    ----------
    command : sequence of str
        Of `mlflow`, without host and port.
    environment : mapping of str to str
        Set beside what is there.
    port : int
        On which it is to listen.
    said : str
        Printed first.

    Raises
    ------
    TrackingError
        The port is no port or is taken.
    """
    _free(port)
    # MLflow starts uvicorn by name; in an environment that is not activated only its own folder
    # of programs has it.
    # The model of this project is code and safetensors; one with a pickle is not served.
    own = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    print(f"{said} (ready in about 15 seconds, Ctrl-C ends it)", flush=True)
    os.execve(  # nosec B606 # a list, no shell
        sys.executable,
        [sys.executable, "-m", "mlflow", *command, "--host", HOST, "--port", str(port)],
        {**os.environ, **own, **environment, "PATH": path},
    )


def _free(port: int) -> None:
    with socket.socket() as probe:
        # As a server binds: what a closed connection leaves for a minute is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise TrackingError(
                f"port {port} cannot be used ({error}): choose another with --port"
            ) from None
