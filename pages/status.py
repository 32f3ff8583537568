"""Status: the state of the server, for all visitors together."""

from datetime import datetime, timedelta

import streamlit as st

from cssafe.language import N_, _
from cssafe.live import health, services
from cssafe.names import escape_sentence
from cssafe.ui import common

STATES = {"loading": N_("loading"), "ready": N_("ready"), "failed": N_("failed")}

common.show_heading(_("Status"))


@st.fragment(run_every=2)
def show_state() -> None:
    """The figures of this moment, every two seconds."""
    report = health.report()
    if report["problem"]:
        st.error(escape_sentence(report["problem"]), icon=":material/error:")
    if report["notice"]:
        st.warning(escape_sentence(report["notice"]), icon=":material/restore:")
    for workspace in services.current().workspaces():
        if workspace.backup_problem:
            st.warning(escape_sentence(workspace.backup_problem), icon=":material/backup:")
    written = _("none yet")
    if report["last_write"]:
        behind = timedelta(minutes=st.context.timezone_offset or 0)  # the visitor's clock behind UTC
        written = f"{datetime.fromisoformat(report['last_write']) - behind:%H:%M:%S}"
    state = STATES[report["state"]]
    figures = {
        _("Networks"): _(state),
        _("Open workspaces"): report["workspaces"],
        _("Lessons running"): report["lessons"],
        _("Cameras"): report["streams"],
        _("Frames a second"): f"{report['frames_per_second']:.1f}",
        _("Frames waiting"): report["waiting"],
        _("Frames that failed"): _("{n} of {all}").format(
            n=report["failed"], all=report["failed"] + report["analyzed"]
        ),
        _("Last write"): written,
        _("Memory"): f"{report['memory_mb']} MB" if report["memory_mb"] else _("not known"),
        _("Running for"): str(timedelta(seconds=report["uptime"])),
    }
    with st.container(horizontal=True):
        for name, value in figures.items():
            st.metric(name, value, width=160)


show_state()
if common.settings().hosted and not common.settings().hosts:
    st.caption(
        _(
            "Host names: CSSAFE_HOSTS is not set, so this server answers to any name, and to pages of that same name only. "
            "Set it to the server's own names."
        )
    )
st.caption(
    _(
        "All visitors together, without figures of single lessons. The same figures are at the address /healthz, for programs "
        "that monitor the server."
    )
)
st.subheader(_("Versions"))
st.table(health.versions())
st.caption(_("Camera connections: {ways}.").format(ways=", ".join(health.transports())))
