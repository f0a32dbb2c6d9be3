"""Networks trained month by month: the perceptron against the stack, validation, a user's own."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from konkyo import cache
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features.build import build
from konkyo.models import baselines, engines, jobs, store
from konkyo.models.batches import Hyperparameters
from konkyo.models.train import history, train
from konkyo.windows import MonthSlices, rolling
from small import make_records, small_params
from user_package import SOURCE, write_package


def train_specs(task, specs, folder: Path, **changes) -> tuple[list, np.ndarray]:
    params = replace(task.params, **changes)
    folder.mkdir(exist_ok=True)
    return engines.train_networks(
        task.features, task.labels, specs, params, inputs=[f"f{i}" for i in range(5)],
        keys=["key"] * len(specs), scratch=folder, name="all",
    )  # fmt: skip


def gaps(one: store.Weights, other: store.Weights) -> list[float]:
    pairs = zip(one.weights + one.biases, other.weights + other.biases, strict=True)
    return [float(np.abs(a - b).max()) for a, b in pairs]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_lightning_equals_the_stack(task, tmp_path, activation):
    """Rows of unlike numbers, a placebo, scaled inputs, and hyperparameters unlike each other."""
    decay = Hyperparameters(learning_rate=0.02, weight_decay=0.1, dropout=0.25, seed=2)
    specs = [*task.specs, replace(task.specs[0], hyperparameters=decay, seed=3)]
    stacked, alone = (
        train_specs(task, specs, tmp_path / module, module=module, activation=activation)
        for module in ("stacked", "lightning")
    )
    for one, other in zip(stacked[0], alone[0], strict=True):
        assert max(gaps(one, other)) < 1e-5
        assert {**asdict(one), "weights": 0, "biases": 0, "mean": 0, "std": 0} == {
            **asdict(other), "weights": 0, "biases": 0, "mean": 0, "std": 0,
        }  # fmt: skip
        np.testing.assert_array_equal([one.mean, one.std], [other.mean, other.std])
    np.testing.assert_allclose(stacked[1], alone[1], rtol=1e-4)
    assert np.isnan(alone[1][1]).all()
    assert float((tmp_path / "lightning/all.progress").read_text()) == 1


def test_scores_rank_as_those_of_the_stack(task, tmp_path):
    specs = task.specs[:1]
    stacked, alone = (
        train_specs(task, specs, tmp_path / module, module=module, epochs=20)
        for module in ("stacked", "lightning")
    )
    assert 0 < max(gaps(stacked[0][0], alone[0][0])) < 1e-3
    scores = [baselines.network_scores(networks, task.features) for networks, _ in (stacked, alone)]
    assert spearmanr(*scores).statistic > 0.9999


def test_the_best_epoch_of_the_validation_is_kept(task, tmp_path):
    spec = replace(task.specs[1], validation_start=150)
    (network,), losses = train_specs(
        task, [spec], tmp_path, module="lightning", epochs=30, patience=2
    )
    curve = losses[1, 0]
    rows = spec.rows[spec.rows >= 150]
    error = (baselines.network_scores([network], task.features[rows]) - task.labels[0, rows]) ** 2
    epochs = np.isfinite(curve).sum()
    assert error.mean() == pytest.approx(np.nanmin(curve), rel=1e-5)
    assert epochs == np.nanargmin(curve) + 3 < 30
    table = engines.loss_table(losses)
    assert list(table) == ["epoch", "loss", "validation_loss"] and len(table) == epochs


def test_validation_rows_do_not_train(task, tmp_path):
    """The weights are those of a window that ends before them, whatever their labels are."""
    spec = replace(task.specs[0], validation_start=60)
    short = replace(task.specs[0], rows=task.specs[0].rows[:60])
    changed = task.labels.copy()
    changed[:, 60:] += 5
    other = replace(task, labels=changed)
    (a,), (b,), (c,) = (
        train_specs(tasks, [one], tmp_path, module="lightning", epochs=1)[0]
        for tasks, one in ((task, spec), (other, spec), (task, short))
    )
    assert max(gaps(a, b)) == max(gaps(a, c)) == 0


def test_validation_months_are_the_windows_last(panel):
    params = replace(small_params().train, module="lightning", validation_months=2)
    blocks = MonthSlices.of(panel.index["month"])
    for spec in jobs.network_specs(panel, rolling(blocks, params.window_months), params):
        months = panel.index["month"].to_numpy()[spec.rows]
        last = np.unique(months)[-2:]
        np.testing.assert_array_equal(spec.rows >= spec.validation_start, np.isin(months, last))


def test_keys_of_the_stack_hold_no_param_of_modules(panel):
    params = small_params().train
    windows = rolling(MonthSlices.of(panel.index["month"]), params.window_months)[:2]

    def keys(**changes) -> dict[str, str]:
        changed = replace(params, **changes)
        return jobs.keys(panel, windows, jobs.network_specs(panel, windows, params), changed)

    assert keys(patience=9) == keys()
    lightning = keys(module="lightning")
    assert not set(lightning.values()) & set(keys().values())
    assert lightning != keys(module="lightning", patience=9)


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("modules"))


def run(panel, folder: Path, module: str, months: int = 3, **changes):
    params = replace(small_params().train, module=module, epochs=2, **changes)
    windows = rolling(MonthSlices.of(panel.index["month"]), params.window_months)[:months]
    return train(panel, windows, params, folder), windows


def test_a_module_of_the_user_month_by_month(panel, nets, tmp_path):
    params = {"width": 2}
    outcome, windows = run(panel, tmp_path, f"{nets}.Small", module_params=params, ensemble=2)
    assert (outcome.trained, outcome.current) == (7, 0)  # three months of two, a placebo
    path = tmp_path / "weights" / f"{windows[1].month}.safetensors"
    one, two = store.read(path)
    assert one.arguments == {
        "n_inputs": len(panel.names), "learning_rate": 0.001, "dropout": 0.4, "width": 2
    }  # fmt: skip
    assert one.state["net.0.weight"].shape == (2, len(panel.names))
    assert one.state["steps"].shape == () and one.state["steps"] > 2
    # By hand: the file's numbers, without the class.
    rows = panel.features[windows[1].test_start : windows[1].test_stop]
    by_hand = []
    for net in (one, two):
        x = (rows.astype(float) - net.mean) / net.std
        hidden = np.tanh(x @ net.state["net.0.weight"].T + net.state["net.0.bias"])
        by_hand.append((hidden @ net.state["net.3.weight"].T + net.state["net.3.bias"])[:, 0])
    np.testing.assert_allclose(
        baselines.network_scores((one, two), rows), np.mean(by_hand, axis=0), atol=1e-12
    )
    table = history(tmp_path, windows)
    assert list(table) == ["month", "epoch", "loss"] and len(table) == 6
    # A killed run has some months: the others come out as they would have.
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.safetensors")}
    path.unlink()
    again, _ = run(panel, tmp_path, f"{nets}.Small", module_params=params, ensemble=2)
    assert (again.trained, again.current) == (2, 5)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.safetensors")} == before


def test_a_plain_lightning_module_trains_too(panel, nets, tmp_path):
    run(panel, tmp_path, f"{nets}.Plain", months=1)
    (network, *_) = store.read(next(tmp_path.glob("weights/*")))
    assert network.arguments == {"features": panel.names}
    with pytest.raises(ParamsError, match="Plain logs no validation_loss"):
        run(panel, tmp_path, f"{nets}.Plain", months=1, validation_months=1)


def test_later_records_leave_a_module_as_it_was(panel, nets, tmp_path):
    stocks, market = make_records()
    until = panel.index["month"].iloc[-1] - np.timedelta64(400, "D")
    earlier, _ = build(
        stocks[stocks["month"] <= until], market[market["month"] <= until], small_params().prepare
    )
    for name, records in (("whole", panel), ("earlier", earlier)):
        run(records, tmp_path / name, f"{nets}.Small", months=2)
    for path in (tmp_path / "whole").rglob("*.safetensors"):
        twin = tmp_path / "earlier" / path.relative_to(tmp_path / "whole")
        assert twin.read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.parametrize("backend", ["loky", pytest.param("dask", marks=pytest.mark.long)])
def test_modules_train_in_processes(panel, nets, tmp_path, backend):
    run(panel, tmp_path / "here", f"{nets}.Small", months=5)
    run(panel, tmp_path / "there", f"{nets}.Small", months=5, workers=2, backend=backend)
    for path in (tmp_path / "here").rglob("*.safetensors"):
        twin = tmp_path / "there" / path.relative_to(tmp_path / "here")
        assert twin.read_bytes() == path.read_bytes()


def test_the_users_source_is_in_the_key(tmp_path):
    digests = []
    for name, source in (
        ("first", SOURCE),
        ("second", SOURCE + "\n# a comment\n"),
        ("third", SOURCE.replace("width=3", "width=4")),
    ):
        # One name and three folders: sources are read once a process and folder.
        nets = write_package(tmp_path / name, "edited_rankers", source)
        digests.append(cache.training_code(f"{nets}.Small"))
        sys.path.remove(str(tmp_path / name))
    assert digests[0] == digests[1] != digests[2]
    assert cache.training_code("lightning") == cache.training_code("stacked") != digests[0]
    with pytest.raises(ParamsError, match=r"no source of edited_rankers on this machine: put it"):
        cache.training_code("edited_rankers.nets.Small")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("nowhere.Ranker", "cannot be imported .*No module named 'nowhere'.*data/own/modules/"),
        ("{}.Missing", "cannot be imported .*Missing"),
        ("{}.NotLightning", "is no LightningModule of pytorch_lightning but .*NotLightning"),
        ("{}.not_a_class", "is no LightningModule of pytorch_lightning but int"),
        ("{}.Picky", "cannot be constructed with n_inputs .*add return_lag_1"),
        ("{}.Column", r"returns Tensor of shape \(2, 1\) for 2 rows: .*of shape \(2,\)"),
        ("{}.Explodes", "the loss of Explodes is nan in epoch 1"),
    ],
)
def test_a_module_that_cannot_train_is_refused(panel, nets, tmp_path, kind, said):
    with pytest.raises(ParamsError, match=said):
        run(panel, tmp_path, kind.format(nets), months=1)


def test_params_that_a_module_does_not_take(panel, nets, tmp_path):
    with pytest.raises(ParamsError, match=r"with .* arguments .*'depth'.*train\.module_params"):
        run(panel, tmp_path, f"{nets}.Small", months=1, module_params={"depth": 2})


def test_a_changed_class_does_not_take_old_weights(panel, nets, tmp_path):
    run(panel, tmp_path, f"{nets}.Small", months=1, module_params={"width": 2})
    (network,) = store.read(next(tmp_path.glob("weights/*")))
    wider = replace(network, arguments=network.arguments | {"width": 4})
    with pytest.raises(ParamsError, match=r"do not fit train\.module = .*run `dvc repro train`"):
        baselines.network_scores([wider], panel.features[:2])
    store.write([replace(network, module="os")], tmp_path / "one.safetensors")
    with pytest.raises(ArtifactError, match="its module is no dotted name"):
        store.read(tmp_path / "one.safetensors")
    with pytest.raises(ArtifactError, match="are not layers of a perceptron"):
        store.stackable([network])
