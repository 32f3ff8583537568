"""The browser's JavaScript, by the test runner of Node.js."""

import shutil
import subprocess
from pathlib import Path

import pytest


def test_the_camera_component_in_javascript():
    if (node := shutil.which("node")) is None:
        pytest.skip("Node.js is not installed")
    tests = Path(__file__).with_name("camera_component.test.mjs")
    done = subprocess.run([node, "--test", str(tests)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
