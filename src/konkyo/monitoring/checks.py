"""The monitor's checks: each a monthly statistic and a limit that it may breach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.config import Monitor
from konkyo.i18n import LANGUAGES, Text

LIMIT_KEYS = {
    "drift": "max_drifting",
    "market_z": "max_abs_z",
    "rank_ic": "min_rank_ic_t",
    "missing": "max_missing",
    "sign_flips": "max_sign_flips",
}
"""Key of the section `monitor` of params.yaml that limits each check."""
CHECKS = tuple(LIMIT_KEYS)
"""Names of the checks, in the order of the page."""
_MAX_LISTED = 5


@dataclass(frozen=True)
class Check:
    """Result of one check in the newest month.

    Attributes
    ----------
    name : str
        One of `CHECKS`.
    month : Timestamp
        The month evaluated: the newest decision month t; for rank_ic the last t whose returns are
        realised.
    value, limit : float
        The statistic, NaN where there are too few data, and its limit: a lower bound of rank_ic,
        an upper bound of all others.
    breached : bool
        Whether the value is beyond the limit; never where it is NaN.
    past_breaches, past_months : int
        Number of earlier months beyond the same limit, and of earlier months with a value.
    detail, remedy : Text
        The inputs behind the value, and the action to take on a breach.
    """

    name: str
    month: pd.Timestamp
    value: float
    limit: float
    breached: bool
    past_breaches: int
    past_months: int
    detail: Text
    remedy: Text


def check_values(tables: Mapping[str, pd.DataFrame], limits: Monitor) -> pd.DataFrame:
    """Return the statistic of every check in every month.

    Parameters
    ----------
    tables : mapping
        drift, market, rank_ic, missing and signs, as the modules `drift` and `signals` return
        them; an empty one gives no rows.
    limits : Monitor
        The section of params.yaml.

    Returns
    -------
    DataFrame
        month, check, value: drift is the share of characteristics with a PSI above limits.max_psi,
        market_z the largest absolute z-score of a market series, rank_ic Welch's t of the recent
        rank ICs, missing the largest share of stocks without an input, sign_flips the share of
        effects that changed sign.
    """
    drift, signs = tables["drift"], tables["signs"]
    with_psi = drift.dropna(subset="psi")
    by_check = {
        "drift": (with_psi["psi"] > limits.max_psi).groupby(with_psi["month"]).mean(),
        "market_z": tables["market"]["z"].abs().groupby(tables["market"]["month"]).max(),
        "rank_ic": tables["rank_ic"].set_index("month")["t"],
        "missing": tables["missing"].groupby("month")["share"].max(),
        "sign_flips": signs["changed"].astype("float64").groupby(signs["month"]).mean(),
    }
    parts = [
        pd.DataFrame({"month": series.index, "check": name, "value": series.to_numpy(float)})
        for name, series in by_check.items()
        if len(series)
    ]
    return pd.concat(parts, ignore_index=True)


def evaluate(
    history: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    limits: Monitor,
    month: pd.Timestamp,
) -> list[Check]:
    """Evaluate every check in the newest month.

    Parameters
    ----------
    history : DataFrame
        Of `check_values`.
    tables, limits
        Its arguments.
    month : Timestamp
        The newest decision month t. rank_ic is evaluated in its own last month, since the returns
        of t are earned later.
    """
    checks = []
    for name in CHECKS:
        rows = history[history["check"] == name].sort_values("month")
        limit = float(getattr(limits, LIMIT_KEYS[name]))
        breached = breaches(rows["value"], limit, name)
        latest = rows["month"].max() if name == "rank_ic" and len(rows) else month
        is_latest = (rows["month"] == latest).to_numpy()
        value = float(rows["value"][is_latest].iloc[0]) if is_latest.any() else float("nan")
        detail = (
            _detail(name, tables, limits, month)
            if is_latest.any()
            else Text.of("monitor.detail.nothing")
        )
        checks.append(
            Check(
                name=name,
                month=latest,
                value=value,
                limit=limit,
                breached=bool(breached[is_latest].any()),
                past_breaches=int(breached[~is_latest].sum()),
                past_months=int(rows["value"][~is_latest].notna().sum()),
                detail=Text.of("monitor.detail.too_few")
                if is_latest.any() and np.isnan(value)
                else detail,
                remedy=Text.of(f"monitor.remedy.{name}"),
            )
        )
    return checks


def breaches(values: pd.Series, limit: float, name: str) -> pd.Series:
    """Return a mask of the values beyond the limit of a check; NaN is not."""
    return values < limit if name == "rank_ic" else values > limit


def to_table(checks: Sequence[Check]) -> pd.DataFrame:
    """Return the checks as a table, one row each."""
    table = pd.DataFrame([vars(check) for check in checks]).rename(columns={"name": "check"})
    texts = {name: [text.en for text in table[name]] for name in ("detail", "remedy")}
    return table.assign(**texts)


def log_line(check: Check) -> str:
    """Return the line that the log shows for a breached check."""
    relation = "below" if check.name == "rank_ic" else "above"
    return (
        f"{check.name} = {check.value:.3g} is {relation} "
        f"monitor.{LIMIT_KEYS[check.name]} = {check.limit:g}, as in "
        f"{check.past_breaches} of {check.past_months} months before: {check.detail.en}. "
        f"{check.remedy.en}."
    )


def _list_names(names: pd.Series, numbers: Sequence[str]) -> str:
    """Return the first names with their numbers, and the count of the others."""
    parts = [f"{name} ({shown})" for name, shown in zip(names, numbers, strict=True)]
    more = f", +{len(parts) - _MAX_LISTED}" if len(parts) > _MAX_LISTED else ""
    return ", ".join(parts[:_MAX_LISTED]) + more


def _detail(
    name: str, tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp
) -> Text:
    """Return what is behind the value of a check."""
    key = f"monitor.detail.{name}"
    if name == "rank_ic":
        rank_ics = tables["rank_ic"]
        latest, earlier = rank_ics.iloc[-1], max(len(rank_ics) - limits.months, 0)
        counts = {"recent_months": len(rank_ics) - earlier, "earlier_months": earlier}
        return Text.of(key, **counts, recent=latest["recent"], earlier=latest["earlier"])
    table, column, form = _INPUTS[name]
    rows = tables[table][tables[table]["month"] == month]
    if name == "sign_flips":
        rows, count = rows[rows["changed"]], len(rows)
        steps = [
            Text.of("monitor.detail.sign_change", before=before, now=now)
            for before, now in zip(rows["before"], rows["now"], strict=True)
        ]
        names = [_list_names(rows["feature"], [step[lang] for step in steps]) for lang in LANGUAGES]
    else:
        rows = rows.dropna(subset=column)
        count = len(rows)
        rows = rows.iloc[np.argsort(-rows[column].abs().to_numpy(), kind="stable")]
        rows = rows[rows[column] > limits.max_psi] if name == "drift" else rows.head(3)
        names = [_list_names(rows["feature"], [format(x, form) for x in rows[column]])] * 2
    # The counts stand before the names, where there are any.
    mark = ": " if name in ("drift", "sign_flips") and len(rows) else ""
    listed = Text(*(mark + words for words in names))
    return Text.of(key, beyond=len(rows), count=count, limit=limits.max_psi, list=listed)


_INPUTS = {
    "drift": ("drift", "psi", ".2f"),
    "market_z": ("market", "z", "+.1f"),
    "missing": ("missing", "share", ".0%"),
    "sign_flips": ("signs", "changed", ""),
}
"""Table, column and number format of the inputs behind each check."""
