from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from konkyo import config
from konkyo.config import Range
from konkyo.tuning import space
from small import PARAMS

WHOLE = config.load(PARAMS)


def test_current_values_become_their_params():
    values = space.current_values(WHOLE.train, WHOLE.prepare)
    for section, keys in space.settings(values).items():
        params = getattr(WHOLE, section)
        assert {key: getattr(params, key) for key in keys} == keys
    assert space.outside(WHOLE.train, WHOLE.prepare, WHOLE.tune.space) == []


def test_each_value_outside_the_space_is_named():
    narrow = replace(WHOLE.tune.space, width=(16, 32), dropout=Range(0.0, 0.3, False))
    assert space.outside(WHOLE.train, WHOLE.prepare, narrow) == [
        "tune.space.width = [16, 32] lacks 64",
        "tune.space.dropout from 0.0 to 0.3 lacks 0.4",
    ]
    uneven = replace(WHOLE.train, hidden_sizes=(64, 32, 16))
    (reason,) = space.outside(uneven, WHOLE.prepare, WHOLE.tune.space)
    assert reason.startswith("train.hidden_sizes = [64, 32, 16]")


def test_lists_are_categories_ranges_are_continuous():
    found = space.distributions(WHOLE.tune.space)
    assert set(found) == {*space.STRUCTURE, *space.NUMBERS}
    assert found["width"] == CategoricalDistribution((16, 32, 64))
    assert found["learning_rate"] == FloatDistribution(0.0003, 0.01, log=True)


@pytest.mark.parametrize(
    ("layers", "units"), [(1, (64,)), (2, (64, 32)), (3, (64, 64, 32)), (4, (64, 64, 64, 32))]
)
def test_the_last_of_several_layers_has_half_the_width(layers, units):
    assert space.units(layers, 64) == units
