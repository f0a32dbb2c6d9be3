"""Servers of MLflow, started in the place of this process."""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from konkyo.errors import TrackingError

HOST = "127.0.0.1"
"""Neither server authenticates its callers, so only this machine may call."""


def exec_server(
    command: Sequence[str], environment: Mapping[str, str], *, port: int, announcement: str
) -> None:
    """Replace this process by a server, which gets its terminal and its signals.

    Parameters
    ----------
    command : sequence of str
        Module of Python and its arguments, without host and port.
    environment : mapping of str to str
        Variables in addition to those of this process.
    port : int
        Port of the server.
    announcement : str
        Printed before.

    Raises
    ------
    TrackingError
        The port is invalid or in use.
    """
    _require_free(port)
    # The model of this project is code and safetensors; one with a pickle is not served.
    security = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    # MLflow starts uvicorn by name, which is not on the PATH if the environment is not activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    print(f"{announcement} (ready in about 15 seconds, Ctrl-C ends it)", flush=True)
    os.execve(  # nosec B606 # a list, no shell
        sys.executable,
        [sys.executable, "-m", *command, "--host", HOST, "--port", str(port)],
        {**os.environ, **security, **environment, "PATH": path},
    )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As a server binds: a connection closed a minute ago does not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise TrackingError(
                f"port {port} cannot be used ({error}): choose another with --port"
            ) from None
