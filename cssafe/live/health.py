"""Health report for /healthz and the page Status: totals only, never figures of one visit or one lesson."""

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
from cssafe.errors import ConfigurationError
from cssafe.live import services
from cssafe.settings import ROOT

PACKAGES = ("streamlit", "streamlit-webrtc", "openvino", "duckdb", "opencv-python-headless", "av", "numpy", "pandas")
"""Packages whose version is needed first when something goes wrong."""

TRANSPORTS = {"WebSocket": "websocket", "WebRTC": "webrtc", "Snapshots": "snapshot"}
"""Name of a transport -> its module in cssafe/live/transports."""


def report() -> dict[str, Any]:
    """The body of /healthz, in plain values for JSON.

    state: of the networks: loading, ready or failed. problem: why they or the database cannot be used, in words, or empty.
    notice: what may be missing after an unclean end, until it was read. workspaces: open databases; hosted, one a visit.
    lessons: running. streams: lessons with a connected camera. frames_per_second: analysed, over the last ten seconds. waiting:
    frames that wait for their turn. analyzed, failed: frames since the start. last_write: of observations, ISO 8601 in UTC,
    None before the first. memory_mb: resident memory of the process. uptime: seconds.
    """
    now = services.current()
    engine, lessons, open_now = now.engine(), now.lessons(), now.workspaces()
    written = [workspace.written for workspace in open_now if workspace.written]
    problems = [engine.problem, now.store_problem(), *(w.problem for w in open_now if not w.in_memory)]
    return {
        "state": engine.state,
        "problem": " ".join(filter(None, problems)),
        "notice": now.store_notice(),
        "workspaces": len(open_now),
        "lessons": len(lessons),
        "streams": sum(lesson.lease.connected for lesson in lessons),
        "frames_per_second": round(now.speed(), 1),
        "waiting": engine.waiting,
        "analyzed": engine.analyzed,
        "failed": engine.failed,
        "last_write": max(written).isoformat(timespec="seconds") if written else None,
        "memory_mb": memory().get("now"),
        "uptime": round(time.monotonic() - now.started),
    }


def versions() -> dict[str, str]:
    """Versions of the app, Python, the served networks and PACKAGES."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "CSSAFE": project["version"],
        "Python": platform.python_version(),
        "expression network": network(),
        "face detector": detector(),
    } | {name: _version(name) for name in PACKAGES}


def transports() -> list[str]:
    """Names of the transports that this server offers."""
    return [name for name, module in TRANSPORTS.items() if importlib.util.find_spec(f"cssafe.live.transports.{module}")]


def network() -> str:
    """First digits of the SHA-256 of the expression network's weights; in words where there are none."""
    try:
        chosen = settings.load()
        if not chosen.profile.expression:
            return "none: no emotion is computed"
        return _digest(chosen.model, "expression.bin")
    except (ConfigurationError, OSError, ValueError, KeyError, TypeError):  # Services.problem says why
        return "cannot be read"


def detector() -> str:
    """As `network`, of the face detector; a YuNet by the name of its file."""
    try:
        chosen = settings.load().detector
        return f"YuNet, {chosen.name}" if chosen.suffix.lower() == ".onnx" else _digest(chosen, "detector.bin")
    except (ConfigurationError, OSError, ValueError, KeyError, TypeError):
        return "cannot be read"


def _digest(folder: Path, weights: str) -> str:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return f"SHA-256 {card['sha256'][weights][:12]}"


def memory() -> dict[str, int]:
    """Memory of this process in MB: `peak` and, on Linux, `now`; empty on Windows."""
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
