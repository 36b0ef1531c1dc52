"""Files that appear whole or not at all: written beside, flushed to disk, renamed."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# what reading a damaged .npz or .json may raise
UNREADABLE = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
)


def write_bytes(path: Path, content: bytes) -> None:
    """The file appears with this content, or stays as it was. OSError where it cannot be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")  # another process writes beside another name
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, content: Any) -> None:
    """Strict JSON: NaN and infinities are refused."""
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def npz_bytes(arrays: dict[str, NDArray]) -> bytes:
    """The same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
