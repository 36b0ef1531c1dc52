"""Does a schedule satisfy the sufficient condition, and why or why not? python examples/schedule.py"""

from reference import families
from theory.chen_2022.sufficient_condition import sufficient_condition

for family in (
    families.generic(eta=0.1, s=0.5, a=1, r=1, K=2, beta=0.9),  # Eq. 8, p. 10
    families.bias_corrected_adam(alpha=1e-3, beta=0.9, theta=0.999),  # Remark 1, p. 4
):
    print(family.name)
    for condition in sufficient_condition(family, T=1000).conditions:
        print(f"  {condition.id}: {condition.verdict} - {condition.reason}")
