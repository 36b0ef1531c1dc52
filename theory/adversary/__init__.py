"""The adversary: a search for the problem and the schedule on which a statement's bound is nearest to the truth.

A statement that is false in print should break under it, and a corrected one should not; how close measured/bound
comes to 1 says how tight a bound is.

    print(table(search_all()))
"""

from theory.adversary.instance import Instance
from theory.adversary.search import Among, Worst, search, search_all, table

__all__ = ["Among", "Instance", "Worst", "search", "search_all", "table"]
