"""Sequences in t = 1, 2, ...: alpha_t, beta_t or theta_t, evaluated on one t or on an array of t.

Parameters are numbers, or arrays for configurations side by side: at t of shape n, a schedule with parameters of
shape p has shape n + p. A schedule also answers for itself: its limit, its supremum, the power law it follows. A plain
function of t with the same signature may stand wherever a schedule is expected; `as_schedule` wraps it, and nothing is
known about it but its values.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference.checks import real
from reference.search import first

Sequence = Callable[[ArrayLike], NDArray[np.float64]]


class PowerLaw(NamedTuple):
    """scale/max(t + shift, floor)^exponent.

    Attributes
    ----------
    scale : float
        What stands above the fraction line.
    exponent : float
        The power of t; 0 for a constant, inf for what falls faster than every power.
    shift : float
        What is added to t.
    floor : float
        The law is level while t + shift is below it.
    """

    scale: float
    exponent: float
    shift: float = 0.0
    floor: float = 1.0


class Schedule(ABC):
    """A sequence in t >= 1 that knows what it does for every t.

    A subclass is a frozen dataclass of its parameters. It gives the formula, `_at`, and the answers below; each of
    them is None where the answer is not known, which a subclass must say itself: nothing is unknown by omission. An
    answer is about one configuration, hence None where the parameters are arrays.
    """

    def __call__(self, t: ArrayLike) -> NDArray[np.float64]:
        """The values at t, an integer or an array of integers >= 1."""
        steps = _steps(t)
        shape = self.shape
        # never 0-d: NumPy's scalar and array power may round differently
        column = steps.astype(np.float64).reshape(*(steps.shape or (1,)), *(1,) * len(shape))
        values = np.broadcast_to(self._at(column), (*column.shape[: max(1, steps.ndim)], *shape))
        return values if steps.ndim else values[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the parameters: () for one configuration."""
        parameters = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return np.broadcast_shapes(*(getattr(p, "shape", None) or np.shape(p) for p in parameters))

    @abstractmethod
    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """The formula, for a float64 array t with trailing axes for the parameters."""

    def complement(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 - value at a float64 array t, for theta_t; a schedule that knows better avoids the cancellation."""
        return 1 - self._at(t)

    @abstractmethod
    def constant(self) -> float | None:
        """The value, where it is the same for every t."""

    @abstractmethod
    def limit(self) -> float | None:
        """The limit as t grows."""

    @abstractmethod
    def supremum(self) -> float | None:
        """The least upper bound over t >= 1."""

    @abstractmethod
    def power_law(self) -> PowerLaw | None:
        """The power law that the sequence equals at every t >= 1."""

    @abstractmethod
    def complement_power_law(self) -> PowerLaw | None:
        """The power law that 1 - value equals at every t >= 1."""

    @abstractmethod
    def non_decreasing(self) -> bool | None:
        """Whether no value is below an earlier one."""

    @abstractmethod
    def non_increasing(self) -> bool | None:
        """Whether no value is above an earlier one."""

    def asymptote(self) -> PowerLaw | None:
        """A power law whose ratio to the sequence tends to 1; exponent inf where t^n value_t -> 0 for every n."""
        return self.power_law()

    def rise(self) -> float | None:
        """The supremum of value_t/value_i over 1 <= i <= t, for a positive sequence: 1 where it never rises."""
        if self.non_increasing():
            return 1.0
        top = self.supremum()
        return top / float(self(1)) if self.non_decreasing() and top is not None else None

    def rise_bound(self) -> float | None:
        """An upper bound of `rise`, where one is proved."""
        return self.rise()


@dataclass(frozen=True)
class Tabulated(Schedule):
    """A plain function of t as a schedule: known by its values alone, so that every answer is None.

    Parameters
    ----------
    function : callable
        Takes an array of integers t (read-only) and returns one real number, or one for each step.
    name : str
        What messages call it.

    Raises
    ------
    TypeError
        Where `function` is no function, or does not take an array, or returns anything but real numbers.
    ValueError
        Where it returns another number of values than there are steps.

    Examples
    --------
    >>> Tabulated(lambda t: 1 / np.sqrt(t))([1, 4])
    array([1. , 0.5])
    >>> Tabulated(lambda t: 0.5)([1, 4])
    array([0.5, 0.5])
    """

    function: Sequence
    name: str = "a schedule"

    def __post_init__(self) -> None:
        require_function(self.name, self.function)

    def __call__(self, t: ArrayLike) -> NDArray[np.float64]:
        """The function's values at t, checked."""
        return evaluate(self.name, self.function, _steps(t))

    @property
    def shape(self) -> tuple[int, ...]:
        """() : a function has no parameters."""
        return ()

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return self(t.astype(np.int64))

    def constant(self) -> float | None:
        """None: not known beyond the terms evaluated."""
        return None

    limit = supremum = constant

    def power_law(self) -> PowerLaw | None:
        """None: not known beyond the terms evaluated."""
        return None

    complement_power_law = power_law

    def non_decreasing(self) -> bool | None:
        """None: not known beyond the terms evaluated."""
        return None

    non_increasing = non_decreasing


def as_schedule(sequence: Sequence | None, name: str = "a schedule") -> Schedule:
    """The schedule itself, or a plain function of t wrapped in `Tabulated`; TypeError for what is neither."""
    return sequence if isinstance(sequence, Schedule) else Tabulated(require_function(name, sequence), name)


def require_function(name: str, sequence: Sequence | None) -> Sequence:
    """The sequence; TypeError where it is neither a schedule nor a function."""
    if sequence is None or not callable(sequence):
        raise TypeError(
            f"{name} must be a schedule or a function of an array of steps t, such as schedules.Constant(0.9) "
            f"or lambda t: 0.1/np.sqrt(t); got {sequence!r}"
        )
    return sequence


def evaluate(name: str, sequence: Sequence, t: ArrayLike) -> NDArray[np.float64]:
    """The values of a schedule or of a plain function at t, checked: one for each step, whatever its parameters.

    Raises
    ------
    TypeError
        For a function that does not take an array, or returns anything but real numbers.
    ValueError
        For another number of values than of steps.

    Examples
    --------
    >>> import math
    >>> evaluate("alpha_t", lambda t: 1 / math.sqrt(t), [1, 4])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    TypeError: alpha_t cannot be evaluated at an array of steps: ...; a function must take and return arrays, ...
    """
    given = t
    if np.ndim(t):  # its own view, which it cannot write into
        given = np.asarray(t).view()
        given.flags.writeable = False
    try:
        values = real(name, sequence(given)).astype(np.float64, copy=False)
    except TypeError as error:
        raise TypeError(
            f"{name} cannot be evaluated at an array of steps: {error}; a function must take and return arrays, "
            "so use np.sqrt for math.sqrt, or np.vectorize(function)"
        ) from error
    shape = np.shape(t)
    if shape and values.ndim == 0:  # a function may give one number for all t
        values = np.broadcast_to(values, shape)
    if values.shape[: len(shape)] != shape:
        raise ValueError(f"{name} must have one value for each of the {np.size(t)} steps; got shape {values.shape}")
    return values


@dataclass(frozen=True)
class Constant(Schedule):
    """value"""

    value: ArrayLike

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.value, np.float64) + 0 * t

    def constant(self) -> float | None:
        """The value."""
        return None if self.shape else float(np.asarray(self.value))

    limit = supremum = constant

    def power_law(self) -> PowerLaw | None:
        """The value, with exponent 0."""
        return None if self.shape else PowerLaw(float(np.asarray(self.value)), 0.0)

    def complement_power_law(self) -> PowerLaw | None:
        """1 - value, with exponent 0."""
        return None if self.shape else PowerLaw(1 - float(np.asarray(self.value)), 0.0)

    def non_decreasing(self) -> bool | None:
        """True."""
        return True

    non_increasing = non_decreasing


@dataclass(frozen=True)
class PowerDecay(Schedule):
    """scale / (t + shift)^exponent; shift = 0 is Eq. 8 (p. 10): eta / t^s.

    >>> PowerDecay(6, 1, shift=1)([1, 2, 5])
    array([3., 2., 1.])
    """

    scale: ArrayLike
    exponent: ArrayLike
    shift: ArrayLike = 0

    def __post_init__(self) -> None:
        exponent, shift = np.asarray(self.exponent, np.float64), np.asarray(self.shift, np.float64)
        require(exponent, np.isfinite(exponent) & (exponent >= 0), "exponent", "s >= 0 (Eq. 8, p. 10)")
        require_shift(shift)

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.scale, np.float64) / _power(t + np.asarray(self.shift, np.float64), self.exponent)

    def constant(self) -> float | None:
        """The scale, where the exponent is 0."""
        law = self.power_law()
        return law.scale if law and law.exponent == 0 else None

    def limit(self) -> float | None:
        """0, or the scale where the exponent is 0."""
        law = self.power_law()
        return law and (0.0 if law.exponent > 0 else law.scale)

    def supremum(self) -> float | None:
        """The first value; 0 for a negative scale that decays."""
        law = self.power_law()
        return law and max(float(self(1)), 0.0 if law.exponent > 0 else -math.inf)

    def power_law(self) -> PowerLaw | None:
        """Itself."""
        if self.shape:
            return None
        return PowerLaw(*(float(np.asarray(p)) for p in (self.scale, self.exponent, self.shift)))

    def complement_power_law(self) -> PowerLaw | None:
        """A constant, where the exponent is 0."""
        value = self.constant()
        return None if value is None else PowerLaw(1 - value, 0.0)

    def non_decreasing(self) -> bool | None:
        """Where it is constant, or rises from below 0."""
        law = self.power_law()
        return None if law is None else law.exponent == 0 or law.scale <= 0

    def non_increasing(self) -> bool | None:
        """Where the scale is not negative."""
        law = self.power_law()
        return None if law is None else law.exponent == 0 or law.scale >= 0


@dataclass(frozen=True)
class ApproachOne(Schedule):
    """1 - a / max(t + shift, K)^r, with 0 < a < max(1 + shift, K)^r, so that every value lies in (0, 1).

    shift = 0 is Eq. 8 (p. 10). K and the shift are two remedies for theta_1 = 1 - a <= 0: the first keeps theta_t level
    while t < K, the second starts the clock later. Together, whichever is larger counts at t = 1.

    >>> ApproachOne(a=1, r=1, K=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: theta_1 = 1 - a/K^r = 0 for a = 1, r = 1, K = 1; R2 (p. 7) needs ...
    >>> ApproachOne(a=1, r=1, K=2)([1, 2, 3])
    array([0.5       , 0.5       , 0.66666667])
    >>> ApproachOne(a=1, r=1, shift=1)([1, 2, 3])
    array([0.5       , 0.66666667, 0.75      ])
    """

    a: ArrayLike
    r: ArrayLike
    K: ArrayLike = 1
    shift: ArrayLike = 0

    def __post_init__(self) -> None:
        a, r, K, shift = np.broadcast_arrays(self.a, self.r, self.K, self.shift)
        require(a, np.isfinite(a) & (a > 0), "a", "a > 0 (Eq. 8, p. 10)")
        require(r, np.isfinite(r) & (r >= 0), "r", "r >= 0 (Eq. 8, p. 10)")
        require(K, np.isfinite(K) & (K >= 1), "K", "K >= 1 (Eq. 8, p. 10)")
        require_shift(shift)
        value = 1 - a / _power(np.maximum(1 + shift, K), r)
        if not (value > 0).all():
            raise ValueError(_theta_1_too_small(int(np.argmin(value.ravel())), value, a, r, K, shift))

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 - self.complement(t)

    def complement(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 - theta_t, without cancellation."""
        clock = np.maximum(t + np.asarray(self.shift, np.float64), self.K)
        return np.asarray(self.a, np.float64) / _power(clock, self.r)

    def constant(self) -> float | None:
        """1 - a, where r is 0."""
        law = self.complement_power_law()
        return 1 - law.scale if law and law.exponent == 0 else None

    def limit(self) -> float | None:
        """1, or 1 - a where r is 0."""
        law = self.complement_power_law()
        return law and (1.0 if law.exponent > 0 else 1 - law.scale)

    supremum = limit

    def power_law(self) -> PowerLaw | None:
        """A constant, where r is 0."""
        value = self.constant()
        return None if value is None else PowerLaw(value, 0.0)

    def complement_power_law(self) -> PowerLaw | None:
        """a/max(t + shift, K)^r."""
        if self.shape:
            return None
        return PowerLaw(*(float(np.asarray(p)) for p in (self.a, self.r, self.shift, self.K)))

    def asymptote(self) -> PowerLaw | None:
        """Its limit."""
        top = self.limit()
        return None if top is None else PowerLaw(top, 0.0)

    def non_decreasing(self) -> bool | None:
        """True."""
        return True

    def non_increasing(self) -> bool | None:
        """Where it is constant."""
        return None if self.shape else self.constant() is not None


@dataclass(frozen=True)
class Geometric(Schedule):
    """first * ratio^t (AdamNC's beta_t = beta lambda^t, Table 1, p. 11)."""

    first: ArrayLike
    ratio: ArrayLike

    def __post_init__(self) -> None:
        ratio = np.asarray(self.ratio, np.float64)
        require(ratio, (ratio > 0) & (ratio <= 1), "ratio", "0 < ratio <= 1 (AdamNC's lambda, p. 11)")

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.first, np.float64) * _power(self.ratio, t)

    def _parameters(self) -> tuple[float, float] | None:
        return None if self.shape else (float(np.asarray(self.first)), float(np.asarray(self.ratio)))

    def constant(self) -> float | None:
        """`first`, where it is 0 or the ratio is 1."""
        given = self._parameters()
        return given[0] if given and (given[0] == 0 or given[1] == 1) else None

    def limit(self) -> float | None:
        """0, or `first` where the ratio is 1."""
        given = self._parameters()
        return given and (given[0] if given[1] == 1 else 0.0)

    def supremum(self) -> float | None:
        """The first value; 0 for a negative one that decays."""
        given = self._parameters()
        return given and max(float(self(1)), given[0] if given[1] == 1 else 0.0)

    def power_law(self) -> PowerLaw | None:
        """A constant, where it is one."""
        value = self.constant()
        return None if value is None else PowerLaw(value, 0.0)

    def complement_power_law(self) -> PowerLaw | None:
        """A constant, where it is one."""
        value = self.constant()
        return None if value is None else PowerLaw(1 - value, 0.0)

    def asymptote(self) -> PowerLaw | None:
        """Exponent inf: it falls faster than every power of t; a constant, where it is one."""
        given = self._parameters()
        return self.power_law() or (given and PowerLaw(given[0], math.inf))

    def non_decreasing(self) -> bool | None:
        """Where it is constant, or rises from below 0."""
        given = self._parameters()
        return given and (given[1] == 1 or given[0] <= 0)

    def non_increasing(self) -> bool | None:
        """Where `first` is not negative."""
        given = self._parameters()
        return given and (given[1] == 1 or given[0] >= 0)


@dataclass(frozen=True)
class BiasCorrected(Schedule):
    """step_t sqrt(1 - theta^t) / (1 - beta^t): Remark 1 (p. 4), Adam's bias correction as a step size.

    With h(t) = sqrt(1 - theta^t)/(1 - beta^t), q_c(t) = |ln c|/(c^-t - 1) gives d/dt ln h = q_theta/2 - q_beta, and
    q_c increases in c. So h is non-increasing for theta <= beta; for theta > beta it falls, turns once and returns to 1
    (q_theta/q_beta increases). step : positive.
    """

    step: Schedule
    beta: ArrayLike
    theta: ArrayLike

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.step._at(t) * np.sqrt(_one_minus_power(self.theta, t)) / _one_minus_power(self.beta, t)

    def _parameters(self) -> tuple[float, float] | None:
        return None if self.shape else (float(np.asarray(self.beta)), float(np.asarray(self.theta)))

    def constant(self) -> float | None:
        """None: it moves as long as theta^t does, save where beta = theta = 0."""
        return self.step.constant() if self._parameters() == (0.0, 0.0) else None

    def limit(self) -> float | None:
        """The limit of the step: the correction tends to 1."""
        return None if self.shape else self.step.limit()

    def supremum(self) -> float | None:
        """The first value where it never rises; for a constant step the larger of that and the limit."""
        if self.non_increasing():
            return float(self(1))
        level = self.step.constant()  # h has no interior maximum
        return None if self.shape or level is None else max(float(self(1)), level)

    def power_law(self) -> PowerLaw | None:
        """None: see `asymptote`."""
        value = self.constant()
        return None if value is None else PowerLaw(value, 0.0)

    def complement_power_law(self) -> PowerLaw | None:
        """None."""
        value = self.constant()
        return None if value is None else PowerLaw(1 - value, 0.0)

    def asymptote(self) -> PowerLaw | None:
        """The step's: the correction tends to 1."""
        return None if self.shape else self.step.asymptote()

    def non_decreasing(self) -> bool | None:
        """Where beta = 0 and the step does not fall; not known otherwise unless it falls for sure."""
        given = self._parameters()
        if given and given[0] == 0 and self.step.non_decreasing():
            return True
        return False if given and float(self(1)) > float(self(2)) else None

    def non_increasing(self) -> bool | None:
        """Where theta <= beta, or the step is eta/t^s with s >= 1/2, since (1 - theta^t)/t falls in t.

        For a constant step and theta > beta it is false: h returns to 1 from below. Not known otherwise.
        """
        given = self._parameters()
        if given is None:
            return None
        beta, theta = given
        law = self.step.power_law()
        if self.step.non_increasing() and (theta <= beta or (law and law[2:] == (0, 1) and law.exponent >= 0.5)):
            return True
        return False if self.step.constant() is not None else None

    def rise(self) -> float | None:
        """1 where it never rises; for a constant step 1/min h, since h falls, turns once and returns to 1."""
        if self.non_increasing():
            return 1.0
        given = self._parameters()
        return 1 / _lowest(*given) if given and self.step.constant() is not None else None

    def rise_bound(self) -> float | None:
        """(1-theta)^-1/2 for a step that never rises, since sqrt(1-theta) <= sqrt(1-theta^t) <= 1 and 1/(1-beta^t)
        falls; (1-theta)^-(1/2-s) for eta/t^s with s < 1/2.

        The second: with phi(t) = t^-s sqrt((1-theta^t)/(1-theta)), quasi-concave with phi(1) = 1, min(1, phi(t)) is
        non-increasing and phi(t) <= min(t^(1/2-s), t^-s (1-theta)^-1/2) <= (1-theta)^-(1/2-s).
        """
        known, given = self.rise(), self._parameters()
        if known is not None or given is None or not self.step.non_increasing():
            return known
        law = self.step.power_law()
        s = law.exponent if law and law[2:] == (0, 1) else 0.0
        return float((1 - given[1]) ** (s - 0.5))


def _theta_1_too_small(i: int, *arrays: NDArray[Any]) -> str:
    """The message for entry i of theta_1, a, r, K and the shift, with what would help."""
    value, a, r, K, c = (float(array.ravel()[i]) for array in arrays)
    advice = "with r = 0, take a < 1" if r == 0 else "take a < 1"
    if r > 0 and np.log(a) / r < np.log(2**53):
        enough = int(a ** (1 / r)) + 1
        advice = f"take a larger K, as in theta_t = 1 - a/max(t, {enough})^r"
    formula, given = ("a/max(1 + c, K)^r", f"K = {K:g}, c = {c:g}") if c else ("a/K^r", f"K = {K:g}")
    return (
        f"theta_1 = 1 - {formula} = {value:.6g} for a = {a:g}, r = {r:g}, {given}; "
        f"R2 (p. 7) needs 0 < theta_t < 1: {advice}"
    )


def _lowest(beta: float, theta: float) -> float:
    """min_{t>=1} sqrt(1-theta^t)/(1-beta^t) for theta > beta."""
    if beta == 0:
        return math.sqrt(1 - theta)
    rate = {c: -math.log(c) for c in (beta, theta)}

    def rises(t: int) -> bool:
        u, w = rate[theta] * t, rate[beta] * t
        return w > 700 or rate[theta] / math.expm1(u) / 2 > rate[beta] / math.expm1(w)

    turn = first(rises)
    around = {max(turn - 1, 1), turn}
    return min(math.sqrt(-math.expm1(-rate[theta] * t)) / -math.expm1(-rate[beta] * t) for t in around)


def _steps(t: ArrayLike) -> NDArray[Any]:
    steps = np.asarray(t)
    if steps.dtype.kind not in "iu" or (steps.size and steps.min() < 1):
        raise ValueError(f"t must be an integer counted from 1, or an array of them; got {t!r}")
    return steps


def _power(base: ArrayLike, exponent: ArrayLike) -> NDArray[np.float64]:
    """base^exponent, with the same bits whatever the shapes.

    NumPy rounds differently where an operand is strided or repeated, and counts a single element as repeated: so both
    are laid out in full, with one element more.
    """
    operands = np.broadcast_arrays(np.asarray(base, np.float64), np.asarray(exponent, np.float64))
    return np.power(*(np.append(operand, 1.0) for operand in operands))[:-1].reshape(operands[0].shape)


def _one_minus_power(base: ArrayLike, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - base^t without cancellation, 0 <= base < 1."""
    with np.errstate(divide="ignore"):
        return -np.expm1(t * np.log(np.asarray(base, np.float64)))


def require(values: NDArray[Any], allowed: NDArray[Any], name: str, limit: str) -> None:
    """ValueError naming the first value that is not allowed and where the limit comes from."""
    if not np.all(allowed):
        bad = np.asarray(values).ravel()[int(np.argmin(np.asarray(allowed).ravel()))]
        raise ValueError(f"{name} must satisfy {limit}; got {bad:g}")


def require_shift(shift: NDArray[Any]) -> None:
    """ValueError where a shift c is not finite or below 0."""
    require(shift, np.isfinite(shift) & (shift >= 0), "c", "c >= 0, where t + c stands for t")
