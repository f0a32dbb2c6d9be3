"""The linear benchmarks of the network: least squares, Tobit and logit."""

import warnings
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from konkyo.intervention.indicators import INPUTS

_RIDGE_PENALTY = 0.01
"""Penalty of the logit under complete separation, where the likelihood has no finite maximum."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted linear model.

    Attributes
    ----------
    model : str
        "linear" (least squares), "tobit" or "logit".
    coefficients : numpy.ndarray
        [1 + 4]: constant, then inputs, in the inputs' own units.
    t : numpy.ndarray
        t-statistics; NaN where the model has no standard errors.
    std : float
        Standard deviation of the Tobit's disturbance, in units of the target; NaN otherwise.
    statistics : dict
        Fit statistics by name.
    """

    model: str
    coefficients: np.ndarray
    t: np.ndarray
    std: float
    statistics: dict[str, float]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return fitted values: per cent of reserves, or a probability of the logit.

        The Tobit predicts the mean of the censored variable, which is never negative.
        """
        index = self.coefficients[0] + x @ self.coefficients[1:]
        if self.model == "tobit":
            z = index / self.std
            return index * stats.norm.cdf(z) + self.std * stats.norm.pdf(z)
        return 1 / (1 + np.exp(-index)) if self.model == "logit" else index


def least_squares(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit y on the inputs by ordinary least squares.

    Parameters
    ----------
    x : numpy.ndarray
        [months, 4].
    y : numpy.ndarray
        [months], per cent of reserves or 0/1.
    """
    result = sm.OLS(y, sm.add_constant(x, has_constant="add")).fit()
    return Fit(
        model="linear",
        coefficients=result.params,
        t=result.tvalues,
        std=float("nan"),
        statistics={
            "r2": float(result.rsquared),
            "r2_adjusted": float(result.rsquared_adj),
            "log_likelihood": float(result.llf),
            "aic": float(result.aic),
            "durbin_watson": float(sm.stats.durbin_watson(result.resid)),
        },
    )


def tobit(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit y, censored at 0 from below, on the inputs by maximum likelihood.

    The log-likelihood is concave in Olsen's (1978) parameters, coefficients / std and 1 / std, so
    that any maximum is the global one.
    """
    mean, std = x.mean(0), x.std(0)
    scale = y.std()
    design = sm.add_constant((x - mean) / std, has_constant="add")
    positive = y > 0

    def minus_log_likelihood(theta: np.ndarray) -> tuple[float, np.ndarray]:
        gamma, precision = theta[:-1], np.exp(theta[-1])
        index = design @ gamma
        residual = precision * y[positive] / scale - index[positive]
        censored = -index[~positive]
        value = positive.sum() * theta[-1] - 0.5 * (residual**2).sum()
        value += stats.norm.logcdf(censored).sum()
        mills = np.exp(stats.norm.logpdf(censored) - stats.norm.logcdf(censored))
        slope = design[positive].T @ residual - design[~positive].T @ mills
        last = positive.sum() - precision * (residual * y[positive] / scale).sum()
        return -value, -np.append(slope, last)

    start = np.zeros(design.shape[1] + 1)
    result = optimize.minimize(minus_log_likelihood, start, jac=True, method="BFGS")
    precision = np.exp(result.x[-1])
    slopes = result.x[1:-1] / precision * scale / std
    constant = result.x[0] / precision * scale - (slopes * mean).sum()
    value = -result.fun - positive.sum() * (0.5 * np.log(2 * np.pi) + np.log(scale))
    return Fit(
        model="tobit",
        coefficients=np.append(constant, slopes),
        t=np.full(len(slopes) + 1, np.nan),
        std=float(scale / precision),
        statistics={"log_likelihood": float(value), "aic": float(2 * (len(result.x) - value))},
    )


def logit(x: np.ndarray, occurred: np.ndarray) -> Fit:
    """Fit the probability of intervention on the inputs.

    Parameters
    ----------
    x : numpy.ndarray
        [months, 4].
    occurred : numpy.ndarray
        [months] bool.

    Returns
    -------
    Fit
        By maximum likelihood; under complete separation, or where all months have the same
        outcome, by a small ridge penalty on the standardised inputs (then `separated` is 1 in the
        statistics and t is NaN).
    """
    y = np.asarray(occurred, dtype=float)
    mean, std = x.mean(0), x.std(0)
    design = sm.add_constant((x - mean) / std, has_constant="add")
    result = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(PerfectSeparationError, np.linalg.LinAlgError):
            result = sm.Logit(y, design).fit(disp=0, maxiter=100)
    finite = result is not None and np.abs(result.params).max() < 50
    if result is not None and finite and result.mle_retvals["converged"]:
        scaled, t = result.params, result.tvalues
        statistics = {
            "log_likelihood": float(result.llf),
            "aic": float(result.aic),
            "pseudo_r2": float(result.prsquared),
            "separated": 0.0,
        }
    else:
        penalised = sm.GLM(y, design, family=sm.families.Binomial()).fit_regularized(
            alpha=np.array([0.0] + [_RIDGE_PENALTY] * x.shape[1]) + 1e-6, L1_wt=0.0
        )
        scaled, t = penalised.params, np.full(design.shape[1], np.nan)
        statistics = {"separated": 1.0}
    slopes = scaled[1:] / std
    constant = scaled[0] - (slopes * mean).sum()
    coefficients = np.append(constant, slopes)
    return Fit(
        model="logit", coefficients=coefficients, t=t, std=float("nan"), statistics=statistics
    )


def coefficient_table(fits: dict[str, list[Fit]]) -> pd.DataFrame:
    """Return coefficients and t-statistics, one row a period, model and term."""
    return pd.DataFrame(
        [
            {"period": period, "model": fit.model, "term": term, "coefficient": c, "t": t}
            for period, period_fits in fits.items()
            for fit in period_fits
            for term, c, t in zip(("constant", *INPUTS), fit.coefficients, fit.t, strict=True)
        ]
    )
