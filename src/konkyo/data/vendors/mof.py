"""The Japanese Ministry of Finance: yields of government bonds, and interventions."""

import pandas as pd

from konkyo.data.vendors.http import POLICY, RateLimiter, Service
from konkyo.errors import SourceError
from konkyo.retry import RetryPolicy

VENDOR = "the Ministry of Finance"
BASE = "https://www.mof.go.jp"
YIELDS = (
    "/english/policy/jgbs/reference/interest_rate/historical/jgbcme_all.csv",
    "/english/policy/jgbs/reference/interest_rate/jgbcme.csv",
)
"""All days up to the end of last month, and the days of the current month."""
OPERATIONS = (
    "/policy/international_policy/reference/feio/foreign_exchange_intervention_operations.csv"
)
OPERATIONS_FILE = "foreign_exchange_intervention_operations.csv"


def download(path: str, base: str = BASE, policy: RetryPolicy | None = None) -> bytes:
    """Return a file of the ministry's site.

    Raises
    ------
    SourceError
        It is not there, the site does not answer, or a page came in its place.
    """
    response = Service(VENDOR, RateLimiter(60.0), policy or POLICY).get(base + path, json=False)
    if response.content.lstrip()[:1] == b"<":
        raise SourceError(
            f"{base + path} is a page and no CSV file: look on the ministry's site where the file "
            "is now, and put it into data/own by hand"
        )
    return response.content


def yields(texts: list[str], maturities: tuple[int, ...]) -> pd.DataFrame:
    """Return the yields as a market table, each on the day on which it was published.

    The ministry publishes the yields of a day's close on the next business day, which is the day of
    the next row. The newest row has none and is left out: its month is not complete anyway.

    Parameters
    ----------
    texts : list of str
        The files, as `quotes` takes them; of a day in several files the last one counts.
    maturities : tuple of int
        Years.

    Returns
    -------
    DataFrame
        date (of publication), jgb_<years> in per cent, for every maturity; sorted by date.

    Raises
    ------
    SourceError
        As `quotes`; or no file has a day.
    """
    table = pd.concat([quotes(text, maturities) for text in texts])
    table = table[~table.index.duplicated(keep="last")].sort_index()
    if table.empty:
        raise SourceError(f"{VENDOR}'s file of yields has no day such as 2024/4/1")
    published = table.iloc[:-1].reset_index(drop=True)
    published.insert(0, "date", pd.DatetimeIndex(table.index)[1:])
    return published


def quotes(text: str, maturities: tuple[int, ...]) -> pd.DataFrame:
    """Return the yields of one file by the day of their close.

    Parameters
    ----------
    text : str
        A title, a header `Date,1Y,2Y,..`, then a row a day, `-` where there is no yield.
    maturities : tuple of int
        Years.

    Returns
    -------
    DataFrame, by day
        jgb_<years> in per cent, in the file's order.

    Raises
    ------
    SourceError
        The file has another layout, no column for a maturity, or two of one name.
    """
    lines = text.splitlines()
    start = next((row for row, line in enumerate(lines) if line.startswith("Date")), None)
    if start is None:
        raise SourceError(
            f"{VENDOR}'s file of yields has no header that begins with 'Date': its first "
            f"line is {lines[0] if lines else ''!r}; the layout has changed"
        )
    header = [cell.strip() for cell in lines[start].split(",")]
    missing = [years for years in maturities if f"{years}Y" not in header]
    if missing:
        raise SourceError(f"{VENDOR} has no yield of {missing} years: choose of {header[1:]}")
    repeated = [years for years in maturities if header.count(f"{years}Y") > 1]
    if repeated:
        raise SourceError(f"{VENDOR}'s file has more than one column of {repeated} years")
    table = pd.DataFrame([line.split(",") for line in lines[start + 1 :]], columns=None)
    table = table.reindex(columns=range(len(header))).set_axis(header, axis=1)
    day = pd.to_datetime(table["Date"], format="%Y/%m/%d", errors="coerce")
    columns = {f"jgb_{years}": table[f"{years}Y"] for years in maturities}
    numbers = pd.DataFrame(columns).apply(pd.to_numeric, errors="coerce").astype("float64")
    return numbers[day.notna()].set_index(pd.DatetimeIndex(day.dropna(), name=None))


def merge(stored: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return a new market table with the stored rows and columns that it lacks.

    Parameters
    ----------
    stored, table : DataFrame
        date and series, as of `yields`.
    """
    merged = table.set_index("date").combine_first(stored.set_index("date"))
    names = dict.fromkeys([*table.columns, *stored.columns])
    return merged.sort_index().reset_index()[list(names)]
