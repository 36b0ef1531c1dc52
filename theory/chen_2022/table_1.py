"""Table 1 and Remark 11 (p. 11): AdaGrad with EMA momentum, AdamNC and RMSProp as cases of Corollary 10.

The rate sqrt(ln T/sqrt T) is right for all three. But theta_t = 1 - 1/t, as printed in rows 1 and 2 (row 3 for a >= 1),
has theta_1 <= 0: R2 fails, C' is infinite, and v_1 = g_1^2 may be 0. The families here take max(t, K), K >= 2, for t.
"""

from __future__ import annotations

from typing import NamedTuple

from reference import families
from reference.families import Family
from theory.chen_2022.corollary_10 import Rate, rate


class Row(NamedTuple):
    algorithm: str
    family: Family
    rate: Rate


def table_1(eta: float = 0.1, beta: float = 0.9, decay: float = 0.999, a: float = 1.0, K: float = 2) -> list[Row]:
    """The three rows, with families that satisfy R2; a < K.

    >>> for row in table_1():
    ...     print(row.algorithm, row.rate)
    AdaGrad with EMA O(sqrt(ln T) T^-0.25)
    AdamNC O(sqrt(ln T) T^-0.25)
    RMSProp O(sqrt(ln T) T^-0.25)
    """
    same = rate(r=1, s=0.5)
    return [
        Row("AdaGrad with EMA", families.ada_ema(eta, beta, K), same),
        Row("AdamNC", families.adam_nc(eta, beta, decay, K), same),
        Row("RMSProp", families.rmsprop(eta, a, K), same),
    ]
