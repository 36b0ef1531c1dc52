"""Where the paper errs in print: the printed form, the corrected one, and evidence that is computed on the spot.

    for erratum in ERRATA:  erratum.judge()      -> Judgement, in seconds for all

A verdict is what the evidence shows now, whoever wrote the statement:

    printed refuted        an instance violates the printed form, and the corrected one holds there
    printed looser         both hold; the printed form is weaker than it need be
    printed not derivable  the printed form does not follow from what the proof has; the corrected one does
    both hold              the instance does not tell them apart
    corrected refuted      the corrected form fails: this project errs
    reading                a matter of wording, with nothing to compute
"""

from theory.chen_2022.errata import constants, speedup, trajectories
from theory.chen_2022.errata.erratum import Erratum, Judgement, rows

ERRATA: list[Erratum] = rows()

__all__ = ["ERRATA", "Erratum", "Judgement", "constants", "speedup", "trajectories"]
