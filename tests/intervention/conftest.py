"""The study's params and simulated records, and the networks that several tests look at."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from konkyo import config
from konkyo.intervention import networks, samples, simulated

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(scope="session")
def study() -> config.Intervention:
    return config.load(PARAMS).intervention


@pytest.fixture(scope="session")
def records() -> pd.DataFrame:
    return simulated.simulate(1)


@pytest.fixture(scope="session")
def quick(study: config.Intervention) -> config.Intervention:
    """One period with four forecast months and networks that hardly learn."""
    period = replace(study.periods[0], forecast_from="1985-05")
    network = replace(study.network, iterations=20, seeds=2, workers=1)
    return replace(study, periods=(period,), network=network)


@pytest.fixture(scope="session")
def trained(records, quick, tmp_path_factory):
    """Return samples, tasks and networks of the quick study."""
    windows = samples.build_samples(records, quick)
    tasks = networks.plan_tasks(windows, quick.network, weight_decays={})
    state = tmp_path_factory.mktemp("quick") / "state"
    return windows, tasks, networks.train(windows, tasks, config=quick.network, state=state)
