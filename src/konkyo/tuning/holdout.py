"""What the search may not know: the last months, and everything after its own."""

import pandas as pd

from konkyo import dates
from konkyo.errors import ParamsError


def first_held(index: pd.DataFrame, holdout: int) -> str:
    """Return the first decision month of the holdout, YYYY-MM.

    Parameters
    ----------
    index : DataFrame
        The panel's rows: month and ret, NaN where the return of t+1 was not realised.
    holdout : int
        Months with a realised return to keep from the search, the last ones.

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


def cut(table: pd.DataFrame, held: str) -> pd.DataFrame:
    """Return the rows of a table of records of the months before `held`.

    The last label that can be computed from them is the return earned in the month before `held`,
    so the decision made a month before the holdout begins belongs to neither side.

    Parameters
    ----------
    table : DataFrame
        Records with a `month` column.
    held : str
        First decision month of the holdout, YYYY-MM.
    """
    return table[table["month"] < dates.parse(held)].reset_index(drop=True)
