"""Generic Adam (Algorithm 1, p. 4): the page `reference.adam`, and what `reference.in_place` does for its speed."""

from __future__ import annotations

from reference.adam import adam_update, initial_state
from reference.in_place import adam_update_in_place
from reference.methods.method import Method

ADAM = Method("adam", ("alpha", "beta", "theta"), initial_state, adam_update, adam_update_in_place)
