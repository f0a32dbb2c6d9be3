"""The command line `konkyo`: one command a stage.

A stage is imported when its command runs, so that help and completion import none.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from konkyo import __version__
from konkyo.errors import INTERRUPTED
from konkyo.resilience import reraise_lost_interrupt

Month = Annotated[str | None, typer.Option(metavar="YYYY-MM")]

PROJECT = "A project of your own"
MONTH_END = "Month-end"
OWN_RECORDS = "Own records"
SEARCH = "Search and models"
STAGES = "Stages of the main pipeline, run by `dvc repro`"
SECOND_STUDY = "Stages of the second study"

STAGE_HELP = {
    STAGES: {
        "ingest": "Load and validate the raw records, write stocks and market series.",
        "prepare": "Build the feature panel: features, labels and universe by month.",
        "train": "Train one network a rolling window; unchanged ones are cached.",
        "attribute": "Write score and LRP relevances of every out-of-sample prediction.",
        "verify": "Evaluate attribution methods: faithfulness, ground truth.",
        "backtest": "Form quantile portfolios; write returns, rank IC and metrics.",
        "report": "Write tables, figures and the report page.",
        "track": "Log the run in MLflow and register its model.",
        "code": "Write the digests of konkyo's code, on which a project's stages depend.",
    },
    SECOND_STUDY: {
        "intervention-ingest": "Load and validate the monthly series.",
        "intervention-estimate": "Train the networks and fit the linear models.",
        "intervention-forecast": "Write forecasts, reaction surfaces and attributions.",
        "intervention-report": "Write figures, tables and the report page.",
        "intervention-track": "Log the study as a run in MLflow.",
    },
}
"""Commands without options: all their settings are in params.yaml."""

app = typer.Typer(
    name="konkyo",
    help="Rolling neural stock rankings with the attribution of every prediction.",
    no_args_is_help=True,
    # Boxed tracebacks show the values of variables, credentials among them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command reads params.yaml of the working folder. Exit codes: 0 success, "
    "1 error or limit breached, 2 wrong usage, 130 interrupted.",
)


def call(stage: str, **options: Any) -> None:
    """Import a stage and call its function.

    Parameters
    ----------
    stage : str
        Module of `konkyo.pipeline`; its `main` turns errors into messages and exit codes.
    **options
        Arguments of `main`.
    """
    with reraise_lost_interrupt():
        try:
            main = importlib.import_module(f"konkyo.pipeline.{stage}").main
        except KeyboardInterrupt:
            # Some stages take seconds to import, and `main` handles interrupts only afterwards.
            print("\nkonkyo: interrupted", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        main(**options)


def command(panel: str, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator of a command: its group in the help, and an example."""
    return app.command(rich_help_panel=panel, epilog=f"Example: {example}")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"konkyo {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None: ...


@command(PROJECT, "konkyo init my-study --source simulated-tse")
def init(
    folder: Annotated[Path, typer.Argument(help="New or empty.")] = Path(),
    source: Annotated[
        Literal["tables", "us-equities", "simulated-tse"],
        typer.Option(help="Of the records; with tables there is an example to replace."),
    ] = "tables",
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade", help="Write nothing; print what this version changes, as a patch."
        ),
    ] = False,
) -> None:
    """Make a project: params.yaml, dvc.yaml, MLproject and data/own, under Git and DVC."""
    call("init", folder=folder, source=source, upgrade=upgrade)


@command(MONTH_END, "konkyo update --month 2021-12")
def update(
    month: Month = None,
    restated: Annotated[
        bool,
        typer.Option(
            "--restated", help="Accept revised earlier records; recompute what depends on them."
        ),
    ] = False,
    log: Annotated[bool, typer.Option(help="Log the month in MLflow.")] = True,
    commit: Annotated[
        bool, typer.Option(help="Commit to DVC, so that `dvc repro` does not recompute it.")
    ] = True,
) -> None:
    """Add the newest month: check, train, attribute, backtest, log.

    Results of earlier months stay the same to the bit.
    """
    call("update", month=month, restated=restated, log=log, commit=commit)


@command(MONTH_END, "konkyo predict --month 2021-11 --language ja")
def predict(
    month: Annotated[str, typer.Option(metavar="YYYY-MM|newest")] = "newest",
    language: Annotated[
        Literal["en", "ja"] | None, typer.Option(help="Default: report.language.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Default: data/predictions.")] = None,
) -> None:
    """Write the ranking of a decision month with its attributions, as CSV and Excel."""
    call("predict", month=month, language=language, out=out)


@command(MONTH_END, "konkyo monitor || mail -s 'konkyo: a limit is breached' desk@example.com")
def monitor() -> None:
    """Check drift, rank IC, missing values and attributions; exit 1 beyond a limit."""
    call("monitor")


@command(OWN_RECORDS, "konkyo audit --months 5")
def audit(
    months: Annotated[
        int, typer.Option(min=1, help="Decision months to test, the newest included.")
    ] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the perturbations.")] = 1,
    epochs: Annotated[
        int, typer.Option(min=0, help="Epochs of each training; 0: train.epochs.")
    ] = 1,
) -> None:
    """Test for look-ahead: perturb later records; exit 1 if an earlier result changes."""
    call("audit", months=months, seed=seed, epochs=epochs)


@command(MONTH_END, "konkyo promote --version 7 --reason 'ensemble of four'")
def promote(
    version: Annotated[int | None, typer.Option(help="Default: the challenger.")] = None,
    reason: Annotated[str, typer.Option(help="Logged with the comparison.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Promote even if it is not better.")
    ] = False,
) -> None:
    """Compare the challenger with the champion; promote it if it is better."""
    call("promote", version=version, reason=reason, force=force)


@command(OWN_RECORDS, "konkyo check")
def check() -> None:
    """Validate the records of params.yaml; report every violation in data/check.csv."""
    call("check")


@command(OWN_RECORDS, "konkyo fetch jquants --first 2018-01 --last 2018-12")
def fetch(
    what: Annotated[Literal["jquants", "fred", "mof"], typer.Argument(help="The vendor.")],
    first: Month = None,
    last: Month = None,
    out: Annotated[
        Path | None, typer.Option(help="Parent of the vendor's folder. Default: data/own.")
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option(
            "--part",
            metavar="prices|statements|listed|topix",
            help="jquants: kind of records; repeatable. Default: all.",
        ),
    ] = None,
    plan: Annotated[
        Literal["free", "light", "standard", "premium"] | None,
        typer.Option(help="jquants: subscription, limits requests a minute. Default: free."),
    ] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="fred: id, or id=name; repeatable.")
    ] = None,
    release: Annotated[
        Literal["vintage", "latest"] | None,
        typer.Option(help="fred: point in time (default), or latest revision."),
    ] = None,
    lag: Annotated[
        int | None, typer.Option(min=0, help="fred, latest: days from period end to publication.")
    ] = None,
    carry: Annotated[
        int | None, typer.Option(min=0, help="fred: months after which a value expires.")
    ] = None,
    maturities: Annotated[
        list[int] | None, typer.Option("--maturity", help="mof: maturity in years; repeatable.")
    ] = None,
) -> None:
    """Download new records of a vendor; credentials come from the environment."""
    options = {
        "first": first, "last": last, "out": out, "parts": parts, "plan": plan, "series": series,
        "release": release, "lag": lag, "carry": carry, "maturities": maturities,
    }  # fmt: skip
    # An option that is not given keeps the default of the vendor's client.
    call("fetch", what=what, **{n: value for n, value in options.items() if value is not None})


@command(SEARCH, "konkyo tune --trials 20")
def tune(
    trials: Annotated[int, typer.Option(min=0, help="Trials in all; 0: tune.trials.")] = 0,
    worker: Annotated[
        bool, typer.Option("--worker", help="Only run trials of a search started elsewhere.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the best trial into params.yaml.")
    ] = False,
) -> None:
    """Start or resume a search over hyperparameters, then evaluate it on the holdout."""
    call("tune", trials=trials, worker=worker, apply=apply)


@command(SEARCH, "konkyo compare main-1a2b3c main-4d5e6f")
def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help="Name or id of a run in MLflow.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="Of the other.")],
) -> None:
    """Set two runs side by side: returns, what earned them, overlap, disagreements."""
    call("compare", one=one, other=other)


@command(SECOND_STUDY, "konkyo intervention")
def intervention(
    until: Annotated[
        str | None, typer.Option(metavar="STAGE", help="The last stage to run. Otherwise all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run that stage alone, anew.")] = False,
) -> None:
    """Run the second study: when, and by how much, a monetary authority intervenes."""
    call("intervention", until=until, force=force)


@command(SEARCH, "konkyo serve --alias challenger --port 5002")
def serve(
    alias: Annotated[str, typer.Option(help="Alias of the registered model.")] = "champion",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5001,
) -> None:
    """Serve the registered model on 127.0.0.1: POST rows to /invocations."""
    call("serve", alias=alias, port=port)


@command(SEARCH, "konkyo ui --port 5000")
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 5000) -> None:
    """Show runs and models in MLflow's UI on 127.0.0.1."""
    call("ui", port=port)


def _stage_command(name: str) -> Callable[[], None]:
    return lambda: call(name.replace("-", "_"))


for panel, texts in STAGE_HELP.items():
    for name, text in texts.items():
        app.command(name, help=text, rich_help_panel=panel, epilog=f"Example: konkyo {name}")(
            _stage_command(name)
        )
