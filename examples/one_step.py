"""The update by hand: three steps of Generic Adam on f(x) = x^2/2, every moment printed: python examples/one_step.py"""

from reference import adam_step, initial_state

state = initial_state([1.0], epsilon=1e-8)  # x_1 = 1, m_0 = 0, v_0 = epsilon
for t in (1, 2, 3):
    gradient = state.x  # f'(x) = x
    state = adam_step(state, gradient, alpha=0.1 / t**0.5, beta=0.9, theta=1 - 0.9 / t)
    print(f"t = {t}:  m = {state.m[0]:.6f}  v = {state.v[0]:.6f}  x = {state.x[0]:.6f}")
