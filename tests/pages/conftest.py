"""What the tests of pages share."""

import pytest

from cssafe.ui import common


@pytest.fixture
def pages_use_workspace(workspace, monkeypatch):
    """The pages show the test's own workspace, in memory."""
    monkeypatch.setattr(common, "workspace", lambda: workspace)
