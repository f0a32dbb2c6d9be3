"""params.yaml, read once into frozen dataclasses: one class a section.

main          sections of the main pipeline, one a stage: ingest, prepare, train, attribute, verify,
              backtest, report, track; and of the month-end routine: monitor, promote
tables        ingest.tables: the user's own files and how they are read
tune          the search over hyperparameters
intervention  the second study
params        the whole file: read, checked, and turned into plain values again
fields        types of values that several sections share

An unknown key, a missing key or a bad value raises `ParamsError`, which lists every fault with its
key, its value and what is allowed. A key of an earlier version is reported with its present name.
"""

from konkyo.config.intervention import (
    Intervention,
    InterventionInputs,
    InterventionNetwork,
    InterventionPeriod,
    InterventionScoring,
    InterventionSurface,
)
from konkyo.config.main import (
    LARGEST_AUTOCORRELATION,
    LARGEST_EPSILON_SHARE,
    Attribute,
    Backtest,
    Benchmark,
    Impact,
    Ingest,
    Monitor,
    Period,
    Precision,
    Prepare,
    Promote,
    Report,
    Simulated,
    SkipMonths,
    Track,
    Train,
)
from konkyo.config.params import (
    Params,
    TrainSection,
    as_dict,
    flatten,
    load,
    parse,
    section,
)
from konkyo.config.tables import Reports, StockRows, Table, Tables
from konkyo.config.tune import Range, Space, Tune

__all__ = [
    "LARGEST_AUTOCORRELATION",
    "LARGEST_EPSILON_SHARE",
    "Attribute",
    "Backtest",
    "Benchmark",
    "Impact",
    "Ingest",
    "Intervention",
    "InterventionInputs",
    "InterventionNetwork",
    "InterventionPeriod",
    "InterventionScoring",
    "InterventionSurface",
    "Monitor",
    "Params",
    "Period",
    "Precision",
    "Prepare",
    "Promote",
    "Range",
    "Report",
    "Reports",
    "Simulated",
    "SkipMonths",
    "Space",
    "StockRows",
    "Table",
    "Tables",
    "Track",
    "Train",
    "TrainSection",
    "Tune",
    "as_dict",
    "flatten",
    "load",
    "parse",
    "section",
]
