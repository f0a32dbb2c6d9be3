"""The real records kept beside the repository, as the files that the source `official` reads.

They are not part of the project. `python tests/support/real_records.py` writes them to data/own
where they are there, so that the study can be run on them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "japan_fx_intervention"
_SIDES = {1: "the {} (bought) the {} (sold)", -1: "the {} (sold) the {} (bought)"}
_NAMES = {
    "USD": "US dollar", "JPY": "Japanese yen", "EUR": "Euro", "DEM": "Deutsche mark",
    "IDR": "Indonesian rupiah",
}  # fmt: skip
_RESERVES = 68_700.0
"""Million dollars at the end of March 1991, a public figure. No monthly series is in the folder, so
reserves are this level and the net operations since: the same trend as the published ones at about
two thirds of their height."""


def operations_text() -> str:
    """Return the operations in the layout of the ministry's file, quarter totals included."""
    daily = pd.read_csv(FOLDER / "mof_interventions_daily_1991_2004.csv", parse_dates=["date"])
    lines = ["x,,,Intervention Date,,,,,", "y,m,d,Year,Month,Day,amount,z,Currency pairs"]
    quarters = pd.period_range("1991Q2", "2004Q1", freq="Q")
    for quarter in quarters:
        own = daily[daily["date"].dt.to_period("Q") == quarter]
        for row in own.itertuples():
            base, quote = row.currency_pair.split("/")
            sign = 1 if row.net_yen_sold_bn > 0 else -1
            sides = _SIDES[sign].format(_NAMES[base], _NAMES[quote])
            amount = abs(round(10 * row.net_yen_sold_bn))
            lines.append(f',,,{row.date:%Y},{row.date:%b},{row.date.day},"{amount:,}",w,{sides}')
        first, last = quarter.start_time, quarter.end_time
        total = int((10 * own["net_yen_sold_bn"]).round().abs().sum())
        lines.append(f',,,{first:%B} - {last:%B} {last:%Y},,,"{total:,}",,')
    return "\n".join(lines) + "\n"


def series() -> pd.DataFrame:
    """Return the other series, 1988-01 to 2004-03.

    Consumer prices stand in for export prices, the trade balance with the United States for the
    whole one, and annual GDP divided by four for quarterly GDP, all in million dollars.
    """
    read = {
        "rate": ("usdjpy_monthly_1971_2026.csv", "usdjpy"),
        "price_home": ("cpi_us_japan_monthly.csv", "cpi_jp"),
        "price_abroad": ("cpi_us_japan_monthly.csv", "cpi_us"),
        "trade_balance": ("us_japan_trade_monthly_1985_2023.csv", "us_balance_with_japan_musd"),
    }
    months = pd.date_range("1988-01-01", "2004-03-01", freq="MS")
    frame = pd.DataFrame(index=months)
    for name, (file, column) in read.items():
        own = pd.read_csv(FOLDER / file, parse_dates=["date"]).set_index("date")[column]
        frame[name] = own.reindex(months)
    frame["trade_balance"] *= -1
    annual = pd.read_csv(FOLDER / "jst_annual_jpn_usa_deu_gbr_1950_2017.csv")
    japan = annual[annual["iso"] == "JPN"].set_index("year")
    dollars = 1e6 * japan["gdp"] / japan["xrusd"]
    frame["gdp"] = np.where(months.month % 3 == 0, dollars[months.year] / 4, np.nan)
    daily = pd.read_csv(FOLDER / "mof_interventions_daily_1991_2004.csv", parse_dates=["date"])
    own = daily[daily["currency_pair"] == "USD/JPY"]
    net = own.groupby(own["date"].dt.to_period("M").dt.to_timestamp())["net_yen_sold_bn"].sum()
    bought = 1000 * net.reindex(months, fill_value=0.0) / frame["rate"]
    frame["reserves"] = _RESERVES + bought.cumsum()
    return frame.rename_axis("month").reset_index()


def write(folder: Path) -> None:
    """Write both files under the names that params.yaml has."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "foreign_exchange_intervention_operations.csv"
    (folder / name).write_text(operations_text(), encoding="cp932")
    series().to_csv(folder / "intervention.csv", index=False)


if __name__ == "__main__":
    write(Path("data/own"))
