"""The items of statements that ratios are made of, and how each is to be read."""

FLOWS = (
    "sales", "operating_profit", "ordinary_profit", "net_profit", "ebitda", "depreciation",
    "operating_cash_flow", "capital_expenditure", "dividends", "dividends_per_share",
)  # fmt: skip
"""What a period brought: made into figures of twelve months."""

BALANCES = (
    "equity", "assets", "cash", "debt", "short_term_debt", "long_term_debt", "current_assets",
    "current_liabilities", "shares", "size",
)  # fmt: skip
"""What was there when a period ended; `size` is the market value when the report became known."""

FORECASTS = tuple(
    f"{name}_forecast"
    for name in (
        "sales", "operating_profit", "ordinary_profit", "net_profit", "dividends",
        "dividends_per_share",
    )
)  # fmt: skip
"""What somebody expects a year to bring."""

PAID = ("dividends", "capital_expenditure")
"""Payments, which some write as in a cash flow statement, below 0: the amount alone counts."""

UNSCALED = ("dividends_per_share", "dividends_per_share_forecast")
"""Ingredients that are no amounts of a firm: in units of the currency, whatever `unit` says."""

COMPARED = ("sales", "ordinary_profit", "net_profit")
"""Flows whose growth is asked for: `_before` is the year before, `_base` that of a forecast."""


def dependent_items(name: str) -> tuple[str, ...]:
    """Return the ingredients that belong to one and are of no use beside another table's."""
    bare = name.removesuffix("_forecast")
    if bare == name:
        return (f"{name}_before",)
    return (f"{bare}_base", f"{name}_before")
