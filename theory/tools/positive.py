"""Non-negative numbers kept as their logarithms, so that a bound of 10^4000 is a number like any other.

Every quantity in the bounds is a sum of products of non-negative numbers; with this type the formulas read as in the
paper and neither overflow nor underflow.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

# What the formulas of the proofs are evaluated over: floats, arrays of them, or logarithms of numbers of any size.
Number = TypeVar("Number", float, NDArray[np.float64], "Positive")


class Positive:
    """A number >= 0, of any magnitude.

    >>> x = Positive(3.0) ** 4000 + 1
    >>> float(x), round(x.log10, 6)
    (inf, 1908.485019)
    >>> float((Positive(2) * 8 / 4).sqrt())
    2.0
    """

    __slots__ = ("log",)

    def __init__(self, value: float):
        if not value >= 0:
            raise ValueError(f"{value} is not a number >= 0")
        self.log = math.log(value) if value else -math.inf  # math.log takes integers of any size

    @classmethod
    def exp(cls, log: float) -> Positive:
        """e^log"""
        number = cls.__new__(cls)
        number.log = float(log)
        return number

    def __float__(self) -> float:
        """inf where it exceeds the largest float."""
        try:
            return math.exp(self.log)
        except OverflowError:
            return math.inf

    @property
    def log10(self) -> float:
        return self.log / math.log(10)

    def __add__(self, other: Positive | float) -> Positive:
        low, high = sorted((self.log, _log(other)))
        if math.isinf(high):
            return Positive.exp(high)
        return Positive.exp(high + math.log1p(math.exp(low - high)))

    def __mul__(self, other: Positive | float) -> Positive:
        first, second = self.log, _log(other)
        return Positive.exp(-math.inf if -math.inf in (first, second) else first + second)

    def __truediv__(self, other: Positive | float) -> Positive:
        divisor = _log(other)
        if divisor == -math.inf:
            raise ZeroDivisionError("division by zero")
        return Positive.exp(self.log - divisor)

    def __rtruediv__(self, other: float) -> Positive:
        return Positive(other) / self

    def __pow__(self, power: float) -> Positive:
        return Positive.exp(self.log * power)

    def sqrt(self) -> Positive:
        return self**0.5

    def log1p(self) -> Positive:
        """ln(1 + x)"""
        return Positive(math.log1p(math.exp(self.log)) if self.log < 40 else self.log)

    def __lt__(self, other: Positive | float) -> bool:
        return self.log < _log(other)

    def __gt__(self, other: Positive | float) -> bool:
        return self.log > _log(other)

    def __le__(self, other: Positive | float) -> bool:
        return self.log <= _log(other)

    def __ge__(self, other: Positive | float) -> bool:
        return self.log >= _log(other)

    def __repr__(self) -> str:
        return f"Positive(10^{self.log10:.6g})"

    __radd__ = __add__
    __rmul__ = __mul__


def _log(number: Positive | float) -> float:
    return number.log if isinstance(number, Positive) else Positive(number).log


def log1p(x: Number) -> Number:
    """ln(1 + x), of x's type."""
    return x.log1p() if isinstance(x, Positive) else np.log1p(x)


def exp(z: Any, like: Number) -> Number:
    """e^z, of the type of `like`."""
    return Positive.exp(float(z)) if isinstance(like, Positive) else np.exp(z)


def largest_log(like: Any) -> float:
    """ln of a number as large as any that the type of `like` is used for."""
    return 2.0**20 if isinstance(like, Positive) else 690.0


def shape_of(x: Any) -> tuple[int, ...]:
    """() for a single number."""
    return () if isinstance(x, Positive) else np.shape(x)
