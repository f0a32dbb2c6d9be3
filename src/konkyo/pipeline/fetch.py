"""fetch: download records of a vendor into data/own, in the layout of `ingest.tables`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from konkyo import date_text, dates
from konkyo.artifacts import HERE
from konkyo.data.vendors import fred, jquants, jquants_client, jquants_tables, mof
from konkyo.errors import KonkyoError, SourceError
from konkyo.io import artifact_errors, atomic_write, read_csv, write_csv, write_parquet
from konkyo.pipeline import locking, month_option, stage
from konkyo.retry import RetryPolicy

Vendor = Literal["jquants", "fred", "mof"]


@stage
def main(
    what: Vendor,
    first: str | None = None,
    last: str | None = None,
    out: Path = HERE.own,
    parts: Sequence[str] = jquants.PARTS,
    plan: jquants_client.Plan = "free",
    series: Sequence[str] = (),
    release: Literal["vintage", "latest"] = "vintage",
    lag: int = 1,
    carry: int = 12,
    maturities: Sequence[int] = (2, 5, 10, 20),
    policy: RetryPolicy | None = None,
) -> None:
    """Download the records that are not in `out` yet.

    Parameters
    ----------
    what : str
        jquants, fred or mof.
    first, last : str, optional
        Months; `first` is needed for jquants and fred, `last` is the newest one.
    out : Path
        Parent of the vendor's folder; the ministry's interventions are written to `out` itself,
        where the second study reads them.
    parts, plan : sequence of str, str
        jquants: kinds of records, and the subscription, which limits the requests a minute.
    series, release, lag, carry : sequence of str, str, int, int
        fred: ids, or id=name; vintages (point in time) or the latest revision, taken as published
        `lag` days after the period; months after which a value is too old.
    maturities : sequence of int
        mof: maturities of the yields in years.
    policy : RetryPolicy, optional
        Retries of a request; by default those of the vendor's client.
    """
    with locking.held("fetch"):
        if what == "jquants":
            folder = out / "jquants"
            _jquants(first, last, folder=folder, parts=parts, plan=plan, policy=policy)
        elif what == "fred":
            _fred(
                first, last, folder=out / "fred", series=series, release=release, lag=lag,
                carry=carry, policy=policy,
            )  # fmt: skip
        elif what == "mof":
            _mof(out, tuple(maturities), policy)
        else:
            raise SourceError(f"no vendor {what!r}: choose one of {get_args(Vendor)}")


def _jquants(
    first: str | None,
    last: str | None,
    *,
    folder: Path,
    parts: Sequence[str],
    plan: jquants_client.Plan,
    policy: RetryPolicy | None,
) -> None:
    unknown = set(parts) - set(jquants.PARTS)
    if unknown or plan not in jquants_client.LIMITS:
        raise SourceError(
            f"parts {sorted(unknown)}, plan {plan!r}: choose from {jquants.PARTS} and "
            f"{tuple(jquants_client.LIMITS)}"
        )
    start = _month(first, "first").replace(day=1)
    final = jquants.newest_final()
    end = final if last is None else min(final, _month(last, "last"))
    client = jquants_client.connect(plan, jquants_client.BASE, policy)
    try:
        fetched = jquants.fetch(
            client, folder, start, end, [part for part in jquants.PARTS if part in parts]
        )
        counts = ", ".join(f"{part} {count}" for part, count in fetched.days.items())
        print(f"new days (of listed: months): {counts}", *fetched.gaps(), sep="\n")
    finally:
        # What came before an error can be used.
        if any((folder / "raw/prices").glob("*.parquet")):
            snippet = jquants_tables.build(folder, client.get_33_sectors())
            print(f"params for these records: {snippet}; then `konkyo check`")


def _fred(
    first: str | None,
    last: str | None,
    *,
    folder: Path,
    series: Sequence[str],
    release: str,
    lag: int,
    carry: int,
    policy: RetryPolicy | None,
) -> None:
    names = _series_names(series)
    if not names or release not in ("vintage", "latest"):
        raise SourceError(
            f"series {list(series)}, release {release!r}: name series by their ids, such as "
            "CPIAUCSL or CPIAUCSL=prices, and choose vintage or latest"
        )
    start = _month(first, "first")
    end = dates.month_end(dates.ordinal(pd.DatetimeIndex([pd.Timestamp.now()])) - 1)[0]
    end = end if last is None else min(end, _month(last, "last"))
    market = folder / ("market.csv" if release == "vintage" else "market_latest.csv")
    if market.is_file():
        stored = _stored(market, "month")
        if others := [name for name in stored.columns if name not in {"month", *names}]:
            raise SourceError(
                f"{market} has the series {', '.join(others)}, which this command would take out: "
                "name them too, or move the file away"
            )
        start, end = min(start, stored["month"].min()), max(end, stored["month"].max())
    ends = pd.date_range(start, end, freq="ME")
    connection = fred.Connection(fred.BASE, policy)
    table = pd.DataFrame({"month": ends})
    errors = []
    for name, code in names.items():
        path = folder / "series" / f"{code}.{release}.parquet"
        rows = pd.read_parquet(path) if path.is_file() else None
        try:
            if release == "vintage":
                rows = fred.releases(connection, code, rows)
            else:
                rows = fred.merge_latest(rows, fred.latest(connection, code, lag), code)
            write_parquet(rows, path)
        except SourceError as error:
            errors.append(str(error))
            if rows is None:
                print(f"{code}: left out ({error})")
                continue
            print(f"{code}: as fetched before ({error})")
        values = fred.as_of(rows, ends, carry)
        table[name] = values.to_numpy()
        absent = ends[values.isna()]
        print(f"{code}: {len(rows):,} versions, known in {values.notna().sum()} of {len(ends)}")
        if len(absent):
            print(
                f"  missing in {len(absent)} months, {dates.label(absent[0])} to "
                f"{dates.label(absent[-1])}, which ingest does not accept: fetch a series that is "
                "never revised with release latest; others begin with their first vintage"
            )
    # A file that has more series than could be had stays as it is.
    lost = market.is_file() and len(table.columns) < len(stored.columns)
    if len(table.columns) > 1 and not lost:
        write_csv(table, market)
        _print_entry(market)
    if errors:
        raise SourceError("\n".join(errors))


def _stored(market: Path, date: str) -> pd.DataFrame:
    """Return a file of market series that an earlier run wrote."""
    table = read_csv(market)
    with artifact_errors(market):
        return table.assign(**{date: date_text.days(table[date])})


def _print_entry(market: Path) -> None:
    """Print the entry of params.yaml that reads a file of market series."""
    file = jquants_tables.yaml_text(market)
    print(f"{market}: for params.yaml")
    print(f"      - {{files: [{file}], columns: {{}}}}    # ingest.tables.market")


def _series_names(series: Sequence[str]) -> dict[str, str]:
    """Return the ids of series, such as CPIAUCSL or CPIAUCSL=prices, by their names."""
    names: dict[str, str] = {}
    for entry in series:
        code, _, name = entry.partition("=")
        name = name.strip() or code
        # The id is a part of a file's name.
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", code) or name in ("month", "date"):
            raise SourceError(
                f"series {entry!r}: write ID or ID=name, such as CPIAUCSL=prices, but not month or "
                "date, which name the days of a table"
            )
        if name in names:
            raise SourceError(
                f"two series have the name {name}, {names[name]} and {code}: name one ID=name"
            )
        names[name] = code
    return names


def _mof(out: Path, maturities: tuple[int, ...], policy: RetryPolicy | None) -> None:
    market = out / "mof" / "jgb.csv"
    stored = _stored(market, "date") if market.is_file() else None
    maturities = tuple(dict.fromkeys(maturities))
    texts, errors = [], []
    for path in mof.YIELDS:
        try:
            content = mof.download(path, mof.BASE, policy)
            text = content.decode("utf-8-sig", errors="replace")
            mof.quotes(text, maturities)
            texts.append(text)
        except SourceError as error:
            errors.append(str(error))
    try:
        if texts:
            table = mof.yields(texts, maturities)
            write_csv(table if stored is None else mof.merge(stored, table), market)
            _print_entry(market)
    except SourceError as error:
        errors.append(str(error))
    try:
        # Only this part needs the second study, whose reader checks the file before it is kept.
        from konkyo.intervention import official

        operations = mof.download(mof.OPERATIONS, mof.BASE, policy)
        with atomic_write(out / mof.OPERATIONS_FILE) as scratch:
            scratch.write_bytes(operations)
            records = official.read_operations(scratch)
        print(f"{out / mof.OPERATIONS_FILE}: {len(records.daily)} days with an operation")
    except KonkyoError as error:
        errors.append(str(error))
    if errors:
        raise SourceError("\n".join(errors))


def _month(text: str | None, option: str) -> pd.Timestamp:
    return dates.parse(month_option(text, option))
