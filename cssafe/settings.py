"""Paths, limits and thresholds with their reasons, and the settings of the environment (CSSAFE_*)."""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from cssafe.errors import ConfigurationError
from cssafe.language import N_

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder."""

DEFAULT_DETECTOR = ROOT / "models" / "detector"
"""Default face detector."""


def processor_quota(groups: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores that a control group of Linux allows this process, as hosts limit containers; infinite without a limit."""
    quotas = [math.inf]
    for line in groups.read_text(encoding="utf-8").splitlines() if groups.is_file() else ():
        _number, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        for folder in (mounted / controllers, mounted / "cpu"):  # version 2 names no controllers
            for group in (folder / path.lstrip("/"), folder):  # a container sees its own group as the root
                quotas += [
                    _read_quota([group / "cpu.max"]),
                    _read_quota([group / f"cpu.cfs_{n}_us" for n in ("quota", "period")]),
                ]
    return min(quotas)


def _read_quota(files: list[Path]) -> float:
    """Quota over period of a group, from one file of version 2 or two of version 1; infinite where there is none."""
    try:
        quota, period = " ".join(file.read_text(encoding="ascii") for file in files).split()
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf


THREADS = 1 if processor_quota() < 2 else 2
"""Threads of each network: small hosts and old laptops have two cores. Where a quota allows less, two threads use it up by
waiting for each other: on half a core they analysed 4.8 pictures a second, one thread 8.2."""

MINIMUM_GROUP = 5
"""Minimum number of faces of a figure about a class; with fewer, a mean could reveal one student. Five is the usual threshold
of official statistics. It does not apply to lessons in which a person films only herself."""

MIN_FACE_PX = 24
"""Height in pixels below which a face is counted but not measured: the expression network learned from 48-pixel crops, and
below half of that a crop is mostly interpolation."""

MAX_YAW_DEG = 60.0
"""Yaw in degrees beyond which a face is not measured: one eye and half the mouth are hidden."""

MIN_SHARPNESS = 5.0
"""Sharpness (deviation of the Laplacian of the 48-pixel crop, grey levels) below which a face is not measured: faces of FER2013
have 28 and more, shrunk to 24 px 9-20, to 12 px 4-8."""

MAX_FRAME_BYTES = 300_000
"""Size of a JPEG over the WebSocket: 640x480 at quality 0.6 takes about 40,000 bytes."""

MAX_FRAME_PX = (1920, 1080)
"""Longer and shorter side of a JPEG over the WebSocket (a phone may be held upright): more than a classroom camera needs, and
6 MB decoded."""

TRANSPORT_TIMEOUT_S = 8.0
"""Wait for a transport's first result before another one is used or offered. The browser gets it from here."""

ABSENCE_TIMEOUT_S = 120.0
"""A lesson ends after this time without an analysed picture, and a visit after this time with its tab closed: as long as
Streamlit lets a lost connection reconnect."""

OVERLAY_TIMEOUT_S = 2.5
"""Maximum age of a result whose boxes are drawn. The browser gets it from here."""

MAX_UPLOAD_MB = 100
"""Size of an uploaded file, and hosted of all files of an upload, which stay in memory: a host with 1 GB keeps half of it for
all others. .streamlit/config.toml has the same number."""

HOSTED_UPLOADS_MB = (MAX_UPLOAD_MB, 2 * MAX_UPLOAD_MB)
"""Uploaded files of one visit, and of all visits: with the copy of an arriving file, half of a host with 1 GB."""

LOCAL_UPLOADS_MB = (1000, 2000)
"""The same where a school runs CSSAFE: ten of the largest files fit a computer with 4 GB. Larger files are read from the disk
(`python -m cssafe analyze`)."""

MAX_UPLOAD_FILES = 50
"""Files of an upload: as many as a page can show."""


@dataclass(frozen=True)
class ImportLimits:
    """Limits of an export file. file: its bytes. unpacked: bytes of its members. rows: of all tables. decoded: bytes of all
    rows in memory. memory: bytes that the decoder's process may allocate."""

    file: int
    unpacked: int
    rows: int
    decoded: int
    memory: int


IMPORT_INTO_MEMORY = ImportLimits(
    file=50_000_000, unpacked=200_000_000, rows=200_000, decoded=60_000_000, memory=150_000_000
)
"""For a workspace in memory. Its database has 128 MB, of which 200,000 observations take 64 until they are packed and their
derived tables 33 (measured); earlier lessons have the rest. An observation takes 200 bytes decoded, 66 in Parquet, and 210 in
JSON, which unpack to 860. Such a file and one batch fit the memory."""

IMPORT_ONTO_DISK = ImportLimits(
    file=100_000_000_000, unpacked=100_000_000_000, rows=100_000_000, decoded=30_000_000_000, memory=1_000_000_000
)
"""For a database file: five times the 20 million observations of five years of lessons, which are 16 GB of unpacked JSON. A
laptop can spare 1 GB for an import."""

MAX_IMPORT_MEMBERS = 100
"""Members of the ZIP: there are fewer than 20 tables, and some programs add a second member for each."""

MAX_IMPORT_TEXT_BYTES = 20_000
"""Size of a cell: a note has at most 2,000 characters of at most 4 bytes."""

MAX_IMPORT_SETTING_BYTES = 1_000_000
"""Size of a setting: a week of 3,000 lessons takes half of it."""

MAX_IMPORT_LESSONS = 200_000
"""Lessons of a file, whose table is held in memory: a school of 30 classes gives as many in five years."""

LIVE_HISTORY_MINUTES = 5
"""Minutes on the live page's line."""

IDLE_TIMEOUT_MINUTES = 30
"""Minutes without use or running lesson after which a visit's workspace is closed: longer than a break between lessons, short
enough that forgotten tabs do not fill a small host."""


@dataclass(frozen=True)
class Profile:
    """Privacy profile: what is inferred, stored and shown. Enforced by the pipeline and the store.

    expression: emotions are computed at all; without it no expression network is loaded.
    stored: observations outlive the visit.
    individuals: readings of single faces may be shown on the live picture (all persons agreed, or one is alone).
    agreement: all persons must have agreed before the first lesson.
    """

    name: str
    expression: bool
    stored: bool
    individuals: bool
    agreement: bool


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("demo", expression=True, stored=False, individuals=True, agreement=False),
        Profile("consent", expression=True, stored=True, individuals=True, agreement=True),
        Profile("attention-only", expression=False, stored=True, individuals=False, agreement=True),
    )
}


@dataclass(frozen=True)
class Settings:
    """Settings of the environment, made by `load`. hosted: strangers share the server; visits are separate and the server's
    own cameras and files are not offered."""

    hosted: bool
    profile: Profile
    data: Path
    model: Path
    detector: Path
    origins: tuple[str, ...]
    hosts: tuple[str, ...]
    frame_ancestors: str

    @property
    def database(self) -> Path:
        """Path of the database file.

        Raises:
            ConfigurationError: hosted, where there is no file.
        """
        if self.hosted:
            raise ConfigurationError(
                N_(
                    "Hosted (CSSAFE_MODE), nothing is kept in a database file: strangers would share it. Each visit has a "
                    "workspace of its own in memory. To keep lessons, run CSSAFE with CSSAFE_MODE=local."
                )
            )
        return self.data / "cssafe.duckdb"


def load(environment: dict[str, str] | None = None) -> Settings:
    """Settings from CSSAFE_MODE (local, hosted), CSSAFE_PROFILE (demo, consent, attention-only), CSSAFE_DATA (folder of
    the database), CSSAFE_MODEL (folder of the expression network), CSSAFE_DETECTOR (folder of a face
    detector, or YuNet as .onnx) and CSSAFE_ORIGINS (further web addresses, separated by commas, that
    may open the camera's WebSocket, such as https://school.example or https://*.school.example; the page's own address
    always may). CSSAFE_HOSTS (names by which the server is opened, separated by commas, such as class.school.example)
    and CSSAFE_FRAME_ANCESTORS (pages that may show CSSAFE in a frame, as in Content-Security-Policy) are explained in
    docs/hosting.md.

    Hosted, no profile stores anything: strangers would share the file.

    Raises:
        ConfigurationError: a value that cannot be used.
    """
    env = os.environ if environment is None else environment
    mode = env.get("CSSAFE_MODE", "local")
    if mode not in ("local", "hosted"):
        raise ConfigurationError(N_("There is no mode {mode!r}. Choose local or hosted (CSSAFE_MODE)."), mode=mode)
    hosted = mode == "hosted"
    chosen = find_profile(env.get("CSSAFE_PROFILE", "demo" if hosted else "consent"))
    return Settings(
        hosted=hosted,
        profile=replace(chosen, stored=False) if hosted else chosen,
        data=Path(env.get("CSSAFE_DATA", ROOT / "data")),
        model=Path(env.get("CSSAFE_MODEL", ROOT / "models" / "expression")),
        detector=Path(env.get("CSSAFE_DETECTOR") or DEFAULT_DETECTOR),
        origins=_listed(env.get("CSSAFE_ORIGINS", "")),
        hosts=_listed(env.get("CSSAFE_HOSTS", "")),
        frame_ancestors=env.get("CSSAFE_FRAME_ANCESTORS", ""),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())


def find_profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in PROFILES:
        raise ConfigurationError(
            N_("There is no profile {name!r}. Choose one of {profiles} (CSSAFE_PROFILE, or --profile)."),
            name=name,
            profiles=", ".join(PROFILES),
        )
    return PROFILES[name]
