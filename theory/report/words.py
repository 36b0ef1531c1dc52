"""The words and symbols that claims and pictures use, each in a sentence: a page's glossary, and a manual's."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "E||grad f||, E‖∇f‖": "The expectation of the gradient's norm, averaged over the steps 1..T of a run.",
    "T, t": "The number of steps, and one of them.",
    "αₜ, βₜ, θₜ, v₀": "Step size and averaging parameters of Algorithm 1 (Chen et al. 2022, p. 4), and the value at "
    "which its v begins, epsilon.",
    "r, s, in O(T^...)": "The exponents of Eq. 8 (Chen et al. 2022, p. 10): θₜ = 1 - a/tʳ and αₜ = η/tˢ.",
    "s workers, B": "A step's gradient is the mean of s workers' samples; a sample is the mean of B draws.",
    "G, σ², L": "The constants of the assumptions: E||g||² is at most G² (A4), a sample's variance at most σ² (A2), "
    "and the gradient is L-Lipschitz (A5).",
    "SC1-SC4": "The four parts of the sufficient condition for convergence (Chen et al. 2022, Corollary 9, p. 10).",
    "printed, corrected, sharp": "Three forms of a bound: as the paper prints it; with its errors in print mended; and "
    "under the same assumptions with less waste.",
    "vacuous": "Said of a bound above what every algorithm meets: the claim holds whatever is measured.",
    "bump, tapered, quadratic": "Problems: Σ x²/(1+x²); a slope of 1, bent to 0 on the left; |x|²/2.",
    "practical, generic": "Families of parameters: αₜ = alpha/√T and θₜ = 1 - theta/T (Chen et al. 2022, Corollary 13, "
    "p. 13); and Eq. 8 (p. 10).",
    "two-point, N(0, q)": "Noise added to each coordinate of the gradient: one of two values; normal, of variance q.",
    "collapse": "Runs with different s and the same s·T have the same E||grad f||.",
    "topic": "What several claims are cases of; they are counted together.",
}
