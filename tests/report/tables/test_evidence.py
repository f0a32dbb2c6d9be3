import dataclasses

import numpy as np
import pandas as pd
import pytest

from konkyo.errors import ArtifactError
from konkyo.report.tables.explained_panel import ExplainedPanel, build


@pytest.fixture
def parts(tiny: ExplainedPanel) -> dict:
    """Return the tables that the tiny evidence would come from, with an earlier month."""
    earlier = tiny.index.iloc[:4].assign(month=pd.Timestamp("2019-12-31"))
    panel = pd.concat([earlier, tiny.index], ignore_index=True)
    attributions = []
    for month, rows in tiny.index.groupby("month").indices.items():
        table = pd.DataFrame(tiny.relevance[rows], columns=tiny.names)
        table.insert(0, "month", month)
        table.insert(1, "stock", tiny.index["stock"].to_numpy()[rows])
        table.insert(2, "score", tiny.index["score"].to_numpy()[rows])
        attributions.append(table.assign(absorbed=tiny.absorbed[rows]))
    ranked = tiny.index[["month", "stock", "rank", "quantile"]]
    return {
        "index": panel[["month", "stock", "sector", "size", "ret"]],
        "features": np.vstack([np.zeros((4, 5)), tiny.features]).astype(np.float32),
        "catalogue": tiny.catalogue.assign(transform="rank", source="records"),
        "attributions": pd.concat(attributions, ignore_index=True),
        "portfolios": pd.concat(
            [ranked.assign(model="ridge", rank=1, quantile=1), ranked.assign(model="network")]
        ),
    }


def test_brings_the_files_together(parts: dict, tiny: ExplainedPanel):
    e = build(**parts)
    pd.testing.assert_frame_equal(e.index, tiny.index)
    np.testing.assert_array_equal(e.features, tiny.features)
    np.testing.assert_array_equal(e.relevance, tiny.relevance)
    np.testing.assert_array_equal(e.absorbed, tiny.absorbed)
    assert e.relevance.dtype == e.features.dtype == np.float32
    assert e.catalogue.columns.tolist() == ["name", "group", "transform"]
    assert (e.best, e.columns("characteristic").tolist()) == (2, [0, 1])


def test_refuses_files_of_different_runs(parts: dict):
    with pytest.raises(ArtifactError, match="not of the same run"):
        build(**parts | {"portfolios": parts["portfolios"].iloc[:-1]})
    other = parts["attributions"].rename(columns={"size": "length"})
    with pytest.raises(ArtifactError, match="other features"):
        build(**parts | {"attributions": other})


def test_rows_of_months_and_sides(tiny: ExplainedPanel):
    february = pd.Timestamp("2020-02-29")
    assert tiny.rows(february) == slice(4, 8)
    assert tiny.starts().tolist() == [0, 4, 8]
    assert tiny.index["stock"].iloc[tiny.side("long")].tolist() == list("ABACAE")
    assert tiny.index["stock"].iloc[tiny.side("short")].tolist() == list("CDBDBC")
    with pytest.raises(ArtifactError, match="2020-04: choose a month from 2020-01 to 2020-03"):
        tiny.rows(pd.Timestamp("2020-04-30"))


def test_monthly_mean_by_hand(tiny: ExplainedPanel):
    rows = tiny.side("long")
    mean = tiny.monthly_mean(tiny.relevance[rows], rows)
    np.testing.assert_allclose(mean[:, 0], [0.25, 0.2, 0.2], rtol=1e-6)
    assert dataclasses.is_dataclass(tiny) and mean.dtype == np.float64


def test_a_month_without_portfolios_has_no_means(tiny: ExplainedPanel):
    """The first, an inner one or the last, and all of them."""
    rows = tiny.side("long")
    whole = tiny.monthly_mean(tiny.relevance[rows], rows)
    for gone in ([0], [1], [2], [0, 2], [0, 1, 2]):
        ends = [tiny.months()[place] for place in gone]
        quantile = tiny.index["quantile"].astype("Int64").mask(tiny.index["month"].isin(ends))
        e = dataclasses.replace(tiny, index=tiny.index.assign(quantile=quantile))
        assert e.months_without_portfolios() == ends
        assert e.best == (0 if len(gone) == 3 else 2)
        rows = e.side("long")
        assert not set(e.index["month"].iloc[rows]) & set(ends)
        mean = e.monthly_mean(e.relevance[rows], rows)
        assert np.isnan(mean[gone]).all()
        np.testing.assert_array_equal(np.delete(mean, gone, 0), np.delete(whole, gone, 0))
