"""The whole of params.yaml: read, checked, and turned into plain values again."""

import json
from math import comb
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from konkyo.config import intervention, main, tune
from konkyo.config.fields import RULES
from konkyo.errors import ParamsError


def _windows_can_be_halved(train: main.Train) -> main.Train:
    """Return the section if its windows have as many different halves as `resamples` asks for."""
    resamples, months = train.resamples, train.window_months
    if not resamples:
        return train
    if resamples % 2 or resamples < 4:
        raise ValueError(
            f"train.resamples = {resamples}: set it to an even number of at least 4, since "
            "halves come in pairs, or to 0 for no standard errors"
        )
    if not train.placebo_every:
        raise ValueError(
            f"train.resamples = {resamples} needs placebos, which tell effects from noise, and "
            "train.placebo_every = 0: set it to 1 or more, or train.resamples to 0"
        )
    halvings = comb(months, months // 2) // (1 if months % 2 else 2)
    if halvings < resamples // 2:
        raise ValueError(
            f"train.window_months = {months} can be halved in {halvings} ways, and "
            f"train.resamples = {resamples} needs {resamples // 2}: set train.window_months "
            "higher, or train.resamples to 0"
        )
    return train


# Not of the class: the audit trains a network without its halves and placebo.
TrainSection = Annotated[main.Train, AfterValidator(_windows_can_be_halved)]


@dataclass(frozen=True, config=RULES)
class Params:
    """All sections of params.yaml."""

    ingest: main.Ingest
    prepare: main.Prepare
    train: TrainSection
    attribute: main.Attribute
    verify: main.Verify
    backtest: main.Backtest
    report: main.Report
    track: main.Track
    monitor: main.Monitor
    promote: main.Promote
    tune: tune.Tune
    intervention: intervention.Intervention

    @model_validator(mode="after")
    def _universe_fills_the_quantiles(self) -> "Params":
        if self.prepare.universe_size < self.backtest.n_quantiles:
            raise ValueError(
                f"prepare.universe_size = {self.prepare.universe_size} is less than "
                f"backtest.n_quantiles = {self.backtest.n_quantiles}: allow at least one stock "
                "a quantile"
            )
        return self


RENAMED_KEYS = {
    "prepare.universe": "prepare.universe_size",
    "train.window": "train.window_months",
    "train.layers": "train.hidden_sizes",
    "train.batch": "train.batch_size",
    "train.stack": "train.max_networks_per_stack",
    "train.shuffled_every": "train.placebo_every",
    "train.share": "train.panel_cache_url",
    "train.address": "train.scheduler_address",
    "verify.every": "verify.every_n_months",
    "verify.stocks": "verify.n_stocks",
    "verify.draws": "verify.n_permutations",
    "backtest.portfolios": "backtest.n_quantiles",
    "backtest.cost": "backtest.cost_bps",
    "report.stocks": "report.n_extremes",
    "report.named": "report.watchlist",
    "monitor.psi": "monitor.max_psi",
    "monitor.range": "monitor.max_abs_z",
    "monitor.drifting": "monitor.max_drifting",
    "monitor.missing": "monitor.max_missing",
    "monitor.rank_ic": "monitor.min_rank_ic_t",
    "monitor.signs": "monitor.max_sign_flips",
    "promote.least": "promote.min_improvement",
    "tune.together": "tune.trials_per_stack",
    "tune.space.layers": "tune.space.n_hidden_layers",
    "tune.space.batch": "tune.space.batch_size",
    "tune.space.window": "tune.space.window_months",
    "intervention.network.layers": "intervention.network.hidden_sizes",
}
"""Keys of version 0.1 and their present names."""
RENAMED_VALUES = {"return_risk": "sharpe_ratio"}
"""Values of promote.objective and tune.objective in version 0.1 and their present names."""

_ADAPTER: TypeAdapter[Params] = TypeAdapter(Params)


class _Constructor(SafeConstructor):
    """Leaves days as they are written, since YAML's own reading moves one with an offset to UTC.

    Keys too, which may be the names of series and columns: 007, null, 1e3 and TRUE are names.
    """

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> Any:
        """Return a mapping whose keys are texts as they are written."""
        for key, _ in node.value:
            if isinstance(key, ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def parse(values: Any) -> Params:
    """Return `Params` from nested dictionaries.

    Raises
    ------
    ParamsError
        Lists all faults: the key, its value, and what is allowed.
    """
    return _validated(_ADAPTER, values, "params.yaml")


def section(kind: Any, values: Any, name: str) -> Any:
    """Return one section, such as `TrainSection` or `Backtest`, from a dictionary.

    Raises
    ------
    ParamsError
        As of `parse`; `name` says whose values they are.
    """
    return _validated(TypeAdapter(kind), values, name)


def _validated(adapter: TypeAdapter, values: Any, name: str) -> Any:
    try:
        return adapter.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ParamsError(_explain(error, name)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamsError(f"{name} is not plain keys and values: {error}") from None


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    ParamsError
        The file is missing, is not YAML, or breaks a rule.
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        values = yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            f"{path} not found: run from a project's folder; `konkyo init my-study` makes one"
        ) from None
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from None
    except (YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # ruamel raises errors of Python itself for lists as keys, for integers of thousands of
        # digits, and for lists nested too deeply.
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    return parse(values)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one dictionary with dotted keys, such as train.epochs."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def as_dict(params: Params) -> dict[str, Any]:
    """Return params as nested dictionaries of plain values, the inverse of `parse`."""
    return _ADAPTER.dump_python(params, mode="json")


def _explain(error: ValidationError, name: str) -> str:
    """Return the message of all faults, one a line, with the remedy of each."""
    lines = []
    faults = [
        (".".join(str(part) for part in fault["loc"]) or name, fault)
        for fault in error.errors(include_url=False)
    ]
    renamed = {RENAMED_KEYS[key] for key, _ in faults if key in RENAMED_KEYS}
    for key, fault in faults:
        if key in RENAMED_KEYS:
            lines.append(f"{key}: is called {RENAMED_KEYS[key]} now; rename it")
        elif key in renamed and fault["type"] in ("missing", "missing_argument"):
            # The line above has said it: the new key is missing because it has its old name.
            continue
        elif str(fault["input"]) in RENAMED_VALUES and key.endswith(".objective"):
            lines.append(f"{key} = {fault['input']}: write {RENAMED_VALUES[fault['input']]}")
        elif fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            lines.append(f"{key}: unknown key; remove it or correct its spelling")
        elif fault["type"] in ("missing", "missing_argument"):
            lines.append(f"{key}: missing; add it (params.yaml of `konkyo init` has every key)")
        elif fault["type"] == "value_error":
            lines.append(str(fault["ctx"]["error"]))
        else:
            message = fault["msg"].removeprefix("Input should be ")
            lines.append(f"{key} = {fault['input']!r}: set it to {message}")
    return f"{name} cannot be used:\n  " + "\n  ".join(lines)
