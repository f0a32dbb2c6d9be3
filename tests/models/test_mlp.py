import numpy as np
import pytest
import torch
from torch import nn

from konkyo.models.mlp import StackedMLP, dropout_masks


def stack_of(windows: int, activation: str) -> StackedMLP:
    network = StackedMLP(windows, 5, [6, 4], activation)
    network.initialise([torch.Generator().manual_seed(i) for i in range(windows)])
    network.mean[:, :, 2:4] = torch.randn(windows, 1, 2)
    network.std[:, :, 2:4] = torch.rand(windows, 1, 2) + 0.5
    return network


def plain(network: StackedMLP, window: int) -> nn.Sequential:
    """Return one window as the network that everybody writes."""
    parts: list[nn.Module] = []
    for weight, bias in network.layers():
        linear = nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data = weight[window].detach().T.clone()
        linear.bias.data = bias[window, 0].detach().clone()
        parts += [linear, {"tanh": nn.Tanh(), "relu": nn.ReLU()}[network.activation]]
    return nn.Sequential(*parts[:-1])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_scores_and_gradients_of_plain_networks(activation):
    torch.manual_seed(0)
    network = stack_of(3, activation)
    rows = torch.randn(3, 7, 5) * 3
    scaled = (rows - network.mean) / network.std
    scores = network(network.scale_(rows.clone()))
    scores.square().sum().backward()
    for window in range(3):
        one = plain(network, window)
        expected = one(scaled[window]).squeeze(1)
        torch.testing.assert_close(scores[window], expected, rtol=1e-5, atol=1e-6)
        expected.square().sum().backward()
        for position, (weight, bias) in enumerate(network.layers()):
            linear = one[2 * position]
            for mine, theirs in (
                (weight.grad, linear.weight.grad.T),
                (bias.grad, linear.bias.grad),
            ):
                torch.testing.assert_close(
                    mine[window].squeeze(0), theirs, rtol=1e-4, atol=1e-5, check_stride=False
                )


def test_scaling_leaves_other_columns_alone():
    network = stack_of(2, "tanh")
    rows = torch.randn(2, 3, 5)
    scaled = network.scale_(rows.clone())
    assert torch.equal(scaled[..., [0, 1, 4]], rows[..., [0, 1, 4]])
    back = scaled * network.std + network.mean
    torch.testing.assert_close(back, rows)


def test_fast_tanh_is_tanh():
    network = StackedMLP(1, 1, [1], "tanh")
    for weight, _ in network.layers():
        weight.data.fill_(1)
    z = torch.linspace(-30, 30, 2001).view(1, -1, 1)
    torch.testing.assert_close(network(z)[0], torch.tanh(z[0, :, 0]), rtol=0, atol=2e-7)


def test_initial_weights_are_those_of_a_linear_layer():
    network = StackedMLP(2, 100, [50], "tanh")
    network.initialise([torch.Generator().manual_seed(i) for i in (1, 2)])
    weight, bias = next(iter(network.layers()))
    assert 0.095 < weight.abs().max() <= 0.1
    assert bias.abs().max() <= 0.1
    assert not torch.equal(weight[0], weight[1])


def test_masks_keep_the_expected_value():
    masks = dropout_masks([40, 30], 500, rate=0.4, generator=np.random.default_rng(0))
    assert [tuple(m.shape) for m in masks] == [(500, 40), (500, 30)]
    assert masks[0].unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert masks[0].mean().item() == pytest.approx(1, abs=0.02)
    drawn = np.random.default_rng(0).random((500, 70), dtype=np.float32)
    expected = torch.from_numpy((drawn >= 0.4).astype(np.float32)) / 0.6
    torch.testing.assert_close(torch.cat(masks, 1), expected)
    (ones,) = dropout_masks([4], 5, rate=0.0, generator=np.random.default_rng(0))
    assert torch.equal(ones, torch.ones(5, 4))


def test_lecun_normal_weights_have_their_std():
    network = StackedMLP(2, 100, [400, 50], "tanh")
    network.initialise([torch.Generator().manual_seed(i) for i in (1, 2)], "lecun_normal")
    for weight, bias in network.layers():
        assert not bias.any()
        scaled = weight.detach() * weight.shape[1] ** 0.5
        # Normal: mean 0, std 1, kurtosis 3; beyond the bound of the uniform draw.
        if weight.shape[1] * weight.shape[2] > 10_000:
            assert abs(float(scaled.mean())) < 0.02
            assert abs(float(scaled.std()) - 1) < 0.02
            assert abs(float((scaled**4).mean()) - 3) < 0.2
    assert not torch.equal(network.weights[0][0], network.weights[0][1])
