"""Data that is not part of the project: tests that need it skip where it is not."""

from pathlib import Path

import pytest

from cssafe.settings import ROOT

SHARED = ROOT.parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """A file or folder of ../shared/data; skips the test that asks where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{name}, which is not part of the project")
    return path
