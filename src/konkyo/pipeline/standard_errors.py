"""Second part of the stage attribute: standard errors, from networks of halves of each window."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pandas as pd
from tqdm import tqdm

from konkyo.artifacts import HERE
from konkyo.attribution import errors_store
from konkyo.attribution.standard_errors import StandardErrors
from konkyo.cache import ATTRIBUTION, code_digest, digest_of, weights_bytes
from konkyo.config import Params
from konkyo.features.store import Panel
from konkyo.io import read_parquet, write_csv
from konkyo.models import store as weights
from konkyo.windows import Window

TABLE = ("month", "threshold", "reliable_share", "placebo_share")


def run(config: Params, panel: Panel, decisions: Sequence[Window], keys: Mapping[str, str]) -> int:
    """Bring the standard errors up to date with attributions; return the months computed.

    Parameters
    ----------
    config : Params
        All params.
    panel : Panel
        Features.
    decisions : sequence of Window
        The decision months, in order.
    keys : mapping of str to str
        Of each month's attributions.
    """
    if not config.train.resamples:
        shutil.rmtree(HERE.errors, ignore_errors=True)
        # DVC warns of an empty folder.
        write_csv(pd.DataFrame(columns=TABLE), HERE.reliability)
        return 0
    months = StandardErrors(
        panel,
        decisions,
        lambda kind, month: weights.read(HERE.models / kind / f"{month}.safetensors"),
        params=config.attribute,
        placebo_every=config.train.placebo_every,
        n_quantiles=config.backtest.n_quantiles,
    )
    # Neighbouring months share their placebo months.
    placebo_digest = cache(_placebo_digest)
    needed = {
        window.month: _key(
            config, panel, months.placebos_up_to[window.month], keys, window.month, placebo_digest
        )
        for window in decisions
    }
    for path in HERE.errors.glob("????-??.*"):
        if path.stem not in needed:
            path.unlink()
    on_file = errors_store.read_about(HERE.errors)
    due = [w for w in decisions if on_file.get(w.month, {}).get("key") != needed[w.month]]
    for window in tqdm(due, "standard errors", unit="month"):
        shown = read_parquet(HERE.attributions_of(window.month))
        errors, about = months.errors(
            window, shown["score"].to_numpy(), shown[panel.names].to_numpy()
        )
        errors_store.write(
            errors,
            stocks=panel.index["stock"].iloc[window.test_start : window.test_stop],
            features=panel.names,
            about={"key": needed[window.month], **about},
            path=HERE.errors_of(window.month),
        )
    write_csv(table(), HERE.reliability)
    return len(due)


def table() -> pd.DataFrame:
    """Return of each month the threshold and shares of reliable relevances.

    month, threshold (missing where nothing is reliable), reliable_share, placebo_share: that of the
    placebo month before those that gave the threshold, missing where there is none.
    """
    about = errors_store.read_about(HERE.errors)
    frame = pd.DataFrame.from_dict(about, orient="index").rename_axis("month").reset_index()
    return frame[[*TABLE]]


def _key(
    config: Params,
    panel: Panel,
    placebos: Sequence[Window],
    keys: Mapping[str, str],
    month: str,
    placebo_digest: Callable[[str], str],
) -> str:
    """Return the cache key of a month's standard errors, from those of the attributions."""
    parts: list[str | bytes] = [keys[month], weights_bytes(HERE.weights_halves, month)]
    for placebo in placebos:
        parts += [keys[placebo.month], placebo_digest(placebo.month)]
    params = repr((config.attribute, config.backtest.n_quantiles))
    groups = panel.catalogue["group"].tolist()
    return digest_of(code_digest(*ATTRIBUTION), params, *groups, *parts)


def _placebo_digest(month: str) -> str:
    return digest_of(weights_bytes(HERE.placebo, month), weights_bytes(HERE.placebo_halves, month))
