"""J-Quants' client with a rate limit and retries, and its answers as typed columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import requests

from konkyo import date_text
from konkyo.data.vendors.http import (
    POLICY,
    RateLimiter,
    Refused,
    Service,
    credential,
    import_client,
)
from konkyo.errors import SourceError
from konkyo.retry import RetryPolicy

VENDOR = "J-Quants"
BASE = "https://api.jquants.com/v2"
VARIABLE = "JQUANTS_API_KEY"
REQUIREMENT = "jquants-api-client>=2.8,<3"

Plan = Literal["free", "light", "standard", "premium"]
LIMITS: dict[str, float] = {"free": 5, "light": 60, "standard": 120, "premium": 500}
"""Requests a minute of each plan, by the vendor's page on rate limits."""

_DATES = {"Date", "DiscDate", "CurPerEn", "CurFYEn"}
_TEXTS = {"Code", "DiscTime", "DiscNo", "DocType", "CurPerType", "S33", "Mkt", "HolDiv"}


def connect(plan: Plan, base: str = BASE, policy: RetryPolicy | None = None) -> Any:
    """Return the vendor's client with a rate limit and retries.

    Raises
    ------
    SourceError
        There is no key, or the client is not installed.
    """
    module = import_client("jquantsapi", "jquants", REQUIREMENT)
    key = credential(VARIABLE, VENDOR, "https://jpx-jquants.com (dashboard, API key)")
    # A plan of few requests a minute refuses the next one for longer.
    waits = policy or replace(POLICY, first=60.0 / LIMITS[plan])
    service = Service(VENDOR, RateLimiter(LIMITS[plan]), waits, key)

    class Client(module.ClientV2):  # type: ignore[name-defined]
        """The vendor's client, whose every request goes through `_get`."""

        JQUANTS_API_BASE = base

        def _get(self, url: str, params: dict[str, Any] | None = None) -> requests.Response:
            return service.get(url, params, self._base_headers())

    return Client(api_key=key)


def columns(rows: pd.DataFrame, names: Sequence[str], what: str) -> pd.DataFrame:
    """Return the named columns of an answer with their types; an empty one has no columns.

    Parameters
    ----------
    rows : DataFrame
        As the vendor's client returns it.
    names : sequence of str
        The vendor's names: days, texts by `_DATES` and `_TEXTS`, all others numbers.
    what : str
        What was asked for, for the message.

    Raises
    ------
    SourceError
        A column is missing; `Refused` where a day is none.
    """
    rows = pd.DataFrame(columns=names) if rows.empty else rows
    if missing := [name for name in names if name not in rows]:
        raise SourceError(
            f"{VENDOR}'s answer on {what} lacks {missing}: it has {list(rows.columns)[:20]}; "
            "its layout has changed, look for a newer version of this package"
        )
    typed = {}
    for name in names:
        if name in _DATES:
            try:
                typed[name] = pd.Series(date_text.days(rows[name]), rows.index)
            except ValueError as error:
                raise Refused(f"{VENDOR}'s answer on {what}: {name} {error}", 200) from None
        elif name in _TEXTS:
            typed[name] = rows[name].astype("str")
        else:
            # Numbers of reports come as texts, and a field without a value as an empty one.
            typed[name] = pd.to_numeric(rows[name], errors="coerce").astype("float64")
    return pd.DataFrame(typed)
