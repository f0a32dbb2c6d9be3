"""Results in MLflow: runs, lineage, the registered model. The only room that imports mlflow.

store         which store and which experiment; connecting to it
client        MLflow's client with retries: waits for a store that is busy or away
open_runs     the parent run of a command, and the runs that a killed command left open
results       the files of the earlier stages, read once
lineage       commit, digests and versions that a result depends on
series        metrics with their steps and times: pure functions
runs          one parent run an experiment, one child run a decision month
monthly_run   one run for a month that `konkyo update` added
log_model     the servable model of all months
pyfunc_model  the code that travels inside that model
month_model   the code inside the model of one month
registry      versions of the registered model, their tags and aliases
promotion     champion against challenger, and the reason for a change
intervention  the run of the second study
tuning        one parent run a search, one child run a trial, while it runs
servers       MLflow's own servers, in the place of this process

Import the modules themselves: this map imports none of them, since mlflow takes seconds.
"""

import os

from konkyo.errors import require_extra

require_extra("pipeline")

# MLflow reads these when it is imported or logs: quiet, and no telemetry about the user's runs.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}.items():
    os.environ.setdefault(_name, _value)
