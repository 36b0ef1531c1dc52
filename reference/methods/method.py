"""What a method is: a name, an initial state, an update, and the coefficients that the update reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from reference import coefficients
from reference.checks import check_state, checked_gradient


@dataclass(frozen=True)
class Method:
    """A method that the loop of `reference.iterate` runs.

    Attributes
    ----------
    name : str
        As `reference.METHODS` lists it.
    coefficients : tuple of str
        Which of "alpha", "beta", "theta" its step reads, in this order. A family needs to have no others.
    initial_state : callable
        (x_1, epsilon) -> the state before step 1, a named tuple t, x, m, v, ...
    update : callable
        The formula, pure: (state, g, alpha, beta, 1 - beta, theta, 1 - theta) -> the next state, of the coefficients
        named; all of x's dtype, and checked.
    in_place : callable, optional
        For speed alone: state -> an update with the same bits, for that state and those it returns, in place.

    Examples
    --------
    >>> from reference.adam import initial_state
    >>> signs = Method("sign descent", ("alpha",), initial_state,
    ...                lambda state, g, alpha: state._replace(t=state.t + 1, x=state.x - alpha * (g > 0)))
    >>> signs.step(initial_state([1.0, 2.0], 1.0), [3.0, -3.0], 0.5).x.tolist()
    [0.5, 2.0]
    """

    name: str
    coefficients: tuple[str, ...]
    initial_state: Callable[[ArrayLike, ArrayLike], Any]
    update: Callable[..., Any]
    in_place: Callable[[Any], Callable[..., Any]] | None = None

    def __post_init__(self) -> None:
        if self.coefficients != tuple(name for name in coefficients.NAMES if name in self.coefficients):
            raise ValueError(
                f"the coefficients of {self.name} must be some of {', '.join(coefficients.NAMES)}, in this order; "
                f"got {self.coefficients}"
            )

    def step(self, state: Any, gradient: ArrayLike, *given: ArrayLike) -> Any:
        """One step, as a pure function: what `reference.adam.adam_step` is for Adam.

        Parameters
        ----------
        state : the method's state
            Before the step; not touched.
        gradient : array of x's shape
            g_t. Finite, with a finite square.
        *given : scalars, or arrays that broadcast against x's leading axes
            The coefficients of step t, those that the method reads.

        Returns
        -------
        the method's state
            A new one, with t + 1.

        Raises
        ------
        NonFiniteError, TypeError, ValueError
            As `reference.adam.adam_step`.
        """
        if len(given) != len(self.coefficients):
            raise TypeError(f"a step of {self.name} must be given {', '.join(self.coefficients)}; got {given!r}")
        check_state(state)
        g = checked_gradient(state, gradient)
        return self.update(state, g, *coefficients.for_step(state.x, self.coefficients, given))
