"""The ranker: scikit-learn's manners, files, months without a network, no look-ahead."""

import pickle

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import konkyo
from konkyo.errors import ArtifactError, KonkyoError, ParamsError
from konkyo.library.panel import Panel
from small_library import ranker
from user_package import write_package

QUICK = {"epochs": 1, "resamples": 0, "placebo_every": 0}


def part(panel, rows):
    return Panel(panel.features[rows], panel.index[rows].reset_index(drop=True), panel.catalogue)


def test_parameters_are_got_set_and_cloned():
    one = ranker(dropout=0.1)
    assert one.get_params()["dropout"] == 0.1
    assert one.set_params(dropout=0.3) is one and one.dropout == 0.3
    copy = clone(one)
    assert copy is not one and copy.get_params() == one.get_params()
    with pytest.raises(NotFittedError):
        copy.predict()
    with pytest.raises(NotFittedError):
        copy.save("nowhere")


def test_a_pickled_ranker_scores_alike(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict().equals(fitted.predict())


def test_a_saved_ranker_scores_and_explains(fitted, panel, tmp_path):
    fitted.save(tmp_path)
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors"}
    again = konkyo.RollingRanker.load(tmp_path)
    assert again.get_params() == fitted.get_params()
    assert again.explain(panel).equals(fitted.explain())
    with pytest.raises(KonkyoError, match="no panel"):
        again.predict()
    (tmp_path / "ranker.json").write_text('{"params": {"epoch": 1}, "networks": []}')
    with pytest.raises(ArtifactError, match=r"ranker\.json is not of RollingRanker.save"):
        konkyo.RollingRanker.load(tmp_path)
    (tmp_path / "ranker.json").write_text('{"params": {}, "networks": ["placebo/2003-12"]}')
    with pytest.raises(ArtifactError, match="it names no network"):
        konkyo.RollingRanker.load(tmp_path)
    with pytest.raises(ArtifactError, match=r"give a folder of RollingRanker\.save"):
        konkyo.RollingRanker.load(tmp_path / "elsewhere")


def test_what_is_given_is_left_unchanged(market, panel):
    frame, features = market.frame.copy(), panel.features.copy()
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    one = ranker(**QUICK)
    assert one.fit(panel) is one
    one.explain()
    pd.testing.assert_frame_equal(market.frame, frame)
    assert (panel.features == features).all() and torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_a_month_without_a_network_is_refused(fitted, panel):
    month = panel.index["month"]
    early = part(panel, (month < month.max()).to_numpy())
    shorter = ranker(**QUICK).fit(early)
    assert shorter.predict(early).equals(shorter.predict())
    with pytest.raises(ArtifactError, match="1 months have no network, first 2003-12"):
        shorter.predict(panel)
    with pytest.raises(ArtifactError, match="have no network, first 2002-12"):
        fitted.predict(part(panel, (month == month.min()).to_numpy()))
    one = part(panel, (month == month.max()).to_numpy())
    last = fitted.predict().query("month == @month.max()").reset_index(drop=True)
    assert fitted.predict(one).equals(last)
    # Its window is not in the panel, so that there are no standard errors.
    assert "score_error" not in fitted.explain(one)


def test_a_changed_future_changes_no_earlier_score(market):
    frame, late = market.frame.copy(), market.frame["month"] >= "2003-10-31"
    names = {"features": market.features, "market": market.market}
    before = ranker(**QUICK).fit(konkyo.Panel.from_frame(frame, **names)).predict()
    rng = np.random.default_rng(1)
    frame.loc[late, market.features] = rng.normal(size=(late.sum(), len(market.features)))
    frame.loc[late, market.market] *= 3
    # The label of 2003-09 is the return of 2003-10.
    label = frame["month"] >= "2003-09-30"
    frame.loc[label, "forward_return"] = rng.normal(0, 0.1, label.sum())
    after = ranker(**QUICK).fit(konkyo.Panel.from_frame(frame, **names)).predict()
    past = before["month"] < "2003-10-31"
    assert past.sum() > 100 and before[past].equals(after[past])
    assert not before[~past].equals(after[~past])


@pytest.mark.parametrize("kind", [polars.from_pandas, pa.Table.from_pandas])
def test_results_are_of_the_callers_kind(market, fitted, kind):
    columns = ["month", "stock", "forward_return", "market_value", *market.features[:3]]
    given = kind(market.frame[columns])
    panel = konkyo.Panel.from_frame(given, size="market_value")
    expected = konkyo.Panel.from_frame(market.frame[columns], size="market_value")
    assert (panel.features == expected.features).all()
    one = ranker(**QUICK).fit(panel)
    scores = one.explain()
    assert type(scores) is type(given)
    result = konkyo.backtest(scores, given, n_quantiles=4)
    assert type(result.returns) is type(given) and type(result.quantiles) is type(given)
    assert result.summary() == konkyo.backtest(one.explain(), panel, n_quantiles=4).summary()


def test_relevances_of_other_methods_sum_to_scores(fitted, panel):
    for method in ("integrated_gradients", "lrp_gamma"):
        explained = fitted.explain(method=method)
        total = explained[panel.names].sum(axis=1) + explained["absorbed"]
        np.testing.assert_allclose(total, explained["score"], atol=1e-6)
    with pytest.raises(ParamsError, match="set it to lrp or one of lrp_epsilon, lrp_gamma"):
        fitted.explain(method="shap")


def test_a_module_of_ones_own(panel, tmp_path):
    module = f"{write_package(tmp_path, 'library_rankers')}.Recurrent"
    one = ranker(**QUICK, module=module).fit(panel)
    scores = one.predict()["score"]
    explained = one.explain(method="integrated_gradients")
    assert scores.tolist() == explained["score"].tolist() and scores.nunique() > 100
    with pytest.raises(ParamsError, match="has no rule for a layer of"):
        one.explain()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs = 0: set it to greater than or equal to 1"),
        ({"dropout": 1.5}, r"dropout = 1.5: set it to less than 1"),
        ({"activation": "swish"}, "activation = 'swish': set it to 'tanh' or 'relu'"),
        ({"skip_months": -1}, "skip_months = -1: set it to greater than or equal to 0"),
        ({"resamples": 3}, "resamples = 3: set it to an even number"),
        ({"window_months": 36, "resamples": 0}, "a window of 36 months needs 37 months of panel"),
    ],
)
def test_bad_parameters(panel, changes, message):
    with pytest.raises(KonkyoError, match=message):
        ranker(**changes).fit(panel)


def test_what_is_no_panel_or_has_no_label(market, panel):
    with pytest.raises(KonkyoError, match=r"DataFrame is no panel: make one by konkyo.Panel"):
        ranker().fit(market.frame)
    frame = market.frame.drop(columns="forward_return")
    blind = konkyo.Panel.from_frame(frame, label=None, features=market.features)
    with pytest.raises(KonkyoError, match=r"the panel has no label: .*from_frame\(label=...\)"):
        ranker().fit(blind)
    with pytest.raises(ArtifactError, match="build it from the same columns"):
        ranker(**QUICK).fit(panel).predict(blind)
