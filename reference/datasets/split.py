"""Labelled examples in two parts: those that f is the mean over, and those held out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Split(NamedTuple):
    """Rows of features with their labels, 0..classes-1.

    Attributes
    ----------
    rows : float64 array (n, features)
        For training.
    labels : int64 array (n,)
        Theirs.
    held_out_rows : float64 array (m, features)
        For measuring accuracy.
    held_out_labels : int64 array (m,)
        Theirs.
    """

    rows: NDArray[np.float64]
    labels: NDArray[np.int64]
    held_out_rows: NDArray[np.float64]
    held_out_labels: NDArray[np.int64]
