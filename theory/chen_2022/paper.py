"""The paper: C. Chen, L. Shen, F. Zou, W. Liu, "Towards Practical Adam", JMLR 23(229), 2022; how it is cited."""

PAPER = "Chen, Shen, Zou and Liu, JMLR 23(229), 2022"
