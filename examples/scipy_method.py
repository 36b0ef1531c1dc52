"""Adam as a method of scipy.optimize.minimize, with bounds: python examples/scipy_method.py"""

from scipy.optimize import minimize, rosen, rosen_der

from reference.minimize import adam

options = {"alpha": 0.1, "maxiter": 20_000, "gtol": 1e-4}
result = minimize(rosen, [-1.0, 1.5], jac=rosen_der, method=adam, bounds=[(-2, 2), (-2, 2)], options=options)
print(f"x = {result.x.round(2)}, f = {result.fun:.2g}, {result.nit} steps: {result.message}")
