"""The names that README's table gives work as typed, and asking for one loads nothing that it does not need."""

import subprocess
import sys

import pytest

import theory


@pytest.mark.parametrize("name", theory.__all__)
def test_every_name_is_there(name):
    found = getattr(theory, name)
    assert name in dir(theory)
    if callable(found) and name[0].islower():
        assert found.__name__ == name


def test_the_names_are_those_that_are_loaded():
    assert set(theory.__all__) == set(theory._WHERE)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"no attribute 'theorem_3'; it has .*theorem_2"):
        theory.theorem_3  # noqa: B018


def test_a_bound_without_the_rest():
    program = (
        "import sys, theory; theory.theorem_17; theory.corollary_13; theory.Constants; theory.STATEMENTS['theorem-2']; "
        "assert not {'matplotlib', 'scipy', 'tqdm'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
