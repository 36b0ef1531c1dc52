"""Installs `reference`, `theory` and `mpi`; the packages are listed by name, so that the tests stay where they are."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # before anything is downloaded or built
    sys.exit(f"practical-adam needs Python 3.11 or newer; this is Python {sys.version.split()[0]} ({sys.executable})")

from setuptools import setup

setup(
    name="practical-adam",
    version="0.2.0",
    description="The ground truth for Adam: Generic, mini-batch and distributed Adam with their theory",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    keywords=["adam", "optimization", "convergence", "mini-batch", "mpi", "reproducibility"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Intended Audience :: Developers",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Mathematics",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=[
        "reference",
        "reference.datasets",
        "reference.methods",
        "reference.networks",
        "reference.problems",
        "theory",
        "theory.adversary",
        "theory.chen_2022",
        "theory.chen_2022.errata",
        "theory.chen_2022.lemmas",
        "theory.commands",
        "theory.experiments",
        "theory.report",
        "theory.tools",
        "mpi",
    ],
    package_data={
        "reference": ["py.typed"],
        "reference.datasets": ["digits.csv.gz", "DIGITS-LICENSE.txt"],
        "theory": ["py.typed"],
        "theory.report": ["style.css"],
        "theory.adversary": ["data/tight.json"],
        "mpi": ["py.typed"],
    },
    install_requires=["numpy>=2.0", "scipy>=1.13", "matplotlib>=3.8", "tqdm>=4.66", "threadpoolctl>=3.5"],
    extras_require={
        # never both in one environment: each brings its own mpirun
        "mpi": ["mpi4py>=4.1", "mpich>=4.3"],
        "openmpi": ["mpi4py>=4.1", "openmpi>=5.0.8"],
        "test": [
            "pdoc>=15",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis>=6.100",
            "mpmath>=1.3",
            "ruff>=0.6",
            "mypy>=1.11",
            "nbclient>=0.10",
            "nbformat>=5.10",
            "ipykernel>=6.29",
            "ipywidgets>=8",
            "pandas>=2",
        ],
        "docs": ["pdoc>=15"],
        "notebooks": ["jupyterlab>=4", "ipywidgets>=8"],
        "bench": ["torch>=2.4", "jax>=0.4.30", "optax>=0.2.3"],
    },
)
