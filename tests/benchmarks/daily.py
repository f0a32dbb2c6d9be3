"""Daily rows to checked monthly records: seconds and memory at the size of a whole market.

    python tests/benchmarks/daily.py [--stocks 5000] [--days 10000] [--rows-a-file 5000000]

Makes a folder of Parquet files of daily closes, volumes and shares (50 million rows by default,
about 1 GB of scratch disk), then brings them in a process of its own as `konkyo ingest` does:
aggregated, checked, sorted. Prints its seconds, those of the cores, and the peak of its resident
memory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

_BRING = """
import json, resource, sys, time
from pathlib import Path
import pandas as pd
from konkyo.config import StockRows, Table, Tables
from konkyo.data import tables

start = time.perf_counter()
started = time.process_time()
rows = StockRows(("daily",), {}, "long", "dated", "fraction", 10.0, "days >= 10")
own = Tables(rows, (Table(("market.csv",), {}),), (), (), (), True, True)
records = tables.load(own, Path("raw"), 10, pd.Timestamp(sys.argv[1]))
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "cpu": time.process_time() - started,
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "months": len(records.stocks),
    "columns": list(records.stocks),
}))
"""


def write(folder: Path, stocks: int, days: int, rows_a_file: int) -> int:
    """Write the daily rows and a market series, and return how many rows there are."""
    import duckdb

    (folder / "daily").mkdir()
    each = max(1, rows_a_file // stocks)
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        for number, first in enumerate(range(0, days, each)):
            count = min(each, days - first)
            connection.execute(
                "COPY (SELECT DATE '1980-01-01' + CAST(d * 7 // 5 AS INTEGER) AS date, "
                "'S' || lpad(CAST(s AS VARCHAR), 5, '0') AS stock, "
                "round(50 * exp(0.0001 * d + 0.05 * sin(s + d / 30.0) "
                "+ 0.02 * (hash(s * 100003 + d) % 1000 / 500.0 - 1)), 4) AS close, "
                "CAST(1000 + hash(s + d * 7) % 100000 AS DOUBLE) AS volume, "
                "1e7 + s * 1000.0 AS shares "
                f"FROM range({first}, {first + count}) AS t(d), range({stocks}) AS u(s)) "
                f"TO '{folder}/daily/{number:04d}.parquet' (FORMAT parquet)"
            )
        connection.execute(
            "COPY (SELECT strftime(DATE '1979-12-01' + INTERVAL (m) MONTH, '%Y-%m') AS month, "
            f"100 + m AS index FROM range({days * 7 // 5 // 28 + 2}) AS t(m)) "
            f"TO '{folder}/market.csv' (HEADER)"
        )
    return stocks * days


def main() -> None:
    """Make the rows, bring them, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stocks", type=int, default=5000)
    parser.add_argument("--days", type=int, default=10_000)
    parser.add_argument("--rows-a-file", type=int, default=5_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="konkyo-daily-") as name:
        folder = Path(name)
        start = time.perf_counter()
        rows = write(folder, asked.stocks, asked.days, asked.rows_a_file)
        size = sum(file.stat().st_size for file in (folder / "daily").iterdir()) / 1e6
        print(f"{rows:,} rows, {size:,.0f} MB of Parquet: {time.perf_counter() - start:.0f} s")
        newest = pd.Timestamp(1980, 1, 1) + pd.Timedelta(days=(asked.days - 1) * 7 // 5)
        last = newest - pd.offsets.MonthEnd(1)
        done = subprocess.run(
            [sys.executable, "-c", _BRING, f"{last:%Y-%m-%d}"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout)
        print(
            f"{found['months']:,} stock-months of {len(found['columns'])} columns: "
            f"{found['seconds']:.0f} s ({found['cpu']:.0f} s of the cores), "
            f"at most {found['megabytes']:,.0f} MB of memory"
        )


if __name__ == "__main__":
    main()
