"""The stages predict and monitor, on the files that the stages before them leave."""

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from chain import write_params
from konkyo import backtesting, windows
from konkyo.features import store
from konkyo.features.build import build
from konkyo.pipeline import monitor, predict
from small import make_records, small_params

CHOSEN = replace(small_params(), report=replace(small_params().report, n_extremes=2))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose grounds are random and add up to their scores."""
    root = tmp_path_factory.mktemp("monthend") / "project"
    data = root / "data"
    for folder in ("records", "attributions", "models/weights", "backtest"):
        (data / folder).mkdir(parents=True)
    write_params(root, CHOSEN)
    stocks, market = make_records(count=36)
    stocks.to_parquet(data / "records/stocks.parquet")
    facts = {"source": "tables", "first_month": "2000-01", "last_month": "2002-12"}
    facts |= {"point_in_time": True, "survivorship_free": True}
    (data / "records/source.json").write_text(json.dumps(facts), encoding="utf-8")
    panel, missing = build(stocks, market, CHOSEN.prepare)
    store.write(panel, missing, data / "panel")
    rng = np.random.default_rng(0)
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]), CHOSEN.train.window_months
    )
    windows.table(decisions).to_csv(data / "models/windows.csv", index=False)
    parts = []
    for window in decisions:
        rows = slice(window.test_start, window.test_stop)
        keys = panel.index.iloc[rows][["month", "stock"]].reset_index(drop=True)
        relevance = (panel.features[rows] * rng.normal(0, 0.1, len(panel.names))).astype("float32")
        score = relevance.sum(1, dtype=np.float64) + 0.01
        grounds = keys.assign(score=score)
        grounds = pd.concat([grounds, pd.DataFrame(relevance, columns=panel.names)], axis=1)
        grounds.assign(absorbed=np.float32(0.01)).to_parquet(
            data / f"attributions/{window.month}.parquet"
        )
        (data / f"models/weights/{window.month}.safetensors").write_bytes(b"weights")
        parts.append(grounds[["month", "stock", "score"]])
    scores = pd.concat(parts).merge(panel.index[["month", "stock", "ret"]])
    ranked = backtesting.assign_quantiles(
        scores.assign(model="network"), CHOSEN.backtest.n_quantiles
    )
    ranked.to_parquet(data / "backtest/portfolios.parquet")
    coefficients = backtesting.information_coefficients(ranked).dropna(subset="rank_ic")
    coefficients.to_csv(data / "backtest/returns.csv", index=False)
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    monkeypatch.chdir(copy)
    return copy


def test_predict_writes_the_newest_month(project: Path, capsys: pytest.CaptureFixture[str]):
    # The backtest is not needed: only panel, grounds and what is known of the network.
    portfolios = pd.read_parquet("data/backtest/portfolios.parquet")
    shutil.rmtree("data/backtest")
    predict.main()
    assert "2002-12: 16 stocks ranked" in capsys.readouterr().out
    table = pd.read_csv("data/predictions/2002-12.csv", dtype={"stock": str})
    assert table["rank"].tolist() == list(range(1, 17))
    assert table["score"].is_monotonic_decreasing
    own = portfolios[portfolios["month"] == "2002-12-31"].set_index("stock")["quantile"]
    assert table.set_index("stock")["quantile"].to_dict() == own.to_dict()
    parts = table.filter(like="relevance_").sum(axis=1) + table["absorbed"]
    np.testing.assert_allclose(parts, table["score"], atol=1e-6)
    book = openpyxl.load_workbook("data/predictions/2002-12.xlsx")
    assert [cell.value for cell in book["Ranking"]["B"][1:]] == table["stock"].tolist()
    assert book["Attribution"].max_row == 1 + 2 * 2
    facts = {row[0].value: row[1].value for row in book["Read me"].iter_rows(max_row=11)}
    assert facts["return month"] == "2003-01"
    assert facts["training window"] == "2002-06 - 2002-11"
    assert facts["data source"] == "tables, 2000-01 - 2002-12"


def test_predict_of_a_month_ignores_later_ones(project: Path):
    predict.main("2002-03", "ja", Path("early"))
    first = Path("early/2002-03.csv").read_bytes()
    for path in Path("data/attributions").glob("2002-1*.parquet"):
        path.unlink()
    predict.main("2002-03", "ja", Path("again"))
    assert Path("again/2002-03.csv").read_bytes() == first
    assert "16銘柄中1位：" in first.decode()


@pytest.mark.parametrize(
    ("month", "language", "message"),
    [
        ("2031-01", None, "from 2001-01 to 2002-12"),
        ("../x", None, "write newest or a month as YYYY-MM"),
        ("newest", "fr", "--language fr: write en or ja"),
    ],
)
def test_predict_says_what_can_be_asked(
    project: Path, capsys: pytest.CaptureFixture[str], month: str, language: str, message: str
):
    with pytest.raises(SystemExit) as ended:
        predict.main(month, language)
    assert ended.value.code == 1
    assert message in capsys.readouterr().err
    assert not Path("data/predictions").exists()


def test_monitor_within_its_limits(project: Path):
    wide = replace(
        CHOSEN.monitor,
        max_psi=50.0,
        max_abs_z=50.0,
        max_drifting=1.0,
        max_missing=1.0,
        min_rank_ic_t=-50.0,
        max_sign_flips=1.0,
    )
    write_params(project, replace(CHOSEN, monitor=wide))
    monitor.main()
    result = json.loads(Path("data/monitor.json").read_text())
    assert (result["month"], result["breached"]) == ("2002-12", False)
    assert result["checks"]["rank_ic"]["month"] == "2002-11"
    table = pd.read_csv("data/monitor/checks.csv").set_index("check")
    assert table.index.tolist() == ["drift", "market_z", "rank_ic", "missing", "sign_flips"]
    assert table["value"].notna().all()
    history = pd.read_csv("data/monitor/history.csv")
    assert history[history["check"] == "drift"]["month"].iloc[-1] == "2002-12-31"
    page = Path("data/monitor/monitor.html").read_text(encoding="utf-8")
    assert "None of the 5 limits is breached." in page
    assert 'data-chunk="chart/ja/psi_map"' in page
    # By hand: the share of the newest month's stocks without an illiquidity.
    missing = pd.read_csv("data/panel/missing.csv")
    newest = missing[missing["month"] == "2002-12-31"]
    assert table.loc["missing", "value"] == (newest["missing"] / newest["stocks"]).max()


def test_monitor_beyond_a_limit_ends_with_1(project: Path, capsys: pytest.CaptureFixture[str]):
    stocks = pd.read_parquet("data/records/stocks.parquet")
    limits = replace(
        CHOSEN.monitor,
        max_psi=2.2,
        max_drifting=0.0,
        max_abs_z=50.0,
        max_missing=1.0,
        min_rank_ic_t=-50.0,
    )
    write_params(project, replace(CHOSEN, monitor=replace(limits, max_sign_flips=1.0)))
    newest = stocks["month"] == stocks["month"].max()
    # A source that begins to send illiquidity in per cent: ranks stay, raw values do not.
    stocks.loc[newest, "illiquidity"] *= 100
    stocks.to_parquet("data/records/stocks.parquet")
    with pytest.raises(SystemExit) as ended:
        monitor.main()
    assert ended.value.code == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monitor: ")]
    assert len(told) == 1
    assert "drift = 0.167 is above monitor.max_drifting = 0" in told[0]
    assert "illiquidity (" in told[0]
    assert json.loads(Path("data/monitor.json").read_text())["breached"]


def test_monitor_wants_the_newest_attributions(project: Path, capsys: pytest.CaptureFixture[str]):
    Path("data/attributions/2002-12.parquet").unlink()
    with pytest.raises(SystemExit) as ended:
        monitor.main()
    assert ended.value.code == 1
    assert "the newest attributions are of 2002-11" in capsys.readouterr().err
    assert not Path("data/monitor.json").exists()


def test_predict_ranks_a_month_without_portfolios(project: Path):
    """A saturated network gives all stocks one score but for rounding."""
    path = Path("data/attributions/2002-12.parquet")
    table = pd.read_parquet(path)
    absorbed = table["absorbed"] + (0.5 - table["score"])
    table.assign(score=0.5 + 1e-15 * table["score"], absorbed=absorbed).to_parquet(path)
    predict.main()
    found = pd.read_csv("data/predictions/2002-12.csv", dtype={"stock": str})
    assert found["rank"].tolist() == list(range(1, 17))
    assert found[["quantile", "side"]].isna().all(axis=None)
    # Nor does the monitor stumble; whether a limit is breached is not asked here.
    with suppress(SystemExit):
        monitor.main()
    assert Path("data/monitor.json").exists()


def test_ranks_and_portfolios_agree_where_scores_tie(project: Path):
    path = Path("data/attributions/2002-12.parquet")
    table = pd.read_parquet(path)
    # As of stocks of identical inputs: blocks of four across every boundary.
    level = table["score"].rank().sub(3).clip(lower=0).floordiv(4)
    table.assign(score=level).to_parquet(path)
    predict.main()
    found = pd.read_csv("data/predictions/2002-12.csv", dtype={"stock": str})
    ranked = backtesting.assign_quantiles(
        table[["month", "stock"]].assign(score=level, model="network", ret=np.nan),
        CHOSEN.backtest.n_quantiles,
    ).set_index("stock")
    assert found["rank"].tolist() == list(range(1, 17))
    assert found["quantile"].is_monotonic_decreasing and found["score"].is_monotonic_decreasing
    assert found.set_index("stock")["rank"].to_dict() == ranked["rank"].to_dict()
    assert found.set_index("stock")["quantile"].to_dict() == ranked["quantile"].to_dict()
    assert found["quantile"].iloc[0] == CHOSEN.backtest.n_quantiles
