"""Status: how the server is doing, all visitors together."""

from datetime import datetime, timedelta

import streamlit as st

from cssafe import health, ui

ui.heading("Status")


@st.fragment(run_every=2)
def now() -> None:
    """The figures of this moment."""
    report = health.report()
    if report["problem"]:
        st.error(report["problem"], icon=":material/error:")
    written = "none yet"
    if report["last_write"]:
        behind = timedelta(minutes=st.context.timezone_offset or 0)  # the visitor's clock behind UTC
        written = f"{datetime.fromisoformat(report['last_write']) - behind:%H:%M:%S}"
    figures = {
        "Networks": report["state"],
        "Open workspaces": report["workspaces"],
        "Lessons running": report["lessons"],
        "Cameras": report["streams"],
        "Frames a second": f"{report['frames_per_second']:.1f}",
        "Frames waiting": report["waiting"],
        "Frames that failed": f"{report['failed']} of {report['failed'] + report['analyzed']}",
        "Last write": written,
        "Memory": f"{report['memory_mb']} MB" if report["memory_mb"] else "not told",
        "Running for": str(timedelta(seconds=report["uptime"])),
    }
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, width=160)


now()
st.caption(
    "All visitors together; nothing here tells of a single lesson. The same figures are at the address /healthz, for a "
    "program that watches the server."
)
st.subheader("Versions")
st.table(health.versions())
st.caption(f"Ways for pictures to get here: {', '.join(health.transports())}.")
