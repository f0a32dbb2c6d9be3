"""The models beside the network: least squares, Tobit and logit."""

import warnings
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from konkyo.intervention.indicators import INPUTS

_RIDGE = 0.01
"""Of the logit where the inputs part the months without error and no finite fit exists."""


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
        Coefficient by standard error; NaN where there is none.
    deviation : float
        Of the Tobit's disturbance, in units of the target; NaN otherwise.
    statistics : dict
        Fit statistics by name.
    """

    model: str
    coefficients: np.ndarray
    t: np.ndarray
    deviation: float
    statistics: dict[str, float]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return fitted values: per cent of reserves, or a probability of the logit.

        A Tobit's is the mean of the censored variable, which is never negative.
        """
        index = self.coefficients[0] + x @ self.coefficients[1:]
        if self.model == "tobit":
            z = index / self.deviation
            return index * stats.norm.cdf(z) + self.deviation * stats.norm.pdf(z)
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
        "linear",
        result.params,
        result.tvalues,
        float("nan"),
        {
            "r2": float(result.rsquared),
            "r2_adjusted": float(result.rsquared_adj),
            "log_likelihood": float(result.llf),
            "aic": float(result.aic),
            "durbin_watson": float(sm.stats.durbin_watson(result.resid)),
        },
    )


def tobit(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit y, censored at 0 from below, on the inputs by maximum likelihood.

    Olsen's (1978) parameters, coefficients and 1 divided by the deviation, make the log-likelihood
    concave: there is one maximum.
    """
    mean, spread = x.mean(0), x.std(0)
    scale = y.std()
    design = sm.add_constant((x - mean) / spread, has_constant="add")
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
    found = optimize.minimize(minus_log_likelihood, start, jac=True, method="BFGS")
    precision = np.exp(found.x[-1])
    slopes = found.x[1:-1] / precision * scale / spread
    constant = found.x[0] / precision * scale - (slopes * mean).sum()
    value = -found.fun - positive.sum() * (0.5 * np.log(2 * np.pi) + np.log(scale))
    return Fit(
        "tobit",
        np.append(constant, slopes),
        np.full(len(slopes) + 1, np.nan),
        float(scale / precision),
        {"log_likelihood": float(value), "aic": float(2 * (len(found.x) - value))},
    )


def logit(x: np.ndarray, yes: np.ndarray) -> Fit:
    """Fit the probability of intervention on the inputs.

    Parameters
    ----------
    x : numpy.ndarray
        [months, 4].
    yes : numpy.ndarray
        [months] bool.

    Returns
    -------
    Fit
        By maximum likelihood; where a plane parts the months without error, or all are alike, no
        finite maximum exists, and a small ridge penalty on the standardised inputs takes its place
        (`separated` is 1 in the statistics, t is missing).
    """
    answers = np.asarray(yes, dtype=float)
    mean, spread = x.mean(0), x.std(0)
    design = sm.add_constant((x - mean) / spread, has_constant="add")
    result = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(PerfectSeparationError, np.linalg.LinAlgError):
            result = sm.Logit(answers, design).fit(disp=0, maxiter=100)
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
        penalised = sm.GLM(answers, design, family=sm.families.Binomial()).fit_regularized(
            alpha=np.array([0.0] + [_RIDGE] * x.shape[1]) + 1e-6, L1_wt=0.0
        )
        scaled, t = penalised.params, np.full(design.shape[1], np.nan)
        statistics = {"separated": 1.0}
    slopes = scaled[1:] / spread
    constant = scaled[0] - (slopes * mean).sum()
    return Fit("logit", np.append(constant, slopes), t, float("nan"), statistics)


def coefficient_table(fits: dict[str, list[Fit]]) -> pd.DataFrame:
    """Return coefficients with their t, one row a period, model and term."""
    return pd.DataFrame(
        [
            {"period": period, "model": fit.model, "term": term, "coefficient": c, "t": t}
            for period, own in fits.items()
            for fit in own
            for term, c, t in zip(("constant", *INPUTS), fit.coefficients, fit.t, strict=True)
        ]
    )
