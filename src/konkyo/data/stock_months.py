"""Months of the stocks of `tables`: returns, sectors, what reports say, who is eligible."""

import numpy as np
import pandas as pd

from konkyo.config import StockRows, Tables
from konkyo.data import (
    daily,
    fundamentals,
    fundamentals_read,
    market_series,
    notes,
    plausibility,
    schema,
    stocks,
)
from konkyo.data.columns import Kind, cells_of
from konkyo.data.conditions import eligible
from konkyo.data.monthly_prices import IS_STALE, STALE
from konkyo.data.parsing import CellKind, ParsedTable
from konkyo.data.reader import read
from konkyo.data.rules import of_names
from konkyo.data.violations import Findings, assumed, count_of, odd
from konkyo.errors import RecordsError

QUIET = 0.5
"""Median size of a month's return in per cent below which it may be a fraction."""

Beside = dict[Kind, list[pd.DataFrame]]
"""The tables beside the stocks and the market: sectors, members and reports."""


def build(
    tables: Tables, beside: Beside, last: pd.Timestamp | None, findings: Findings
) -> ParsedTable:
    """Return the stocks' months with what can be made of all tables, returns as fractions.

    Nothing of the tables beside is joined where one of them breaks rules.

    Parameters
    ----------
    tables : Tables
        The section of params.yaml.
    beside : Beside
        The tables beside the stocks.
    last : Timestamp or None
        The end of the last month that is used; None for all.
    findings : Findings
        Gets violations and notes, and the facts `returns_set_missing` and `reports`.
    """
    spec = tables.stocks
    if spec.rows == "dated":
        rows = as_written = stocks.traded(daily.monthly(spec, last))
    else:
        as_written = stocks.traded(market_series.by_month(read_monthly(spec), spec.bar_date))
        rows = as_fractions(as_written, spec)
        if last is not None:
            rows = stocks.cut(rows, last, later=True)
    if rows.unread or not stocks.is_keyed(rows.frame):
        # Nothing is made of rows that cannot be told apart; `schema.check` says which these are.
        return stocks.filled(rows, spec, tables.reports)
    used = as_written.frame if last is None else as_written.frame.query("month <= @last")
    findings.notes += [*rows.notes, *notes.of_damaged(rows)]
    findings.notes += notes.of_sentinels(as_written.with_frame(used))
    # What is made of the columns is no part of the file's own table.
    frame = rows.frame.copy(deep=False)
    price = "close_adjusted" if "close_adjusted" in frame else "close"
    if price in frame:
        findings.violations += stocks.violations_of_revived(rows, price)
    frame = stocks.carry_closed(frame, spec.closed_months)
    from_prices = _add_returns(frame, spec, price, findings)
    computed = spec.size != "none" and "size" not in frame and {"close", "shares"} <= set(frame)
    if computed:
        frame["size"] = frame["close"] * frame["shares"] / 1000
    # Of a table beside that has faults nothing is joined: more would be missing than is.
    if findings:
        return stocks.filled(rows.with_frame(frame), spec, tables.reports)
    findings.notes += plausibility.of_twins(frame)
    frame, spell = _join(tables, beside, rows, frame, findings)
    findings.notes += plausibility.of_prices(frame, from_prices, computed)
    _check_size(rows, frame, spec, computed, findings)
    _add_eligible(tables, beside, frame, findings)
    if spell.any():
        frame["spell"] = spell.astype("float64")
    # Adjusted prices know of later splits: beyond returns they are no use of.
    return rows.with_frame(frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore"))


def read_monthly(spec: StockRows) -> ParsedTable:
    """Read monthly rows; prices side by side as rows of month, stock and close."""
    if spec.layout == "long":
        return read(spec, cells_of("stocks"))
    kinds: dict[str, CellKind] = {"date": "period", "stock": "code", "close": "number"}
    return market_series.with_month(read(spec, kinds.get, wide=True))


def as_fractions(table: ParsedTable, spec: StockRows) -> ParsedTable:
    """Return rows whose returns are fractions, however the file writes them."""
    if spec.return_unit == "fraction" or "return" not in table.frame:
        return table
    return table.with_frame(table.frame.assign(**{"return": table.frame["return"] / 100}))


def _add_returns(frame: pd.DataFrame, spec: StockRows, price: str, findings: Findings) -> bool:
    """Add returns made of prices where there are none, without errors; return whether they are."""
    from_prices = "return" not in frame and price in frame
    if from_prices:
        frame["return"] = stocks.returns_of(frame, frame[price].to_numpy())
        findings.notes.append(assumed(f"return is made of `{price}` of consecutive months"))
    elif spec.rows == "monthly":
        text = f"return is written as {spec.return_unit} (ingest.tables.stocks.return_unit)"
        findings.notes.append(assumed(text))
    findings.facts["returns_set_missing"] = 0
    if "return" not in frame:
        return from_prices
    errors = stocks.price_errors(
        frame,
        frame["return"].to_numpy(),
        # The default removes nothing: what is below a loss of all breaks a rule.
        smallest=spec.smallest_return if spec.smallest_return > -1 else -np.inf,
        largest=spec.largest_return,
        from_closes=from_prices,
    )
    findings.notes += notes.of_removals(frame[errors])
    findings.facts["returns_set_missing"] = int(errors.sum())
    frame["return"] = frame["return"].mask(errors)
    findings.notes += notes.of_losses(frame)
    middle = 100 * schema.median_size(frame["return"])
    if spec.return_unit == "percent" and not from_prices and middle < QUIET:
        text = (
            f"returns are in per cent, with a median size of {middle:.3g} a month (stocks "
            "have 3 to 10); if they are fractions, set `return_unit: fraction`"
        )
        findings.notes.append(assumed(text))
    return from_prices


def _join(
    tables: Tables, beside: Beside, rows: ParsedTable, frame: pd.DataFrame, findings: Findings
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the months with sectors and what reports say, and which firm each row is about."""
    _match(frame, beside, findings)
    frame["sector"] = stocks.sectors_of(frame, beside["sectors"])
    if "spell" in frame:
        spell = frame["spell"].fillna(0).to_numpy().astype("int64")
    else:
        spell = stocks.spells(frame)
        findings.notes += stocks.note_of_firms(frame, spell)
    if tables.reports:
        valued = tables.stocks.size != "none" and not stocks.is_size_proxy(rows)
        frame = fundamentals.join(frame, beside["reports"], tables.reports, valued, spell)
        findings.notes += plausibility.of_ratios(frame)
    if tables.stocks.size == "none":
        frame = frame.drop(columns="size", errors="ignore")
    return frame, spell


def _check_size(
    rows: ParsedTable, frame: pd.DataFrame, spec: StockRows, computed: bool, findings: Findings
) -> None:
    """Note what `size` is; a violation where there is none."""
    name = rows.names.get("size", "size")
    if spec.size == "none":
        findings.notes.append(assumed("size is none: the universe is every eligible stock"))
    elif stocks.is_size_proxy(rows):
        text = f"size is the column {name!r}, traded value: no ratio to the market value is made"
        findings.notes.append(assumed(text))
    elif computed:
        findings.notes.append(assumed("size is close x shares / 1000"))
    elif "size" in rows.frame:
        findings.notes.append(assumed(f"size is the column {name!r}, market value in thousands"))
    elif "size" not in frame:
        remedy = (
            "add the market value in thousands, or the shares outstanding as `shares` beside "
            "`close`, or reports with either; or map what orders stocks by size, such as their "
            "traded value, to it: {dollar_volume: size}; or set ingest.tables.stocks.size to none, "
            "for a universe of all eligible stocks"
        )
        found = "'size' missing, and nothing to make it of"
        findings.violations.append(of_names(rows, found, remedy))
        frame["size"] = 1.0


def _add_eligible(tables: Tables, beside: Beside, frame: pd.DataFrame, findings: Findings) -> None:
    """Add who may be in the universe: members, by the condition, with a price that can be paid."""
    worthless = frame["close"] == 0 if "close" in frame else pd.Series(False, frame.index)
    if "size" in frame:
        # What is worth nothing cannot be bought.
        frame["size"] = frame["size"].mask(worthless)
        worthless = pd.Series(False, frame.index)
    candidates = frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")
    try:
        allowed = eligible(candidates, beside["members"], tables.stocks.eligible)
    except RecordsError as error:
        members = [note.text for note in findings.notes if note.text.startswith("members: ")]
        raise RecordsError("; ".join([str(error), *members])) from None
    stale = frame.get(IS_STALE, pd.Series(False, frame.index))
    if stale.any():
        text = (
            f"{count_of(int(stale.sum()), 'row')} whose last price is more than {STALE} days older "
            f"than the month's newest ({notes.places(frame[stale])}): not in the universe of that "
            "month"
        )
        findings.notes.append(odd(text))
    barred = (worthless | stale).to_numpy()
    if allowed is not None:
        frame["eligible"] = allowed
    if barred.any():
        frame["eligible"] = np.where(barred, 0.0, frame.get("eligible", 1.0))


def _match(frame: pd.DataFrame, beside: Beside, findings: Findings) -> None:
    """Note how many stocks the tables beside them know."""
    codes = pd.Index(frame["stock"].unique())
    for kind, frames in beside.items():
        for other in frames:
            their_codes = pd.Index(other["stock"].dropna().unique())
            places, capitals = codes.get_indexer(their_codes), False
            if kind == "reports":
                places, capitals = fundamentals_read.match(codes, their_codes)
                matched = int((places >= 0).sum())
                findings.facts.setdefault("reports", []).append(
                    {
                        "matched": matched,
                        "unmatched": len(their_codes) - matched,
                        "codes": "in capital letters" if capitals else "as written",
                    }
                )
            how = ", in capital letters" if capitals else ""
            findings.notes.append(notes.of_codes(kind, their_codes, codes, places, how))
