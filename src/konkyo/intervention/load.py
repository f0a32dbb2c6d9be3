"""The sources of the second study."""

from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Intervention, Table
from konkyo.data.reader import read
from konkyo.errors import SourceError
from konkyo.intervention import official, simulated
from konkyo.intervention.records import OPTIONAL, SERIES, Records, cell_of, check, facts_of
from konkyo.io import sha256_of

_MILLION_IN_BILLION = 1000.0


def load(config: Intervention) -> Records:
    """Load the records of the configured source.

    Parameters
    ----------
    config : Intervention
        The section of params.yaml.

    Raises
    ------
    SourceError
        A file is missing.
    RecordsError
        A file breaks the rules of `records.check`.
    """
    if config.source == "simulated":
        frame = simulated.simulate(config.simulated_seed)
        return Records(
            frame, facts_of(frame, "simulated", licence="none: made by this project", files={})
        )
    path = Path(config.tables.file)
    if not path.is_file():
        raise SourceError(
            f"{path} not found: put the monthly series there (data/own/README.md lists them), or "
            "correct intervention.tables.file in params.yaml"
        )
    table = read(Table((str(path),), config.tables.columns), cell_of)
    files = {path.name: sha256_of(path)}
    if config.source == "tables":
        frame = check(table)
    else:
        operations = Path(config.official.operations)
        net = official.monthly(official.read_operations(operations), config.official.pair)
        frame = add_operations(check(table, external=("intervention",)), net)
        files[operations.name] = sha256_of(operations)
    licence = "the user's own records, on terms known to the user"
    return Records(frame, facts_of(frame, config.source, licence=licence, files=files))


def add_operations(series: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Add the column intervention: the ministry's net yen amounts in million dollars.

    Parameters
    ----------
    series : pandas.DataFrame
        month and all series except intervention.
    net : pandas.DataFrame
        month, amount in billion yen, positive where yen was sold.

    Returns
    -------
    pandas.DataFrame
        Converted at the month's mean rate; missing where the ministry's file has no record.
    """
    frame = series.merge(net, on="month", how="left", validate="one_to_one")
    frame["intervention"] = np.round(_MILLION_IN_BILLION * frame["amount"] / frame["rate"], 1)
    return frame[["month", *SERIES, *(name for name in frame if name == OPTIONAL)]]
