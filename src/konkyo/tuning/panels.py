"""The panels that trials train on, from records cut before the holdout.

The search may know neither the last months nor anything after its own: its folder holds no later
record. There is one panel for each transform of label and inputs.
"""

import json
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import pandas as pd

from konkyo import dates
from konkyo.cache import SEARCH_PANEL, code_digest, digest_of
from konkyo.config import Prepare, Space
from konkyo.errors import ParamsError
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import atomic_write, read_parquet, write_parquet

_DIGEST = "digest.txt"


def first_holdout_month(index: pd.DataFrame, holdout: int) -> str:
    """Return the first decision month of the holdout, YYYY-MM.

    Parameters
    ----------
    index : DataFrame
        The panel's rows: month and ret, NaN where the return of t+1 was not realised.
    holdout : int
        Months of the holdout: the last ones with a realised return.

    Raises
    ------
    ParamsError
        There are not more realised months than that.
    """
    realised = index.loc[index["ret"].notna(), "month"].drop_duplicates()
    if len(realised) <= holdout:
        raise ParamsError(
            f"tune.holdout = {holdout} leaves no month to search in: there are {len(realised)} "
            "with a realised return; hold fewer out or bring more records"
        )
    return dates.label(realised.sort_values().iloc[-holdout])


def write_panels(
    records: Path, folder: Path, *, prepare: Prepare, space: Space, before: str | None
) -> None:
    """Write the records of a search and a panel of them for each transform.

    A panel of the same records, params and code stays as it is. The last label that can be computed
    from the records is the return earned in the month before `before`, so that decisions that earn
    theirs later, the last 1 + prepare.skip_months before the holdout, belong to neither side.

    Parameters
    ----------
    records : Path
        data/records: stocks.parquet, market.parquet.
    folder : Path
        Receives records/ and panels/<standardise>-<label>/. Whoever reads this folder alone cannot
        know anything later.
    prepare : Prepare
        The prepare section; label and standardise are those of the space.
    space : Space
        Which labels and standardisations there are.
    before : str or None
        First decision month of the holdout, YYYY-MM; None takes all records.

    Raises
    ------
    ArtifactError
        The records are missing.
    """
    tables, contents = {}, []
    for name in ("stocks", "market"):
        table = read_parquet(records / f"{name}.parquet")
        if before is not None:
            table = table[table["month"] < dates.parse(before)].reset_index(drop=True)
        path = folder / "records" / f"{name}.parquet"
        write_parquet(table, path)
        tables[name] = table
        contents.append(path.read_bytes())
    code = code_digest(*SEARCH_PANEL)
    for label, standardise in product(space.label, space.standardise):
        config = replace(prepare, label=label, standardise=standardise)
        digest = digest_of(json.dumps(asdict(config), sort_keys=True), code, *contents)
        panel_folder = path_of(folder, label, standardise)
        if digest_at(panel_folder) == digest:
            continue
        (panel_folder / _DIGEST).unlink(missing_ok=True)
        panel, missing = build(tables["stocks"], tables["market"], config)
        store.write(panel, missing, panel_folder)
        # The digest is written last: a panel without one was cut short.
        with atomic_write(panel_folder / _DIGEST) as scratch:
            scratch.write_text(digest, encoding="ascii")


def path_of(folder: Path, label: str, standardise: str) -> Path:
    """Return the folder of one panel."""
    return folder / "panels" / f"{standardise}-{label}"


def digest_at(path: Path) -> str | None:
    """Return the digest of what a folder's panel was built from, None if it is not complete."""
    file = path / _DIGEST
    return file.read_text(encoding="ascii") if file.exists() else None
