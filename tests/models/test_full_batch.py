"""The full-batch fit against one network trained alone by a plain loop; the sigmoid output."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from konkyo.attribution.attributions import explain_months
from konkyo.errors import ArtifactError
from konkyo.models import store
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import FitResult, fit, initial_network
from konkyo.models.full_batch import FullBatch, full_batch_task, gradients
from konkyo.models.mlp import StackedMLP

SETTINGS = FullBatch(
    hidden_sizes=(5,), activation="sigmoid", output="sigmoid", iterations=40, every=20
)
DECAY = [1e-4, 0.05, 0.0]
DRAW = np.random.default_rng(3)
X = DRAW.normal(2, 3, (30, 4)).astype(np.float32)
Y = DRAW.uniform(size=30).astype(np.float32)
LOW, SPAN = X.min(0), np.ptp(X, axis=0)
SPECS = [
    NetworkSpec(
        month=month, rows=rows, mean=mean, std=std, seed=seed,
        hyperparameters=Hyperparameters(learning_rate=0.01, weight_decay=DECAY[seed - 1]),
    )
    for month, rows, mean, std, seed in (
        ("a", np.arange(0, 12), LOW, SPAN, 1),
        ("b", np.arange(5, 30), LOW - 1, SPAN * 2, 2),
        ("c", np.arange(20, 27), LOW, SPAN, 3),
    )
]  # fmt: skip


def fit_specs(specs: list[NetworkSpec], scratch: Path, name: str) -> FitResult:
    return fit(full_batch_task(X, Y, specs, SETTINGS), scratch=scratch, name=name)


def slow_fit(entry: NetworkSpec, decay: float) -> tuple[torch.Tensor, float]:
    """Train one network alone with torch's own layers."""
    start = initial_network([entry], hidden_sizes=(5,), activation="sigmoid", output="sigmoid")
    net = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 1), nn.Sigmoid())
    for layer, (weight, bias) in zip((net[0], net[2]), start.layers(), strict=True):
        layer.weight.data, layer.bias.data = (
            weight[0].detach().T.clone(),
            bias[0, 0].detach().clone(),
        )
    x = (torch.from_numpy(X[entry.rows]) - torch.from_numpy(entry.mean)) / torch.from_numpy(
        entry.std
    )
    y = torch.from_numpy(Y[entry.rows])
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=decay)
    losses = []
    for _ in range(SETTINGS.iterations):
        loss = (net(x).squeeze(1) - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return net(x).squeeze(1).detach(), float(np.mean(losses[20:]))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return fit_specs(SPECS, tmp_path_factory.mktemp("fit"), "all")


def predict(network, entry: NetworkSpec, window: int) -> torch.Tensor:
    rows = torch.from_numpy(X[entry.rows]).expand(network.windows, -1, -1).clone()
    return network(network.scale_(rows))[window]


@pytest.mark.parametrize("window", [0, 1, 2])
def test_each_window_equals_a_network_trained_alone(fitted, window):
    expected, loss = slow_fit(SPECS[window], DECAY[window])
    torch.testing.assert_close(
        predict(fitted.network, SPECS[window], window), expected, atol=2e-5, rtol=0
    )
    assert fitted.losses[window, 1] == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("layers", [(5,), (), (4, 3), (1, 3)])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_gradients_are_those_of_torch(layers, activation, output):
    torch.manual_seed(7)
    network = StackedMLP(3, 4, layers, activation, output).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    x, y = torch.randn(3, 9, 4).double(), torch.rand(3, 9).double()
    share = torch.rand(3, 9).double()
    loss = ((network(x) - y).square() * share).sum(1)
    expected = torch.autograd.grad(loss.sum(), list(network.parameters()))
    torch.testing.assert_close(gradients(network, x.mT, y, share=share), loss.detach())
    for parameter, own in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, own)


def test_a_network_does_not_depend_on_its_stack(fitted, tmp_path):
    alone = fit_specs(SPECS[1:2], tmp_path, "one")
    torch.testing.assert_close(
        predict(alone.network, SPECS[1], 0), predict(fitted.network, SPECS[1], 1),
        atol=1e-6, rtol=0,
    )  # fmt: skip


def test_a_fit_goes_on_from_its_kept_state(fitted, tmp_path):
    whole = fit_specs(SPECS, tmp_path, "all")
    assert (tmp_path / "all.ckpt").exists()
    again = fit_specs(SPECS, tmp_path, "all")
    for a, b in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_a_sigmoid_output_survives_the_file(fitted, tmp_path):
    written = store.unstack(
        fitted.network, months=["a", "b", "c"], keys=["1", "2", "3"], features=list("wxyz")
    )
    store.write(written, tmp_path / "all.safetensors")
    read = store.read(tmp_path / "all.safetensors")
    assert [(n.month, n.key, n.output, n.features) for n in read] == [
        (m, k, "sigmoid", ("w", "x", "y", "z")) for m, k in zip("abc", "123", strict=True)
    ]
    for before, after in zip(written, read, strict=True):
        for a, b in zip(before.weights + before.biases, after.weights + after.biases, strict=True):
            np.testing.assert_array_equal(a, b)
    store.write([read[1]], tmp_path / "one.safetensors")
    assert [n.output for n in store.read(tmp_path / "one.safetensors")] == ["sigmoid"]
    with pytest.raises(ArtifactError, match="is missing: run `dvc repro`"):
        store.read(Path("nowhere"))


def test_sigmoid_relevances_sum_to_log_odds(fitted):
    networks = store.unstack(
        fitted.network, months=["a", "b", "c"], keys=["1", "2", "3"], features=list("wxyz")
    )
    for window, own in enumerate(
        explain_months([[n] for n in networks], [X[e.rows] for e in SPECS], 0.001)
    ):
        forecast = predict(fitted.network, SPECS[window], window).double()
        torch.testing.assert_close(
            torch.from_numpy(own.score), torch.logit(forecast), atol=1e-4, rtol=0
        )
        np.testing.assert_allclose(own.relevance.sum(1) + own.absorbed, own.score, atol=1e-5)


def test_checkpoints_must_divide_the_iterations():
    with pytest.raises(ValueError, match="does not divide"):
        FullBatch(
            hidden_sizes=(5,), activation="sigmoid", output="sigmoid", iterations=100, every=30
        )
