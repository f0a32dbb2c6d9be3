"""The ranker of stocks: a network for every rolling month, fitted, scored and explained."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from konkyo import windows
from konkyo.attribution.attributions import Attribution, as_frame, require_networks
from konkyo.attribution.methods import LRP_EPSILON
from konkyo.attribution.standard_errors import StandardErrors
from konkyo.config import Attribute, SkipMonths, Train, TrainSection, section
from konkyo.errors import ArtifactError, KonkyoError
from konkyo.features.store import Panel
from konkyo.io import read_json, write_json
from konkyo.library.frames import to_kind
from konkyo.library.networks import (
    LRP,
    attribution,
    columns_of_errors,
    isolated,
    kind_of,
    months_of,
    require_own,
    require_panel,
    score,
)
from konkyo.models import jobs
from konkyo.models import store as weights
from konkyo.models.train import pending_files, train
from konkyo.windows import MonthSlices, Window

SAVED = "ranker.json"


@dataclass(kw_only=True, eq=False, repr=False)
class RollingRanker(BaseEstimator):
    """One network a decision month, trained on the months whose labels are realised by then.

    The window of month t ends with the rows of t-1, whose label, the return of t, is known at the
    end of t. The network of t scores the rows of t: every score is out of sample. Parameters have
    the names, the meaning and the values of the section `train` of params.yaml, and the following.

    Parameters
    ----------
    epsilon, false_share : float
        `attribute.epsilon` and `attribute.false_share` of params.yaml.
    skip_months : int
        `prepare.skip_months`: months left out between a decision and the month that it earns.
    cache : str or Path, optional
        Folder of networks in the layout of data/models, with its keys: those that are there are
        not trained again. With data/models and the params of params.yaml nothing is trained after
        `dvc repro`. Networks of other params or rows are never overwritten. None: no files.

    Attributes
    ----------
    panel_ : Panel
        What it was fitted on.
    networks_ : dict of str to tuple of networks
        By kind and month, such as weights/2010-01; further kinds are placebo, weights_halves and
        placebo_halves.

    Notes
    -----
    Scores and relevances equal those of the pipeline to the bit.

    Examples
    --------
    >>> import konkyo
    >>> market = konkyo.simulate_market(stocks=40, last="2003-12")
    >>> panel = konkyo.Panel.from_frame(market.frame, features=market.features)
    >>> ranker = konkyo.RollingRanker(window_months=9, epochs=1, resamples=0, workers=1)
    >>> scores = ranker.fit(panel).predict()
    >>> list(scores.columns)
    ['month', 'stock', 'score']
    >>> relevances = ranker.explain()
    >>> sums = relevances[panel.names].sum(axis=1) + relevances["absorbed"]
    >>> bool(abs(sums - relevances["score"]).max() < 1e-6)
    True
    """

    window_months: int = 36
    hidden_sizes: Sequence[int] = (64, 64, 32)
    activation: Literal["tanh", "relu"] = "tanh"
    initial: Literal["torch", "lecun_normal"] = "torch"
    dropout: float = 0.4
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    batch_size: int = 300
    epochs: int = 20
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    seed: int = 1
    ensemble: int = 1
    placebo_every: int = 4
    resamples: int = 6
    resample_epochs: int = 10
    resample_precision: Literal["32-true", "bf16-mixed"] = "32-true"
    max_networks_per_stack: int = 64
    workers: int = 2
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    backend: Literal["loky", "dask"] = "loky"
    scheduler_address: str = ""
    panel_cache_url: str = ""
    module: str = "stacked"
    module_params: dict[str, Any] | None = None
    validation_months: int = 0
    patience: int = 3
    epsilon: float = 0.001
    false_share: float = 0.1
    skip_months: int = 0
    cache: str | Path | None = None

    def fit(self, panel: Panel, y: None = None) -> Self:
        """Train the networks of every month that has a window of realised labels behind it.

        Parameters
        ----------
        panel : Panel
            With labels; it is left unchanged.
        y : None
            Not used: the labels are in the panel.

        Raises
        ------
        ParamsError
            A parameter has a value that is not allowed.
        ArtifactError
            The panel has fewer months than a window needs, or the cache has networks of other
            params or rows.
        """
        params = self._train_section()
        require_panel(panel)
        if panel.index["label"].isna().all():
            raise KonkyoError(
                "the panel has no label: name the column of the return of t+1 in "
                "Panel.from_frame(label=...)"
            )
        decisions = self._windows(panel)
        keys = jobs.plan(panel, decisions, params).keys
        temporary = TemporaryDirectory() if self.cache is None else nullcontext(self.cache)
        with isolated(), temporary as folder:
            pending = pending_files(keys, Path(folder))
            if pending:
                require_own(Path(folder), keys, pending)
                train(panel, decisions, params, Path(folder))
            networks = {name: weights.read(Path(folder) / f"{name}.safetensors") for name in keys}
        self.panel_: Panel | None = panel
        self.networks_ = networks
        return self

    def predict(self, panel: Panel | None = None) -> Any:
        """Return the scores of the rows of t by the network of t, known at the end of t.

        Parameters
        ----------
        panel : Panel, optional
            Its months before the first network are history and have no score; every other month
            needs a network. None: the panel that the ranker was fitted on.

        Returns
        -------
        frame
            month, stock, score (a prediction of the label: only its order within a month counts),
            of the caller's kind.

        Raises
        ------
        NotFittedError
            It was not fitted.
        ArtifactError
            A month of the panel has no network.
        """
        panel, rows = self._rows(panel)
        keys = panel.index[["month", "stock"]]
        with isolated():
            tables = [
                keys.iloc[at].assign(
                    score=score(self._networks(month), panel.features[at], self.epsilon)
                )
                for month, at in rows.items()
            ]
        return to_kind(pd.concat(tables, ignore_index=True), kind_of(panel))

    def explain(self, panel: Panel | None = None, *, method: str = LRP, errors: bool = True) -> Any:
        """Return the scores and what each feature contributed to them.

        Parameters
        ----------
        panel : Panel, optional
            As of `predict`.
        method : str
            lrp (layer-wise relevance propagation with the epsilon rule: Bach and others, PLoS ONE
            2015), or lrp_gamma, lrp_alpha2_beta1, lrp_alpha1_beta0, lrp_z_plus, gradient_input,
            integrated_gradients, deep_lift. For a module of your own lrp (by captum),
            integrated_gradients or deep_lift.
        errors : bool
            Whether to add the standard errors of lrp, where `resamples` is not 0 and the panel has
            the windows of the months.

        Returns
        -------
        frame
            month, stock, score, one relevance a feature in units of the score, absorbed (by biases
            and epsilon): score = sum of relevances + absorbed. With errors also score_error,
            rank_low, rank_high, and of each feature error_NAME (standard error of the relevance)
            and reliable_NAME (whether it is told from noise; see `false_share`).

        Raises
        ------
        NotFittedError
            It was not fitted.
        ArtifactError
            A month of the panel has no network.
        ParamsError
            There is no such method.
        """
        panel, rows = self._rows(panel)
        name = LRP_EPSILON if method == LRP else method
        # Other methods of the perceptrons have no standard errors.
        with_errors = errors and (name == LRP_EPSILON or "." in self.module)
        windows_of = self._resampled(panel, rows) if with_errors else {}
        standard_errors = self._standard_errors(panel, windows_of, name) if windows_of else None
        tables = []
        for (month, at), one in zip(rows.items(), self._explained(panel, rows, name), strict=True):
            table = as_frame(panel.index.iloc[at], panel.names, one)
            if standard_errors is not None:
                with isolated():
                    of_month, _ = standard_errors.errors(
                        windows_of[month], one.score, one.relevance
                    )
                columns = columns_of_errors(of_month, panel.names, table.index)
                table = pd.concat([table, columns], axis=1)
            tables.append(table)
        return to_kind(pd.concat(tables, ignore_index=True), kind_of(panel))

    def save(self, folder: str | Path) -> None:
        """Write the networks as safetensors files, and the parameters as JSON, without the panel.

        Raises
        ------
        NotFittedError
            It was not fitted.
        """
        check_is_fitted(self, "networks_")
        folder = Path(folder)
        for name, networks in self.networks_.items():
            weights.write(networks, folder / f"{name}.safetensors")
        params = {**self.get_params(), "cache": None, "hidden_sizes": list(self.hidden_sizes)}
        write_json({"params": params, "networks": sorted(self.networks_)}, folder / SAVED)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return a fitted ranker that `save` has written; give `predict` and `explain` a panel.

        Raises
        ------
        ArtifactError
            A file is missing or damaged.
        """
        path = Path(folder) / SAVED
        if not path.exists():
            raise ArtifactError(f"{path} is missing: give a folder of RollingRanker.save")
        saved = read_json(path)
        try:
            ranker, names = cls(**saved["params"]), list(saved["networks"])
            if not months_of("weights", names):
                raise LookupError("it names no network")
        except (LookupError, TypeError) as error:
            raise ArtifactError(
                f"{path} is not of RollingRanker.save ({error}): save the ranker again"
            ) from None
        ranker.hidden_sizes = tuple(ranker.hidden_sizes)
        ranker.networks_ = {
            name: weights.read(Path(folder) / f"{name}.safetensors") for name in names
        }
        ranker.panel_ = None
        return ranker

    def _train_section(self) -> Train:
        """Return the parameters as the train section of params.yaml."""
        names = {one.name for one in fields(Train)} & {one.name for one in fields(type(self))}
        values = {name: getattr(self, name) for name in names}
        # The penalty is of a baseline, which the pipeline trains beside the networks.
        values |= {"module_params": self.module_params or {}, "ridge_penalty": 1.0}
        section(SkipMonths, self.skip_months, "skip_months")
        return section(TrainSection, values, type(self).__name__)

    def _networks(self, month: str, kind: str = "weights") -> tuple[weights.Network, ...]:
        return self.networks_[f"{kind}/{month}"]

    def _windows(self, panel: Panel) -> list[Window]:
        months = MonthSlices.of(panel.index["month"])
        return windows.rolling(months, self.window_months, self.skip_months)

    def _rows(self, panel: Panel | None) -> tuple[Panel, dict[str, slice]]:
        """Return the panel, and the rows of each month to score."""
        check_is_fitted(self, "networks_")
        trained = months_of("weights", self.networks_)
        panel = self.panel_ if panel is None else panel
        if panel is None:
            raise KonkyoError("a ranker that was loaded has no panel: give the one to score")
        require_panel(panel)
        features = list(self._networks(trained[0])[0].features)
        if panel.names != features:
            raise ArtifactError(
                f"the panel has the features {panel.names} and the networks {features}: build it "
                "from the same columns"
            )
        months = MonthSlices.of(panel.index["month"])
        # Earlier months are the history of the first window.
        asked = [month for month in months.names if month >= trained[0]] or list(months.names)
        require_networks(asked, trained)
        return panel, {month: months.rows(months.names.index(month)) for month in asked}

    def _explained(
        self, panel: Panel, rows: dict[str, slice], method: str
    ) -> Iterator[Attribution]:
        """Yield the attribution of each month's rows."""
        for month, at in rows.items():
            with isolated():
                one = attribution(self._networks(month), panel.features[at], self.epsilon, method)
            yield one

    def _resampled(self, panel: Panel, rows: dict[str, slice]) -> dict[str, Window]:
        """Return the windows of a panel by month; none where a network or a month is lacking."""
        halves = months_of("weights_halves", self.networks_)
        try:
            decisions = {window.month: window for window in self._windows(panel)}
        except ArtifactError:
            return {}
        # Every n-th month from the first one on has a placebo.
        same = bool(halves) and next(iter(decisions)) == halves[0] and rows.keys() <= set(halves)
        return decisions if same else {}

    def _standard_errors(
        self, panel: Panel, windows_of: dict[str, Window], method: str
    ) -> StandardErrors:
        values = {"epsilon": self.epsilon, "false_share": self.false_share, "method": method}
        return StandardErrors(
            panel,
            list(windows_of.values()),
            lambda kind, month: self._networks(month, kind),
            params=section(Attribute, values, type(self).__name__),
            placebo_every=self.placebo_every,
        )
