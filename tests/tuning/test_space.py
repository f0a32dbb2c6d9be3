from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from konkyo import config
from konkyo.config import Range
from konkyo.errors import TuningError
from konkyo.tuning import space
from small import PARAMS

WHOLE = config.load(PARAMS)


def test_the_paper_s_values_are_those_of_params_yaml_and_belong_to_its_space():
    values = space.paper(WHOLE.prepare)
    settings = space.settings(values)
    for section, keys in settings.items():
        own = getattr(WHOLE, section)
        assert {key: getattr(own, key) for key in keys} == keys
    space.refuse_without(values, WHOLE.tune.space)


def test_every_missing_value_is_named_with_a_remedy():
    narrow = replace(WHOLE.tune.space, width=(16, 32), dropout=Range(0.0, 0.3, False))
    with pytest.raises(TuningError) as error:
        space.refuse_without(space.paper(WHOLE.prepare), narrow)
    assert "tune.space.width = [16, 32] lacks 64: add it" in str(error.value)
    assert "tune.space.dropout runs from 0.0 to 0.3, not over 0.4: widen it" in str(error.value)


def test_lists_are_categories_and_ranges_are_continuous():
    found = space.distributions(WHOLE.tune.space)
    assert set(found) == {*space.STRUCTURE, *space.NUMBERS}
    assert found["width"] == CategoricalDistribution((16, 32, 64))
    assert found["learning_rate"] == FloatDistribution(0.0003, 0.01, log=True)


@pytest.mark.parametrize(
    ("layers", "units"), [(1, (64,)), (2, (64, 32)), (3, (64, 64, 32)), (4, (64, 64, 64, 32))]
)
def test_the_last_of_several_layers_has_half_the_width(layers, units):
    assert space.units(layers, 64) == units
