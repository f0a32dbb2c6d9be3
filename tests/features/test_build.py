from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konkyo import dates
from konkyo.errors import ParamsError, RecordsError
from konkyo.features.build import build
from konkyo.features.characteristics import raw_values
from konkyo.pipeline import prepare
from small import make_records, small_params

ENDS = dates.month_end(np.arange(360, 364))
HAND = pd.DataFrame(
    {
        "month": ENDS.repeat(4),
        "stock": list("ABCD") * 4,
        "sector": ["x", "y", "x", None] * 4,
        "return": [
            0.1,
            0.2,
            0.3,
            0.4,
            0.0,
            -0.1,
            0.2,
            0.5,
            0.3,
            0.1,
            -0.2,
            0.0,
            0.1,
            0.1,
            0.1,
            0.2,
        ],
        "size": [4.0, 3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0, np.nan, 2.0, 2.0, 2.0, 5.0, 6.0, 7.0, 8.0],
    }
).drop(index=14)
MARKET = pd.DataFrame({"month": ENDS, "MKT": [1.0, 2.0, 4.0, 3.0]})


@pytest.fixture
def by_hand():
    chosen = replace(
        small_params().prepare, first_month="2000-02", universe_size=3,
        characteristics=("return_1", "return_2"), market={"MKT": ("change",)}, label="rank",
    )  # fmt: skip
    return build(HAND, MARKET, chosen)


def test_universe_is_the_largest_known_at_t(by_hand):
    index = by_hand[0].index
    chosen = index.groupby(index["month"].dt.strftime("%m"))["stock"].agg("".join)
    # In March A has no size, and B, C and D are alike; in April C has no record.
    assert chosen.to_dict() == {"02": "BCD", "03": "BCD", "04": "ABD"}


def test_a_sector_neutral_label_is_demeaned():
    chosen = replace(
        small_params().prepare, first_month="2000-02", universe_size=4,
        characteristics=("return_1",), market={"MKT": ("change",)}, label="raw",
    )  # fmt: skip
    plain, _ = build(HAND, MARKET, chosen)
    neutral, _ = build(HAND, MARKET, replace(chosen, label_neutral="sector"))
    february = neutral.index["month"] == ENDS[1]
    labels = neutral.index[february].set_index("stock")["label"].to_dict()
    # A and C, of one sector, earn 0.3 and -0.2 in March; B and D are alone.
    assert labels == pytest.approx({"A": 0.25, "B": 0.0, "C": -0.25, "D": 0.0})
    assert np.array_equal(neutral.features, plain.features)
    pd.testing.assert_series_equal(neutral.index["ret"], plain.index["ret"])


def test_who_is_not_eligible_at_t_is_not_chosen_then():
    chosen = replace(
        small_params().prepare, first_month="2000-02", universe_size=3,
        characteristics=("return_1",), market={"MKT": ("change",)},
    )  # fmt: skip
    # C cannot be in February's universe, D not in March's; both keep their returns.
    can = [0.0 if place in (6, 11) else 1.0 for place in range(16) if place != 14]
    panel, _ = build(HAND.assign(eligible=can), MARKET, chosen)
    index = panel.index
    months_of = index["month"].dt.strftime("%m")
    assert index.groupby(months_of)["stock"].agg("".join).to_dict() == {
        "02": "ABD", "03": "BC", "04": "ABD",
    }  # fmt: skip
    february = index[months_of == "02"].set_index("stock")["ret"]
    assert february.to_dict() == {"A": 0.3, "B": 0.1, "D": 0.0}
    assert "eligible" not in panel.names
    with pytest.raises(ParamsError, match="'eligible': neither"):
        build(HAND.assign(eligible=can), MARKET, replace(chosen, characteristics=("eligible",)))
    with pytest.raises(RecordsError, match="no stock that is eligible has a size in 2000-02"):
        build(HAND.assign(eligible=0.0), MARKET, chosen)


def test_ret_is_next_months_and_missing_for_delisted(by_hand):
    index = by_hand[0].index
    ret = index.set_index([index["month"].dt.month, "stock"])["ret"]
    assert ret[2, "B"] == 0.1
    assert ret[3, "B"] == 0.1
    assert np.isnan(ret[3, "C"])  # chosen in March although it has no return in April
    assert ret[4].isna().all()  # the last month's label is not realised
    assert index["label"][:3].tolist() == [1.0, -1.0, 0.0]


def test_features_by_hand(by_hand):
    panel, missing = by_hand
    names = ["return_1", "return_2", "sector_x", "sector_y"]
    names += [f"month_{m:02d}" for m in range(1, 13)] + ["MKT_change"]
    assert panel.names == names
    assert panel.features.dtype == np.float32
    first = dict(zip(names, panel.features[:3].T.tolist(), strict=True))
    assert first["return_1"] == [-1, 0, 1]  # B -0.1, C 0.2, D 0.5
    assert first["return_2"] == [-1, 0, 1]
    assert (first["sector_x"], first["sector_y"]) == ([0, 1, 0], [1, 0, 0])
    assert first["month_02"] == [1, 1, 1] and sum(map(sum, panel.features[:, 4:16].tolist())) == 9
    assert panel.features[::3, -1].tolist() == [1.0, 1.0, -0.25]
    counts = missing.set_index(["month", "feature"])["missing"]
    assert counts[ENDS[1], "sector"] == 1 and counts[ENDS[1], "return_2"] == 0
    assert missing["stocks"].eq(3).all()


def test_rows_without_every_characteristic_are_dropped(tmp_path):
    records = HAND.assign(x=range(len(HAND)))
    # B in February, A in April; C's in January, before the panel.
    for stock, month in (("B", 1), ("A", 3), ("C", 0)):
        records.loc[(records["stock"] == stock) & (records["month"] == ENDS[month]), "x"] = np.nan
    params = replace(
        small_params().prepare, first_month="2000-02", universe_size=3, missing="drop",
        characteristics=("return_1", "x"), market={"MKT": ("change",)}, label="rank",
    )  # fmt: skip
    panel, missing = build(records, MARKET, params)
    months = panel.index["month"].dt.strftime("%m")
    stocks = panel.index.groupby(months)["stock"].agg("".join).to_dict()
    assert stocks == {"02": "CD", "03": "BCD", "04": "BD"}
    # Ranks, labels too, are those among the rows that stay.
    assert panel.features[:2, 0].tolist() == [-1, 1]
    assert panel.index["label"][:2].tolist() == [-1.0, 1.0]
    assert missing[missing["feature"] == "x"]["missing"].tolist() == [1, 0, 1]
    summary = prepare.save(panel, missing, "drop")
    assert (summary.dropped, summary.rows) == (2, 7) and "2 rows without every" in str(summary)
    # What is missing later drops no earlier row.
    later = records.assign(x=records["x"].where(records["month"] < ENDS[3]))
    with pytest.raises(RecordsError, match=r"every characteristic .* in 2000-04"):
        build(later, MARKET, params)
    kept = later.assign(x=later["x"].mask(later["month"] == ENDS[3], 1.0))
    other, _ = build(kept, MARKET, params)
    early = panel.index["month"] < ENDS[3]
    np.testing.assert_array_equal(other.features[:5], panel.features[early])


def test_sectors_that_come_later_have_no_column(by_hand):
    late = HAND.copy()
    late.loc[late["month"] == ENDS[2], "sector"] = "new"
    chosen = replace(
        small_params().prepare, first_month="2000-02", universe_size=3, market={"MKT": ("level",)},
        characteristics=("return_1",),
    )  # fmt: skip
    panel, missing = build(late, MARKET, chosen)
    assert "sector_new" not in panel.names
    assert missing.set_index(["month", "feature"])["missing"][ENDS[2], "sector"] == 3
    named = build(late, MARKET, replace(chosen, sectors=("new",)))[0]
    assert [n for n in named.names if n.startswith("sector")] == ["sector_new"]


def changed_after(frame: pd.DataFrame, month: pd.Timestamp, rng: np.random.Generator):
    """Return the frame with every later record changed, dropped, added or reordered."""
    past, later = frame[frame["month"] <= month], frame[frame["month"] > month].copy()
    later = later[rng.random(len(later)) < 0.8]
    for name in later.columns.difference(["month", "stock", "sector"]):
        later[name] = rng.random(len(later)) * 1e3 + 1e-3
    if "stock" in later:
        later["sector"] = "invented"
        new = later.drop_duplicates("month").assign(stock="AAA")
        later = pd.concat([later, new])
    return pd.concat([past, later]).sample(frac=1, random_state=1)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    position=st.integers(8, 28),
    seed=st.integers(0, 1000),
    standard=st.sampled_from(["rank", "zscore"]),
)
def test_the_future_changes_no_feature_or_past_label(position, seed, standard):
    stocks, market = make_records()
    chosen = replace(small_params().prepare, standardise=standard, label=standard)
    month = market["month"].iloc[position]
    rng = np.random.default_rng(seed)
    before = build(stocks, market, chosen)[0]
    future = market.copy()
    future.loc[future["month"] > month, ["MKT", "VIX"]] = rng.random((29 - position, 2)) + 1
    after = build(changed_after(stocks, month, rng), future, chosen)[0]
    upto = (before.index["month"] <= month).to_numpy()
    n = upto.sum()
    assert before.names == after.names
    assert before.features[:n].tobytes() == after.features[:n].tobytes()
    known = ["month", "stock", "sector", "size"]
    pd.testing.assert_frame_equal(before.index[known][:n], after.index[known][:n])
    settled = (before.index["month"] < month).sum()
    pd.testing.assert_frame_equal(before.index[:settled], after.index[:settled])


def test_row_order_of_the_records_does_not_matter():
    stocks, market = make_records()
    chosen = small_params().prepare
    one = build(stocks, market, chosen)[0]
    two = build(
        stocks.sample(frac=1, random_state=2), market.sample(frac=1, random_state=3), chosen
    )[0]
    assert one.features.tobytes() == two.features.tobytes()
    pd.testing.assert_frame_equal(one.index, two.index)


def test_bad_choices():
    stocks, market = make_records()
    chosen = small_params().prepare
    with pytest.raises(ParamsError, match="outside the records, 2000-01 to 2002-06"):
        build(stocks, market, replace(chosen, first_month="1999-12"))
    with pytest.raises(ParamsError, match="feature name 'MKT' is used twice"):
        renamed = stocks.rename(columns={"illiquidity": "MKT"})
        build(renamed, market, replace(chosen, characteristics=("MKT",)))
    sizeless = stocks.copy()
    sizeless.loc[sizeless["month"] == market["month"][20], "size"] = np.nan
    with pytest.raises(RecordsError, match="no stock has a size in 2001-09"):
        build(sizeless, market, chosen)


def test_a_month_left_out_by_hand():
    chosen = replace(
        small_params().prepare, first_month="2000-01", universe_size=4, skip_months=1,
        characteristics=("return_1",), market={"MKT": ("level",)}, label="rank",
    )  # fmt: skip
    index = build(HAND, MARKET, chosen)[0].index
    by_month = {
        f"{month:%m}": rows.set_index("stock")[["ret", "label"]]
        for month, rows in index.groupby("month")
    }
    # January earns March's returns, February April's; what is earned from May on is not there.
    assert by_month["01"]["ret"].to_dict() == {"A": 0.3, "B": 0.1, "C": -0.2, "D": 0.0}
    expected = {"A": 1.0, "B": 1 / 3, "C": -1.0, "D": -1 / 3}
    assert by_month["01"]["label"].to_dict() == pytest.approx(expected)
    february = by_month["02"]["ret"]
    assert february[["A", "B", "D"]].tolist() == [0.1, 0.1, 0.2] and np.isnan(february["C"])
    assert by_month["03"].isna().all(axis=None) and by_month["04"].isna().all(axis=None)


PRICES = HAND[["month", "stock", "sector", "return"]].assign(sector=None)
NO_SERIES = pd.DataFrame({"month": ENDS})


def of_prices(**keys):
    keys = {"first_month": "2000-02", "universe_size": 2, "characteristics": "available", **keys}
    return replace(small_params().prepare, market={}, **keys)


def test_price_only_records_by_hand():
    stocks = PRICES.assign(eligible=[0.0 if place == 5 else 1.0 for place in range(15)])
    panel, missing = build(stocks, NO_SERIES, of_prices())
    # Every eligible stock with a return, whatever universe_size says; no dummies, no series.
    months = panel.index["month"].dt.strftime("%m")
    stocks_of = panel.index.groupby(months)["stock"].agg("".join).to_dict()
    assert stocks_of == {"02": "ACD", "03": "ABCD", "04": "ABD"}
    assert panel.names == ["return_1", *(f"month_{month:02d}" for month in range(1, 13))]
    assert panel.index["size"].isna().all() and set(missing["feature"]) == {"return_1"}


def test_beta_without_a_size_by_hand():
    stocks = pd.concat([PRICES, PRICES.iloc[:1].assign(stock="Z")]).assign(eligible=1.0)
    stocks.loc[stocks["stock"].eq("D") & stocks["month"].eq(ENDS[0]), "eligible"] = 0.0
    chosen = of_prices(first_month="2000-04", characteristics=("beta_3",))
    raw = raw_values(stocks, build(stocks, NO_SERIES, chosen)[0].index, ["beta_3"])
    # The market of a month: the stocks eligible the month before, equally weighted.
    market = [(0.0 - 0.1 + 0.2) / 3, (0.3 + 0.1 - 0.2 + 0.0) / 4, (0.1 + 0.1 + 0.2) / 3]
    expected = [
        np.polyfit(market, returns, 1)[0]
        for returns in ([0.0, 0.3, 0.1], [-0.1, 0.1, 0.1], [0.5, 0.0, 0.2])
    ]
    np.testing.assert_allclose(raw["beta_3"], expected)


def test_a_month_without_any_price_is_named():
    gone = PRICES.assign(**{"return": PRICES["return"].mask(PRICES["month"] == ENDS[2])})
    with pytest.raises(RecordsError, match=r"no stock has a price or return in 2000-03, so that"):
        build(gone, NO_SERIES, of_prices())
