import copy
from pathlib import Path

import pytest

from konkyo import config
from konkyo.config.params import RENAMED_KEYS
from konkyo.errors import ParamsError

PARAMS = Path(__file__).parents[1] / "params.yaml"


@pytest.fixture
def values() -> dict:
    return copy.deepcopy(config.as_dict(config.load(PARAMS)))


def test_params_yaml_holds_the_networks_of_figure_15():
    train = config.load(PARAMS).train
    assert (train.window_months, train.hidden_sizes, train.activation) == (36, (64, 64, 32), "tanh")
    assert (train.dropout, train.batch_size, train.epochs) == (0.4, 300, 20)


@pytest.mark.parametrize("path", sorted(PARAMS.parent.glob("data/examples/*/params.yaml")))
def test_every_example_is_a_whole_params_file(path):
    assert config.load(path).track.experiment


def test_plain_values_round_trip(values):
    assert config.as_dict(config.parse(values)) == values


def test_every_fault_has_key_value_and_remedy(values):
    values["train"]["dropout"] = 1.5
    values["train"]["drop_out"] = 0.4
    values["train"]["epochs"] = True
    values["train"]["precision"] = "bf16"
    values["tune"]["precision"] = 16
    values["ingest"]["source"] = "reuters"
    del values["backtest"]["cost_bps"]
    with pytest.raises(ParamsError) as error:
        config.parse(values)
    said = str(error.value)
    assert "train.dropout = 1.5: set it to less than 1" in said
    assert "train.drop_out: unknown key" in said
    assert "train.epochs = True: set it to a valid integer" in said
    assert "train.precision = 'bf16': set it to '32-true' or 'bf16-mixed'" in said
    assert "tune.precision = 16: set it to 'auto', '32-true' or 'bf16-mixed'" in said
    assert "ingest.source = 'reuters': set it to 'us-equities'" in said
    assert "backtest.cost_bps: missing" in said


def test_an_old_key_names_the_new_one(values):
    for old, new in RENAMED_KEYS.items():
        section, old_key, new_key = *old.rpartition(".")[::2], new.rpartition(".")[2]
        place = values
        for part in section.split("."):
            place = place[part]
        place[old_key] = place.pop(new_key)
    values["tune"]["objective"] = "return_risk"
    with pytest.raises(ParamsError) as error:
        config.parse(values)
    lines = str(error.value).splitlines()[1:]
    assert "  tune.objective = return_risk: write sharpe_ratio" in lines
    assert len(lines) == len(RENAMED_KEYS) + 1
    for old, new in RENAMED_KEYS.items():
        assert f"  {old}: is called {new} now; rename it" in lines


@pytest.mark.parametrize("base", ["1995-12..1981-06", "1981-06", "past", "1981-13..1995-12"])
def test_a_parity_base_is_all_or_two_months_in_order(values, base):
    values["intervention"]["inputs"]["parity_base"] = base
    with pytest.raises(ParamsError, match="parity_base = "):
        config.parse(values)


def test_more_portfolios_than_stocks_is_an_error(values):
    values["prepare"]["universe_size"] = 5
    with pytest.raises(ParamsError, match=r"universe_size = 5 .*n_quantiles = 10"):
        config.parse(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resamples": 5}, r"train.resamples = 5: set it to an even number of at least 4"),
        ({"resamples": 2}, r"train.resamples = 2: set it to an even number of at least 4"),
        ({"placebo_every": 0}, r"train.resamples = 6 needs placebos.*train.placebo_every = 0"),
        ({"window_months": 3}, None),
        ({"window_months": 2}, r"train.window_months = 2 can be halved in 1 ways.* needs 3"),
    ],
)
def test_windows_must_have_halves(values, changes, message):
    values["train"] |= {"resamples": 6, **changes}
    if message is None:
        config.parse(values)
    else:
        with pytest.raises(ParamsError, match=message):
            config.parse(values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"validation_months": 2}, "validation_months = 2: the stack trains all"),
        ({"validation_months": 36, "module": "lightning"}, "leaves no month of .*window_months"),
        ({"module_params": {"width": 2}}, "train.module = stacked takes none"),
        ({"module": "Ranker"}, "train.module = 'Ranker': set it to stacked, lightning or a class"),
    ],
)
def test_params_of_modules_go_with_a_module(values, changes, said):
    values["train"] |= changes
    with pytest.raises(ParamsError, match=said):
        config.parse(values)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 0.0, -1.0, "0.1", None])
def test_a_learning_rate_must_be_a_positive_number(values, number):
    values["train"]["learning_rate"] = number
    with pytest.raises(ParamsError):
        config.parse(values)


@pytest.mark.parametrize("key", ["scheduler_address", "panel_cache_url"])
def test_an_address_of_training_has_no_password(values, key):
    values["train"][key] = "s3://me:hidden@host/bucket"
    with pytest.raises(ParamsError, match="may hold no password") as error:
        config.parse(values)
    assert "hidden" not in str(error.value)
    for place in ("tcp://host:8786", "abfs://container@account/folder", "host:6379"):
        values["train"][key] = place
        assert getattr(config.parse(values).train, key) == place


def test_missing_or_broken_file(tmp_path):
    with pytest.raises(ParamsError, match="not found"):
        config.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("train: [1, 2")
    with pytest.raises(ParamsError, match="not valid YAML"):
        config.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("")
    with pytest.raises(ParamsError):
        config.load(tmp_path / "params.yaml")


def test_exponents_are_numbers_as_dvc_reads_them(tmp_path):
    text = PARAMS.read_text(encoding="utf-8")
    assert "learning_rate: 0.001" in text
    (tmp_path / "params.yaml").write_text(
        text.replace("learning_rate: 0.001", "learning_rate: 1e-3")
    )
    assert config.load(tmp_path / "params.yaml").train.learning_rate == 0.001


def test_flatten():
    assert config.flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == {
        "a.b": 1,
        "a.c.d": [2],
        "e": {},
    }
