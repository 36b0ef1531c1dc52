"""A mean with an interval: 256 replicas of a run as one array, (R, d): python examples/replicas.py"""

from reference import families, problems
from theory.tools.montecarlo import simulate
from theory.tools.statistics import mean_interval

T = 500
bump = problems.Bump(dimension=4, noise=problems.TwoPoint(high=3.0, p=0.1))
for s in (1, 4, 16):
    measured = simulate(bump, families.practical(T, 1, 0.9, 1), T, 256, epsilon=1 / (s * 4), workers=s)
    print(f"s = {s:2}: average gradient norm {mean_interval(measured.averages['gradient_norm'].values, error=0.01)}")
