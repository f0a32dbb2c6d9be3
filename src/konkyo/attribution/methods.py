"""Other ways to attribute a score to the inputs, beside layer-wise relevance propagation.

Every method takes one month's network and its rows as the panel holds them, and returns
[rows, features] float64 in units of the score. All but the gradient compare a row with the
centre: 0 after the network's own scaling, which is the middle rank, no sector, and a market series
at its mean over the window.
"""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from captum.attr import DeepLift, InputXGradient, IntegratedGradients, ShapleyValueSampling
from torch import Tensor, nn

from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Z_PLUS, AlphaBeta, Epsilon, Gamma, Rule
from konkyo.models import store
from konkyo.models.store import Weights

Method = Callable[[Weights, np.ndarray], np.ndarray]

# Rows of one internal pass: enough to be fast, few enough to stay small.
_ROWS_AT_ONCE = 8192
_PLAIN = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def scaled(network: Weights, rows: np.ndarray) -> Tensor:
    """Return rows [rows, features] as the network's first layer sees them, float64."""
    values = (np.asarray(rows, dtype=np.float64) - network.mean) / network.std
    return torch.from_numpy(values)


def as_module(network: Weights, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """Return one month's network as a plain module: scaled rows [rows, features] to [rows, 1].

    Its output is the score: of a network with a sigmoid output the log-odds, as in `propagate`.
    """
    modules: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        inputs, units = weight.shape
        # An nn.Linear made the plain way draws initial weights from the global generator.
        layer = nn.utils.skip_init(nn.Linear, inputs, units, dtype=dtype)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
        modules += [layer, _PLAIN[network.activation]()]
    return nn.Sequential(*modules[:-1]).requires_grad_(False).eval()


def relevance_propagation(network: Weights, rows: np.ndarray, rule: Rule) -> np.ndarray:
    """Layer-wise relevance propagation with one rule in every layer."""
    stack = store.restack([network], torch.float64)
    return propagate(stack, scaled(network, rows)[None], rule)[1][0].numpy()


def gradient_input(network: Weights, rows: np.ndarray) -> np.ndarray:
    """Gradient of the score times the scaled input."""
    x = scaled(network, rows).requires_grad_()
    return _numbers(InputXGradient(as_module(network)).attribute(x))


def integrated_gradients(network: Weights, rows: np.ndarray, steps: int = 16) -> np.ndarray:
    """Gradient averaged on the straight way from the centre, times the scaled input.

    Parameters
    ----------
    network : Weights
        One month's network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    steps : int
        Points of the Gauss-Legendre rule on that way.

    Returns
    -------
    numpy.ndarray
        [rows, features]; a row sums to its score less the centre's, up to the rule's error.
    """
    x = scaled(network, rows).requires_grad_()
    values = IntegratedGradients(as_module(network)).attribute(
        x,
        torch.zeros_like(x),
        n_steps=steps,
        method="gausslegendre",
        internal_batch_size=max(_ROWS_AT_ONCE, len(x)),
    )
    return _numbers(values)


def deep_lift(network: Weights, rows: np.ndarray) -> np.ndarray:
    """DeepLIFT with the rescale rule; a row sums to its score less the centre's."""
    x = scaled(network, rows).requires_grad_()
    with warnings.catch_warnings():
        # captum announces at every call that it hooks the module, which is thrown away here.
        warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
        return _numbers(DeepLift(as_module(network)).attribute(x, torch.zeros_like(x)))


def shapley_sampling(network: Weights, rows: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Shapley values of the score, by random orders in which inputs leave the centre.

    Parameters
    ----------
    network : Weights
        One month's network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them, few: see `sample`.
    draws : int
        Random orders, the same for every row; a value's error falls with their root.
    seed : int
        Of the orders.

    Returns
    -------
    numpy.ndarray
        [rows, features]; a row sums to its score less the centre's, up to float32.
    """
    x = scaled(network, rows)
    at_once = min(x.shape[1], max(1, _ROWS_AT_ONCE // max(1, len(x))))
    network_view = as_module(network)
    # captum draws from the global generator only: it is seeded here and given back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        values = ShapleyValueSampling(lambda part: network_view(part)[:, 0]).attribute(
            x, torch.zeros_like(x), n_samples=draws, perturbations_per_eval=at_once
        )
    return _numbers(values)


def sample(rows: int, number: int, generator: np.random.Generator) -> np.ndarray:
    """Return the positions, ascending, of a random sample of rows: all if there are no more."""
    return np.sort(generator.permutation(rows)[:number])


def coefficients_input(
    coefficients: np.ndarray, mean: np.ndarray, deviation: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return a linear model's coefficients times its scaled inputs, [rows, features].

    Parameters
    ----------
    coefficients : numpy.ndarray
        [features], on scaled inputs.
    mean, deviation : numpy.ndarray
        [features], the affine that the model was fitted behind.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    """
    return (np.asarray(rows, dtype=np.float64) - mean) / deviation * coefficients


def methods_by_name(epsilon: float) -> dict[str, Method]:
    """Return the methods that are fast enough for every row of every month.

    Parameters
    ----------
    epsilon : float
        Of the rule epsilon.
    """
    rules: dict[str, Rule] = {
        "lrp_epsilon": Epsilon(epsilon),
        "lrp_gamma": Gamma(),
        "lrp_alpha2_beta1": AlphaBeta(2, 1),
        "lrp_alpha1_beta0": AlphaBeta(1, 0),
        "lrp_z_plus": Z_PLUS,
    }
    methods: dict[str, Method] = {
        name: partial(relevance_propagation, rule=rule) for name, rule in rules.items()
    }
    return methods | {
        "gradient_input": gradient_input,
        "integrated_gradients": integrated_gradients,
        "deep_lift": deep_lift,
    }


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().numpy().astype(np.float64)
