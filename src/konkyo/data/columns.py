"""The columns of every kind of table, declared once: types, units, rules, what they mean.

What is checked (`konkyo.data.schema`) and what the data card shows are both read from here. A
column's `metadata` hold its `unit`; the column whose name is `FURTHER` stands for every one that
has no entry of its own.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import pandera.pandas as pa

from konkyo.data.checks import above, at_least, at_most, either, finite, not_before, one_of, unique
from konkyo.data.dtypes import Date, Number, Text
from konkyo.data.parsing import CellKind

Kind = Literal["stocks", "market", "prices", "reports", "sectors", "members"]
Unit = Literal["fraction", "percent"]

FURTHER = "any further"
"""The entry of the columns that a kind does not name."""

RESERVED = ("ret", "label", "score", "absorbed")
"""Names that later tables give to the future return and to results: never a column's."""

LARGEST = 1e15
"""Of a day's price, volume and traded value: sums of whole numbers have room for these."""

CURRENCY = "currency"
THOUSANDS = "thousands of the currency"


def table_of(kind: Kind, unit: Unit = "fraction") -> pa.DataFrameSchema:
    """Return a kind's schema: the rules of every value and every row.

    Parameters
    ----------
    kind : Kind
        Which table.
    unit : {'fraction', 'percent'}, optional
        The unit of `return`, whose least value is -1 or -100.

    Returns
    -------
    DataFrameSchema
        Under this project's names; `FURTHER` is an entry like the others, never required.
    """
    if kind == "stocks":
        return _stocks(unit)
    if kind == "prices":
        return _prices(unit)
    return _OTHERS[kind]


def cells_of(kind: Kind) -> Callable[[str], CellKind | None]:
    """Return what each column of a kind of table holds, None for those that it does not know."""
    columns = table_of(kind).columns

    def cell(name: str) -> CellKind | None:
        column = columns.get(name, columns.get(FURTHER))
        if column is None:
            return None
        special = _CELLS.get((kind, name), _CELLS.get(("", name)))
        plain: dict[str, CellKind] = {"number": "number", "text": "text", "date": "day"}
        return special or plain[str(column.dtype)]

    return cell


_CELLS: dict[tuple[str, str], CellKind] = {
    ("", "stock"): "code",
    ("", "month"): "period",
    ("market", "date"): "period",
    # The later of two reports of one day counts.
    ("reports", "published"): "moment",
}
"""Of columns (of one kind of table, or of all) that hold more than their type says."""


def _text(means: str, nullable: bool = False, required: bool = True) -> pa.Column:
    return pa.Column(Text(), nullable=nullable, required=required, description=means)


def _date(means: str, nullable: bool = False, required: bool = True, unit: str = "") -> pa.Column:
    metadata = {"unit": unit}
    return pa.Column(
        Date(), nullable=nullable, required=required, description=means, metadata=metadata
    )


def _number(
    means: str,
    unit: str = "",
    checks: Sequence[pa.Check] = (),
    required: bool = False,
    nullable: bool = True,
) -> pa.Column:
    return pa.Column(
        Number(),
        checks=[finite(), *checks],
        nullable=nullable,
        required=required,
        description=means,
        metadata={"unit": unit},
    )


def _least_return(unit: Unit) -> pa.Check:
    return at_least(-100.0 if unit == "percent" else -1.0, unit)


def _closes(*limits: pa.Check) -> dict[str, pa.Column]:
    rules = [at_least(0.0), *limits]
    return {
        "close": _number("closing price as traded; 0 where the firm is bankrupt", CURRENCY, rules),
        "close_adjusted": _number(
            "the same, adjusted for splits and dividends: makes returns and is not kept",
            CURRENCY,
            rules,
        ),
    }


_STOCK = "the stock's code, text: leading zeros stay"
_SIZE = "market value at the end of t"


def _stocks(unit: Unit) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            "month": _date("the decision date t", unit="the month's last day"),
            "stock": _text(_STOCK),
            "sector": _text("its sector at t", nullable=True, required=False),
            "return": _number(
                "earned during month t, known at its end",
                unit,
                [_least_return(unit)],
                required=True,
            ),
            "size": _number(_SIZE, THOUSANDS, [above(0.0)], required=True),
            **_closes(),
            "eligible": _number(
                "whether the stock can be in the universe of t; all can be where it is absent",
                checks=[one_of((0.0, 1.0))],
            ),
            "spell": _number(
                "which of the firms that have had the code it is, 0 for the first; where absent, "
                "another one after six months without a price",
                checks=[at_least(0.0)],
            ),
            FURTHER: _number("a characteristic known at t"),
        },
        name="stocks",
        description="One row a month and stock.",
    )


def _prices(unit: Unit) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            "date": _date("the day, or the last day of the week"),
            "stock": _text(_STOCK),
            **_closes(at_most(LARGEST)),
            "return": _number(
                "earned since the row before; compounded over the month. Where absent, made from "
                "`close_adjusted`, else `close`",
                unit,
                [_least_return(unit)],
            ),
            "volume": _number(
                "traded since the row before", "shares", [at_least(0.0), at_most(LARGEST)]
            ),
            "dollar_volume": _number(
                "value traded since the row before; where absent, `close` x `volume`",
                THOUSANDS,
                [at_least(0.0), at_most(LARGEST)],
            ),
            "shares": _number("shares outstanding", "shares", [above(0.0)]),
            "size": _number(
                "market value at the end of the day; where absent, `close` x `shares`",
                THOUSANDS,
                [at_least(0.0)],
            ),
            "sector": _text("its sector on the day", nullable=True, required=False),
            FURTHER: _number("a number known on the day; a month has its last one"),
        },
        name="prices",
        description="One row a stock and day, or a stock and week.",
    )


def _amount(means: str) -> pa.Column:
    return _number(means, "currency x `unit`")


_OTHERS: dict[Kind, pa.DataFrameSchema] = {
    "market": pa.DataFrameSchema(
        {
            "month": _date("the row's month, or", required=False),
            "date": _date(
                "its day or the last day of its week: a month has the last value known in it",
                required=False,
            ),
            FURTHER: _number("one market series a column, known on the row's day, in any unit"),
        },
        checks=[either("month", "date")],
        name="market",
        description="One row a day, week or month.",
    ),
    "reports": pa.DataFrameSchema(
        {
            "stock": _text(_STOCK),
            "period_end": _date("the last day of the period", nullable=True, required=False),
            "published": _date(
                "the day from whose end the values were known; where missing, `period_end` and "
                "`lag` days",
                nullable=True,
                required=False,
            ),
            "forecast_end": _date(
                "the last day of the year that the forecasts are about; where missing, the year "
                "after a report's of 12 months, or the one that an interim report is part of",
                nullable=True,
                required=False,
            ),
            "months": _number("length of the period; where missing, 12", "months", [above(0.0)]),
            "sales": _amount("of the period"),
            "operating_profit": _amount("of the period"),
            "ordinary_profit": _amount("of the period, before taxes and extraordinary items"),
            "net_profit": _amount("of the period"),
            "ebitda": _amount("of the period"),
            "depreciation": _amount("of the period; makes `ebitda` where that is missing"),
            "operating_cash_flow": _amount("of the period"),
            "capital_expenditure": _amount("of the period, its sign is passed over"),
            "dividends": _amount("of the period, of all shares, its sign is passed over"),
            "dividends_per_share": _number(
                "of the period; with `shares` they make `dividends` where that is missing", CURRENCY
            ),
            "equity": _amount("at the period's end"),
            "assets": _amount("at the period's end"),
            "cash": _amount("at the period's end"),
            "debt": _amount("bearing interest, at the period's end"),
            "short_term_debt": _amount("part of `debt` where that is missing"),
            "long_term_debt": _amount("part of `debt` where that is missing"),
            "current_assets": _amount("at the period's end"),
            "current_liabilities": _amount("at the period's end"),
            "shares": _number("shares outstanding", "shares", [above(0.0)]),
            **{
                f"{name}_forecast": _amount("forecast of a year")
                for name in (
                    "sales",
                    "operating_profit",
                    "ordinary_profit",
                    "net_profit",
                    "dividends",
                )
            },
            "dividends_per_share_forecast": _number("forecast of a year", CURRENCY),
            "size": _number(
                "market value when published; fills `size` of the stocks where it is missing",
                "currency x `unit`",
                [above(0.0)],
            ),
            FURTHER: _number("a number of the report, carried under its own name"),
        },
        checks=[
            either("published", "period_end"),
            not_before("published", "period_end", "_forecast"),
        ],
        name="reports",
        description="One row a report.",
    ),
    "sectors": pa.DataFrameSchema(
        {
            "stock": _text(_STOCK),
            "sector": _text("its sector in every month whose own row has none"),
            "start": _date(
                "the first day on which it was known to be in it; empty: always",
                nullable=True,
                required=False,
            ),
        },
        checks=[unique(("stock", "start"))],
        name="sectors",
        description="One row a stock and sector it was in.",
    ),
    "members": pa.DataFrameSchema(
        {
            "stock": _text(_STOCK),
            "start": _date("the first day on which it belongs to the universe"),
            "end": _date(
                "the first day on which it no longer does; empty while it does",
                nullable=True,
                required=False,
            ),
        },
        checks=[unique(("stock", "start")), not_before("end", "start")],
        name="members",
        description="One row a stock and stay in the universe.",
    ),
}
