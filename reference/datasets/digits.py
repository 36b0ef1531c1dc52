"""UCI Optical Recognition of Handwritten Digits: 1,797 images of 8x8 pixels, 10 classes; CC BY 4.0."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

import numpy as np

from reference.datasets.split import Split

CLASSES = 10


@cache
def digits() -> Split:
    """The images, every fifth row (index % 5 = 4) held out: the last rows come from other writers.

    A row is (a/||a||, 1)/sqrt(2) for an image a: of norm 1, the constant at its end.
    """
    packed = (files("reference.datasets") / "digits.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",")
    pixels, labels = table[:, :-1], table[:, -1].astype(np.int64)
    pixels /= np.sqrt((pixels * pixels).sum(axis=1, keepdims=True))
    rows = np.hstack([pixels, np.ones((len(pixels), 1))]) / np.sqrt(2)
    held_out = np.arange(len(rows)) % 5 == 4
    return Split(rows[~held_out], labels[~held_out], rows[held_out], labels[held_out])
