"""The library gives the pipeline's figures, to the bit."""

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

import konkyo
from konkyo import config
from konkyo.attribution import errors_store
from konkyo.errors import ArtifactError
from konkyo.library import ranker as library
from small import PARAMS
from small_library import params, ranker


def attributions(project):
    paths = sorted((project / "data/attributions").glob("*.parquet"))
    return pd.concat(map(pd.read_parquet, paths), ignore_index=True)


def times(project):
    return {path: path.stat().st_mtime_ns for path in (project / "data/models").rglob("*")}


def same_bits(one, other):
    assert one.dtype == other.dtype
    assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_panel(project, panel):
    read = konkyo.Panel.read(project / "data/panel")
    assert panel.names == read.names
    same_bits(panel.features, np.asarray(read.features))
    for name in ("size", "ret", "label"):
        same_bits(panel.index[name], read.index[name])
    assert (
        panel.index[["month", "stock", "sector"]]
        .astype("str")
        .equals(read.index[["month", "stock", "sector"]].astype("str"))
    )


def test_scores_and_relevances(project, panel, fitted):
    pipeline, explained = attributions(project), fitted.explain(errors=False)
    assert explained.columns.tolist() == pipeline.columns.tolist()
    for name in ["score", "absorbed", *panel.names]:
        same_bits(explained[name], pipeline[name])
    same_bits(fitted.predict()["score"], pipeline["score"])


def test_standard_errors(project, panel, fitted):
    explained, months = fitted.explain(), 0
    for month, rows in explained.groupby("month"):
        stocks, errors = errors_store.read(project / f"data/errors/{month:%Y-%m}.parquet")
        assert stocks.tolist() == rows["stock"].tolist()
        same_bits(rows["score_error"].to_numpy(), errors.score)
        reliable = rows[[f"reliable_{name}" for name in panel.names]].to_numpy()
        assert (reliable == errors.reliable).all()
        error = rows[[f"error_{name}" for name in panel.names]].to_numpy(np.float16)
        same_bits(error, errors.relevance)
        months += 1
    assert months == 7


def test_backtest(project, panel, fitted):
    result = konkyo.backtest(fitted.explain(), panel, n_quantiles=params().backtest.n_quantiles)
    assert result.summary() == json.loads((project / "data/summary.json").read_text())["network"]
    table = pd.read_csv(project / "data/backtest/portfolio/return_attribution_summary.csv")
    by_input = table[table["kind"] == "input"].drop(columns=["portfolio", "kind"])
    pd.testing.assert_frame_equal(
        result.return_attribution(), by_input.reset_index(drop=True), check_exact=False, rtol=1e-12
    )
    performance = pd.read_csv(project / "data/backtest/portfolio/portfolio_performance.csv")
    rows = performance[performance["model"] == "network"].reset_index(drop=True)
    # Factors of alpha aside: the library has no market series of returns.
    for name in ("gross_return", "sharpe_ratio", "turnover"):
        np.testing.assert_allclose(result.portfolios[name], rows[name], rtol=1e-12)


def test_what_the_pipeline_trained_is_not_trained(project, monkeypatch):
    monkeypatch.setattr(library, "train", None)
    panel = konkyo.Panel.read(project / "data/panel")
    cached = ranker(cache=project / "data/models").fit(panel)
    assert cached.predict()["score"].tolist() == attributions(project)["score"].tolist()
    without = ranker(cache=project / "data/models", resamples=0, placebo_every=0).fit(panel)
    assert without.predict()["score"].equals(cached.predict()["score"])


def test_a_cache_of_other_params_is_left_alone(project):
    panel = konkyo.Panel.read(project / "data/panel")
    before = times(project)
    with pytest.raises(ArtifactError, match=r"networks of other params or rows.*another folder"):
        ranker(cache=project / "data/models", epochs=1).fit(panel)
    assert before == {
        path: path.stat().st_mtime_ns for path in (project / "data/models").rglob("*")
    }


def test_parameters_are_those_of_params_yaml():
    train, names = config.load(PARAMS).train, {field.name for field in fields(config.Train)}
    defaults = konkyo.RollingRanker(module_params={}).get_params()
    assert set(defaults) - names == {"epsilon", "false_share", "skip_months", "cache"}
    assert {name: getattr(train, name) for name in names - {"ridge_penalty"}} == {
        name: value for name, value in defaults.items() if name in names
    }
