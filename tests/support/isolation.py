"""What a test must not leave to the next one, nor take from the caller."""

import sys

import pytest

VARIABLES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
)


def forget_mlflow(patch: pytest.MonkeyPatch) -> None:
    """Forget the store that MLflow was told of: connecting to one sets a variable and two globals.

    MLflow is not imported for it: many tests do without.
    """
    for name in VARIABLES:
        patch.setenv(name, "")
    patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for way in ("DOWNLOAD", "UPLOAD"):
        patch.setenv(f"MLFLOW_ENABLE_PROXY_MULTIPART_{way}", "false")
    if "mlflow" in sys.modules:
        patch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", None)
        patch.setattr("mlflow.tracking._model_registry.utils._registry_uri", None)
