"""One run of mini-batch Adam on a non-convex problem, with its loss on record: python examples/one_run.py"""

from reference import MeanOfWorkers, families, problems, run

T, s = 2000, 16
bump = problems.Bump(dimension=10, noise=problems.Gaussian(4.0))  # sum x^2/(1 + x^2), noisy gradients
result = run(
    MeanOfWorkers(bump, seed=0, workers=s),  # g_t, the mean of s workers' samples (Algorithm 2, p. 14)
    bump.start,
    families.practical(T, alpha=1, beta=0.9, theta=1),  # Corollary 13, p. 13
    T,
    epsilon=1 / (s * bump.dimension),  # v_0
    record=["f"],
    average=["gradient_norm"],
)
print(f"f falls from {result.history['f'][0]:.3f} to {result.history['f'][-1]:.3f}")
print(f"average gradient norm over {T} steps: {result.averages['gradient_norm']:.3f}")
