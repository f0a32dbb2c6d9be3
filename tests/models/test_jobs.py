from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from konkyo.features.store import Panel
from konkyo.models import jobs
from konkyo.windows import MonthSlices, rolling


def blocks_and_windows(panel, params):
    blocks = MonthSlices.of(panel.index["month"])
    return blocks, rolling(blocks, params.train.window_months)


def keys_of(panel, params) -> dict[str, str]:
    _, windows = blocks_and_windows(panel, params)
    return dict(jobs.plan(panel, windows, params.train).keys)


def test_specs_train_on_realised_labels(panel, small):
    _, windows = blocks_and_windows(panel, small)
    made = jobs.network_specs(panel, windows, small.train)
    label = panel.index["label"].to_numpy()
    by_month = {w.month: w for w in windows}
    for entry in made:
        window = by_month[entry.month]
        inside = np.arange(window.start, window.stop)
        assert entry.rows.tolist() == inside[np.isfinite(label[inside])].tolist()
        assert panel.index["month"].iloc[entry.rows].max() < pd.Timestamp(entry.month)
    assert [e.month for e in made if e.placebo] == [w.month for w in windows[::3]]
    # Neighbours have most months in common, and their row numbers are there once.
    assert made[0].rows.base is made[-1].rows.base is not None


def test_halves_are_complementary_pairs(panel, small):
    _, windows = blocks_and_windows(panel, small)
    params = replace(small.train, resamples=6, resample_epochs=2)
    plan = jobs.plan(panel, windows, params)
    label = panel.index["label"].to_numpy(dtype=np.float32)[None]
    whole = {e.name: e for e in jobs.network_specs(panel, windows, params)}
    files = [name for name in plan.specs if plan.is_half(name)]
    assert {name.replace("_halves", "") for name in files} == whole.keys()
    for name in files:
        halves = [jobs.expand(spec, label).rows for spec in plan.specs[name]]
        every = whole[name.replace("_halves", "")].rows
        for one, other in zip(halves[::2], halves[1::2], strict=True):
            assert sorted([*one, *other]) == every.tolist()
            months = [set(panel.index["month"].iloc[rows]) for rows in (one, other)]
            assert [len(part) for part in months] == [3, 3]
            assert not months[0] & months[1]
        assert len({spec.seed for spec in plan.specs[name]}) == 6
    # More halves do not draw the first ones anew, nor change any other network.
    ten = jobs.plan(panel, windows, replace(params, resamples=10))
    for name in files:
        assert [s.seed for s in ten.specs[name][:6]] == [s.seed for s in plan.specs[name]]
        np.testing.assert_array_equal(ten.specs[name][5].rows, plan.specs[name][5].rows)
    without = keys_of(panel, small)
    assert {name: key for name, key in plan.keys.items() if name not in files} == without
    longer = jobs.plan(panel, windows, replace(params, resample_epochs=3)).keys
    assert [name for name in longer if longer[name] != plan.keys[name]] == files


def test_market_series_are_scaled_by_the_window(panel, small):
    blocks, _ = blocks_and_windows(panel, small)
    mean, deviation = jobs.market_scale(panel, blocks, 2, 8)
    market = panel.columns("market")
    others = np.setdiff1d(np.arange(len(panel.names)), market)
    assert (mean[others] == 0).all() and (deviation[others] == 1).all()
    for column in market:
        monthly = [panel.features[blocks.rows(i), column][0] for i in range(2, 8)]
        assert mean[column] == pytest.approx(np.mean(monthly), rel=1e-6)
        assert deviation[column] == pytest.approx(np.std(monthly), rel=1e-6)
    changed = panel.features.copy()
    changed[blocks.offsets[8] :] = 99
    again = jobs.market_scale(Panel(changed, panel.index, panel.catalogue), blocks, 2, 8)
    np.testing.assert_array_equal(again[0], mean)


def test_a_constant_series_is_scaled_to_zero(panel, small):
    blocks, _ = blocks_and_windows(panel, small)
    still = panel.features.copy()
    column = panel.columns("market")[0]
    still[:, column] = 0.1
    mean, deviation = jobs.market_scale(Panel(still, panel.index, panel.catalogue), blocks, 0, 6)
    assert mean[column] == np.float32(0.1)
    moved = np.float32(1e37)
    assert (moved - mean[column]) / deviation[column] == pytest.approx(0, abs=0.03)


def test_shuffled_labels_stay_in_their_month(panel, small):
    blocks, _ = blocks_and_windows(panel, small)
    label = panel.index["label"].to_numpy(dtype=np.float32)
    shuffled = jobs.shuffle_labels(label, blocks, 1)
    assert (np.isnan(shuffled) == np.isnan(label)).all()
    assert (shuffled != label)[np.isfinite(label)].mean() > 0.5
    for i in range(len(blocks.names)):
        rows = blocks.rows(i)
        np.testing.assert_array_equal(np.sort(shuffled[rows]), np.sort(label[rows]))
    assert not np.array_equal(shuffled, jobs.shuffle_labels(label, blocks, 2), equal_nan=True)


def test_a_changed_row_changes_only_its_windows(panel, small):
    before = keys_of(panel, small)
    blocks, windows = blocks_and_windows(panel, small)
    changed = panel.features.copy()
    changed[blocks.offsets[9], 0] += 0.5
    after = keys_of(Panel(changed, panel.index, panel.catalogue), small)
    month = blocks.names[9]
    hit = {w.month for w in windows if w.first_train <= month <= w.last_train}
    assert {name.split("/")[1] for name in before if before[name] != after[name]} == hit
    assert len(hit) == small.train.window_months


def test_a_new_month_adds_a_key_and_changes_none(panel, small):
    blocks, _ = blocks_and_windows(panel, small)
    n = int(blocks.offsets[-2])
    index = panel.index.iloc[:n].copy()
    last = index["month"] == index["month"].iloc[-1]
    index.loc[last, ["ret", "label"]] = np.nan
    shorter = keys_of(Panel(panel.features[:n], index, panel.catalogue), small)
    longer = keys_of(panel, small)
    assert shorter == {name: longer[name] for name in shorter}
    assert {name.split("/")[1] for name in set(longer) - set(shorter)} == {blocks.names[-1]}


def test_the_key_holds_what_decides_the_weights(panel, small):
    before = keys_of(panel, small)
    spread = replace(
        small,
        train=replace(
            small.train,
            max_networks_per_stack=2,
            workers=2,
            backend="dask",
            scheduler_address="a:1",
            panel_cache_url="s3://b",
        ),
    )
    assert keys_of(panel, spread) == before
    for change in ({"dropout": 0.1}, {"seed": 2}, {"epochs": 4}, {"hidden_sizes": (8, 5)}):
        other = keys_of(panel, replace(small, train=replace(small.train, **change)))
        assert not set(other.values()) & set(before.values()), change


def test_members_of_an_ensemble_differ_in_their_seed(panel, small):
    _, windows = blocks_and_windows(panel, small)
    three = replace(small.train, ensemble=3)
    single = [e for e in jobs.network_specs(panel, windows, small.train) if not e.placebo]
    made = [e for e in jobs.network_specs(panel, windows, three) if not e.placebo]
    assert [e.seed for e in made[::3]] == [e.seed for e in single]
    assert len({e.seed for e in made}) == 3
    one, other = keys_of(panel, small), keys_of(panel, replace(small, train=three))
    assert one.keys() == other.keys()
    placebos = {name for name in one if name.startswith("placebo")}
    assert {name for name in one if one[name] == other[name]} == placebos


@settings(max_examples=500)
@example([1, 1, 4, 1, 1], 4, 1)
@example([1] * 242, 64, 2)
@given(
    st.lists(st.integers(1, 8), max_size=300),
    st.integers(1, 64),
    st.integers(1, 8),
)
def test_stacks_cover_all_evenly(sizes, largest, workers):
    parts = jobs.divide(sizes, largest=largest, workers=workers)
    files = [i for part in parts for i in range(part.start, part.stop)]
    assert files == list(range(len(sizes)))
    totals = [sum(sizes[part]) for part in parts]
    assert all(part.stop > part.start for part in parts)
    assert all(t <= max(largest, max(sizes)) for t in totals)
    if sizes:
        assert len(parts) % workers == 0 or len(parts) == len(sizes)
        if set(sizes) == {1}:
            assert max(totals) - min(totals) <= 1
            # No more stacks than it takes: each further one costs calls that others share.
            least = -(-len(sizes) // largest)
            assert len(parts) == min(-(-least // workers) * workers, len(sizes))
