"""What the tests of pages share."""

import pytest

from cssafe.store import Workspace
from cssafe.ui import common


@pytest.fixture
def workspace(monkeypatch):
    """An open workspace in memory, which the pages use."""
    opened = Workspace.open(None)
    monkeypatch.setattr(common, "workspace", lambda: opened)
    yield opened
    opened.close()
