"""The sources of the second study."""

from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Intervention, Table
from konkyo.data.reader import read
from konkyo.errors import SourceError
from konkyo.intervention import official, simulated
from konkyo.intervention.records import SERIES, Records, cell_of, check, facts_of
from konkyo.io import sha256_of

_MILLION_IN_BILLION = 1000.0


def load(params: Intervention) -> Records:
    """Bring the records that `source` names.

    Parameters
    ----------
    params : Intervention
        The section of params.yaml.

    Raises
    ------
    SourceError
        A file is missing.
    RecordsError
        A file breaks rules.
    """
    if params.source == "simulated":
        frame = simulated.make(params.simulated_seed)
        return Records(frame, facts_of(frame, "simulated", "none: made by this project", {}))
    path = Path(params.tables.file)
    if not path.is_file():
        raise SourceError(
            f"{path} is not here: put the monthly series there (data/own/README.md says which), or "
            "correct intervention.tables.file in params.yaml"
        )
    table = read(Table((str(path),), params.tables.columns), cell_of)
    files = {path.name: sha256_of(path)}
    if params.source == "tables":
        frame = check(table)
    else:
        operations = Path(params.official.operations)
        net = official.monthly(official.read(operations), params.official.pair)
        frame = add_operations(check(table, without=("intervention",)), net)
        files[operations.name] = sha256_of(operations)
    licence = "the user's own records, on terms known to the user"
    return Records(frame, facts_of(frame, params.source, licence, files))


def add_operations(series: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Put the ministry's net yen amounts beside the other series, in million dollars.

    Parameters
    ----------
    series : pandas.DataFrame
        month and the series but intervention.
    net : pandas.DataFrame
        month, amount in billion yen, positive where yen was sold.

    Returns
    -------
    pandas.DataFrame
        At the month's mean rate; missing in months that the ministry's file does not cover.
    """
    frame = series.merge(net, on="month", how="left", validate="one_to_one")
    frame["intervention"] = np.round(_MILLION_IN_BILLION * frame["amount"] / frame["rate"], 1)
    return frame[["month", *SERIES]]
