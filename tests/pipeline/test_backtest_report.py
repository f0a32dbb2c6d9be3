"""The stages backtest and report, from the files of the stages before them to their own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo.features import store
from konkyo.features.store import Panel
from konkyo.pipeline import backtest, report

_ROOT = Path(__file__).parents[2]
_MONTHS = pd.date_range("2020-01-31", periods=6, freq="ME")
_FEATURES = ("return_1", "size_rank", "sector_x", "month_01", "MKT")
_STOCKS = [f"s{i}" for i in range(8)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of 8 stocks and 6 months (the last without returns)."""
    root = tmp_path_factory.mktemp("made")
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load((_ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["backtest"] = {"n_quantiles": 4, "cost_bps": 10.0, "benchmark": None}
    # The newest month has no portfolios.
    values["report"] |= {"dpi": 50, "month": "2020-05"}
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)

    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([_MONTHS, _STOCKS], names=["month", "stock"])
    frame = index.to_frame(index=False)
    frame["ret"] = rng.normal(0.01, 0.05, len(frame))
    frame.loc[frame["month"] == _MONTHS[-1], "ret"] = np.nan
    # The network knows the return, with sign; the placebo is scored in every second month.
    frame["score"] = frame["ret"].fillna(0.0)
    frame["ridge"] = rng.normal(size=len(frame))
    every_second = frame["month"].isin(_MONTHS[::2])
    frame["placebo"] = pd.Series(rng.normal(size=len(frame))).where(every_second)

    for folder in ("attributions", "models"):
        (root / "data" / folder).mkdir(parents=True)
    index = frame.assign(sector="x", size=1.0, label=0.0)
    groups = ["characteristic", "characteristic", "sector", "calendar", "market"]
    catalogue = pd.DataFrame({"name": _FEATURES, "group": groups, "transform": "", "source": ""})
    values = rng.uniform(-1, 1, (len(frame), len(_FEATURES))).astype(np.float32)
    values[:, 2] = 1
    values[:, 3:] = values[:, 3:].reshape(6, 8, 2)[:, :1].repeat(8, axis=1).reshape(-1, 2)
    columns = ["month", "stock", "sector", "size", "ret", "label"]
    missing = pd.DataFrame({"month": [], "feature": [], "missing": [], "stocks": []})
    store.write(Panel(values, index[columns], catalogue), missing, root / "data/panel")
    grounds = pd.DataFrame(rng.normal(0, 0.01, values.shape), columns=list(_FEATURES))
    grounds = pd.concat([frame[["month", "stock", "score"]], grounds.astype("float32")], axis=1)
    grounds["absorbed"] = (frame["score"] - grounds[list(_FEATURES)].sum(axis=1)).astype("float32")
    for month, rows in grounds.groupby("month"):
        rows.to_parquet(root / f"data/attributions/{month:%Y-%m}.parquet")
    frame[["month", "stock", "ridge", "placebo"]].to_parquet(root / "data/models/baselines.parquet")
    (root / "data/records").mkdir(exist_ok=True)
    records = frame.assign(month=frame["month"] + pd.offsets.MonthEnd(1))
    records = pd.concat([frame.head(len(_STOCKS)).assign(ret=0.0), records])
    records = records.rename(columns={"ret": "return"})[["month", "stock", "return"]]
    records.to_parquet(root / "data/records/stocks.parquet", index=False)
    series = pd.DataFrame({"month": records["month"].unique(), "MKT": 0.01})
    series.to_parquet(root / "data/records/market.parquet", index=False)
    facts = {"source": "tables", "point_in_time": True, "survivorship_free": True}
    (root / "data/records/source.json").write_text(json.dumps(facts), encoding="utf-8")
    (root / "data/verify").mkdir()
    deletion = {"method": "lrp_epsilon", "deleted": [0.0, 1.0], "ordered": [0.0, 2.0]}
    deletion |= {"random": [0.0, 1.0], "auc": 1.0}
    other = pd.DataFrame(deletion).assign(method="gradient_input", auc=0.5)
    pd.concat([pd.DataFrame(deletion), other]).to_csv(
        root / "data/verify/deletion.csv", index=False
    )
    layers = {"method": ["lrp_epsilon"], "layers": [1], "rank_correlation": [0.1]}
    pd.DataFrame(layers).to_csv(root / "data/verify/cascading_randomisation.csv", index=False)
    return root


@pytest.fixture(scope="module")
def ranked(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project after the stage backtest."""
    root = tmp_path_factory.mktemp("ranked") / "project"
    shutil.copytree(made, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        backtest.main()
    return root


@pytest.fixture(scope="module")
def reported(ranked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project after both stages, with labels of its own, a known truth and a search."""
    root = tmp_path_factory.mktemp("reported") / "project"
    shutil.copytree(ranked, root)
    (root / "data/own").mkdir()
    (root / "data/own/labels.csv").write_text(
        "name,en,ja\nsize_rank,Bigness,おおきさ\n", encoding="utf-8"
    )
    agreement = pd.DataFrame(
        {
            "method": ["lrp_epsilon", "lrp_epsilon", "ridge", "ridge"],
            "measure": ["rank_per_input", "rank_per_stock"] * 2,
            "mean": [0.5, 0.6, 0.3, 0.2],
            "standard_error": 0.1,
            "months": 3,
        }
    )
    agreement.to_csv(root / "data/verify/ground_truth.csv", index=False)
    (root / "data/records").mkdir(parents=True, exist_ok=True)
    facts = {"source": "tables", "stocks": 1200, "first_month": "2001-01", "last_month": "2005-02"}
    facts |= {"point_in_time": True, "survivorship_free": False}
    (root / "data/records/source.json").write_text(json.dumps(facts))
    (root / "data/tuning/first").mkdir(parents=True)
    (root / "data/tuning/first/tuning.html").write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        report.main()
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the project, made current."""
    return _copy(made, tmp_path, monkeypatch)


@pytest.fixture
def project_ranked(ranked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the project after the stage backtest, made current."""
    return _copy(ranked, tmp_path, monkeypatch)


def _copy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(root, copy)
    monkeypatch.chdir(copy)
    return copy


def test_backtest_writes_its_files(ranked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ranked)
    portfolios = pd.read_parquet("data/backtest/portfolios.parquet")
    assert portfolios.columns.tolist() == [
        "month",
        "stock",
        "model",
        "score",
        "rank",
        "quantile",
        "ret",
    ]
    counts = portfolios.groupby("model").size().to_dict()
    assert counts == {"network": 48, "ridge": 48, "placebo": 24}
    assert portfolios["month"].max() == _MONTHS[-1]

    returns = pd.read_csv("data/backtest/returns.csv")
    assert returns.columns.tolist() == [
        *("month", "earned", "model", "long", "short", "spread", "spread_net", "market"),
        *("benchmark", "turnover", "ic", "rank_ic", "stocks", "missing"),
    ]
    assert returns.groupby("model").size().to_dict() == {"network": 5, "ridge": 5, "placebo": 3}
    assert (returns["month"][0], returns["earned"][0]) == ("2020-01-31", "2020-02-29")

    metrics = json.loads(Path("data/metrics.json").read_text())
    assert metrics["network"]["rank_ic"] == pytest.approx(1.0)
    assert metrics["network"]["spread"]["hit_rate"] == 1.0
    assert metrics["placebo"]["months"] == 3
    # The newest month's scores are all 0.
    assert metrics["network"]["months_without_portfolios"] == 1
    assert metrics["ridge"]["months_without_portfolios"] == 0
    nowhere = portfolios["quantile"].isna()
    assert set(portfolios.loc[nowhere, "model"]) == {"network"}
    assert set(portfolios.loc[nowhere, "month"]) == {_MONTHS[-1]}
    table = pd.read_csv("data/backtest/performance.csv").set_index(["model", "portfolio"])
    spread = returns[returns["model"] == "network"]["spread"]
    assert table.loc[("network", "spread"), "annual_return_arithmetic"] == pytest.approx(
        12 * spread.mean()
    )
    assert len(pd.read_csv("data/backtest/quantiles.csv")) == 3 * 4

    curve = pd.read_csv("data/plots/cumulative.csv")
    assert curve.columns.tolist() == ["month", "long", "short", "spread", "market", "benchmark"]
    assert curve["month"].iloc[-1] == "2020-06-30"
    assert curve["spread"].iloc[-1] == pytest.approx((1 + spread).prod() - 1)
    monthly = pd.read_csv("data/plots/monthly.csv")
    assert monthly.columns.tolist() == ["month", "spread", "rank_ic", "turnover"]
    assert len(monthly) == 5


@pytest.mark.slow
def test_report_writes_tables_figures_and_the_page(
    reported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reported)
    names = {path.name for path in Path("data/report").iterdir()}
    pictures = {name.removesuffix(".png") for name in names if name.endswith(".png")}
    assert {"portfolio_growth", "factor_bars", "factor_scatter-return_1"} <= pictures
    assert {"market_lines", "market_quantile_bars-MKT", "effect_map", "deletion_curves"} <= pictures
    for name in ("cumulative", "quantiles", "performance", "returns"):
        copy = Path(f"data/report/{name}.csv").read_bytes()
        assert copy == Path(f"data/backtest/{name}.csv").read_bytes()
    width = int.from_bytes(Path("data/report/portfolio_growth.png").read_bytes()[16:20], "big")
    assert 8 * 50 < width < 12 * 50
    page = Path("data/report/report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert 'href="../tuning/first/tuning.html"' in page
    assert "../intervention" not in page
    assert "In 1 of 6 decision months" in page and "there are portfolios: 2020-06." in page
    assert "What separates long from short" in page

    stocks = pd.read_csv("data/report/stocks.csv")
    assert set(stocks["month"]) == {"2020-05-31"}
    sums = stocks.groupby(["side", "stock"]).agg({"relevance": "sum", "score": "first"})
    np.testing.assert_allclose(sums["relevance"], sums["score"], atol=1e-6)
    said = pd.read_csv("data/report/sentences.csv")
    assert set(said["stock"]) == set(stocks["stock"])
    assert said["en"].str.startswith("ranked ").all()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("month", "2031-01", "no stock was ranked in 2031-01"),
        ("watchlist", ["nobody"], "nobody"),
        ("factors", ["beauty"], "beauty"),
        ("market", ["return_1"], "return_1"),
    ],
)
def test_a_choice_that_is_not_there_ends_the_stage(
    project_ranked: Path,
    capsys: pytest.CaptureFixture[str],
    key: str,
    value: object,
    message: str,
) -> None:
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(Path("params.yaml").read_text(encoding="utf-8"))
    values["report"][key] = value
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    with pytest.raises(SystemExit):
        report.main()
    assert message in capsys.readouterr().err
    assert not Path("data/report").exists()


def test_own_labels_name_the_inputs(reported: Path) -> None:
    page = (reported / "data/report/report.html").read_text(encoding="utf-8")
    assert "Bigness" in page
    assert "おおきさ" in page


def test_the_agreement_is_drawn_with_ground_truth(reported: Path) -> None:
    assert (reported / "data/report/truth_agreement.png").stat().st_size > 1000
    copy = (reported / "data/report/ground_truth.csv").read_bytes()
    assert copy == (reported / "data/verify/ground_truth.csv").read_bytes()


@pytest.mark.slow
def test_without_placebo_the_other_models_are_reported(project: Path) -> None:
    """Nor has it labels of its own, a known truth or a search."""
    path = Path("data/models/baselines.parquet")
    pd.read_parquet(path).assign(placebo=np.nan).to_parquet(path)
    backtest.main()
    report.main()
    assert set(json.loads(Path("data/metrics.json").read_text())) == {"network", "ridge"}
    performance = pd.read_csv("data/report/performance.csv")
    assert set(performance["model"]) == {"network", "ridge"}
    assert not Path("data/report/truth_agreement.png").exists()
    page = Path("data/report/report.html").read_text(encoding="utf-8")
    assert "tuning.html" not in page
    assert "Bigness" not in page


@pytest.mark.slow
def test_a_month_without_market_series(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saturated by it, the network gives all stocks of that month one score but for rounding."""
    backtest.main()
    before = pd.read_csv("data/backtest/returns.csv").set_index(["model", "month"])
    path = Path("data/attributions/2020-03.parquet")
    table = pd.read_parquet(path)
    table.assign(score=0.5 + 1e-15 * table["score"]).to_parquet(path)
    backtest.main()
    line = capsys.readouterr().out.splitlines()[-3]
    assert line.startswith("network: 4 months, ") and "; 2 more without portfolios" in line
    after = pd.read_csv("data/backtest/returns.csv").set_index(["model", "month"])
    assert before.index.difference(after.index).tolist() == [("network", "2020-03-31")]
    same = ["long", "short", "spread", "market", "rank_ic"]
    pd.testing.assert_frame_equal(after[same], before.loc[after.index, same])
    assert np.isnan(after.loc[("network", "2020-04-30"), "turnover"])

    report.main()
    lines = pd.read_csv("data/report/market_over_time.csv").set_index("month")["difference"]
    assert lines.index[lines.isna()].tolist() == ["2020-03-31", "2020-06-30"]
    page = Path("data/report/report.html").read_text(encoding="utf-8")
    assert "there are portfolios: 2020-03, 2020-06." in page


def test_a_network_without_portfolios_ends_the_stage(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in Path("data/attributions").glob("*.parquet"):
        pd.read_parquet(path).assign(score=0.5).to_parquet(path)
    with pytest.raises(SystemExit):
        backtest.main()
    assert "none of the 5 scored months with a return has as many" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("data/panel/index.parquet", "index.parquet is missing: run `dvc repro prepare`"),
        ("data/models/baselines.parquet", "baselines.parquet is missing: run `dvc repro train`"),
        ("data/attributions", "YYYY-MM.parquet is missing: run `dvc repro attribute`"),
    ],
)
def test_a_missing_file_ends_the_stage_first(
    project: Path, capsys: pytest.CaptureFixture[str], gone: str, message: str
) -> None:
    path = Path(gone)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(SystemExit) as end:
        backtest.main()
    assert end.value.code == 1
    assert message in capsys.readouterr().err
    assert not Path("data/backtest").exists()


def test_report_without_a_backtest_says_what_to_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        report.main()
    assert "performance.csv is missing: run `dvc repro backtest`" in capsys.readouterr().err


def test_the_page_begins_with_its_records(reported):
    page = (reported / "data/report/report.html").read_text(encoding="utf-8")
    for text in (
        "Records: own files; point in time (no later revisions); with survivorship bias: "
        "delisted stocks are missing.",
        "データ：利用者のファイル。ポイント・イン・タイム（後の改訂を含まない）。"
        "生存者バイアスあり（上場廃止銘柄を含まない）。",
    ):
        assert text in page
    assert page.index("Records: own files") < page.index("Portfolio performance")
