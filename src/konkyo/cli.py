"""The command line `konkyo`: a command a stage, whose function it calls.

A stage is imported when its command runs: help and completion need none of them.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from konkyo.errors import INTERRUPTED
from konkyo.resilience import reraise_lost_interrupt

Month = Annotated[str | None, typer.Option(metavar="YYYY-MM")]

MONTH_END = "Month-end"
OWN_RECORDS = "Own records"
SEARCH = "Search and models"
STAGES = "Stages of the main job, which `dvc repro` runs"
SECOND_STUDY = "Stages of the second study"

PLAIN = {
    STAGES: {
        "ingest": "Bring the raw records, check every rule, write two tables.",
        "prepare": "Make features, labels and universe of every month.",
        "train": "Train one network a rolling month; keep those that did not change.",
        "attribute": "Write score and relevances of every out-of-sample prediction.",
        "verify": "Hold the grounds against the truth and against the networks.",
        "backtest": "Form portfolios; write performance, information and baselines.",
        "report": "Read the grounds: tables, figures and one page of it all.",
        "track": "Log the whole run in MLflow and register its model.",
    },
    SECOND_STUDY: {
        "intervention-ingest": "Bring and check the raw monthly series.",
        "intervention-estimate": "Train all networks and fit the linear models.",
        "intervention-forecast": "Write forecasts, answers, surfaces and grounds.",
        "intervention-report": "Write figures, tables and the page.",
        "intervention-track": "Log the study as its run in MLflow.",
    },
}
"""What takes no choice on the command line, only those of params.yaml."""

app = typer.Typer(
    name="konkyo",
    help="Rolling neural stock rankings with the grounds of every prediction.",
    no_args_is_help=True,
    # Boxed tracebacks show the values of variables, credentials among them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command reads params.yaml of the folder it is typed in. Exit codes: 0 done, "
    "1 refused or a limit is breached, 2 typed wrongly, 130 interrupted.",
)


def call(stage: str, **named: Any) -> None:
    """Import a stage and call its function with what was typed.

    Parameters
    ----------
    stage : str
        Module of `konkyo.pipeline`; its `main` ends errors that can be mended by itself.
    **named
        Arguments of `main`.
    """
    with reraise_lost_interrupt():
        try:
            main = importlib.import_module(f"konkyo.pipeline.{stage}").main
        except KeyboardInterrupt:
            # Some stages take seconds to import.
            print("\nkonkyo: interrupted", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
        main(**named)


def command(panel: str, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command, in a group of the help and with an example."""
    # A function's name is the command's.
    return app.command(rich_help_panel=panel, epilog=f"Example: {example}")


@command(MONTH_END, "konkyo update --month 2021-12")
def update(
    month: Month = None,
    restated: Annotated[
        bool, typer.Option("--restated", help="Make anew what earlier records have changed.")
    ] = False,
    log: Annotated[bool, typer.Option(help="Log the month in MLflow.")] = True,
    commit: Annotated[
        bool, typer.Option(help="Tell DVC, so that `dvc repro` does not make it again.")
    ] = True,
) -> None:
    """Add the newest month: check its rows, train its window, predict, attribute, backtest, log it.

    Earlier months stay as they are, to the bit.
    """
    call("update", month=month, restated=restated, log=log, commit=commit)


@command(MONTH_END, "konkyo predict --month 2021-11 --language ja")
def predict(
    month: Annotated[str, typer.Option(metavar="YYYY-MM|newest")] = "newest",
    language: Annotated[
        Literal["en", "ja"] | None, typer.Option(help="Otherwise report.language.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Otherwise data/predictions.")] = None,
) -> None:
    """Write the ranking of a decision month with its grounds, as CSV and Excel."""
    call("predict", month=month, language=language, out=out)


@command(MONTH_END, "konkyo monitor || mail -s 'konkyo: a limit is breached' desk@example.com")
def monitor() -> None:
    """Write the page of drift, rank IC, missing inputs and grounds; exit 1 beyond a limit."""
    call("monitor")


@command(OWN_RECORDS, "konkyo audit --months 5")
def audit(
    months: Annotated[int, typer.Option(min=1, help="How many, the newest among them.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of what is changed after them.")] = 1,
    epochs: Annotated[int, typer.Option(min=0, help="Of each training; 0: train.epochs.")] = 1,
) -> None:
    """Change all that comes after some months; exit 1 where anything up to them moved."""
    call("audit", months=months, seed=seed, epochs=epochs)


@command(MONTH_END, "konkyo promote --version 7 --reason 'ensemble of four'")
def promote(
    version: Annotated[int | None, typer.Option(help="Otherwise the challenger.")] = None,
    reason: Annotated[str, typer.Option(help="Recorded with the figures.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Even if it is not better.")] = False,
) -> None:
    """Compare a challenger with the champion over the last months, and promote it if better."""
    call("promote", version=version, reason=reason, force=force)


@command(OWN_RECORDS, "konkyo check")
def check() -> None:
    """Check the records that params.yaml names, report every violation, write nothing else."""
    call("check")


@command(OWN_RECORDS, "konkyo fetch jquants --first 2018-01 --last 2018-12")
def fetch(
    what: Annotated[Literal["jquants", "fred", "mof"], typer.Argument(help="The vendor.")],
    first: Month = None,
    last: Month = None,
    out: Annotated[
        Path | None, typer.Option(help="Otherwise data/own; receives a folder of the vendor.")
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option(
            "--part",
            metavar="prices|statements|listed|topix",
            help="jquants: which records; repeatable. Otherwise all.",
        ),
    ] = None,
    plan: Annotated[
        Literal["free", "light", "standard", "premium"] | None,
        typer.Option(help="jquants: sets the requests a minute. Otherwise free."),
    ] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="fred: an id, or id=name; repeatable.")
    ] = None,
    release: Annotated[
        Literal["vintage", "latest"] | None,
        typer.Option(help="fred: as known at the time (if not given), or as revised since."),
    ] = None,
    lag: Annotated[
        int | None, typer.Option(min=0, help="fred, latest: days from period to publication.")
    ] = None,
    carry: Annotated[
        int | None, typer.Option(min=0, help="fred: months after which a value is too old.")
    ] = None,
    maturities: Annotated[
        list[int] | None, typer.Option("--maturity", help="mof: years of a yield; repeatable.")
    ] = None,
) -> None:
    """Fetch a vendor's records that are not there yet; credentials come from the environment."""
    options = {
        "first": first, "last": last, "out": out, "parts": parts, "plan": plan, "series": series,
        "release": release, "lag": lag, "carry": carry, "maturities": maturities,
    }  # fmt: skip
    # What was not typed keeps the function's own default, which lies with the vendor's client.
    call("fetch", what=what, **{n: value for n, value in options.items() if value is not None})


@command(SEARCH, "konkyo tune --trials 20")
def tune(
    trials: Annotated[int, typer.Option(min=0, help="0: tune.trials of params.yaml.")] = 0,
    worker: Annotated[
        bool, typer.Option("--worker", help="Only run trials of a search begun elsewhere.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the best trial's values into params.yaml.")
    ] = False,
) -> None:
    """Search over hyperparameters, or go on with a search, then look at the held-out months."""
    call("tune", trials=trials, worker=worker, apply=apply)


@command(SEARCH, "konkyo serve --alias challenger --port 5002")
def serve(
    alias: Annotated[str, typer.Option(help="Of the registered model.")] = "champion",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5001,
) -> None:
    """Serve the registered model on 127.0.0.1: POST rows to /invocations."""
    call("serve", alias=alias, port=port)


@command(SEARCH, "konkyo ui --port 5000")
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 5000) -> None:
    """Show runs, models and their comparison by MLflow on 127.0.0.1."""
    call("ui", port=port)


def _plain(name: str) -> Callable[[], None]:
    return lambda: call(name.replace("-", "_"))


for panel, abouts in PLAIN.items():
    for name, about in abouts.items():
        app.command(name, help=about, rich_help_panel=panel, epilog=f"Example: konkyo {name}")(
            _plain(name)
        )
