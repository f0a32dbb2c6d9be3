"""MLflow's scoring server, which also takes CSV.

uvicorn imports this file by itself and not as part of the package: the model brings the code that
it was logged with, and the project's own would take its place.
"""

import io
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pandas as pd
from mlflow.pyfunc import scoring_server

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

MODEL = "KONKYO_SERVED_MODEL"
"""Environment variable with the address of the model, models:/name@alias."""


class CsvAsJson:
    """Hands requests of text/csv on as JSON.

    MLflow reads CSV by the pandas types of the model's signature, and a column of any type, which
    month and features are, has none. Month and stock are text, so that 0013 keeps its zeros and NA
    is a code; an empty cell is missing.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request as any application of ASGI does."""
        headers = dict(scope.get("headers", ()))
        if not headers.get(b"content-type", b"").lower().startswith(b"text/csv"):
            await self.app(scope, receive, send)
            return
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        try:
            body = as_json(b"".join(parts))
        except ValueError as error:
            await refuse(send, f"the request is no CSV with a header, in UTF-8: {error}")
            return
        headers |= {
            b"content-type": b"application/json",
            b"content-length": str(len(body)).encode("ascii"),
        }

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app({**scope, "headers": list(headers.items())}, replay, send)


def as_json(body: bytes) -> bytes:
    """Return the rows of a CSV file as the JSON that MLflow's server takes.

    Raises
    ------
    ValueError
        The text cannot be read as a table.
    """
    frame = pd.read_csv(
        io.BytesIO(body),
        dtype={"month": str, "stock": str},
        keep_default_na=False,
        na_values=[""],
    )
    cells = frame.astype(object).where(frame.notna(), None)
    split = {"columns": list(frame.columns), "data": cells.to_numpy().tolist()}
    return json.dumps({"dataframe_split": split}).encode()


async def refuse(send: Send, reason: str) -> None:
    """Answer with status 400 and a reason, as MLflow's server words its own."""
    body = json.dumps({"error_code": "BAD_REQUEST", "message": reason}).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if MODEL in os.environ:
    app: Application = CsvAsJson(
        scoring_server.init(scoring_server.load_model_with_mlflow_config(os.environ[MODEL]))
    )
