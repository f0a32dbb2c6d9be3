"""The whole of params.yaml: read, checked, and turned into plain values again."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from konkyo.config.fields import RULES
from konkyo.config.intervention import Intervention
from konkyo.config.main import (
    Attribute,
    Backtest,
    Ingest,
    Prepare,
    Report,
    Track,
    Train,
    Verify,
)
from konkyo.config.monitoring import (
    Monitor,
    Promote,
)
from konkyo.config.tune import Tune
from konkyo.errors import ParamsError


@dataclass(frozen=True, config=RULES)
class Params:
    """The whole of params.yaml."""

    ingest: Ingest
    prepare: Prepare
    train: Train
    attribute: Attribute
    verify: Verify
    backtest: Backtest
    report: Report
    track: Track
    monitor: Monitor
    promote: Promote
    tune: Tune
    intervention: Intervention

    @model_validator(mode="after")
    def _portfolios_fit_the_universe(self) -> "Params":
        if self.prepare.universe_size < self.backtest.n_quantiles:
            raise ValueError(
                f"prepare.universe = {self.prepare.universe_size} is less than backtest.portfolios = "
                f"{self.backtest.n_quantiles}: choose at least one stock a portfolio"
            )
        return self


_ADAPTER: TypeAdapter[Params] = TypeAdapter(Params)


def parse(values: Any) -> Params:
    """Build `Params` from nested dictionaries.

    Raises
    ------
    ParamsError
        Every fault at once: the key, the value found, and what is allowed.
    """
    try:
        return _ADAPTER.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ParamsError(_explain(error)) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamsError(f"params.yaml is not plain keys and values: {error}") from None


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    ParamsError
        The file is missing, is not YAML, or breaks a rule.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            f"{path} is not here: run from the project's folder, or copy it from the repository"
        ) from None
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from None
    except (YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # What ruamel does not say itself: keys that are lists, whole numbers of thousands of
        # digits, lists within lists without end.
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    return parse(values)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one of dotted keys, as tracking shows params."""
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


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"]) or "params.yaml"
        if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            lines.append(f"{key}: unknown key; remove it or correct its spelling")
        elif fault["type"] in ("missing", "missing_argument"):
            lines.append(f"{key}: missing; add it (the repository's params.yaml has every key)")
        elif fault["type"] == "value_error":
            lines.append(str(fault["ctx"]["error"]))
        else:
            message = fault["msg"].removeprefix("Input should be ")
            lines.append(f"{key} = {fault['input']!r}: set it to {message}")
    return "params.yaml cannot be used:\n  " + "\n  ".join(lines)
