"""Small tables of every kind that the figures draw, by hand."""

import pandas as pd

MONTHS = pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])
NAMES = ["return_1", "size", "topix", "sector_banks"]

LABELS = pd.DataFrame(
    {
        "feature": [*NAMES, "absorbed", "characteristic", "market"],
        "en": ["Return", "Size", "TOPIX", "Banks", "Absorbed", "Attributes", "Market series"],
        "ja": ["リターン", "規模", "TOPIX", "銀行", "吸収分", "属性", "市場指標"],
        "unit": ["rank", "rank", "level", "1 or 0", "", "", ""],
        "unit_ja": ["順位", "順位", "水準", "1か0", "", "", ""],
    }
)

# stock, side, rank, sector | values | relevances | absorbed; the score is their sum.
_STOCKS = [
    ("A", "long", 1, "banks", [0.9, -0.5, 1700.0, 1.0], [0.30, 0.10, -0.05, 0.02], 0.03),
    ("<b>B", "long", 2, "foods", [0.5, 0.25, 1700.0, 0.0], [0.20, -0.05, -0.05, 0.0], 0.10),
    ("C", "named", 5, None, [0.0, 0.0, 1700.0, 0.0], [0.01, 0.0, 0.02, 0.0], -0.01),
    ("D", "short", 9, "foods", [-1.0, 1.0, 1700.0, 0.0], [-0.40, -0.05, 0.05, 0.0], 0.0),
]


def stocks() -> pd.DataFrame:
    """Return two long stocks, a named and a short one, out of order."""
    rows = [
        {
            "month": MONTHS[2],
            "side": side,
            "place": 1,
            "stock": stock,
            "sector": sector,
            "rank": rank,
            "stocks": 9,
            "score": sum(relevances) + absorbed,
            "quantile": 1,
            "feature": feature,
            "value": value,
            "relevance": relevance,
        }
        for stock, side, rank, sector, values, relevances, absorbed in _STOCKS[::-1]
        for feature, value, relevance in zip(
            [*NAMES, "absorbed"], [*values, float("nan")], [*relevances, absorbed], strict=True
        )
    ]
    return pd.DataFrame(rows)


def means() -> pd.DataFrame:
    """Return four inputs, the third of the greatest difference."""
    return pd.DataFrame(
        {
            "feature": NAMES,
            "group": ["characteristic", "characteristic", "market", "sector"],
            "long": [0.02, 0.00, -0.03, 0.01],
            "short": [-0.01, 0.01, 0.04, 0.01],
            "difference": [0.03, -0.01, -0.07, 0.0],
            "t": [3.0, -2.0, -5.0, 0.1],
            "p": [0.003, 0.04, 0.0001, 0.9],
            "p_adjusted": [0.006, 0.06, 0.0004, 0.9],
            "stars": ["**", "*", "**", ""],
            "stars_adjusted": ["**", "", "**", ""],
        }
    )


def points() -> pd.DataFrame:
    """Return three stocks of each side for one input."""
    return pd.DataFrame(
        {
            "feature": "return_1",
            "month": [*MONTHS, *MONTHS],
            "stock": ["A", "B", "<i>", "D", "E", "F"],
            "side": ["long"] * 3 + ["short"] * 3,
            "value": [-1.0, -0.5, 0.0, 0.2, 0.6, 1.0],
            "relevance": [0.4, 0.2, 0.0, -0.1, -0.2, -0.4],
        }
    )


def shape() -> pd.DataFrame:
    """Return the smoothed mean of two inputs."""
    one = pd.DataFrame(
        {
            "feature": "return_1",
            "value": [-0.8, 0.0, 0.8],
            "relevance": [0.3, 0.0, -0.3],
            "low": [0.2, -0.1, -0.4],
            "high": [0.4, 0.1, -0.2],
            "count": [2, 2, 2],
        }
    )
    return pd.concat([one, one.assign(feature="size", relevance=9.0)], ignore_index=True)


def over_time() -> pd.DataFrame:
    """Return two market series over three months, two months of the first marked."""
    frame = pd.DataFrame(
        {
            "month": [*MONTHS, *MONTHS],
            "feature": ["topix"] * 3 + ["vix"] * 3,
            "long": 0.0,
            "short": 0.0,
            "difference": [0.01, -0.06, 0.04, 0.0, 0.01, 0.0],
            "marked": [False, True, True, False, True, False],
        }
    )
    return frame.iloc[[2, 0, 1, 3, 4, 5]].reset_index(drop=True)


def quantiles() -> pd.DataFrame:
    """Return three portfolios of the stocks by the relevance of TOPIX."""
    return pd.DataFrame(
        {
            "feature": "topix",
            "month": MONTHS[1],
            "relevance_quantile": [1, 1, 2, 2, 3, 3],
            "stocks": [10, 10, 11, 11, 12, 12],
            "relevance": [-0.2, -0.2, 0.0, 0.0, 0.3, 0.3],
            "attribute": ["return_1", "size"] * 3,
            "value": [0.5, -0.1, 0.0, 0.0, -0.4, 0.1],
        }
    )


def groups() -> pd.DataFrame:
    """Return two groups over three months."""
    return pd.DataFrame(
        {
            "month": [*MONTHS, *MONTHS],
            "group": ["characteristic"] * 3 + ["market"] * 3,
            "long": 0.0,
            "short": 0.0,
            "difference": [0.2, 0.4, 0.6, -0.1, -0.1, -0.4],
            "share": [0.7, 0.8, 0.9, 0.3, 0.2, 0.1],
        }
    )


def effects() -> pd.DataFrame:
    """Return two attributes over three months, one month of the first without variation."""
    return pd.DataFrame(
        {
            "month": [*MONTHS, *MONTHS],
            "feature": ["size"] * 3 + ["return_1"] * 3,
            "effect": [0.1, float("nan"), 0.1, -0.3, -0.2, -0.4],
        }
    )


def exposure() -> pd.DataFrame:
    """Return three sectors, one of them in one month only and one without a name, and size."""
    return pd.DataFrame(
        {
            "month": [MONTHS[0], MONTHS[1], MONTHS[0], MONTHS[1], MONTHS[0], MONTHS[0], MONTHS[1]],
            "kind": ["sector"] * 5 + ["size"] * 2,
            "name": ["banks", "banks", "foods", "foods", "", "size", "size"],
            "long": [0.2, 0.4, 0.5, 0.6, 0.3, 0.6, 0.7],
            "short": [0.4, 0.6, 0.5, 0.4, 0.1, 0.4, 0.4],
            "difference": [-0.2, -0.2, 0.0, 0.2, 0.2, 0.2, 0.3],
        }
    )
