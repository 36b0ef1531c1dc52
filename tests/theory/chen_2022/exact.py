"""The three bounds once more, at 50 digits and as a mathematician would write them down, for comparison."""

from mpmath import mp, mpf, sqrt

mp.dps = 50


def exactly(**numbers):
    return {name: mpf(value) for name, value in numbers.items()}


def restrictions(alpha, beta, theta, theta_prime):
    """From lists of mpf over t = 1..T and theta' (R1-R3, Eq. 6)."""
    chi = [a / sqrt(1 - th) for a, th in zip(alpha, theta, strict=True)]
    lowest, C0 = chi[0], mpf(1)
    a_t = []
    for value in chi:
        lowest = min(lowest, value)
        a_t.append(lowest)
        C0 = max(C0, value / lowest)
    C1 = mpf(1)
    for th in theta:
        C1 *= min(mpf(1), th / theta_prime)
    top = max(beta)
    return {"C0": C0, "C1": C1, "gamma": top**2 / theta_prime, "beta": top, "chi_1": chi[0], "a": a_t}


def C3_of(r, L, G, theta_1):
    """C3 (Theorem 2, Chen et al. 2022, p. 8), by P = sqrt(C1) (1 - sqrt(gamma)) and Q = C1 (1 - gamma)."""
    P = sqrt(r["C1"]) * (1 - sqrt(r["gamma"]))
    Q = r["C1"] * (1 - r["gamma"])
    b = r["beta"] / (1 - r["beta"])
    return r["C0"] * (r["C0"] ** 2 * r["chi_1"] * L / P**3 + 2 * G / P * (b / sqrt(Q * theta_1) + 1) ** 2)


def C3_prime_of(r, L, G, theta_1):
    root, b = 1 - sqrt(r["gamma"]), 1 - r["beta"]
    inner = r["beta"] / sqrt(r["C1"] * (1 - r["gamma"]) * theta_1) + 1
    smooth = b**2 * r["C0"] ** 2 * r["chi_1"] * L / (r["C1"] * root**2)
    return r["C0"] / (sqrt(r["C1"]) * root) * (smooth + 2 * b * inner**2 * G)


def theorem_2(alpha, beta, theta, theta_prime, L, G, d, gap, epsilon, variant):
    r = restrictions(alpha, beta, theta, theta_prime)
    T, theta_1, b = len(alpha), theta[0], 1 - r["beta"]
    log = mp.log(1 + G**2 / (epsilon * d))
    if variant == "sharp":
        C3 = (C3_prime_of if len(set(beta)) == 1 else C3_of)(r, L, G, theta_1)
        weights = sum(a * mp.log(1 / th) for a, th in zip(r["a"], theta, strict=True))
        inverse = sum(1 / a for a in alpha)
        scale = sqrt(max(G**2, epsilon * d)) * inverse / T**2 * 2 / b
        terms = {
            "gap": scale * gap,
            "logarithm": scale * C3 * r["C0"] * d * r["a"][0] * log,
            "sum": scale * C3 * r["C0"] * d * weights,
        }
        constants = {"C3'": C3, "sum 1/alpha_t": inverse, "sum a_t ln(1/theta_t)": weights}
    else:
        C3 = C3_of(r, L, G, theta_1)
        total = sum(a * sqrt(1 - th) for a, th in zip(alpha, theta, strict=True))
        C = 2 * r["C0"] * sqrt(G**2 + epsilon * d) / b * (gap + C3 * r["C0"] * d * r["chi_1"] * log)
        C_prime = 2 * r["C0"] ** 2 * C3 * d * sqrt(G**2 + epsilon * d) / (b * theta_1)
        below = T * alpha[-1]
        terms = {
            "gap": 2 * r["C0"] * sqrt(G**2 + epsilon * d) / b * gap / below,
            "logarithm": (C - 2 * r["C0"] * sqrt(G**2 + epsilon * d) / b * gap) / below,
            "sum": C_prime * total / below,
        }
        constants = {"C": C, "C'": C_prime, "C3": C3, "sum alpha_t sqrt(1-theta_t)": total}
    constants |= {name: r[name] for name in ("C0", "C1", "gamma", "beta", "chi_1")}
    constants |= {
        "log_C1": mp.log(r["C1"]), "theta_1": theta_1, "theta_prime": theta_prime, "alpha_T": alpha[-1],
        "ln(1+G^2/(epsilon d))": log,
    }  # fmt: skip
    return sqrt(sum(terms.values())), terms, constants


def C6_of(T, L, G, alpha, beta, theta, variant, gamma):
    th1, root = 1 - theta / T, 1 - sqrt(gamma)
    if variant == "sharp":
        inner = beta / sqrt((1 - gamma) * th1) + 1
        return ((1 - beta) ** 2 * alpha * L / (sqrt(theta) * root**2) + 2 * (1 - beta) * inner**2 * G) / root
    inner = 2 * beta / ((1 - beta) * sqrt(1 - gamma)) + 1
    return (alpha * L / (sqrt(theta) * root**2) + 2 * inner**2 * G) / root


def corollary_13(T, L, G, d, gap, epsilon, alpha, beta, theta, variant):
    th1 = 1 - theta / T
    gamma = (beta if variant == "printed" else beta**2) / th1
    C6 = C6_of(T, L, G, alpha, beta, theta, variant, gamma)
    log = mp.log(1 + G**2 / (epsilon * d))
    if variant == "sharp":
        scale, last = 2 * sqrt(max(G**2, epsilon * d)) / (alpha * (1 - beta)), C6 * d * alpha * sqrt(theta)
    else:
        scale = 2 * sqrt(G**2 + epsilon * d) / (alpha * (1 - beta))
        last = 4 * C6 * d * alpha / sqrt(theta) if variant == "printed" else 4 * C6 * d * alpha * sqrt(theta)
    middle = C6 * d * alpha / sqrt(theta) * log
    C5 = scale * (gap + middle + last)
    terms = {name: scale * part / sqrt(T) for name, part in (("gap", gap), ("logarithm", middle), ("horizon", last))}
    constants = {
        "C5": C5, "C6'" if variant == "sharp" else "C6": C6, "gamma": gamma, "th1": th1, "chi": alpha / sqrt(theta),
        "ln(1+G^2/(epsilon d))": log,
    }  # fmt: skip
    return sqrt(C5 / sqrt(T)), terms, constants


def theorem_17(T, L, G, sigma2, d, gap, epsilon, alpha, beta, theta, s, variant):
    th1 = 1 - theta / T
    gamma = beta**2 / th1
    C6 = C6_of(T, L, G, alpha, beta, theta, variant, gamma)
    C7 = alpha / sqrt(theta) * C6
    C8 = sqrt(T) * sqrt(2 * sigma2 * theta + epsilon * s * d) / (sqrt(s) * alpha)
    C9 = sqrt(2 * theta / alpha**2)
    log = mp.log(1 + G**2 / (epsilon * d))
    K = 2 / (1 - beta) * (gap + C7 * d * (theta + log))
    linear, root = C9 * K / 2 / sqrt(T), sqrt(C9**2 * K**2 + 4 * C8 * K) / 2 / sqrt(T)
    constants = {"C8": C8, "C9": C9, "gamma": gamma, "th1": th1}
    if variant == "sharp":
        constants |= {"K": K, "C6'": C6, "C7'": C7, "ln(1+G^2/(epsilon d))": log}
        return linear + root, {"C9 K/2": linear, "sqrt(C9^2 K^2 + 4 C8 K)/2": root}, constants
    C10 = 2 / (1 - beta) * (gap + C7 * d * theta + 2 * C7 * d * mp.root(1 + 2 * sigma2 / (d * epsilon * s), 4))
    C11 = (2 * gap if variant == "printed" else 4 * C7 * d) / (1 - beta) * mp.root(2 * theta / (d * epsilon * T), 4)
    terms = {
        "(4 C8 C10)^(1/2)": sqrt(4 * C8 * C10) / sqrt(T),
        "(4 C8 C11)^(2/3)": mp.cbrt(4 * C8 * C11) ** 2 / sqrt(T),
        "4 C9 C10": 4 * C9 * C10 / sqrt(T),
        "(4 C9 C11)^2": (4 * C9 * C11) ** 2 / sqrt(T),
    }
    constants |= {"C6": C6, "C7": C7, "C10": C10, "C11": C11, "by Lemma 34": linear + root}
    return sum(terms.values()), terms, constants | {"exact root": largest_root(C8, C9, C10, C11) / sqrt(T)}


def largest_root(A, B, C, D):
    """Of x^2 = (A + B x)(C + D sqrt x): Newton downwards from Lemma 41's bound, in y = sqrt x (a quartic)."""
    bound = max((4 * B * D) ** 2, 4 * B * C, mp.cbrt(4 * A * D) ** 2, sqrt(4 * A * C))
    y = sqrt(bound)
    for _ in range(400):
        value = y**4 - (A + B * y**2) * (C + D * y)
        slope = 4 * y**3 - 2 * B * y * (C + D * y) - D * (A + B * y**2)
        step = value / slope
        y -= step
        if abs(step) < abs(y) * mpf(10) ** -40:
            break
    return y**2
