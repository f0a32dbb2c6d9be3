"""Every limit of the monitor: what was found, whether it is breached, what to do then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.config import Monitor
from konkyo.i18n import LANGUAGES, Text

LIMITS = {
    "drifting": "max_drifting",
    "range": "max_abs_z",
    "rank_ic": "min_rank_ic_t",
    "missing": "max_missing",
    "signs": "max_sign_flips",
}
"""The key of params.yaml that limits each check."""
CHECKS = tuple(LIMITS)
"""In the order of the page; names of keys in params.monitor."""
_NAMED = 5


@dataclass(frozen=True)
class Check:
    """A decision of the monitor.

    Attributes
    ----------
    name : str
        A key of params.monitor.
    month : Timestamp
        The newest month judged: the decision month, for rank IC the last one whose returns are
        known.
    value, limit : float
        What was found, NaN where there is too little to judge by, and what is allowed. The value of
        rank_ic must not be below its limit, every other not above it.
    breached : bool
        Whether it is.
    past, months : int
        In how many of the earlier months shown it would have been, and how many these are.
    detail, remedy : Text
        What the value is made of, and what to do where it is breached.
    """

    name: str
    month: pd.Timestamp
    value: float
    limit: float
    breached: bool
    past: int
    months: int
    detail: Text
    remedy: Text


def values(tables: Mapping[str, pd.DataFrame], limits: Monitor) -> pd.DataFrame:
    """Return the value of every check in every month shown.

    Parameters
    ----------
    tables : mapping
        drift, market, rank_ic, missing and signs, as `drift` and `watch` return them; an empty one
        has no values.
    limits : Monitor
        The section of params.yaml.

    Returns
    -------
    DataFrame
        month, check, value: drifting is the share of characteristics whose PSI is above
        limits.max_psi, range the largest absolute z of a market series, rank_ic Welch's t, missing
        the largest share of stocks without an input, signs the share of effects that changed sign.
    """
    drift, signs = tables["drift"], tables["signs"]
    known = drift.dropna(subset="psi")
    found = {
        "drifting": (known["psi"] > limits.max_psi).groupby(known["month"]).mean(),
        "range": tables["market"]["z"].abs().groupby(tables["market"]["month"]).max(),
        "rank_ic": tables["rank_ic"].set_index("month")["t"],
        "missing": tables["missing"].groupby("month")["share"].max(),
        "signs": signs["changed"].astype("float64").groupby(signs["month"]).mean(),
    }
    parts = [
        pd.DataFrame({"month": series.index, "check": name, "value": series.to_numpy(float)})
        for name, series in found.items()
        if len(series)
    ]
    return pd.concat(parts, ignore_index=True)


def decide(
    history: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    limits: Monitor,
    month: pd.Timestamp,
) -> list[Check]:
    """Return the checks of the newest month.

    Parameters
    ----------
    history : DataFrame
        What `values` returns.
    tables, limits
        What it was made from.
    month : Timestamp
        The newest decision month; checks are judged by its rows, rank_ic by its last one.
    """
    made = []
    for name in CHECKS:
        own = history[history["check"] == name].sort_values("month")
        limit = float(getattr(limits, LIMITS[name]))
        beyond = breaches(own["value"], limit, name)
        judged = own["month"].max() if name == "rank_ic" and len(own) else month
        now = (own["month"] == judged).to_numpy()
        value = float(own["value"][now].iloc[0]) if now.any() else float("nan")
        detail = (
            _DETAILS[name](tables, limits, month)
            if now.any()
            else Text.of("monitor.detail.nothing")
        )
        made.append(
            Check(
                name=name,
                month=judged,
                value=value,
                limit=limit,
                breached=bool(beyond[now].any()),
                past=int(beyond[~now].sum()),
                months=int(own["value"][~now].notna().sum()),
                detail=Text.of("monitor.detail.too_few")
                if now.any() and np.isnan(value)
                else detail,
                remedy=Text.of(f"monitor.remedy.{name}"),
            )
        )
    return made


def breaches(found: pd.Series, limit: float, name: str) -> pd.Series:
    """Return which values of a check are beyond its limit; NaN is not."""
    return found < limit if name == "rank_ic" else found > limit


def table(made: Sequence[Check]) -> pd.DataFrame:
    """Return the checks as a table: every decision of the monitor is a row of it."""
    return pd.DataFrame(
        {
            "check": [check.name for check in made],
            "month": [check.month for check in made],
            "value": [check.value for check in made],
            "limit": [check.limit for check in made],
            "breached": [check.breached for check in made],
            "past_breaches": [check.past for check in made],
            "past_months": [check.months for check in made],
            "detail": [check.detail.en for check in made],
            "remedy": [check.remedy.en for check in made],
        }
    )


def line(check: Check) -> str:
    """Return what a scheduler's log should say of a breached check."""
    word = "below" if check.name == "rank_ic" else "above"
    return (
        f"{check.name} = {check.value:.3g} is {word} "
        f"monitor.{LIMITS[check.name]} = {check.limit:g}, as in "
        f"{check.past} of {check.months} months before: {check.detail.en}. {check.remedy.en}."
    )


def _listed(names: pd.Series, numbers: Sequence[str]) -> str:
    """Return the first names with their numbers, and how many more there are."""
    parts = [f"{name} ({shown})" for name, shown in zip(names, numbers, strict=True)]
    more = f", +{len(parts) - _NAMED}" if len(parts) > _NAMED else ""
    return ", ".join(parts[:_NAMED]) + more


def _drifting(tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp) -> Text:
    own = tables["drift"]
    own = own[own["month"] == month].dropna(subset="psi")
    beyond = own[own["psi"] > limits.max_psi].sort_values("psi", ascending=False, kind="stable")
    names = _listed(beyond["feature"], [f"{psi:.2f}" for psi in beyond["psi"]])
    return Text.of(
        "monitor.detail.drifting",
        beyond=len(beyond),
        count=len(own),
        limit=limits.max_psi,
        list=f": {names}" if names else "",
    )


def _range(tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp) -> Text:
    own = tables["market"]
    own = own[own["month"] == month]
    far = own.iloc[np.argsort(-own["z"].abs().to_numpy(), kind="stable")].head(3)
    names = _listed(far["feature"], [f"{z:+.1f}" for z in far["z"]])
    return Text.of("monitor.detail.range", list=names)


def _rank_ic(tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp) -> Text:
    own = tables["rank_ic"]
    last, count = own.iloc[-1], max(len(own) - limits.months, 0)
    return Text.of(
        "monitor.detail.rank_ic",
        recent_months=len(own) - count,
        recent=last["recent"],
        earlier_months=count,
        earlier=last["earlier"],
    )


def _missing(tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp) -> Text:
    own = tables["missing"]
    own = own[own["month"] == month].sort_values("share", ascending=False, kind="stable").head(3)
    names = _listed(own["feature"], [f"{share:.0%}" for share in own["share"]])
    return Text.of("monitor.detail.missing", list=names)


def _signs(tables: Mapping[str, pd.DataFrame], limits: Monitor, month: pd.Timestamp) -> Text:
    own = tables["signs"]
    own = own[own["month"] == month]
    turned = own[own["changed"]]
    steps = [
        Text.of("monitor.detail.sign_change", before=before, now=now)
        for before, now in zip(turned["before"], turned["now"], strict=True)
    ]
    names = Text(
        *(_listed(turned["feature"], [step[lang] for step in steps]) for lang in LANGUAGES)
    )
    tail = Text(f": {names.en}", f": {names.ja}") if steps else Text.same("")
    return Text.of("monitor.detail.signs", changed=len(turned), count=len(own), list=tail)


_DETAILS = {
    "drifting": _drifting,
    "range": _range,
    "rank_ic": _rank_ic,
    "missing": _missing,
    "signs": _signs,
}
