"""What a ranker does with the networks of one month, and with a folder of them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from konkyo.attribution.attributions import Attribution, explain_months
from konkyo.attribution.errors_store import Errors
from konkyo.attribution.methods import LRP_EPSILON, methods_of
from konkyo.attribution.row_errors import error_columns
from konkyo.errors import ArtifactError, KonkyoError, ParamsError
from konkyo.features.store import Panel
from konkyo.library.frames import PANDAS
from konkyo.models import store as weights
from konkyo.models import user_module
from konkyo.models.train import KINDS

LRP = "lrp"


def score(members: Sequence[weights.Network], rows: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the scores of a month's rows, [rows] float64; those of an ensemble are the mean."""
    if modules := weights.modules(members):
        return user_module.score(modules, rows)
    # Of the pass that explains them, for the same bits.
    return next(explain_months([members], [rows], epsilon)).score


def attribution(
    members: Sequence[weights.Network], rows: np.ndarray, epsilon: float, method: str
) -> Attribution:
    """Return the attribution of a month's rows by any method; that of an ensemble is the mean."""
    available = methods_of(members[0], epsilon, LRP_EPSILON)
    if method not in available:
        raise ParamsError(f"method = {method!r}: set it to {LRP} or one of {', '.join(available)}")
    (lrp,) = explain_months([members], [rows], epsilon, method)
    if method == LRP_EPSILON or weights.modules(members):
        return lrp
    relevance = np.mean([available[method](one, rows) for one in members], axis=0)
    stored = relevance.astype(np.float32)
    return Attribution(lrp.score, stored, lrp.score - stored.sum(1, dtype=np.float64))


def columns_of_errors(errors: Errors, names: list[str], index: pd.Index) -> pd.DataFrame:
    """Return a month's standard errors as the columns of `RollingRanker.explain`."""
    of_rows = {"score_error": errors.score, "rank_low": errors.rank_low}
    table = pd.DataFrame({**of_rows, "rank_high": errors.rank_high}, index=index)
    return pd.concat(
        [table, error_columns(errors.relevance, errors.reliable, names, index)], axis=1
    )


def months_of(kind: str, names: Iterable[str]) -> list[str]:
    """Return the months of the networks of a kind, in order, from names such as weights/2010-01."""
    return sorted(name.partition("/")[2] for name in names if name.partition("/")[0] == kind)


def kind_of(panel: Panel) -> str:
    """Return the kind of frame that a panel was made from."""
    return getattr(panel, "kind", PANDAS)


def require_panel(panel: object) -> None:
    """Raise if something is no panel."""
    if not isinstance(panel, Panel):
        raise KonkyoError(
            f"{type(panel).__name__} is no panel: make one by konkyo.Panel.from_frame(frame, ...)"
        )


def require_own(folder: Path, keys: Collection[str], pending: Collection[str]) -> None:
    """Raise if training into a folder would replace or remove networks that it has.

    Raises
    ------
    ArtifactError
        Names the first of them.
    """
    on_file = [
        f"{kind}/{path.stem}" for kind in KINDS for path in folder.glob(f"{kind}/*.safetensors")
    ]
    foreign = sorted(name for name in on_file if name in pending or name not in keys)
    if foreign:
        raise ArtifactError(
            f"{folder} has {len(foreign)} networks of other params or rows, first {foreign[0]}: "
            "give another folder as cache, or remove this one"
        )


@contextmanager
def isolated() -> Iterator[None]:
    """Run torch in one thread, on whose number a sum's last bits depend, with its own generator."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)
