"""What data there are and where they are found. The digits are embedded; nothing is ever downloaded."""

from reference.datasets.digits import digits
from reference.datasets.split import Split

__all__ = ["Split", "digits"]
