"""Paths of all outputs below `data/`, and the command that writes each of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import overload

from konkyo.errors import ArtifactError


@dataclass(frozen=True)
class Output:
    """An output of a command; as an attribute of an `Artifacts` object it is its path.

    Attributes
    ----------
    name : str
        Path below `data/`.
    command : str
        The command that writes it.
    """

    name: str
    command: str

    @overload
    def __get__(self, owner: None, kind: type) -> "Output": ...

    @overload
    def __get__(self, owner: "Artifacts", kind: type) -> Path: ...

    def __get__(self, owner: "Artifacts | None", kind: type) -> "Output | Path":
        """Return the path in the project of `owner`."""
        return self if owner is None else owner.data / self.name


@dataclass(frozen=True)
class Artifacts:
    """The paths of one project's results.

    Attributes
    ----------
    root : pathlib.Path
        The project's folder with params.yaml and `data/`; by default the working folder.
    """

    root: Path = Path()

    code = Output("code.json", "konkyo code")

    raw = Output("raw", "dvc repro ingest")
    records = Output("records", "dvc repro ingest")
    stocks = Output("records/stocks.parquet", "dvc repro ingest")
    market = Output("records/market.parquet", "dvc repro ingest")
    truth = Output("records/truth.parquet", "dvc repro ingest")
    source = Output("records/source.json", "dvc repro ingest")

    panel = Output("panel", "dvc repro prepare")
    panel_index = Output("panel/index.parquet", "dvc repro prepare")
    panel_missing = Output("panel/missing.csv", "dvc repro prepare")

    models = Output("models", "dvc repro train")
    weights = Output("models/weights", "dvc repro train")
    placebo = Output("models/placebo", "dvc repro train")
    weights_halves = Output("models/weights_halves", "dvc repro train")
    placebo_halves = Output("models/placebo_halves", "dvc repro train")
    windows = Output("models/windows.csv", "dvc repro train")
    history = Output("models/history.parquet", "dvc repro train")
    baselines = Output("models/baselines.parquet", "dvc repro train")

    attributions = Output("attributions", "dvc repro attribute")
    errors = Output("errors", "dvc repro attribute")
    reliability = Output("errors/reliability.csv", "dvc repro attribute")
    digests = Output("digests.json", "dvc repro attribute")

    verify = Output("verify", "dvc repro verify")
    verify_months = Output("verify/months", "dvc repro verify")
    verify_metrics = Output("verify.json", "dvc repro verify")

    backtest = Output("backtest", "dvc repro backtest")
    portfolios = Output("backtest/portfolios.parquet", "dvc repro backtest")
    returns = Output("backtest/returns.csv", "dvc repro backtest")
    portfolio = Output("backtest/portfolio", "dvc repro backtest")
    portfolio_metrics = Output("portfolio.json", "dvc repro backtest")
    metrics = Output("metrics.json", "dvc repro backtest")
    summary = Output("summary.json", "dvc repro backtest")
    plots = Output("plots", "dvc repro backtest")

    report = Output("report", "dvc repro report")
    run = Output("run.json", "dvc repro track")

    predictions = Output("predictions", "konkyo predict")
    monitor = Output("monitor", "konkyo monitor")
    monitor_result = Output("monitor.json", "konkyo monitor")
    audit_table = Output("audit.csv", "konkyo audit")
    audit_result = Output("audit.json", "konkyo audit")
    check = Output("check.csv", "konkyo check")
    compare = Output("compare", "konkyo compare")
    tuning = Output("tuning", "konkyo tune")

    intervention = Output("intervention", "konkyo intervention")
    intervention_stages = Output("intervention/dvc.yaml", "konkyo intervention")
    intervention_records = Output(
        "intervention/records", "konkyo intervention --until intervention-ingest"
    )
    intervention_models = Output(
        "intervention/models", "konkyo intervention --until intervention-estimate"
    )
    intervention_forecast = Output(
        "intervention/forecast", "konkyo intervention --until intervention-forecast"
    )
    intervention_metrics = Output(
        "intervention/metrics.json", "konkyo intervention --until intervention-forecast"
    )
    intervention_report = Output(
        "intervention/report", "konkyo intervention --until intervention-report"
    )
    intervention_run = Output(
        "intervention/run.json", "konkyo intervention --until intervention-track"
    )

    @property
    def data(self) -> Path:
        """Folder of all results, the user's own tables and the locks."""
        return self.root / "data"

    @property
    def modules(self) -> Path:
        """Folder of the user's own LightningModules, from which `train.module` is imported."""
        return self.own / "modules"

    @property
    def own(self) -> Path:
        """Folder of the user's own tables, which no stage writes."""
        return self.data / "own"

    @property
    def labels(self) -> Path:
        """The user's own labels of the features, an optional file."""
        return self.own / "labels.csv"

    @property
    def project_id(self) -> Path:
        """Id of this project folder, by which MLflow runs of its killed commands are recognised."""
        return self.data / ".project-id"

    @property
    def timings(self) -> Path:
        """Log of when stages and stacks of networks were run: a line of JSON each.

        It is no result, so that DVC finds equal results equal, and belongs to the project that owns
        a temporary experiment, which keeps the networks.
        """
        return owning_project(self.root) / "data" / ".timings.jsonl"

    def lock(self, name: str) -> Path:
        """Return the lock file of a name; see `konkyo.pipeline.locking`."""
        return self.data / f".{name}.lock"

    def weights_of(self, month: str) -> Path:
        """Return the file of the networks of a decision month, YYYY-MM."""
        return self.weights / f"{month}.safetensors"

    def errors_of(self, month: str) -> Path:
        """Return the file of the standard errors of a decision month, YYYY-MM."""
        return self.errors / f"{month}.parquet"

    def attributions_of(self, month: str) -> Path:
        """Return the file of the scores and relevances of a decision month, YYYY-MM."""
        return self.attributions / f"{month}.parquet"


def owning_project(root: Path) -> Path:
    """Return the project that an experiment of DVC in a temporary folder belongs to.

    `dvc exp run --temp` and `--queue` run the stages in a copy below .dvc/tmp/exps, which DVC
    deletes afterwards. Any other project belongs to itself.
    """
    parts = root.absolute().parts
    for at in range(len(parts) - 2):
        if parts[at : at + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:at])
    return root


HERE = Artifacts()
"""The project in the working folder, which all stages use."""


def command_for(path: Path) -> str:
    """Return the command that writes a file: that of the innermost output that contains it.

    `dvc repro` if there is none, for example for a table of the user.
    """
    output = _output_of(path)
    return "dvc repro" if output is None else output.command


def missing(path: Path) -> ArtifactError:
    """Return the error of a missing output, with its path and command."""
    return ArtifactError(f"{path} is missing: run `{command_for(path)}`")


def damaged(path: Path, reason: str) -> ArtifactError:
    """Return the error of a file that cannot be read, with the reason."""
    remedy = f"remove it and run `{command_for(path)}`"
    if _output_of(path) is None:
        remedy += ", or correct it where it is your own"
    return ArtifactError(f"{path} is damaged or cannot be read ({reason}): {remedy}")


def _output_of(path: Path) -> Output | None:
    outputs = [output for output in vars(Artifacts).values() if isinstance(output, Output)]
    parts = path.parts
    # From the last part on: the project itself may be below a folder called data.
    for start in range(len(parts), 0, -1):
        below = Path(*parts[start:])
        containing = [output for output in outputs if below.is_relative_to(output.name)]
        if parts[start - 1] == "data" and containing:
            return max(containing, key=lambda output: len(output.name))
    return None


def require(path: Path) -> Path:
    """Return a path, which must exist.

    Raises
    ------
    ArtifactError
        It does not: the error names the command that writes it.
    """
    if not path.exists():
        raise missing(path)
    return path


def require_months(folder: Path, suffix: str = ".parquet") -> list[Path]:
    """Return the files of a folder with one file a decision month, by month.

    Raises
    ------
    ArtifactError
        There are none.
    """
    paths = sorted(folder.glob(f"*{suffix}"))
    if not paths:
        raise missing(folder / f"YYYY-MM{suffix}")
    return paths
