"""The run in MLflow; the only room that imports mlflow.

results     what the earlier stages left, read once
lineage     what the results came from: commit, digests, versions
client      MLflow's client with retries: a store that is busy or away
store       which store and which experiment
series      metrics with their steps and times: pure functions
opened      runs that are open, and those that a killed process left so
runs        one parent run an experiment, one child run a decision month
append      one run for a month that an update added
servable    the model of all months, logged
served      the code that travels inside that model
registry    the model's versions, their facts and their aliases
servers     MLflow's own servers, in the place of a process
promotion   the challenger against the champion, and why it took over
intervention  the run of the second study
tuning      a search: one parent run a study, one child run a trial

Import the modules: this map imports none, since mlflow takes seconds.
"""

import os

# Read by mlflow when it is imported or logs: quiet, and no word about the user's runs to others.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}.items():
    os.environ.setdefault(_name, _value)
