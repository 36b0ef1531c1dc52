"""Chen, Shen, Zou and Liu, "Towards Practical Adam", JMLR 23(229), 2022: a statement a file, and its errata."""
