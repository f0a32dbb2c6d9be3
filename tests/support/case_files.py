"""Files as users have them, and what loads them."""

from pathlib import Path

from konkyo.config import StockRows, Table, Tables
from konkyo.data import Records, tables

CASES = Path(__file__).parents[1] / "data" / "cases"
MARKET = (Table((str(CASES / "market.csv"),), {}),)


def load_case(raw: Path, stocks: object, market=MARKET, last=None, beside=None, **changes):
    """Return the records of stocks of these files beside the market of the cases."""
    rows = {
        "files": (str(stocks),),
        "columns": {},
        "layout": "long",
        "rows": "monthly",
        "return_unit": "fraction",
        "largest_return": 10.0,
        "eligible": "",
    }
    others = {"reports": (), "sectors": (), "members": ()} | (beside or {})
    section = Tables(
        stocks=StockRows(**(rows | changes)),
        market=market,
        point_in_time=True,
        survivorship_free=True,
        **others,
    )
    return tables.load(section, raw, 2, last)


def odd(records: Records) -> tuple[str, ...]:
    """Return the notes but the one on files that are not in data/own, as no file of these is."""
    return tuple(note for note in records.lines() if not note.startswith("not in data/own"))


def lines(records: Records) -> list[str]:
    """Return the notes, and the lines of every section of the summary."""
    return [note.text for note in records.notes]
