"""Python programs in processes of their own, and what they leave in files."""

import subprocess
import sys
import textwrap
from pathlib import Path

from cssafe.settings import ROOT

SECRET = "Nobody may read this any more"


def python(program: str, path: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def holding(folder: Path, words: str) -> list[str]:
    """Files in which the words can be read."""
    return [path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]
