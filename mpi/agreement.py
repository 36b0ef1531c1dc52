"""What all ranks agree on after every step: the largest of one integer each.

GO_ON             nothing happened anywhere
n = 1..64         stop after this step, for signal n
SEARCH            the mean was not finite: look for the worker whose sample was not
"""

from __future__ import annotations

GO_ON = 0
SEARCH = 1000  # larger than every signal: a gradient that is not finite comes first
