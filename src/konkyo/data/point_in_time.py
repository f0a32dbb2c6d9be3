"""What was known when: statements about periods, asked for as known at the end of a month.

A statement says something about a period of a stock (its figures, or a forecast of them) and became
known in a month. Months are counted from 1970-01, as `konkyo.dates.ordinal` counts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_MONTHS = 1 << 12
_LENGTHS = 1 << 6
_OFFSET = 1 << 10
"""Months before 1970 that a code has room for; with those after it, 1884-09 to 2225-12."""

NONE = -1
"""The place of a statement that there is not."""


@dataclass(frozen=True, eq=False)
class Vintages:
    """Statements of one table in the order of stock, period, length and month of knowledge.

    Attributes
    ----------
    stock, period, length, known : ndarray of int64, shape [statements]
        Code of the stock, month in which the period ends, its length in months, month at whose end
        the statement is known. One statement a combination.
    numbers : mapping of str to ndarray, shape [statements]
        What is known of the period at the end of `known`: of each value the last one stated by
        then, so that an empty field of a restatement keeps what was known before.
    """

    stock: np.ndarray
    period: np.ndarray
    length: np.ndarray
    known: np.ndarray
    numbers: Mapping[str, np.ndarray]

    def find(
        self,
        stock: np.ndarray,
        period: np.ndarray,
        length: np.ndarray | int,
        month: np.ndarray,
    ) -> np.ndarray:
        """Return the place of what was known of a period at the end of a month, NONE if nothing.

        Parameters
        ----------
        stock, period, month : ndarray of int64, shape [questions]
        length : ndarray of int64 or int
            In months.

        Returns
        -------
        ndarray of int64, shape [questions]
        """
        length = np.broadcast_to(np.asarray(length, dtype="int64"), stock.shape)
        inside = (period > -_OFFSET) & (period < _MONTHS - _OFFSET) & (length >= 0)
        key = _key(stock, np.where(inside, period, 0), np.where(inside, length, 0))
        own, codes = self._codes
        place = last(codes, pack(key, month))
        there = inside & (place >= 0)
        there &= own.take(np.maximum(place, 0), mode="clip") == key if len(own) else False
        return np.where(there, place, NONE)

    @cached_property
    def _codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the statements' keys without and with the month of knowledge, both sorted."""
        own = _key(self.stock, self.period, self.length)
        return own, pack(own, self.known)

    def newest(self, stock: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Return the place of the newest period known at the end of a month, NONE if there is none.

        Of two periods that end in one month, the longer.

        Parameters
        ----------
        stock, month : ndarray of int64, shape [questions]

        Returns
        -------
        ndarray of int64, shape [questions]
        """
        if not len(self.stock):
            return np.full(len(stock), NONE)
        order = np.lexsort((self.known, self.stock))
        events = pack(self.stock, self.known)[order]
        # Stocks come one after the other, so that the largest so far is the stock's own.
        largest = np.maximum.accumulate(self._codes[0][order])
        place = last(events, pack(stock, month))
        there = place >= 0
        there &= unpack(events.take(np.maximum(place, 0), mode="clip"))[0] == stock
        key = largest.take(np.maximum(place, 0), mode="clip")
        period = unpack(key // _LENGTHS)[1]
        found = self.find(stock, period, key % _LENGTHS, month)
        return np.where(there, found, NONE)

    def take(self, name: str, places: np.ndarray) -> np.ndarray:
        """Return a value at places, NaN at NONE and where there is no such value."""
        if name not in self.numbers or not len(self.stock):
            return np.full(len(places), np.nan)
        return np.where(places >= 0, self.numbers[name].take(places, mode="clip"), np.nan)


def to_vintages(
    stock: np.ndarray,
    period: np.ndarray,
    length: np.ndarray,
    known: np.ndarray,
    order: np.ndarray,
    numbers: Mapping[str, np.ndarray],
) -> Vintages:
    """Sort statements so that they can be asked for.

    Parameters
    ----------
    stock, period, length, known : ndarray of int64, shape [rows]
        As in `Statements`, in any order and repeated.
    order : ndarray, shape [rows]
        Which of two rows of a month was said later: the larger, or of equals the later row.
    numbers : mapping of str to ndarray, shape [rows]
        NaN says nothing.

    Returns
    -------
    Statements
    """
    rows = np.lexsort((np.arange(len(stock)), order, known, length, period, stock))
    stock, period, length, known = (part[rows] for part in (stock, period, length, known))
    key = _key(stock, period, length)
    place = np.arange(len(key))
    starts = np.maximum.accumulate(np.where(np.diff(key, prepend=-1) != 0, place, 0))
    final = np.append((np.diff(key) != 0) | (np.diff(known) != 0), True)[: len(key)]
    filled = {}
    for name, found in numbers.items():
        found = found[rows]
        said = np.maximum.accumulate(np.maximum(np.where(np.isnan(found), 0, place), starts))
        filled[name] = found[said][final]
    return Vintages(stock[final], period[final], length[final], known[final], filled)


def pack(code: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Return codes and months as one number each, in the order of both, shape [n], int64."""
    return code * _MONTHS + month + _OFFSET


def unpack(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and months, the inverse of `pack`."""
    return packed // _MONTHS, packed % _MONTHS - _OFFSET


def last(sorted_codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the place of the last code that is not above the wanted one, -1 where all are."""
    return np.searchsorted(sorted_codes, wanted, side="right") - 1


def _key(stock: np.ndarray, period: np.ndarray, length: np.ndarray) -> np.ndarray:
    return pack(stock, period) * _LENGTHS + length
