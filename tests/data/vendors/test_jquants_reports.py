import pandas as pd
import pytest

from konkyo.config import Reports
from konkyo.data.fundamentals_read import to_statements
from konkyo.data.point_in_time import as_known
from konkyo.data.vendors.jquants import COLUMNS
from konkyo.data.vendors.jquants_reports import outstanding, reports
from konkyo.dates import ordinal

SPEC = Reports(("reports.parquet",), {}, 90, 12, 1)


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


def known(*rows: dict) -> pd.DataFrame:
    """Return what was known of stock A at the end of each month, amounts in thousands, by month."""
    months = pd.date_range("2022-05-31", "2024-06-30", freq="ME")
    stocks = pd.DataFrame({"month": months, "stock": "A", "return": 0.0})
    codes = pd.Index(["A"])
    figures, forecasts = to_statements(reports(documents(*rows)), SPEC, codes)
    values = as_known(figures, forecasts, stocks.assign(stock=0, month=ordinal(months)), 12)
    return pd.DataFrame(values, months.strftime("%Y-%m"))


def test_quarters_become_twelve_months():
    table = known(Q1_BEFORE, YEAR, Q1)
    months = ["2022-08", "2023-05", "2023-08"]
    assert table.loc[months, "sales"].fillna(-1).tolist() == pytest.approx([-1, 1.0, 1.06])
    assert table.loc[months, "assets"].fillna(-1).tolist() == pytest.approx([-1, 5.0, 5.1])
    assert table.loc[months, "dividends"].fillna(-1).tolist() == [-1, 0.3, 0.3]


def test_forecasts_are_of_the_current_fiscal_year():
    table = known(Q1_BEFORE, YEAR, Q1).loc[["2022-08", "2023-05", "2023-08"]]
    assert table["sales_forecast"].tolist() == pytest.approx([1.0, 1.1, 1.15])
    assert table["dividends_forecast"].fillna(-1).tolist() == [-1, 0.4, 0.55]


def test_a_revision_changes_forecasts_alone():
    table = known(Q1_BEFORE, YEAR, Q1, REVISION, DIVIDEND)
    before = known(Q1_BEFORE, YEAR, Q1, REVISION).loc["2023-09"]
    assert (before["sales"], before["sales_forecast"]) == pytest.approx((1.06, 1.3))
    after = table.loc["2023-09"]
    assert (after["sales"], after["sales_forecast"]) == pytest.approx((1.06, 1.3))
    assert (before["dividends_forecast"], after["dividends_forecast"]) == pytest.approx(
        (0.55, 0.66)
    )


def test_a_revision_of_a_year_that_is_over_is_ignored():
    late = revised("2023-05-20", "2023-03-31", FSales=7)
    assert known(YEAR, late).loc["2023-05", "sales_forecast"] == 1.1


def test_a_correction_counts_from_its_own_day_on():
    corrected = told("2023-09-01", "FY", "2023-03-31", "2023-03-31", Sales=990)
    table = known(Q1_BEFORE, YEAR, Q1, corrected, REVISION)
    assert table.loc[["2023-08", "2023-09"], "sales"].tolist() == pytest.approx([1.06, 1.05])


def test_later_documents_change_no_earlier_row():
    days = [Q1_BEFORE, YEAR, Q1, REVISION, DIVIDEND]
    days.append(told("2024-05-09", "FY", "2024-03-31", "2024-03-31", Sales=1400, NxFSales=1))
    whole = reports(documents(*days))
    for count in range(1, len(days)):
        part = reports(documents(*days[:count]))
        pd.testing.assert_frame_equal(part, whole.iloc[:count])


def test_shares_exclude_treasury_shares():
    table = outstanding(documents(Q1_BEFORE, YEAR, Q1, REVISION))
    assert table["shares"].tolist() == [100.0, 110.0]
    assert table["published"].dt.strftime("%Y-%m-%d").tolist() == ["2023-05-10", "2023-08-04"]
