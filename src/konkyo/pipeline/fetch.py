"""Fetch a vendor's records into data/own, in the shape of `ingest.tables`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from konkyo import dates
from konkyo.artifacts import HERE
from konkyo.data.vendors import fred, jquants, jquants_tables, mof
from konkyo.errors import SourceError
from konkyo.intervention import official
from konkyo.io import atomic_write, write_csv, write_parquet
from konkyo.pipeline import locking, stage
from konkyo.retry import RetryPolicy

Vendor = Literal["jquants", "fred", "mof"]
FRED_PARAMS = "      - {{files: [{file}], columns: {{}}}}    # ingest.tables.market"


@stage
def main(
    what: Vendor,
    first: str | None = None,
    last: str | None = None,
    out: Path = HERE.own,
    parts: Sequence[str] = jquants.PARTS,
    plan: jquants.Plan = "free",
    series: Sequence[str] = (),
    release: Literal["vintage", "latest"] = "vintage",
    lag: int = 1,
    carry: int = 12,
    maturities: Sequence[int] = (2, 5, 10, 20),
    policy: RetryPolicy | None = None,
) -> None:
    """Fetch what is not here yet.

    Parameters
    ----------
    what : str
        jquants, fred or mof.
    first, last : str, optional
        Months YYYY-MM; `first` is needed for jquants and fred, `last` is the newest one.
    out : Path
        Receives a folder of the vendor's name; interventions lie beside it, where the second
        study looks for them.
    parts, plan : sequence of str, str
        jquants: which records, and the plan, which sets how many requests are sent a minute.
    series, release, lag, carry : sequence of str, str, int, int
        fred: ids, or id=name; whether as known at the time or the newest version, published `lag`
        days after the period; and after how many months a value is too old.
    maturities : sequence of int
        mof: years of the yields.
    policy : RetryPolicy, optional
        How often a request is tried; the vendor's own if not given.
    """
    with locking.held("fetch"):
        if what == "jquants":
            _jquants(first, last, out / "jquants", parts, plan, policy)
        elif what == "fred":
            _fred(first, last, out / "fred", series, release, lag, carry, policy)
        elif what == "mof":
            _mof(out, tuple(maturities), policy)
        else:
            raise SourceError(f"there is no connector {what!r}: choose of {get_args(Vendor)}")


def _jquants(
    first: str | None,
    last: str | None,
    folder: Path,
    parts: Sequence[str],
    plan: jquants.Plan,
    policy: RetryPolicy | None,
) -> None:
    unknown = set(parts) - set(jquants.PARTS)
    if unknown or plan not in jquants.LIMITS:
        raise SourceError(
            f"parts {sorted(unknown)}, plan {plan!r}: choose of {jquants.PARTS} and "
            f"{tuple(jquants.LIMITS)}"
        )
    start = _month(first, "first").replace(day=1)
    final = jquants.newest_final()
    end = final if last is None else min(final, _month(last, "last"))
    client = jquants.connect(plan, jquants.BASE, policy)
    chosen = [part for part in jquants.PARTS if part in parts]
    fetched = jquants.fetch(client, folder, start, end, chosen)
    told = ", ".join(f"{part} {count}" for part, count in fetched.days.items())
    print(f"new days (of listed: months): {told}")
    if fetched.absent:
        print(f"no prices yet for {len(fetched.absent)} trading days, first {fetched.absent[0]}")
    snippet = jquants_tables.build(folder, client.get_33_sectors())
    print(f"params for these records: {snippet}; then `konkyo check`")


def _fred(
    first: str | None,
    last: str | None,
    folder: Path,
    series: Sequence[str],
    release: str,
    lag: int,
    carry: int,
    policy: RetryPolicy | None,
) -> None:
    if not series or release not in ("vintage", "latest"):
        raise SourceError(
            f"series {list(series)}, release {release!r}: name series by their ids, such as "
            "CPIAUCSL or CPIAUCSL=prices, and choose of vintage and latest"
        )
    start = _month(first, "first")
    end = dates.month_end(dates.ordinal(pd.DatetimeIndex([pd.Timestamp.now()])) - 1)[0]
    end = end if last is None else min(end, _month(last, "last"))
    ends = pd.date_range(start, end, freq="ME")
    connection = fred.connect(fred.BASE, policy)
    table = pd.DataFrame({"month": ends})
    for entry in series:
        code, _, name = entry.partition("=")
        path = folder / "series" / f"{code}.{release}.parquet"
        if release == "vintage":
            there = pd.read_parquet(path) if path.is_file() else None
            rows = fred.releases(connection, code, there)
        else:
            rows = fred.latest(connection, code, lag)
        write_parquet(rows, path)
        values = fred.known(rows, ends, carry)
        table[name or code] = values.to_numpy()
        unknown = ends[values.isna()]
        print(f"{code}: {len(rows):,} versions, known in {values.notna().sum()} of {len(ends)}")
        if len(unknown):
            print(
                f"  unknown in {len(unknown)} months, {dates.label(unknown[0])} to "
                f"{dates.label(unknown[-1])}: ingest refuses them; a series that is never revised "
                "can be fetched with release latest, others begin with their first vintage"
            )
    market = folder / ("market.csv" if release == "vintage" else "market_latest.csv")
    write_csv(table, market)
    print(f"{market}: for params.yaml\n{FRED_PARAMS.format(file=market.as_posix())}")


def _mof(out: Path, maturities: tuple[int, ...], policy: RetryPolicy | None) -> None:
    texts = [
        mof.download(path, mof.BASE, policy).decode("utf-8-sig", errors="replace")
        for path in mof.YIELDS
    ]
    market = out / "mof" / "jgb.csv"
    write_csv(mof.yields(texts, maturities), market)
    print(f"{market}: for params.yaml\n{FRED_PARAMS.format(file=market.as_posix())}")
    operations = mof.download(mof.OPERATIONS, mof.BASE, policy)
    with atomic_write(out / mof.OPERATIONS_FILE) as scratch:
        scratch.write_bytes(operations)
        found = official.read_operations(scratch)
    print(f"{out / mof.OPERATIONS_FILE}: {len(found.daily)} days with an operation")


def _month(name: str | None, option: str) -> pd.Timestamp:
    """Return the end of a month."""
    try:
        return dates.parse(name or "")
    except ValueError:
        raise SourceError(
            f"{option} is {name!r}: write a month as YYYY-MM, such as --{option} 2018-01"
        ) from None
