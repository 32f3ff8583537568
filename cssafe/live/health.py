"""How the server is doing, for /healthz and the page Status: of everybody together, never of one visit or one lesson."""

import importlib.util
import json
import platform
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from cssafe import settings
from cssafe.live import services
from cssafe.settings import ROOT, ConfigurationError

PACKAGES = ("streamlit", "streamlit-webrtc", "openvino", "duckdb", "opencv-python-headless", "av", "numpy", "pandas")
"""Those whose version is asked for first when something goes wrong."""

TRANSPORTS = {"WebSocket": "websocket", "WebRTC": "webrtc", "Snapshots": "snapshot"}
"""Ways of a camera's pictures to the server, and the modules of cssafe/live that make them."""


def report() -> dict[str, Any]:
    """What /healthz answers, as plain values for JSON.

    state: of the networks: loading, ready or failed. problem: why they or the database cannot be used, in words, empty while
    all is well. notice: what may be missing after an unclean end, until somebody has read it. workspaces: open databases;
    hosted, one for each visit. lessons: running. streams: of them, those with a camera connected. frames_per_second:
    analysed, over the last ten seconds. waiting: frames that wait for their turn. analyzed, failed: frames since the start.
    last_write: of observations, ISO 8601 in UTC, None before the first. memory_mb: that the process holds now. uptime:
    seconds.
    """
    engine, lessons, open_now = (
        services.current().engine(),
        services.current().lessons(),
        services.current().workspaces(),
    )
    written = [workspace.written for workspace in open_now if workspace.written]
    problems = [engine.problem, services.current().store_problem(), *(w.problem for w in open_now if not w.in_memory)]
    return {
        "state": engine.state,
        "problem": " ".join(filter(None, problems)),
        "notice": services.current().store_notice(),
        "workspaces": len(open_now),
        "lessons": len(lessons),
        "streams": sum(lesson.lease.connected for lesson in lessons),
        "frames_per_second": round(services.current().speed(), 1),
        "waiting": engine.waiting,
        "analyzed": engine.analyzed,
        "failed": engine.failed,
        "last_write": max(written).isoformat(timespec="seconds") if written else None,
        "memory_mb": memory().get("now"),
        "uptime": round(time.monotonic() - services.current().started),
    }


def versions() -> dict[str, str]:
    """Of the app, of Python, of the served network and of the packages that matter most."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "CSSAFE": project["version"],
        "Python": platform.python_version(),
        "expression network": network(),
        "face detector": detector(),
    } | {name: _version(name) for name in PACKAGES}


def transports() -> list[str]:
    """Those that this server offers."""
    return [name for name, module in TRANSPORTS.items() if importlib.util.find_spec(f"cssafe.live.transports.{module}")]


def network() -> str:
    """The beginning of the SHA-256 of the expression network's weights; in words where there are none."""
    try:
        chosen = settings.read()
        if not chosen.profile.expression:
            return "none: no emotion is computed"
        return _digest(chosen.model, "expression.bin")
    except (
        ConfigurationError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # services.current().problem says what is wrong
        return "cannot be read"


def detector() -> str:
    """The same of the face detector; a YuNet by the name of its file."""
    try:
        chosen = settings.read().detector
        return f"YuNet, {chosen.name}" if chosen.suffix.lower() == ".onnx" else _digest(chosen, "detector.bin")
    except (ConfigurationError, OSError, ValueError, KeyError, TypeError):
        return "cannot be read"


def _digest(folder: Path, weights: str) -> str:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return f"SHA-256 {card['sha256'][weights][:12]}"


def memory() -> dict[str, int]:
    """MB of this process: most it ever held, and, where the system tells, what it holds now."""
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss would count the process that started this one, too
        kilobytes = {
            row.split(":")[0]: row.split()[1] for row in status.read_text().splitlines() if row.startswith("Vm")
        }
        return {"now": int(kilobytes["VmRSS"]) // 1024, "peak": int(kilobytes["VmHWM"]) // 1024}
    if sys.platform == "win32":
        return {}
    import resource  # not on Windows

    return {
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024)
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
