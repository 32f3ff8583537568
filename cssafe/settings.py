"""Every path, limit and threshold, with its reason. Environment variables CSSAFE_* override what a school may choose."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from cssafe.errors import ConfigurationError
from cssafe.language import N_

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder."""

DEFAULT_DETECTOR = ROOT / "models" / "detector"
"""The face detector that is served where no other is named."""

PORT = 8501
"""Streamlit's own default port."""

THREADS = 2
"""Threads of each network: the small hosts and old laptops this is meant for have two cores."""

MINIMUM_GROUP = 5
"""Figures about a class are shown only from this many faces on; with fewer, one student could be read out of a mean.
Five is the usual threshold of official statistics. It does not bind lessons in which a person films only herself."""

MIN_FACE_PX = 24
"""Height in pixels below which a face is found and counted but not measured: the expression network learned from 48-pixel
crops, and below half of that the picture is mostly interpolation."""

MAX_YAW_DEG = 60.0
"""Degrees of yaw beyond which one eye and half the mouth are hidden, so that nothing is read from the face."""

MIN_SHARPNESS = 5.0
"""Sharpness (deviation of the Laplacian of the 48-pixel crop, grey levels) below which a face is too blurred
to be read: faces of FER2013 have 28 and more, shrunk to 24 px 9-20, to 12 px 4-8."""

MAX_FRAME_BYTES = 300_000
"""Bytes of one JPEG over the WebSocket: 640x480 at quality 0.6 takes about 40,000."""

MAX_FRAME_PX = (1920, 1080)
"""Most pixels of one JPEG over the WebSocket, its longer and its shorter side: a phone is also held upright. More than a
classroom camera needs, and 6 MB when decoded."""

TRANSPORT_TIMEOUT_S = 8.0
"""Longest wait for a transport's first result before another transport is used or offered. The browser gets it from here."""

ABSENCE_TIMEOUT_S = 120.0
"""A lesson ends when no picture of it was analysed for this long, and a visit is over when its tab was closed for this
long: as long as Streamlit lets a lost connection find back."""

OVERLAY_TIMEOUT_S = 2.5
"""Age of a result from which its boxes no longer belong to the video. The browser gets it from here."""

MAX_UPLOAD_MB = 100
"""MB of one uploaded file, and hosted of all files of one upload, for they stay in memory: a host with 1 GB keeps half of
it for everybody else. .streamlit/config.toml tells Streamlit the same."""

HOSTED_UPLOADS_MB = (MAX_UPLOAD_MB, 2 * MAX_UPLOAD_MB)
"""MB of the uploaded files that are kept for one visit, and for all: with the copy that is made as a file arrives, half of
a host with 1 GB."""

LOCAL_UPLOADS_MB = (1000, 2000)
"""The same where a school runs CSSAFE: ten of the largest files, which a computer with 4 GB has room for. What is larger is
read from the disk (`python -m cssafe analyze`)."""

MAX_UPLOAD_FILES = 50
"""Files of one upload: as many as a page can show."""


@dataclass(frozen=True)
class ImportLimits:
    """Most that one export file may hold. file: its bytes. unpacked: bytes of its members. rows: of all tables. decoded: bytes
    of all rows as they are in memory. memory: bytes that the process which decodes it may allocate."""

    file: int
    unpacked: int
    rows: int
    decoded: int
    memory: int


IMPORT_INTO_MEMORY = ImportLimits(
    file=50_000_000, unpacked=200_000_000, rows=200_000, decoded=60_000_000, memory=150_000_000
)
"""Hosted, and wherever a visit's workspace is in memory. Its database has 128 MB, of which 200,000 observations take 64 until
they are packed, and the tables made from them 33 meanwhile (measured): the rest is for what is there before. An observation has
200 bytes decoded, 66 in a file of Parquet and 210 in one of JSON, 860 of which are unpacked. Such a file and one batch fit the
memory."""

IMPORT_ONTO_DISK = ImportLimits(
    file=100_000_000_000, unpacked=100_000_000_000, rows=100_000_000, decoded=30_000_000_000, memory=1_000_000_000
)
"""On the user's own computer: five times 20 million observations, which five years of lessons make. As JSON those are 16 GB
unpacked. A laptop has 1 GB to spare for one import."""

MAX_IMPORT_MEMBERS = 100
"""Members of the ZIP: there are fewer than 20 tables, and some programs add a second member for each."""

MAX_IMPORT_TEXT_BYTES = 20_000
"""Of a cell: a note has at most 2,000 characters of at most 4 bytes."""

MAX_IMPORT_SETTING_BYTES = 1_000_000
"""Of a setting: a week of 3,000 lessons takes half of it."""

MAX_IMPORT_LESSONS = 200_000
"""Their table is held in memory as a whole: as many as a school of 30 classes gives in five years."""

LIVE_HISTORY_MINUTES = 5
"""How far back the live page's line reaches."""

IDLE_TIMEOUT_MINUTES = 30
"""A visit's own workspace is closed after this long without use and without a running lesson: longer than a break between
two lessons, short enough that forgotten tabs do not fill the memory of a small host."""


@dataclass(frozen=True)
class Profile:
    """What may be inferred, stored and shown (enforced by the pipeline and the store, not by a page).

    expression: emotions are computed at all; without it no expression network is loaded.
    stored: observations outlive the visit.
    individuals: a single face's reading may be shown on the live picture (each person in it has agreed, or is alone).
    agreement: everybody in the picture must have agreed before the first lesson.
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
    """What the environment chose; `read` fills it. hosted: strangers share the server, so that each visit keeps to itself
    and nothing on the server's own machine (cameras, files) is offered."""

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
        """The one database in a file.

        Raises:
            ConfigurationError: hosted, where there is none.
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
