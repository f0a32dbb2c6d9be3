import numpy as np
import pytest
from scipy import stats

from konkyo.intervention import linear

DRAW = np.random.default_rng(5)
X = DRAW.normal([0, 0, 5, 2], [2, 2, 10, 1], (4000, 4))
INDEX = 0.5 + X @ np.array([0.8, 0.0, 0.1, -0.5])


def test_least_squares_is_the_textbook_solution():
    y = INDEX + DRAW.normal(size=4000)
    fit = linear.least_squares(X, y)
    design = np.column_stack([np.ones(4000), X])
    expected = np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(fit.coefficients, expected, atol=1e-10)
    residual = y - design @ expected
    assert fit.statistics["r2"] == pytest.approx(1 - residual.var() / y.var())


def test_tobit_recovers_the_latent_line():
    y = np.clip(INDEX + DRAW.normal(0, 1.2, 4000), 0, None)
    fit = linear.tobit(X, y)
    np.testing.assert_allclose(fit.coefficients, [0.5, 0.8, 0, 0.1, -0.5], atol=0.12)
    assert fit.std == pytest.approx(1.2, abs=0.05)

    def log_likelihood(coefficients: np.ndarray, deviation: float) -> float:
        index = coefficients[0] + X @ coefficients[1:]
        inside = stats.norm.logpdf(y, index, deviation)
        return float(np.where(y > 0, inside, stats.norm.logcdf(-index / deviation)).sum())

    best = log_likelihood(fit.coefficients, fit.std)
    assert fit.statistics["log_likelihood"] == pytest.approx(best)
    for step in 0.02 * np.eye(5):
        assert log_likelihood(fit.coefficients + step, fit.std) < best
        assert log_likelihood(fit.coefficients - step, fit.std) < best
    assert (fit.predict(X) >= 0).all()


def test_logit_probabilities_average_to_the_share():
    yes = INDEX + DRAW.logistic(size=4000) > 0
    fit = linear.logit(X, yes)
    assert fit.statistics["separated"] == 0
    assert fit.predict(X).mean() == pytest.approx(yes.mean(), abs=1e-6)


@pytest.mark.parametrize("yes", [X[:, 0] > 0.3, np.ones(4000, bool)])
def test_separable_months_have_a_finite_flagged_fit(yes):
    fit = linear.logit(X, yes)
    assert fit.statistics["separated"] == 1
    assert np.isfinite(fit.coefficients).all()
    assert ((fit.predict(X) > 0.5) == yes).mean() > 0.95
