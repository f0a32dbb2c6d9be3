"""How many relevances are reliable in each month, which inputs, and how long they stay so."""

import numpy as np
import pandas as pd

from konkyo.report.tables.explained_panel import ExplainedPanel

GROUPS = ("characteristic", "sector", "market")
LATER = 12


def reliable_shares(panel: ExplainedPanel) -> pd.DataFrame:
    """Return the share of reliable relevances by month and group of inputs.

    Of sectors the stock's own one counts, of the calendar none; see
    `konkyo.attribution.reliability`.

    Returns
    -------
    DataFrame
        month, group (characteristic, sector, market), share; without groups that have no input.
    """
    tables = []
    for group in GROUPS:
        columns = panel.columns(group)
        # An own sector is one a stock; a stock without one has none that could be reliable.
        count = len(columns) if group != "sector" else 1
        if not len(columns):
            continue
        reliable = panel.reliable[:, columns].sum(axis=1) / count  # type: ignore[index]
        share = [reliable[rows].mean() for rows in panel.spans()]
        tables.append(pd.DataFrame({"month": panel.months(), "group": group, "share": share}))
    return pd.concat(tables, ignore_index=True)


def most_reliable(panel: ExplainedPanel, month: pd.Timestamp) -> pd.Series:
    """Return the share of a month's stocks for which each input is reliable, largest first.

    Inputs that are reliable for no stock are left out.
    """
    share = panel.reliable[panel.rows(month)].mean(axis=0)  # type: ignore[index]
    shares = pd.Series(share, index=panel.names)
    return shares[shares > 0].sort_values(ascending=False, kind="stable")


def reliable_later(panel: ExplainedPanel) -> pd.DataFrame:
    """Return the share of reliable relevances that are reliable some months later, the same sign.

    Returns
    -------
    DataFrame
        later (1 to 12 months), share (of those whose stock is ranked in both months), and all: the
        share of all relevances of these stocks that are reliable in the later month, with the sign
        of the earlier one, which is what chance would give.
    """
    spans = panel.spans()
    stocks = pd.factorize(panel.index["stock"])[0]
    signed = np.sign(panel.relevance).astype(np.int8)
    reliable = signed * panel.reliable
    still_reliable, base = np.zeros((2, LATER, 2))
    for later in range(1, LATER + 1):
        for first, second in zip(spans, spans[later:], strict=False):
            _, one, other = np.intersect1d(stocks[first], stocks[second], return_indices=True)
            before, after = reliable[first][one], reliable[second][other]
            same = after * signed[first][one] > 0
            still_reliable[later - 1] += [(same & (before != 0)).sum(), (before != 0).sum()]
            base[later - 1] += [same.sum(), same.size]
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "later": range(1, LATER + 1),
                "share": still_reliable[:, 0] / still_reliable[:, 1],
                "all": base[:, 0] / base[:, 1],
            }
        )
