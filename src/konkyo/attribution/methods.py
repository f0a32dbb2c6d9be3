"""Attribution methods behind one signature: LRP, gradients, DeepLIFT, Shapley sampling.

A `Method` takes one month's network and rows [rows, features] as the panel holds them, and returns
relevances [rows, features] float64 in units of the score. The baseline of integrated gradients,
DeepLIFT and Shapley values is 0 after the network's scaling: the median rank, no sector, and a
market series at its mean over the window.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import LRP, DeepLift, InputXGradient, IntegratedGradients, ShapleyValueSampling
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import Tensor, nn

from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Z_PLUS, AlphaBeta, Epsilon, Gamma, Rule
from konkyo.errors import ParamsError
from konkyo.models import store, user_module
from konkyo.models.store import ModuleWeights, Network, Weights
from konkyo.models.user_module import scaled

Method = Callable[[Any, np.ndarray], np.ndarray]

# Rows of one internal pass: more are no faster and take more memory.
_ROWS_AT_ONCE = 8192
_ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


class OneColumn(nn.Module):
    """A module of a user's own, its scores [rows] as the column [rows, 1] of `as_module`."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Score scaled rows."""
        return self.module(x).unsqueeze(1)


def as_module(network: Network, dtype: torch.dtype = torch.float64) -> nn.Module:
    """Return one month's network as a torch module: scaled rows [rows, features] to [rows, 1].

    Its output is the score: of a network with a sigmoid output the log-odds, as in `propagate`.
    """
    if isinstance(network, ModuleWeights):
        return OneColumn(user_module.restore(network))
    modules: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        inputs, units = weight.shape
        # The constructor of nn.Linear would draw initial weights from the global generator.
        layer = nn.utils.skip_init(nn.Linear, inputs, units, dtype=dtype)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
        modules += [layer, _ACTIVATIONS[network.activation]()]
    return nn.Sequential(*modules[:-1]).requires_grad_(False).eval()


def relevance_propagation(network: Weights, rows: np.ndarray, rule: Rule) -> np.ndarray:
    """LRP with one rule in every layer (Bach and others, 2015); see `rules` and `lrp`."""
    stack = store.restack([network], torch.float64)
    return propagate(stack, scaled(network, rows)[None], rule)[1][0].numpy()


def module_relevance_propagation(
    network: ModuleWeights, rows: np.ndarray, epsilon: float
) -> np.ndarray:
    """LRP by captum, the rule epsilon in every layer that has weights.

    Every operation between the layers must be a module of its own: captum sees no function.

    Raises
    ------
    ParamsError
        captum has no rule for a layer.
    """
    model = as_module(network)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.rule = EpsilonRule(epsilon)
    try:
        return _numbers(LRP(model).attribute(scaled(network, rows).requires_grad_()))
    except (TypeError, AttributeError, RuntimeError) as error:
        raise ParamsError(
            f"attribute.method = {LRP_EPSILON} has no rule for a layer of {network.module} "
            f"({error}): set it to integrated_gradients"
        ) from None


def gradient_input(network: Network, rows: np.ndarray) -> np.ndarray:
    """Gradient of the score times the scaled input (Shrikumar and others, 2016)."""
    x = scaled(network, rows).requires_grad_()
    return _numbers(InputXGradient(as_module(network)).attribute(x))


def integrated_gradients(network: Network, rows: np.ndarray, steps: int = 16) -> np.ndarray:
    """Gradient averaged over the straight path from the baseline, times the scaled input.

    Source: Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks (2017).

    Parameters
    ----------
    network : Weights
        One month's network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    steps : int
        Points of the Gauss-Legendre quadrature along the path.

    Returns
    -------
    numpy.ndarray
        [rows, features]; a row sums to its score less the baseline's, up to the quadrature error.
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


def deep_lift(network: Network, rows: np.ndarray) -> np.ndarray:
    """DeepLIFT with the rescale rule (Shrikumar, Greenside and Kundaje, 2017).

    A row sums to its score less the baseline's.
    """
    x = scaled(network, rows).requires_grad_()
    with warnings.catch_warnings():
        # captum warns at every call that it hooks the module; this one is dropped after the call.
        warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
        return _numbers(DeepLift(as_module(network)).attribute(x, torch.zeros_like(x)))


def shapley_sampling(
    network: Network, rows: np.ndarray, n_permutations: int, *, seed: int
) -> np.ndarray:
    """Shapley values of the score, by random orders in which inputs leave the baseline.

    Source: Castro, Gomez and Tejada, Polynomial Calculation of the Shapley Value Based on Sampling
    (2009).

    Parameters
    ----------
    network : Weights
        One month's network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them, few: see `sample`.
    n_permutations : int
        Random orders, the same for every row; the error falls with their square root.
    seed : int
        Of the orders.

    Returns
    -------
    numpy.ndarray
        [rows, features]; a row sums to its score less the baseline's, up to float32.
    """
    x = scaled(network, rows)
    at_once = min(x.shape[1], max(1, _ROWS_AT_ONCE // max(1, len(x))))
    module = as_module(network)
    # captum draws from the global generator only: it is seeded here and restored afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        values = ShapleyValueSampling(lambda part: module(part)[:, 0]).attribute(
            x, torch.zeros_like(x), n_samples=n_permutations, perturbations_per_eval=at_once
        )
    return _numbers(values)


def sample(rows: int, number: int, generator: np.random.Generator) -> np.ndarray:
    """Return the positions, ascending, of a random sample of rows; all of them if too few."""
    return np.sort(generator.permutation(rows)[:number])


def coefficients_input(
    rows: np.ndarray, coefficients: np.ndarray, *, mean: np.ndarray, std: np.ndarray
) -> np.ndarray:
    """Return a linear model's coefficients times its scaled inputs, [rows, features].

    These are its exact Shapley values (Lundberg and Lee, 2017) if inputs are independent and the
    baseline is their mean.

    Parameters
    ----------
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    coefficients : numpy.ndarray
        [features], on scaled inputs.
    mean, std : numpy.ndarray
        [features], the scaling of the inputs before the model.
    """
    return (np.asarray(rows, dtype=np.float64) - mean) / std * coefficients


LRP_EPSILON = "lrp_epsilon"
METHODS: dict[str, Method] = {
    "lrp_gamma": partial(relevance_propagation, rule=Gamma()),
    "lrp_alpha2_beta1": partial(relevance_propagation, rule=AlphaBeta(2, 1)),
    "lrp_alpha1_beta0": partial(relevance_propagation, rule=AlphaBeta(1, 0)),
    "lrp_z_plus": partial(relevance_propagation, rule=Z_PLUS),
    "gradient_input": gradient_input,
    "integrated_gradients": integrated_gradients,
    "deep_lift": deep_lift,
}
"""The methods without a parameter that are fast enough for every row of every month."""


def methods_by_name(epsilon: float) -> dict[str, Method]:
    """Return `METHODS` behind LRP's epsilon rule, the one of the paper and of the stage attribute.

    Parameters
    ----------
    epsilon : float
        Of the rule, in units of the score.
    """
    return {LRP_EPSILON: partial(relevance_propagation, rule=Epsilon(epsilon))} | METHODS


def methods_of(network: Network, epsilon: float, method: str) -> dict[str, Method]:
    """Return the methods that an evaluation compares, the one of the stage attribute first.

    Parameters
    ----------
    network : Weights or ModuleWeights
        Of a user's module: `method`, integrated gradients and gradient x input.
    epsilon : float
        Of LRP's rule, in units of the score.
    method : str
        `attribute.method`.
    """
    if isinstance(network, Weights):
        return methods_by_name(epsilon)
    lrp: Method = partial(module_relevance_propagation, epsilon=epsilon)
    names = dict.fromkeys((method, "integrated_gradients", "gradient_input"))
    return {name: ({LRP_EPSILON: lrp} | METHODS)[name] for name in names}


def explain_modules(
    networks: Sequence[ModuleWeights], rows: np.ndarray, method: str, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores [rows] and relevances [rows, features], means over an ensemble, float64."""
    one = methods_of(networks[0], epsilon, method)[method]
    relevances = [one(network, rows) for network in networks]
    return user_module.score(networks, rows), np.mean(relevances, axis=0)


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().numpy().astype(np.float64)
