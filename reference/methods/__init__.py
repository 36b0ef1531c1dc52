"""Adam and the methods the paper compares with, by name. A new method is one file and one row of METHODS."""

from reference.methods.adagrad import ADAGRAD
from reference.methods.adam import ADAM
from reference.methods.amsgrad import AMSGRAD, AMSGradState
from reference.methods.method import Method
from reference.methods.rmsprop import RMSPROP
from reference.methods.sgd import SGD, SGD_MOMENTUM

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        ADAM,
        SGD,
        SGD_MOMENTUM,
        ADAGRAD,
        RMSPROP,
        AMSGRAD,
    )
}

__all__ = [
    "ADAGRAD",
    "ADAM",
    "AMSGRAD",
    "METHODS",
    "RMSPROP",
    "SGD",
    "SGD_MOMENTUM",
    "AMSGradState",
    "Method",
]
