"""bf16-mixed: what a step computes, and how near its networks come to those of float32."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.models import accelerator
from konkyo.models.backward import Gradients
from konkyo.models.batches import CPU, Hyperparameters, NetworkSpec
from konkyo.models.fit import ResumeCheckpoint, fit, stack_task
from konkyo.models.gather import RoundedRows, write_rounded
from konkyo.models.mlp import ACTIVATIONS, StackedMLP, dropout_masks
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling

MONTHS, STOCKS, WINDOW = 14, 150, 8


def rounded(x: torch.Tensor) -> torch.Tensor:
    """Round to bfloat16, and let gradients pass through a rounding of their own."""
    return _Round.apply(x)


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.bfloat16().float()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.bfloat16().float()


def slow_gradients(network, x, y, masks) -> list[torch.Tensor]:
    """Return each parameter's gradient by autograd in float32, rounded where a step rounds."""
    parameters = [p.detach().clone().requires_grad_() for p in network.parameters()]
    half = len(parameters) // 2
    a = x
    layers = list(zip(parameters[:half], parameters[half:], strict=True))
    for position, (weight, bias) in enumerate(layers[:-1]):
        z = rounded(torch.baddbmm(rounded(bias), a, rounded(weight)))
        a = rounded(rounded(ACTIVATIONS[network.activation](z)) * masks[position])
    score = (torch.bmm(a, layers[-1][0]) + layers[-1][1]).squeeze(2)
    (score - y).square().mean(1).sum().backward()
    return [p.grad for p in parameters]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_step_equals_a_slow_one_that_rounds(activation, dropout):
    windows, rows, inputs, hidden = 3, 200, 10, [16, 8]
    network = StackedMLP(windows, inputs, hidden, activation)
    network.initialise([torch.Generator().manual_seed(i) for i in range(windows)])
    generator = torch.Generator().manual_seed(9)
    x = torch.randn(windows, rows, inputs, generator=generator).bfloat16()
    y = torch.randn(windows, rows, generator=generator)
    padded = torch.nn.functional.pad(x, (0, 3))
    masks = dropout_masks(hidden, rows, rate=dropout, generator=np.random.default_rng(1))
    drop = [(slice(0, windows), [mask.bfloat16() for mask in masks])] if dropout else ()
    weight = torch.ones(windows, rows)
    Gradients(network, padded)(x=padded, y=y, weight=weight, count=weight.sum(1), masks=drop)
    expected = slow_gradients(network, x.float(), y, masks)
    for parameter, theirs in zip(network.parameters(), expected, strict=True):
        assert parameter.grad.dtype == torch.float32
        # Roundings in another order: a hundredth of the gradient, two last digits of bfloat16.
        assert (parameter.grad - theirs).norm() < 0.01 * theirs.norm()


def market() -> tuple[np.ndarray, np.ndarray, list[NetworkSpec]]:
    """Return features, labels and windows of a market with a level that bfloat16 cannot tell."""
    rng = np.random.default_rng(4)
    stocks = rng.uniform(-1, 1, size=(MONTHS, STOCKS, 6))
    series = np.stack([15040 + 5 * rng.normal(size=MONTHS), rng.normal(size=MONTHS)], 1)
    series[4] = series[3]
    label = stocks[..., 0] - stocks[..., 1] * stocks[..., 2] + 0.5 * stocks[..., 3] * series[:, 1:]
    label = (label + 0.3 * rng.normal(size=label.shape)).astype(np.float32).ravel()
    features = np.concatenate(
        [stocks, np.broadcast_to(series[:, None], (MONTHS, STOCKS, 2))], 2
    ).reshape(-1, 8)
    features = features.astype(np.float32)
    specs = []
    for first in range(MONTHS - WINDOW):
        monthly = features[::STOCKS, 6:][first : first + WINDOW]
        mean, std = np.zeros(8, np.float32), np.ones(8, np.float32)
        mean[6:], std[6:] = monthly.mean(0), monthly.std(0)
        specs.append(
            NetworkSpec(
                month=f"2001-{first + 1:02d}",
                rows=np.arange(first * STOCKS, (first + WINDOW) * STOCKS),
                mean=mean, std=std, seed=1,
                hyperparameters=Hyperparameters(learning_rate=0.005, dropout=0.2, seed=1),
            )
        )  # fmt: skip
    return features, np.stack([label, label]), specs


def test_rows_are_scaled_before_they_are_rounded(tmp_path):
    features, _, specs = market()
    specs = specs[2:4]
    network = StackedMLP(2, 8, [4], "tanh")
    for name in ("mean", "std"):
        part = torch.from_numpy(np.stack([getattr(spec, name) for spec in specs]))
        getattr(network, name).copy_(part[:, None])
    rows = torch.tensor([[310, 1349, 700], [450, 1499, 701]])
    made = RoundedRows(torch.from_numpy(features), network, CPU, specs).gather(rows)
    copy = write_rounded(features, tmp_path / "rounded.npy")
    mapped = RoundedRows(torch.from_numpy(features), network, CPU, specs, copy).gather(rows)
    assert torch.equal(made, mapped)
    assert made.shape == (2, 3, 32) and made.dtype == torch.bfloat16
    expected = torch.from_numpy(features)[rows]
    expected = network.scale_(expected.clone()).bfloat16()
    assert torch.equal(made[..., :8], expected)
    assert (made[..., 8:] == 0).all()
    # Nothing of this is in the levels themselves, which are equal once they are rounded.
    assert len(set(torch.from_numpy(features)[rows, 6].bfloat16().flatten().tolist())) == 1


@pytest.fixture(scope="module")
def fitted(small, tmp_path_factory):
    """Return the networks of every month by precision."""
    features, labels, specs = market()
    params = replace(small.train, hidden_sizes=(16, 8), batch_size=100, epochs=12)
    return {
        precision: fit(
            stack_task(features, labels, specs, replace(params, precision=precision)),
            scratch=tmp_path_factory.mktemp("state"),
            name="s",
        )
        for precision in ("32-true", "bf16-mixed")
    }


def test_precisions_agree_in_every_month(fitted):
    features, _, specs = market()
    scored = {}
    for precision, result in fitted.items():
        rows = [
            features[(start := (WINDOW + number) * STOCKS) : start + STOCKS]
            for number in range(len(specs))
        ]
        x = result.network.scale_(torch.from_numpy(np.stack(rows)))
        scored[precision] = propagate(result.network, x, Epsilon(0.001))
    for number in range(len(specs)):
        (score, relevance), (other, others) = (
            (s[number].numpy(), r[number].numpy()) for s, r in scored.values()
        )
        assert spearmanr(score, other).statistic > 0.9999
        alike = [spearmanr(*pair).statistic for pair in zip(relevance, others, strict=True)]
        assert np.mean(alike) > 0.99
    first, other = (
        torch.cat([p.flatten() for p in f.network.parameters()]) for f in fitted.values()
    )
    assert first.dtype == other.dtype == torch.float32
    assert 0 < (first - other).abs().max() < 0.05


def test_a_resumed_fit_ends_with_the_same_bytes(small, fitted, tmp_path, monkeypatch):
    features, labels, specs = market()
    params = replace(small.train, hidden_sizes=(16, 8), batch_size=100, epochs=12)
    task = stack_task(features, labels, specs, replace(params, precision="bf16-mixed"))
    original = ResumeCheckpoint.on_train_epoch_end

    def stop(self, trainer, module):
        original(self, trainer, module)
        if trainer.current_epoch == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumeCheckpoint, "on_train_epoch_end", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(task, scratch=tmp_path, name="s")
    monkeypatch.setattr(ResumeCheckpoint, "on_train_epoch_end", original)
    task = stack_task(features, labels, specs, replace(params, precision="bf16-mixed"))
    resumed, whole = fit(task, scratch=tmp_path, name="s"), fitted["bf16-mixed"]
    for mine, theirs in zip(resumed.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    np.testing.assert_array_equal(resumed.losses, whole.losses)


def test_what_comes_after_changes_nothing(small):
    features, labels, specs = market()
    params = replace(small.train, precision="bf16-mixed", batch_size=100, epochs=1)
    after, end = features.copy(), WINDOW * STOCKS
    after[end:] = features[end:][::-1] * 3
    after[end : end + 2 * STOCKS, 6:] = features[end - 1, 6:]
    other = labels.copy()
    other[:, end:] *= -1

    def first_network(features, labels) -> list[torch.Tensor]:
        task = stack_task(features, labels, specs, params)
        optimizer = task.module.configure_optimizers()
        task.module.optimizers = lambda **_: optimizer
        task.module.training_step(task.batches.schedule.from_step(0), 0)
        return [p[0] for p in task.module.network.parameters()]

    pairs = zip(first_network(features, labels), first_network(after, other), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_halves_have_a_precision_of_their_own(panel, small, tmp_path):
    windows = rolling(MonthSlices.of(panel.index["month"]), small.train.window_months)[:3]
    params = replace(small.train, resamples=4, resample_epochs=2, epochs=2)

    def contents(folder: str) -> dict[str, bytes]:
        files = (tmp_path / folder).rglob("*.safetensors")
        return {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in files}

    train(panel, windows, params, tmp_path / "both")
    mixed = replace(params, precision="bf16-mixed")
    train(panel, windows, mixed, tmp_path / "mixed")
    one, other = contents("both"), contents("mixed")
    halves = {name for name in one if "halves" in name}
    assert {name for name in one if one[name] == other[name]} == halves
    assert len(halves) == 4
    # And the halves alone are trained when theirs changes.
    again = train(
        panel, windows, replace(mixed, resample_precision="bf16-mixed"), tmp_path / "mixed"
    )
    assert (again.trained, again.current) == (4 * 4, 4)
    assert {name for name in one if contents("mixed")[name] == other[name]} == one.keys() - halves


def test_lightning_trains_a_month_in_the_precision(panel, small, tmp_path):
    windows = rolling(MonthSlices.of(panel.index["month"]), small.train.window_months)[:1]
    weights = {}
    for precision in ("32-true", "bf16-mixed"):
        params = replace(small.train, module="lightning", placebo_every=0, precision=precision)
        train(panel, windows, params, tmp_path / precision)
        (path,) = (tmp_path / precision).rglob("*.safetensors")
        weights[precision] = path.read_bytes()
    assert len(set(weights.values())) == 2


@pytest.mark.parametrize(("capabilities", "has"), [
    ({"avx512_f": True, "avx512_bf16": False}, False),
    ({"avx512_bf16": True}, True),
    ({"amx_bf16": True}, True),
    ({"bf16": True, "neon": True}, True),
])  # fmt: skip
def test_bf16_warns_where_hardware_lacks_it(monkeypatch, capabilities, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    both = {"train.precision": "bf16-mixed", "train.resample_precision": "32-true"}
    warning = accelerator.precision_warning(both, "cpu")
    if has:
        assert warning == ""
    else:
        assert warning.startswith("train.precision = bf16-mixed: this machine has no hardware")
        assert "1.5 times as long" in warning
    assert accelerator.precision_warning(dict.fromkeys(both, "32-true"), "cpu") == ""
