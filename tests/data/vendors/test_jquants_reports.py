import numpy as np
import pandas as pd
import pytest

from konkyo.data.vendors.jquants import COLUMNS
from konkyo.data.vendors.jquants_reports import outstanding, reports


def documents(*rows: dict) -> pd.DataFrame:
    """Documents of stock A: a fiscal year ends in March."""
    table = pd.DataFrame(list(rows)).reindex(columns=COLUMNS["statements"])
    table["Code"] = table["Code"].fillna("A")
    table["DiscTime"] = table["DiscTime"].fillna("15:00:00")
    table["DiscNo"] = [f"{number:05d}" for number in range(len(table))]
    for name in ("DiscDate", "CurPerEn", "CurFYEn"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[ns]")
    texts = {"DiscDate", "DiscTime", "DiscNo", "Code", "DocType", "CurPerType"}
    numbers = [n for n in COLUMNS["statements"] if n not in texts | {"CurPerEn", "CurFYEn"}]
    return table.astype(dict.fromkeys(numbers, "float64"))


def told(published: str, period: str, ended: str, year: str, **values: float | str) -> dict:
    kind = f"{period}FinancialStatements_Consolidated_JP"
    known = {"DiscDate": published, "DocType": kind, "CurPerType": period}
    return known | {"CurPerEn": ended, "CurFYEn": year} | values


def revised(published: str, year: str, kind: str = "Earn", **values: float) -> dict:
    known = {"DiscDate": published, "DocType": f"{kind}ForecastRevision", "CurPerType": "FY"}
    return known | {"CurPerEn": year, "CurFYEn": year} | values


Q1_BEFORE = told("2022-08-05", "1Q", "2022-06-30", "2023-03-31", Sales=200, FSales=1000)
YEAR = told(
    "2023-05-10", "FY", "2023-03-31", "2023-03-31", Sales=1000, TA=5000, DivAnn=3,
    ShOutFY=110, TrShFY=10, NxFSales=1100, NxFDivAnn=4,
)  # fmt: skip
Q1 = told(
    "2023-08-04", "1Q", "2023-06-30", "2024-03-31", Sales=260, TA=5100, ShOutFY=110,
    FSales=1150, FDivAnn=5,
)  # fmt: skip
REVISION = revised("2023-09-20", "2024-03-31", FSales=1300)
DIVIDEND = revised("2023-09-29", "2024-03-31", "Dividend", FDivAnn=6)


def row(table: pd.DataFrame, published: str) -> pd.Series:
    return table[table["published"] == published].iloc[0]


def test_quarters_become_twelve_months():
    table = reports(documents(Q1_BEFORE, YEAR, Q1))
    assert table["period_end"].dt.strftime("%Y-%m").tolist() == ["2022-06", "2023-03", "2023-06"]
    assert table["sales"].fillna(-1).tolist() == [-1, 1000.0, 1000 + 260 - 200]
    assert table["assets"].fillna(-1).tolist() == [-1, 5000.0, 5100.0]
    assert table["dividends"].fillna(-1).tolist() == [-1, 300.0, 300.0]


def test_forecasts_are_of_the_current_fiscal_year():
    table = reports(documents(Q1_BEFORE, YEAR, Q1))
    assert table["sales_forecast"].tolist() == [1000.0, 1100.0, 1150.0]
    assert table["dividends_forecast"].fillna(-1).tolist() == [-1, 400.0, 550.0]


def test_a_revision_is_a_vintage_of_its_report():
    table = reports(documents(Q1_BEFORE, YEAR, Q1, REVISION, DIVIDEND))
    assert len(table) == 5
    first, second = row(table, "2023-09-20"), row(table, "2023-09-29")
    for version in (first, second):
        assert version["period_end"] == pd.Timestamp("2023-06-30")
        assert version["sales"] == 1060.0
        assert version["sales_forecast"] == 1300.0
    assert first["dividends_forecast"] == 550.0
    assert second["dividends_forecast"] == 660.0


def test_a_revision_without_a_report_is_ignored():
    before = revised("2022-06-01", "2023-03-31", FSales=900)
    late = revised("2023-05-20", "2023-03-31", FSales=7)
    table = reports(documents(before, YEAR, late))
    assert len(table) == 2
    assert table["sales_forecast"].tolist() == [1100.0, 1100.0]


def test_a_correction_counts_from_its_own_day_on():
    corrected = told("2023-09-01", "FY", "2023-03-31", "2023-03-31", Sales=990)
    later = told("2023-11-02", "1Q", "2023-06-30", "2024-03-31", Sales=260)
    table = reports(documents(Q1_BEFORE, YEAR, Q1, corrected, later, REVISION))
    assert row(table, "2023-08-04")["sales"] == 1060.0
    assert row(table, "2023-11-02")["sales"] == 1050.0
    # The correction of an older period is no ground for the revision that follows it.
    assert row(table, "2023-09-20")["period_end"] == pd.Timestamp("2023-06-30")


def test_later_documents_change_no_earlier_row():
    days = [Q1_BEFORE, YEAR, Q1, REVISION, DIVIDEND]
    days.append(told("2024-05-09", "FY", "2024-03-31", "2024-03-31", Sales=1400, NxFSales=1))
    whole = reports(documents(*days))
    for count in range(1, len(days)):
        part = reports(documents(*days[:count]))
        pd.testing.assert_frame_equal(part, whole.iloc[:count])


def trailing(days: list[dict], now: int) -> float:
    """Say the same by a loop over the documents published before."""
    document = days[now]
    if document["CurPerType"] == "FY":
        return document["Sales"]
    last_year = pd.Timestamp(document["CurFYEn"]) - pd.DateOffset(years=1)
    year = same = np.nan
    for earlier in days[:now]:
        if pd.Timestamp(earlier["CurFYEn"]) == last_year:
            year = earlier["Sales"] if earlier["CurPerType"] == "FY" else year
            same = earlier["Sales"] if earlier["CurPerType"] == document["CurPerType"] else same
    return year + document["Sales"] - same


def test_twelve_months_are_those_of_a_loop():
    random = np.random.default_rng(3)
    days, ends = [], {"1Q": "06-30", "2Q": "09-30", "3Q": "12-31", "FY": "03-31"}
    for year in range(2013, 2023):
        for quarter, (period, end) in enumerate(ends.items()):
            ended = pd.Timestamp(f"{year + (period == 'FY')}-{end}")
            for version in range(random.integers(0, 3)):
                published = f"{ended + pd.Timedelta(days=30 + version):%Y-%m-%d}"
                sales = float(random.integers(1, 100) + 100 * quarter)
                fiscal = f"{year + 1}-03-31"
                days.append(told(published, period, f"{ended:%Y-%m-%d}", fiscal, Sales=sales))
    expected = [trailing(days, now) for now in range(len(days))]
    assert np.isfinite(expected).sum() > 15
    assert reports(documents(*days))["sales"].tolist() == pytest.approx(expected, nan_ok=True)


def test_shares_exclude_treasury_shares():
    table = outstanding(documents(Q1_BEFORE, YEAR, Q1, REVISION))
    assert table["shares"].tolist() == [100.0, 110.0]
    assert table["published"].dt.strftime("%Y-%m-%d").tolist() == ["2023-05-10", "2023-08-04"]
