"""Own tables with reports, and audits of small records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo import config
from konkyo.leakage import compare, perturb, run
from konkyo.leakage.perturb import Perturbation
from konkyo.leakage.record_sources import BuiltRecords, RecordSource
from small import make_records, small_params

Audit = Callable[..., pd.DataFrame]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Return a function that audits the small records, or those of another source.

    One decision month and one perturbation are enough to find a planted leak; the absence of leaks
    is tested with all of them.
    """

    def table_of(
        source: RecordSource | None = None,
        params: config.Params | None = None,
        months: Sequence[str] = ("2001-09",),
        perturbations: Sequence[Perturbation] = (perturb.EXTREME,),
    ) -> pd.DataFrame:
        if source is None:
            records = make_records()
            source = BuiltRecords(records=records, unlagged=records, lagged=False)
        if months:
            monkeypatch.setattr(run, "decision_months", lambda *_, **__: list(months))
        monkeypatch.setattr(run, "PERTURBATIONS", perturbations)
        findings = run.audit(
            source, params or small_params(), count=3, seed=1, epochs=1, scratch=tmp_path,
            report=str,
        )  # fmt: skip
        return compare.table(list(findings))

    return table_of


@pytest.fixture
def own(tmp_path: Path) -> config.Params:
    """Return params of own tables: monthly CSV rows, reports, sectors, members, daily series."""
    rng = np.random.default_rng(3)
    stocks, _ = make_records(stocks=16)
    stocks["month"] = stocks["month"].dt.strftime("%Y-%m")
    rows = stocks.rename(columns={"stock": "code", "size": "value"}).drop(columns="sector")
    rows.to_csv(tmp_path / "stocks.csv", index=False)
    codes = sorted(set(stocks["stock"]))
    days = pd.date_range("2000-01-03", "2002-06-28", freq="B")
    series = pd.DataFrame({"date": days, "MKT": rng.normal(1, 0.1, len(days))})
    series["VIX"] = 15 + rng.random(len(days))
    series.to_parquet(tmp_path / "market.parquet")
    sectors = [("Autos", "Banks", "Chips")[place % 3] for place in range(len(codes))]
    pd.DataFrame({"stock": codes, "sector": sectors}).to_csv(tmp_path / "sectors.csv", index=False)
    starts = ["2000-01-01", "2001-06-01"]
    members = [(code, start) for code in codes for start in starts]
    stays = pd.DataFrame(members, columns=["stock", "start"])
    # Every fourth stock is away for two months, every eighth for good.
    away = (stays.index // 2 % 4 == 1) & (stays["start"] == starts[0])
    stays["end"] = np.where(
        away, "2001-03-15", np.where(stays["start"] == starts[1], "", starts[1])
    )
    stays = stays[(stays.index % 16 != 3)]
    stays.to_csv(tmp_path / "members.csv", index=False)
    ends = pd.date_range("1999-03-31", "2002-06-30", freq="QE")
    reports = pd.DataFrame([(code, end) for code in codes for end in ends])
    reports.columns = ["stock", "period_end"]
    reports["published"] = reports["period_end"] + pd.to_timedelta(
        rng.integers(20, 80, len(reports)), unit="D"
    )
    reports.loc[rng.random(len(reports)) < 0.3, "published"] = pd.NaT
    reports["equity"] = np.exp(rng.normal(9, 1, len(reports)))
    reports["grade"] = rng.normal(0, 1, len(reports))
    reports.to_csv(tmp_path / "reports.csv", index=False)

    def table(name: str) -> config.Table:
        return config.Table(files=(str(tmp_path / name),), columns={})

    whole = small_params()
    source = config.Tables(
        stocks=config.StockRows(
            files=(str(tmp_path / "stocks.csv"),),
            columns={"code": "stock", "value": "size"},
            layout="long",
            rows="monthly",
            return_unit="fraction",
            largest_return=10.0,
            eligible="size > 1",
        ),
        market=(table("market.parquet"),),
        reports=(
            config.Reports(
                files=(str(tmp_path / "reports.csv"),), columns={}, lag=60, carry=12, unit=1000
            ),
        ),
        sectors=(table("sectors.csv"),),
        members=(table("members.csv"),),
        point_in_time=True,
        survivorship_free=True,
    )
    features = (*whole.prepare.characteristics, "book_to_price", "grade")
    return replace(
        whole,
        ingest=replace(whole.ingest, source="tables", tables=source),
        prepare=replace(whole.prepare, characteristics=features, universe_size=10),
    )
